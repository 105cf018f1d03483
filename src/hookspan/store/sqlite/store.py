"""The store's face on SQLite: each call of the contract, and on which thread it runs.

Writes are jobs for the one writer, reads go to a few readers. `append` and the calls that create something are
intake: they are refused first when room runs out.
"""

import copy
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import apsw
import msgspec

from hookspan.clock import Clock
from hookspan.domain.audit import AuditEntry
from hookspan.domain.records import Application, Attempt, Delivery, Event, Webhook, Webhooks
from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, StatusReason, WebhookStatus
from hookspan.ids import IdMaker
from hookspan.store.contract import (
    Appended,
    CatchUpTurn,
    Claimed,
    ClaimRef,
    ExpiredTurn,
    FanOut,
    NewApplication,
    NewAside,
    NewEvent,
    NewWebhook,
    Page,
    Result,
    Revision,
    Undelivered,
    Waiting,
    WebhookChange,
)
from hookspan.store.idempotency import KeyedPublish
from hookspan.store.inbox import NOTHING_DRAWN, Drawn
from hookspan.store.sqlite import (
    _applications,
    _deliveries,
    _events,
    _frozen,
    _idempotency,
    _retention,
    _rows,
    _upcoming,
    _webhooks,
)
from hookspan.store.sqlite._append import append
from hookspan.store.sqlite._audit_calls import AuditCalls
from hookspan.store.sqlite._catch_up import catch_up
from hookspan.store.sqlite._claim import Claimer, claim_suspect, next_due_at
from hookspan.store.sqlite._idempotency_calls import IdempotencyCalls
from hookspan.store.sqlite._identity_calls import IdentityCalls
from hookspan.store.sqlite._inbox_calls import InboxCalls
from hookspan.store.sqlite._job_calls import JobCalls
from hookspan.store.sqlite._node_calls import NodeCalls
from hookspan.store.sqlite._notice_calls import NoticeCalls
from hookspan.store.sqlite._options import SqliteOptions
from hookspan.store.sqlite._pause_calls import PausingCalls
from hookspan.store.sqlite._record import keep_test, record, record_carefully, release
from hookspan.store.sqlite._search_calls import SearchCalls
from hookspan.store.sqlite._statistics_calls import StatisticsCalls
from hookspan.store.sqlite._watching_calls import WatchingCalls

_CHECK_VALUE = "check_value"


