"""Explanations of deliveries and of events, with the reads that they need."""

from collections.abc import Sequence
from typing import cast

import msgspec

from hookspan.domain.explain import Asked, Explanation, explain_absence, explain_delivery
from hookspan.domain.records import Application, Delivery, Event, Webhook
from hookspan.domain.retry import present_round
from hookspan.domain.states import DeliveryState, Order, WebhookStatus
from hookspan.domain.subscription import compile_subscription
from hookspan.errors import Overloaded, StoreUnavailable
from hookspan.ids import DELIVERY_PREFIX, to_text
from hookspan.manage import views
from hookspan.manage._ground import Ground
from hookspan.manage._show import time_or_none
from hookspan.manage._signing import can_sign
from hookspan.profiles import Profile
from hookspan.store.contract import Revision


def place_of(delivery: Delivery) -> tuple[int, int, int]:
    """Where a delivery stands in the order of lists; see `Page.place`."""
    return delivery.event_id, delivery.run, delivery.id


async def why_after(ground: Ground, application: Application, profile: Profile, delivery: Delivery) -> Explanation:
    """The explanation of a delivery that was just changed. Overloaded would say that nothing was done, so what is done
    and can't be explained is StoreUnavailable.
    """
    try:
        return await Why(ground, application, profile).of_delivery(delivery)
    except Overloaded as error:
        raise StoreUnavailable("It is done, but can't be shown now: look at the delivery.") from error


class Why:
    """Explains things of one application. Lives for one request and remembers what it has read."""

    def __init__(self, ground: Ground, application: Application, profile: Profile) -> None:
        self._ground = ground
        self._store = ground.store
        self._application = application
        self._profile = profile
        self._now_ms = ground.clock.now_ms()
        self._pause = ground.pause_of(application)
        self._webhooks: dict[int, Webhook | None] = {}
        self._all: tuple[Webhook, ...] | None = None
        self._heads: dict[int, int | None] = {}
        self._signing: dict[int, bool] = {}

    async def of_delivery(self, delivery: Delivery) -> Explanation:
        webhook = await self._webhook(delivery.webhook_id)
        is_behind_head = webhook is not None and await self._is_behind_head(delivery, webhook)
        why = explain_delivery(
            delivery,
            webhook,
            is_behind_head=is_behind_head,
            now_ms=self._now_ms,
            can_sign=webhook is None or delivery.state is not DeliveryState.PENDING or self._can_sign(webhook),
            pause=self._pause,
        )
        return msgspec.structs.replace(why, gives_up_at=self._gives_up_at(delivery, webhook))

    def _can_sign(self, webhook: Webhook) -> bool:
        if webhook.id not in self._signing:
            self._signing[webhook.id] = can_sign(self._ground, self._profile, webhook)
        return self._signing[webhook.id]

    def _gives_up_at(self, delivery: Delivery, webhook: Webhook | None) -> int | None:
        if delivery.state is not DeliveryState.PENDING or webhook is None:
            return None
        if delivery.next_attempt_at is None and not delivery.is_claimed:
            return None  # stalled
        if self._pause is not None:
            return None
        resumed_at = self._ground.engine.pauses.ended_at(self._application.id, self._application.profile)
        anew_at = max((at for at in (webhook.activated_at, resumed_at) if at is not None), default=None)
        _, began_at = present_round(0, delivery.round_started_at, anew_at)
        if began_at is None or webhook.status is WebhookStatus.DISABLED:
            return None
        # Our own failures may lead beyond the end; then the attempt that is planned is the last.
        return max(began_at + self._profile.rules.delivery.retry.window_ms(), delivery.next_attempt_at or 0)

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
        if webhook.order is not Order.FIFO or delivery.state is not DeliveryState.PENDING or delivery.is_aside:
            return False
        if webhook.id not in self._heads:
            self._heads[webhook.id] = await self._store.fifo_head(webhook.id)
        head = self._heads[webhook.id]
        return head is not None and head < delivery.id

    def _asked(self, webhook: Webhook, revision: Revision | None, event: Event) -> Asked:
        absent = self._profile.rules.subscription_absent
        category = self._profile.category_of(event.type)
        return Asked(
            now=compile_subscription(webhook.events, absent)(event.type, category),
            then=None if revision is None else compile_subscription(revision.events, absent)(event.type, category),
            was_off=None if revision is None else revision.status is WebhookStatus.DISABLED,
        )
