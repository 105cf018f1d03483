"""A store with what tests do to it in one line each."""

import hashlib
from collections.abc import Collection, Iterable
from typing import Any

from hookspan.domain.records import Application, Attempt, Delivery, Webhook, Webhooks
from hookspan.domain.states import (
    DeliveryReason,
    DeliveryState,
    Order,
    StatusReason,
    VerdictKind,
    WebhookStatus,
)
from hookspan.ids import IdMaker
from hookspan.store.contract import (
    Appended,
    CatchUpTurn,
    Claimed,
    ExpiredTurn,
    NewApplication,
    NewDelivery,
    NewEvent,
    NewWebhook,
    Page,
    Result,
    Store,
)
from tests.support.clock import VirtualClock

ALL = Page(limit=1_000)


class World:
    """`node` is registered by `register`; events are published with the versions that the store has now."""

    def __init__(self, store: Store, clock: VirtualClock, ids: IdMaker) -> None:
        self.store = store
        self.clock = clock
        self.ids = ids
        self.node = 0

    @property
    def now(self) -> int:
        return self.clock.now_ms()

    async def register(self) -> int:
        """As the only one that lives: on a shared database somebody has seen the one before die, and taken it out."""
        if self.node and self.store.is_shared:
            await self.store.deregister_node(self.node, self.now)
        self.node = await self.store.register_node(self.now)
        return self.node

    # --- things

    async def application(self, public_id: str | None = None, **members: Any) -> Application:
        ident = self.ids.make()
        new: dict[str, Any] = {
            "name": "Acme",
            "profile": "standard",
            "uuid": "0b4c",
            "settings": {},
            "metadata": {},
            "notify": None,
        }
        application = await self.store.create_application(
            NewApplication(id=ident, public_id=public_id or f"app_{ident}", created_at=self.now, **(new | members))
        )
        assert application is not None
        return application

    async def webhook(
        self, application: Application, status: WebhookStatus = WebhookStatus.ACTIVE, **members: Any
    ) -> Webhook:
        webhook = await self.store.create_webhook(self.new_webhook(application, status, **members), 0)
        assert webhook is not None
        return webhook

    def new_webhook(
        self, application: Application, status: WebhookStatus = WebhookStatus.ACTIVE, **members: Any
    ) -> NewWebhook:
        new: dict[str, Any] = {
            "name": None,
            "url": "https://example.com/hook",
            "status_reason": StatusReason.CREATED if status is WebhookStatus.DISABLED else None,
            "events": None,
            "order": Order.ANY,
            "rate": None,
            "concurrency": 4,
            "event_epoch": None,
            "credentials": (),
            "position": None,
        }
        ident = self.ids.make()
        return NewWebhook(
            id=ident, application_id=application.id, status=status, created_at=self.now, **(new | members)
        )

    def event(
        self,
        application: Application,
        *webhooks: Webhook,
        is_claimed: bool = False,
        publisher_id: str | None = None,
        body: bytes = b'{"a":1}',
        event_type: str = "user.created",
    ) -> NewEvent:
        ident = self.ids.make()
        return NewEvent(
            id=ident,
            application_id=application.id,
            type=event_type,
            category=None,
            publisher_id=publisher_id,
            input_hash=hashlib.sha256(body).digest(),
            occurred_at=self.now - 5,
            accepted_at=self.now,
            content=None,
            content_at=0,
            content_bytes=len(body),
            context=None,
            body=body,
            deliveries=tuple(self.planned(webhook, is_claimed=is_claimed) for webhook in webhooks),
        )

    def planned(self, webhook: Webhook, *, is_claimed: bool = False) -> NewDelivery:
        return NewDelivery(self.ids.make(), webhook.id, is_claimed, webhook.order is Order.FIFO)

    def fan_out(self, webhooks: Webhooks, event: NewEvent) -> tuple[NewDelivery, ...]:
        """To every active webhook."""
        return tuple(self.planned(one) for one in webhooks.webhooks if one.status is WebhookStatus.ACTIVE)

    # --- doing

    async def versions(self, events: Iterable[NewEvent]) -> dict[int, int]:
        found = {}
        for application_id in {event.application_id for event in events}:
            webhooks = await self.store.webhooks_of(application_id)
            found[application_id] = 0 if webhooks is None else webhooks.application.webhooks_version
        return found

    async def append(self, *events: NewEvent) -> Appended:
        return await self.store.append(self.node, events, await self.versions(events), self.fan_out)

    async def publish(
        self, application: Application, *webhooks: Webhook, count: int = 1, **members: Any
    ) -> list[NewEvent]:
        """Publish `count` events with a delivery to each of `webhooks`."""
        events = [self.event(application, *webhooks, **members) for _ in range(count)]
        appended = await self.append(*events)
        assert not appended.refreshed
        return events

    async def claim(
        self, *, limit: int = 1_000, per_webhook: int = 1_000, bytes_max: int = 1 << 30, skip: Collection[int] = ()
    ) -> list[Claimed]:
        return await self.store.claim(
            self.node, self.now, limit=limit, per_webhook=per_webhook, bytes_max=bytes_max, skip=skip
        )

    def result(
        self,
        claimed: Claimed,
        state: DeliveryState = DeliveryState.SUCCEEDED,
        *,
        retry_in: int = 60_000,
        status: int = 200,
        **members: Any,
    ) -> Result:
        """What came of sending it now; PENDING is another try after `retry_in` ms."""
        is_pending = state is DeliveryState.PENDING
        number = claimed.attempt_count + 1
        retry_at = self.now + retry_in if is_pending else None
        attempt = self.attempt(claimed, number, retry_at, status)
        new = {
            "delivery_id": claimed.id,
            "claim": claimed.claim,
            "state": state,
            "reason": DeliveryReason.EXHAUSTED if state is DeliveryState.FAILED else None,
            "next_attempt_at": retry_at,
            "attempt_count": number,
            "round_attempts": claimed.round_attempts + 1,
            "round_started_at": claimed.round_started_at or self.now,
            "attempt": attempt,
            "finished_at": None if is_pending else self.now,
        }
        return Result(**(new | members))

    def attempt(self, claimed: Claimed, number: int, retry_at: int | None, status: int) -> Attempt:
        return Attempt(
            id=self.ids.make(),
            delivery_id=claimed.id,
            webhook_id=claimed.webhook_id,
            event_id=claimed.event_id,
            number=number,
            round=claimed.round,
            cause=claimed.cause,
            webhook_version=1,
            started_at=self.now,
            duration_us=1_500,
            verdict=VerdictKind.SUCCEEDED if retry_at is None else VerdictKind.RETRY,
            retry_at=retry_at,
            error=None,
            error_message=None,
            remote_address="192.0.2.1",
            request_headers=b"webhook-id: 1\r\n",
            response_status=status,
            response_headers=b"server: x\xff\r\n",
            response_body=b"\x00\xff",
            response_bytes=2,
            previous_attempt_id=claimed.last_attempt_id,
        )

    async def record(self, *results: Result) -> frozenset[int]:
        return await self.store.record(self.node, results)

    async def finish(self, claimed: Iterable[Claimed], state: DeliveryState = DeliveryState.SUCCEEDED) -> None:
        """Record the same outcome for all."""
        late = await self.record(*(self.result(one, state) for one in claimed))
        assert not late

    async def move(self, webhook: Webhook, status: WebhookStatus, *, keep: bool = True) -> Webhook:
        reason = StatusReason.PERSON if status is WebhookStatus.DISABLED else None
        moved = await self.store.set_webhook_status(
            webhook.id, status, reason, keep=keep, expected_version=None, changed_at=self.now
        )
        assert moved is not None
        return moved

    async def catch_up(self, webhook: Webhook, events_max: int = 100) -> list[CatchUpTurn]:
        """Turn until it is done."""
        turns: list[CatchUpTurn] = []
        while not turns or not turns[-1].is_done:
            turns.append(await self.store.catch_up(webhook.id, events_max, lambda _type: True))
            assert len(turns) < 1_000
        return turns

    async def expire(self, expire_below: int, drop_below: int, limit: int = 1_000) -> list[ExpiredTurn]:
        """Turn until it is done."""
        turns: list[ExpiredTurn] = []
        while not turns or not turns[-1].is_done:
            turns.append(await self.store.expire(expire_below, drop_below, limit, self.now))
            assert len(turns) < 1_000
        return turns

    # --- looking

    async def delivery(self, application: Application, delivery_id: int) -> Delivery:
        delivery = await self.store.get_delivery(application.id, delivery_id)
        assert delivery is not None
        return delivery

    async def deliveries(self, application: Application, webhook: Webhook | None = None) -> list[Delivery]:
        return await self.deliveries_of(application.id, webhook.id if webhook else None)

    async def deliveries_of(self, application_id: int, webhook_id: int | None) -> list[Delivery]:
        page = Page(limit=10_000)
        return await self.store.list_deliveries(
            application_id, page, webhook_id=webhook_id, state=None, event_type=None
        )

    async def webhooks_seen(self, application_id: int) -> Webhooks:
        found = await self.store.webhooks_of(application_id)
        assert found is not None
        return found

    async def last_position(self, application: Application) -> int:
        found = await self.store.get_application(application.public_id)
        assert found is not None
        return found.last_position
