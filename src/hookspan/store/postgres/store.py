"""The store's face on PostgreSQL: the hot calls and the store itself; all others are in the rooms that it is made of.

Writes go to a few lanes, reads to others, the heartbeat to its own. `append` and the calls that create something are
intake: they are refused first when too much waits.
"""

import contextlib
import copy
from collections.abc import Collection, Sequence
from functools import partial
from typing import Self

from hookspan.clock import Clock
from hookspan.domain.audit import AuditEntry
from hookspan.domain.records import Attempt
from hookspan.errors import Overloaded, StoreUnavailable
from hookspan.ids import IdMaker
from hookspan.store.contract import Appended, Claimed, ClaimRef, DataRefused, FanOut, NewEvent, Result
from hookspan.store.idempotency import KeyedPublish
from hookspan.store.inbox import NOTHING_DRAWN, Drawn
from hookspan.store.postgres import _idempotency, _inbox
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._append import append
from hookspan.store.postgres._audit_calls import AuditCalls
from hookspan.store.postgres._claim import Claimer, claim_suspect, next_due_at
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._idempotency_calls import IdempotencyCalls
from hookspan.store.postgres._identity_calls import IdentityCalls
from hookspan.store.postgres._inbox_calls import InboxCalls
from hookspan.store.postgres._job_calls import JobCalls
from hookspan.store.postgres._node_calls import NodeCalls
from hookspan.store.postgres._notice_calls import NoticeCalls
from hookspan.store.postgres._options import PostgresOptions
from hookspan.store.postgres._pause_calls import PausingCalls
from hookspan.store.postgres._record import Record, keep_test, record, record_carefully, record_freed, release
from hookspan.store.postgres._retention_calls import RetentionCalls
from hookspan.store.postgres._search_calls import SearchCalls
from hookspan.store.postgres._statistics_calls import StatisticsCalls
from hookspan.store.postgres._thing_calls import ThingCalls


class PostgresStore(
    ThingCalls,
    NodeCalls,
    RetentionCalls,
    IdentityCalls,
    StatisticsCalls,
    AuditCalls,
    IdempotencyCalls,
    JobCalls,
    NoticeCalls,
    PausingCalls,
    SearchCalls,
    InboxCalls,
):
    """`hookspan.store.contract.Store` on one PostgreSQL database, which other nodes use too. Lives on the event loop
    that opens it.

    `ids` makes the ids of caught-up deliveries; the engine's own maker keeps them in one order with all others.
    """

    def __init__(
        self, url: str, *, clock: Clock, ids: IdMaker | None = None, options: PostgresOptions | None = None
    ) -> None:
        super().__init__(url, clock=clock, ids=ids, options=options)
        self._claimer = Claimer()
        self._database_bytes = 0
        self._inbox_level = _inbox.Level(0, None, 0)

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
        def keep(db: Connection, given: Sequence[NewEvent]) -> Appended:
            if not keyed:
                return append(db, self._ids, node, given, versions, fan_out)
            room = _idempotency.Room(self._options.publish_keys_max, self._options.publish_key_answers_bytes_max)
            return _idempotency.append_keyed(db, self._ids, node, given, versions, fan_out, keyed, room)

        if drawn:
            return await self._writers.submit(
                lambda db: _inbox.append_drawn(db, partial(keep, db), events, drawn), is_intake=True
            )
        return await self._writers.submit(lambda db: keep(db, events), is_intake=True)

    async def record(self, node: int, results: Sequence[Result]) -> frozenset[int]:
        if not results:
            return frozenset()
        late = await self._record(record, record_carefully, node, results)
        if not late:
            return late
        others = [result for result in results if result.delivery_id in late]
        freed, freed_carefully = (partial(record_freed, write=write) for write in (record, record_carefully))
        return await self._record(freed, freed_carefully, node, others)

    async def _record(
        self, write: Record, write_carefully: Record, node: int, results: Sequence[Result]
    ) -> frozenset[int]:
        try:
            return await self._writers.submit(lambda db: write(db, node, results))
        except DataRefused:
            return await self._writers.submit(lambda db: write_carefully(db, node, results))

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
        return await self._writers.submit(
            lambda db: self._claimer.claim(
                db,
                node,
                now_ms,
                limit=limit,
                per_webhook=per_webhook,
                bytes_max=bytes_max,
                skip=skip,
                nodes=nodes,
                leave=leave,
            )
        )

    async def claim_suspect(
        self, node: int, now_ms: int, *, skip: Collection[int] = (), leave: Collection[str] = ()
    ) -> Claimed | None:
        return await self._writers.submit(lambda db: claim_suspect(db, node, now_ms, skip, leave))

    async def release(self, node: int, claims: Sequence[ClaimRef], now_ms: int) -> None:
        if claims:
            await self._writers.submit(lambda db: release(db, node, claims, now_ms))

    async def next_due_at(self, skip: Collection[int], leave: Collection[str] = ()) -> int | None:
        return await self._read(lambda db: next_due_at(db, skip, leave))

    async def keep_test(self, attempt: Attempt) -> None:
        await self._create(lambda db: keep_test(db, attempt))

    # --- the audit log

    def audited(self, entry: AuditEntry) -> Self:
        store = copy.copy(self)
        store._entry = entry  # noqa: SLF001 - its own kind
        return store

    # --- the store itself

    async def open(self) -> None:
        try:
            await self._open_lanes()
            self._ids.start_after(await self.highest_id())
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        await self._close_lanes()

    async def check_value(self, fresh: bytes) -> bytes:
        def keep(connection: Connection) -> bytes:
            rows.run(connection, "insert_check_value", (fresh,))
            kept = rows.value(connection, "read_check_value")
            assert isinstance(kept, bytes)
            return kept

        return await self._write(keep)

    async def stats(self) -> dict[str, int]:
        with contextlib.suppress(StoreUnavailable, Overloaded):  # what is told then is what was seen last
            self._database_bytes = await self._read(lambda db: int(rows.value(db, "read_database_bytes")))
            self._inbox_level = await self._read(_inbox.measure)
        level = self._inbox_level
        oldest_ms = 0 if level.oldest_at is None else max(0, self._clock.now_ms() - level.oldest_at)
        return {
            "database_bytes": self._database_bytes,
            "pending_jobs": self._writers.task_count,
            "pending_reads": self._readers.task_count,
            "connected_writers": self._writers.connected_count,
            "inbox_waiting": level.waiting,
            "inbox_oldest_seconds": oldest_ms // 1000,
            "inbox_refused": level.refused,
        }
