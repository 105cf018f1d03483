"""The ways to the database: to the lanes that write, to them as intake that is refused first, to those that read, and
to the one that the heartbeat has for itself. What every room of `PostgresStore` stands on.

What runs on a lane is called inside an open transaction, which the lane commits. It may be run again (a deadlock, a
connection that was cut before the commit), so it has no effects outside of the database.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from hookspan.clock import Clock
from hookspan.domain.audit import AuditEntry
from hookspan.ids import IdMaker, own_slot
from hookspan.store.postgres._bell import Bell
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._lanes import Lanes
from hookspan.store.postgres._opening import connect_writer, open_database
from hookspan.store.postgres._options import PostgresOptions
from hookspan.store.postgres._place import begin_text, connect, read_place
from hookspan.store.postgres._replica import Replica
from hookspan.store.postgres._task import Run, T

__all__ = ["Connection", "Run", "T", "Ways"]

_BEATS_MAX = 16


def _nobody() -> None:
    """Who hears a ring before somebody asked for it."""


class Ways:
    """One PostgreSQL database with this node's connections to it. `ids` makes the ids of caught-up deliveries; the
    engine's own maker keeps them in one order with all others.
    """

    on_ring: Callable[[], None] = staticmethod(_nobody)

    def __init__(
        self, url: str, *, clock: Clock, ids: IdMaker | None = None, options: PostgresOptions | None = None
    ) -> None:
        self._options = options = options or PostgresOptions()
        self._place = place = read_place(url)
        self._clock = clock
        self._ids = ids or IdMaker(clock, own_slot(options.cell))
        self._entry: AuditEntry | None = None
        self._was_opened = False
        self._node = 0  # the one that was registered last here
        self._writers = Lanes(
            "writer",
            place.where,
            partial(connect_writer, place, options, options.write_time_max_s),
            begin_text("read committed read write", options, options.write_time_max_s),
            options,
            count=options.writers,
            time_max_s=options.write_time_max_s,
            tasks_max=options.jobs_max,
            intake_max=options.intake_jobs_max,
        )
        self._readers = Lanes(
            "reader",
            place.where,
            partial(connect, place, options, options.read_time_max_s),
            begin_text("repeatable read read only", options, options.read_time_max_s),
            options,
            count=options.readers,
            time_max_s=options.read_time_max_s,
            tasks_max=options.reads_max,
        )
        self._pulse = Lanes(
            "pulse",
            place.where,
            partial(connect_writer, place, options, options.beat_time_max_s),
            begin_text("read committed read write", options, options.beat_time_max_s),
            options,
            count=1,
            time_max_s=options.beat_time_max_s,
            tasks_max=_BEATS_MAX,
        )
        replica_url = options.replica_url
        self._replica = None if replica_url is None else Replica(read_place(replica_url), options)
        self._bell = Bell(self._pulse, self._listener(), options, self._rung)

    def check_intake(self) -> None:
        """Raises Overloaded or StoreUnavailable when no events are taken in now. Cheap."""
        self._writers.check(is_intake=True)

    def _listener(self) -> Callable[[], Connection] | None:
        """How the bell is heard: directly, never through a pooler."""
        url = self._options.listen_url
        if url is None and self._options.is_pooled:
            return None
        place = self._place if url is None else read_place(url)
        return partial(connect, place, self._options, self._options.beat_time_max_s)

    def _rung(self) -> None:
        self.on_ring()

    async def _open_lanes(self) -> None:
        """Check the database, bring it up to date, connect. Raises ConfigurationError. Once: its threads end at
        `close`.
        """
        assert not self._was_opened, "a store is opened once; make another"
        self._was_opened = True
        now_ms = self._clock.now_ms()
        await asyncio.to_thread(open_database, self._place, self._options, now_ms)
        kinds = (self._writers, self._readers, self._pulse)
        for problem in await asyncio.gather(*(lanes.start() for lanes in kinds), return_exceptions=True):
            if problem is not None:
                raise problem  # who opens closes what was opened
        self._bell.start()
        if self._replica is not None:
            self._replica.open()

    async def _close_lanes(self) -> None:
        await self._bell.close()
        if self._replica is not None:
            await self._replica.close()
        for lanes in (self._pulse, self._readers, self._writers):
            await lanes.close()

    async def _write(self, run: Run[T]) -> T:
        return await self._writers.submit(self._kept(run))

    async def _create(self, run: Run[T]) -> T:
        return await self._writers.submit(self._kept(run), is_intake=True)

    async def _read(self, read: Callable[[Connection], T]) -> T:
        return await self._readers.submit(read)

    async def _look(self, read: Callable[[Connection], T]) -> T:
        """For lists, which may be some seconds old: from the replica where there is one."""
        if self._replica is None:
            return await self._readers.submit(read)
        return await self._replica.read(read, lambda: self._readers.submit(read))

    async def _beat(self, run: Run[T]) -> T:
        return await self._pulse.submit(run)

    async def _alone(self, run: Run[T], time_max_s: float | None = None) -> T:
        """For what can't run inside a transaction: each statement is its own."""
        return await self._writers.submit(run, is_alone=True, time_max_s=time_max_s)

    def _kept(self, run: Run[T]) -> Run[T]:
        """`run`, with its line of the audit log where there is one to keep."""
        if self._entry is None:
            return run
        from hookspan.store.postgres import _audit

        return _audit.keeping(run, self._entry, self._ids)
