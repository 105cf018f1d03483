"""Explanations of deliveries and of events, with the reads that they need."""

from collections.abc import Sequence
from typing import cast

from hookspan.domain.explain import Asked, Explanation, explain_absence, explain_delivery
from hookspan.domain.records import Application, Delivery, Event, Webhook
from hookspan.domain.states import DeliveryState, Order, WebhookStatus
from hookspan.domain.subscription import compile_subscription
from hookspan.ids import DELIVERY_PREFIX, to_text
from hookspan.manage import views
from hookspan.manage._ground import Ground
from hookspan.manage._show import time_or_none
from hookspan.profiles import Profile
from hookspan.store.contract import Page, Revision


class Why:
    """Explains things of one application. Lives for one request and remembers what it has read."""

    def __init__(self, ground: Ground, application: Application, profile: Profile) -> None:
        self._store = ground.store
        self._application = application
        self._profile = profile
        self._now_ms = ground.clock.now_ms()
        self._webhooks: dict[int, Webhook | None] = {}
        self._all: tuple[Webhook, ...] | None = None

    async def of_delivery(self, delivery: Delivery) -> Explanation:
        webhook = await self._webhook(delivery.webhook_id)
        is_behind_head = webhook is not None and await self._is_behind_head(delivery, webhook)
        return explain_delivery(delivery, webhook, is_behind_head=is_behind_head, now_ms=self._now_ms)

    async def of_event(self, event: Event) -> list[views.EventWebhook]:
        """A line for each delivery of the event (sent and replayed ones too), and one for each webhook without."""
        deliveries = await self._store.deliveries_of_event(self._application.id, event.id)
        lines = [await self._delivered(one) for one in sorted(deliveries, key=lambda one: (one.webhook_id, one.run))]
        covered = {one.webhook_id for one in deliveries}
        others = [webhook for webhook in await self._all_webhooks() if webhook.id not in covered]
        then = await self._store.revisions_at([webhook.id for webhook in others], event.position) if others else {}
        for webhook in others:
            why = explain_absence(webhook, event, self._asked(webhook, then.get(webhook.id), event))
            lines.append(self._line(webhook.id, None, why))
        return lines

    async def _delivered(self, delivery: Delivery) -> views.EventWebhook:
        return self._line(delivery.webhook_id, delivery, await self.of_delivery(delivery))

    def _line(self, webhook_id: int, delivery: Delivery | None, why: Explanation) -> views.EventWebhook:
        return views.EventWebhook(
            webhook_id=to_text(self._profile.webhook_prefix, webhook_id),
            delivery_id=None if delivery is None else to_text(DELIVERY_PREFIX, delivery.id),
            state=None if delivery is None else cast("views.ShownState", delivery.state.word),
            reason=why.reason,
            next_attempt_at=None if delivery is None else time_or_none(delivery.next_attempt_at),
            sentence=why.sentence,
        )

    async def _webhook(self, webhook_id: int) -> Webhook | None:
        if webhook_id not in self._webhooks:
            self._webhooks[webhook_id] = await self._store.get_webhook(webhook_id)
        return self._webhooks[webhook_id]

    async def _all_webhooks(self) -> Sequence[Webhook]:
        if self._all is None:
            found = await self._store.webhooks_of(self._application.id)
            self._all = () if found is None else found.webhooks
            self._webhooks.update((one.id, one) for one in self._all)
        return self._all

    async def _is_behind_head(self, delivery: Delivery, webhook: Webhook) -> bool:
        """Ids grow with time, so the head of a fifo webhook is its pending delivery with the lowest id."""
        if webhook.order is not Order.FIFO or delivery.state is not DeliveryState.PENDING:
            return False
        older = await self._store.list_deliveries(
            self._application.id,
            Page(limit=1, before=delivery.id),
            webhook_id=webhook.id,
            state=DeliveryState.PENDING,
            event_type=None,
        )
        return bool(older)

    def _asked(self, webhook: Webhook, revision: Revision | None, event: Event) -> Asked:
        absent = self._profile.rules.subscription_absent
        category = self._profile.category_of(event.type)
        return Asked(
            now=compile_subscription(webhook.events, absent)(event.type, category),
            then=None if revision is None else compile_subscription(revision.events, absent)(event.type, category),
            was_off=None if revision is None else revision.status is WebhookStatus.DISABLED,
        )
