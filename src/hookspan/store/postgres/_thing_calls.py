"""Applications, webhooks, events, deliveries, attempts on PostgreSQL: each call of the contract, on which lane.

`Store` says what each does.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Literal

import msgspec

from hookspan.domain.records import Application, Attempt, Delivery, Event, Webhook, Webhooks
from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, StatusReason, WebhookStatus
from hookspan.store.attempts import AttemptLine, FailureGroup
from hookspan.store.contract import (
    CatchUpTurn,
    NewApplication,
    NewAside,
    NewWebhook,
    Page,
    Revision,
    Undelivered,
    Waiting,
    WebhookChange,
)
from hookspan.store.postgres import _applications, _deliveries, _events, _rows, _upcoming, _watching, _webhooks
from hookspan.store.postgres._catch_up import catch_up
from hookspan.store.postgres._ways import Ways


class ThingCalls(Ways):
    """Part of `PostgresStore`."""

    # --- webhooks on the move

    async def catch_up(
        self, webhook_id: int, events_max: int, asks_for: Callable[[str], bool], *, version: int | None = None
    ) -> CatchUpTurn:
        now_ms = self._clock.now_ms()
        sweep_chunk = self._options.sweep_chunk
        return await self._create(
            lambda db: catch_up(
                db, self._ids, webhook_id, events_max, asks_for, now_ms, version=version, sweep_chunk=sweep_chunk
            )
        )

    async def catching_up(self) -> list[Webhook]:
        return await self._read(lambda db: _rows.many(db, "list_catching_up", _rows.webhook))

    # --- applications and webhooks

    async def create_application(self, new: NewApplication) -> Application | None:
        return await self._create(lambda db: _applications.create_application(db, new))

    async def get_application(self, public_id: str) -> Application | None:
        return await self._read(lambda db: _applications.find_application(db, public_id))

    async def application_of(self, kind: Literal["event", "webhook", "delivery"], ident: int) -> str | None:
        return await self._read(lambda db: _applications.application_of(db, kind, ident))

    async def list_applications(self, page: Page) -> list[Application]:
        low, high = _rows.id_range(page)
        bindings = {
            "low": low,
            "high": high if page.before is None else min(high, page.before),
            "limit": page.limit,
        }
        return await self._look(lambda db: _rows.many(db, "list_applications", _rows.application, bindings))

    async def update_application(
        self,
        application_id: int,
        changed_at: int,
        *,
        name: str | None,
        profile: str | None,
        uuid: str | None,
        settings: dict[str, Any] | None,
        metadata: dict[str, Any] | None,
        notify: str | msgspec.UnsetType | None,
    ) -> Application | None:
        given = {"name": name, "profile": profile, "uuid": uuid, "settings": settings, "metadata": metadata}
        members: dict[str, Any] = {key: member for key, member in given.items() if member is not None}
        if notify is not msgspec.UNSET:
            members["notify"] = notify
        return await self._write(lambda db: _applications.update_application(db, application_id, changed_at, members))

    async def delete_application(self, application_id: int, now_ms: int) -> bool:
        sweep_chunk = self._options.sweep_chunk
        return await self._write(lambda db: _applications.delete_application(db, application_id, now_ms, sweep_chunk))

    async def freeze_application(self, application_id: int, frozen_at: int | None) -> bool:
        return await self._write(lambda db: _applications.freeze_application(db, application_id, frozen_at))

    async def webhooks_of(self, application_id: int) -> Webhooks | None:
        return await self._read(lambda db: _webhooks.webhooks_of(db, application_id))

    async def create_webhook(self, new: NewWebhook, webhooks_max: int) -> Webhook | None:
        return await self._create(lambda db: _webhooks.create_webhook(db, new, webhooks_max))

    async def get_webhook(self, webhook_id: int) -> Webhook | None:
        return await self._read(lambda db: _webhooks.read_webhook(db, webhook_id))

    async def update_webhook(
        self, webhook_id: int, change: WebhookChange, expected_version: int | None, changed_at: int
    ) -> Webhook | None:
        sweep_chunk = self._options.sweep_chunk
        return await self._write(
            lambda db: _webhooks.change_webhook(
                db, webhook_id, change, expected_version, changed_at, sweep_chunk=sweep_chunk
            )
        )

    async def set_webhook_status(
        self,
        webhook_id: int,
        status: WebhookStatus,
        reason: StatusReason | None,
        *,
        keep: bool,
        expected_version: int | None,
        changed_at: int,
    ) -> Webhook | None:
        return await self._write(
            lambda db: _webhooks.set_webhook_status(
                db,
                webhook_id,
                status,
                reason,
                keep=keep,
                expected_version=expected_version,
                changed_at=changed_at,
                sweep_chunk=self._options.sweep_chunk,
            )
        )

    async def set_failing_since(self, webhook_id: int, failing_since: int | None) -> None:
        bindings = {"id": webhook_id, "failing_since": failing_since}
        await self._write(lambda db: _rows.run(db, "set_failing_since", bindings))

    async def waiting(self, webhook_ids: Sequence[int]) -> dict[int, Waiting]:
        return await self._read(lambda db: _webhooks.waiting(db, webhook_ids))

    async def revision(self, webhook_id: int, version: int) -> Revision | None:
        return await self._read(lambda db: _rows.one(db, "read_revision", _rows.revision, (webhook_id, version)))

    async def revisions_at(self, webhook_ids: Sequence[int], position: int) -> dict[int, Revision]:
        return await self._read(lambda db: _webhooks.revisions_at(db, webhook_ids, position))

    # --- events, deliveries and attempts

    async def get_event(self, application_id: int, event_id: int) -> Event | None:
        return await self._read(lambda db: _events.read_event(db, application_id, event_id))

    async def list_events(
        self, application_id: int, page: Page, *, event_types: Collection[str] | None, publisher_id: str | None
    ) -> list[Event]:
        return await self._look(lambda db: _events.list_events(db, application_id, page, event_types, publisher_id))

    async def events_after(
        self, application_id: int, position: int, limit: int, *, event_types: Collection[str] | None = None
    ) -> list[Event]:
        return await self._read(lambda db: _events.events_after(db, application_id, position, limit, event_types))

    async def undelivered(self, application_id: int, page: Page, *, event_types: Collection[str] | None) -> Undelivered:
        return await self._look(lambda db: _events.undelivered(db, application_id, page, event_types))

    async def get_delivery(self, application_id: int, delivery_id: int) -> Delivery | None:
        return await self._read(lambda db: _deliveries.read_delivery(db, application_id, delivery_id))

    async def deliveries_of_event(self, application_id: int, event_id: int) -> list[Delivery]:
        return await self._read(lambda db: _deliveries.deliveries_of_event(db, application_id, event_id))

    async def list_deliveries(
        self,
        application_id: int,
        page: Page,
        *,
        webhook_id: int | None,
        state: DeliveryState | None,
        event_type: str | None,
    ) -> list[Delivery]:
        return await self._look(
            lambda db: _deliveries.list_deliveries(db, application_id, page, webhook_id, state, event_type)
        )

    async def fifo_head(self, webhook_id: int) -> int | None:
        return await self._read(lambda db: _rows.value(db, "read_fifo_head", (webhook_id,)))

    async def attempts_of(self, delivery: Delivery) -> list[Attempt]:
        return await self._read(lambda db: _deliveries.attempts_of(db, delivery))

    async def list_attempts(self, webhook_id: int, page: Page) -> list[Attempt]:
        return await self._look(lambda db: _deliveries.list_attempts(db, webhook_id, page))

    async def reopen_delivery(
        self, application_id: int, delivery_id: int, cause: Cause, now_ms: int
    ) -> Delivery | None:
        return await self._write(lambda db: _deliveries.reopen_delivery(db, application_id, delivery_id, cause, now_ms))

    async def cancel_delivery(
        self, application_id: int, delivery_id: int, reason: DeliveryReason, now_ms: int
    ) -> Delivery | None:
        return await self._write(
            lambda db: _deliveries.cancel_delivery(db, application_id, delivery_id, reason, now_ms)
        )

    async def attempt_lines(
        self, after_id: int, limit: int, *, application_id: int | None = None, webhook_id: int | None = None
    ) -> list[AttemptLine]:
        return await self._look(lambda db: _watching.attempt_lines(db, after_id, limit, application_id, webhook_id))

    async def in_trouble(self, application_id: int | None, limit: int) -> list[Webhook]:
        return await self._look(lambda db: _watching.in_trouble(db, application_id, limit))

    async def failures(self, webhook_ids: Sequence[int], each: int) -> list[FailureGroup]:
        return await self._look(lambda db: _watching.failures(db, webhook_ids, each))

    async def given_up(
        self, application_id: int | None, since_id: int, *, webhooks: int, each: int
    ) -> list[FailureGroup]:
        return await self._look(lambda db: _watching.given_up(db, application_id, since_id, webhooks, each))

    # --- by hand, stalled, upcoming

    async def send_aside(self, new: NewAside, now_ms: int) -> Delivery | None:
        return await self._create(lambda db: _deliveries.send_aside(db, new, now_ms))

    async def stalled(self, webhook_ids: Sequence[int]) -> dict[int, int]:
        return await self._read(lambda db: _webhooks.stalled(db, webhook_ids))

    async def upcoming(
        self, webhook_id: int, asks_for: Callable[[str], bool], wants: Callable[[str], bool], limit: int
    ) -> list[Event]:
        return await self._read(lambda db: _upcoming.upcoming(db, webhook_id, asks_for, wants, limit))

    async def behind(self, webhook_id: int, asks_for: Callable[[str], bool]) -> Waiting:
        return await self._read(lambda db: _upcoming.behind(db, webhook_id, asks_for))