class SqliteStore(
    NodeCalls,
    IdentityCalls,
    StatisticsCalls,
    AuditCalls,
    IdempotencyCalls,
    JobCalls,
    NoticeCalls,
    PausingCalls,
    SearchCalls,
    WatchingCalls,
    InboxCalls,
):
    """`hookspan.store.contract.Store` on one SQLite file. Lives on the event loop that opens it.

    `ids` makes the ids of caught-up deliveries; the engine's own maker keeps them in one order with all others.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        ids: IdMaker | None = None,
        options: SqliteOptions | None = None,
        free_bytes: Callable[[Path], int] | None = None,
    ) -> None:
        super().__init__(path, clock=clock, ids=ids, options=options, free_bytes=free_bytes)
        self._claimer = Claimer()
        self.on_ring = _nobody
        self._dropped_to = 0  # the event that retention came to in its present pass over the old ones

    # --- hot

    async def append(
        self,
        node: int,
        events: Sequence[NewEvent],
        versions: dict[int, int],
        fan_out: FanOut,
        keyed: Sequence[KeyedPublish] = (),
        drawn: Drawn = NOTHING_DRAWN,
    ) -> Appended:
        assert not drawn, "there is no inbox to draw from"
        self._keeper.check_intake()
        if keyed:
            room = _idempotency.Room(self._options.publish_keys_max, self._options.publish_key_answers_bytes_max)
            return await self._writer.submit(
                lambda db: _idempotency.append_keyed(db, node, events, versions, fan_out, keyed, room),
                is_intake=True,
            )
        return await self._writer.submit(lambda db: append(db, node, events, versions, fan_out), is_intake=True)

    async def record(self, node: int, results: Sequence[Result]) -> frozenset[int]:
        if not results:
            return frozenset()
        return await self._writer.submit(
            lambda db: record(db, node, results), again=lambda db: record_carefully(db, node, results)
        )

    async def send_aside(self, new: NewAside, now_ms: int) -> Delivery | None:
        return await self._create(lambda db: _deliveries.send_aside(db, new, now_ms))

    async def keep_test(self, attempt: Attempt) -> None:
        await self._create(lambda db: keep_test(db, attempt))

    async def stalled(self, webhook_ids: Sequence[int]) -> dict[int, int]:
        return await self._read(lambda db: _webhooks.stalled(db, webhook_ids))

    async def claim_suspect(
        self, node: int, now_ms: int, *, skip: Collection[int] = (), leave: Collection[str] = ()
    ) -> Claimed | None:
        return await self._write(lambda db: claim_suspect(db, node, now_ms, skip, leave))

    async def claim(
        self,
        node: int,
        now_ms: int,
        *,
        limit: int,
        per_webhook: int,
        bytes_max: int,
        skip: Collection[int],
        nodes: int = 1,
        leave: Collection[str] = (),
    ) -> list[Claimed]:
        del nodes  # there is one
        return await self._write(
            lambda db: self._claimer.claim(
                db, node, now_ms, limit=limit, per_webhook=per_webhook, bytes_max=bytes_max, skip=skip, leave=leave
            )
        )

    async def release(self, node: int, claims: Sequence[ClaimRef], now_ms: int) -> None:
        if claims:
            await self._write(lambda db: release(db, node, claims, now_ms))

    async def next_due_at(self, skip: Collection[int], leave: Collection[str] = ()) -> int | None:
        return await self._read(lambda db: next_due_at(db, skip, leave))

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

    # --- retention

    async def expire(
        self, expire_below: int, drop_below: int, limit: int, now_ms: int, *, mark_ms: int | None = None
    ) -> ExpiredTurn:
        borders = _retention.Borders(expire_below, drop_below, now_ms)
        after = self._dropped_to
        findings = await self._read(lambda db: _retention.look(db, borders, after, limit))
        done, self._dropped_to = await self._write(lambda db: _retention.turn(db, findings, borders, limit, mark_ms))
        return done

    async def retention_mark(self, now_ms: int) -> int:
        return await self._read(lambda db: _retention.read_mark(db, now_ms))

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
        return await self._read(lambda db: _rows.many(db, "list_applications", _rows.application, bindings))

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
        return await self._write(lambda db: _frozen.freeze_application(db, application_id, frozen_at))

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
        return await self._read(lambda db: _events.list_events(db, application_id, page, event_types, publisher_id))

    async def events_after(
        self, application_id: int, position: int, limit: int, *, event_types: Collection[str] | None = None
    ) -> list[Event]:
        return await self._read(lambda db: _events.events_after(db, application_id, position, limit, event_types))

    async def undelivered(self, application_id: int, page: Page, *, event_types: Collection[str] | None) -> Undelivered:
        return await self._read(lambda db: _events.undelivered(db, application_id, page, event_types))

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
        return await self._read(
            lambda db: _deliveries.list_deliveries(db, application_id, page, webhook_id, state, event_type)
        )

    async def fifo_head(self, webhook_id: int) -> int | None:
        return await self._read(lambda db: _rows.value(db, "read_fifo_head", (webhook_id,)))

    async def attempts_of(self, delivery: Delivery) -> list[Attempt]:
        return await self._read(lambda db: _deliveries.attempts_of(db, delivery))

    async def list_attempts(self, webhook_id: int, page: Page) -> list[Attempt]:
        return await self._read(lambda db: _deliveries.list_attempts(db, webhook_id, page))

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

    # --- upcoming

    async def upcoming(
        self, webhook_id: int, asks_for: Callable[[str], bool], wants: Callable[[str], bool], limit: int
    ) -> list[Event]:
        return await self._read(lambda db: _upcoming.upcoming(db, webhook_id, asks_for, wants, limit))

    async def behind(self, webhook_id: int, asks_for: Callable[[str], bool]) -> Waiting:
        return await self._read(lambda db: _upcoming.behind(db, webhook_id, asks_for))

    # --- the audit log

    def audited(self, entry: AuditEntry) -> Self:
        store = copy.copy(self)
        store._entry = entry  # noqa: SLF001 - its own kind
        return store

    # --- the store itself

    async def open(self) -> None:
        await self._writer.start()
        try:
            await self._readers.start()
            self._ids.start_after(await self.highest_id())
            await self._write(_idempotency.interrupt_all)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        await self._readers.close()
        await self._writer.close()

    async def check_value(self, fresh: bytes) -> bytes:
        def keep(connection: apsw.Connection) -> bytes:
            _rows.run(connection, "insert_fact", (_CHECK_VALUE, fresh))
            kept = _rows.value(connection, "read_fact", (_CHECK_VALUE,))
            assert isinstance(kept, bytes)
            return kept

        return await self._write(keep)

    async def stats(self) -> dict[str, int]:
        return {
            "wal_bytes": self._keeper.wal_bytes,
            "database_bytes": self._path.stat().st_size,
            "pending_jobs": self._writer.job_count,
            "free_disk_bytes": self._space.look(),
        }


def _nobody() -> None:
    """Who else would ring?"""
