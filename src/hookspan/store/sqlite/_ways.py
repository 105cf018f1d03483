"""The three ways to the database: to the one writer, to it as intake that is refused first when room runs out, to the
readers. What every room of `SqliteStore` stands on.
"""

from collections.abc import Callable
from pathlib import Path

import apsw

from hookspan.clock import Clock
from hookspan.domain.audit import AuditEntry
from hookspan.ids import SLOTS, IdMaker
from hookspan.store.sqlite import _audit
from hookspan.store.sqlite._keeper import Keeper
from hookspan.store.sqlite._options import SqliteOptions
from hookspan.store.sqlite._readers import Readers
from hookspan.store.sqlite._space import Space
from hookspan.store.sqlite._writer import Run, T, Writer

# Ids that the store makes itself (deliveries of a catch-up) must not meet the engine's.
_OWN_SLOT = SLOTS - 1


class Ways:
    """One SQLite file with its writer and its readers. `ids` makes the ids of caught-up deliveries; the engine's own
    maker keeps them in one order with all others.
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
        options = options or SqliteOptions()
        self._path = path
        self._clock = clock
        self._ids = ids or IdMaker(clock, _OWN_SLOT)
        self._options = options
        self._space = Space(path, options, free_bytes)
        self._keeper = Keeper(path, options, self._space)
        self._writer = Writer(
            self._keeper,
            intake_jobs_max=options.intake_jobs_max,
            jobs_max=options.jobs_max,
            commit_time_max_s=options.commit_time_max_s,
        )
        self._readers = Readers(
            path,
            readers=options.readers,
            reads_max=options.reads_max,
            time_max_s=options.read_time_max_s,
            cache_bytes=options.reader_cache_bytes,
        )
        self._entry: AuditEntry | None = None

    def check_intake(self) -> None:
        """Raises DiskFull or Overloaded when no events are taken in now. Cheap: the disk is looked at now and then."""
        self._keeper.check_intake()

    async def _write(self, run: Run[T]) -> T:
        return await self._writer.submit(self._kept(run))

    async def _create(self, run: Run[T]) -> T:
        self._keeper.check_intake()
        return await self._writer.submit(self._kept(run), is_intake=True)

    def _kept(self, run: Run[T]) -> Run[T]:
        """`run`, with its line of the audit log where there is one to keep."""
        return run if self._entry is None else _audit.keeping(run, self._entry, self._ids)

    async def _read(self, read: Callable[[apsw.Connection], T]) -> T:
        return await self._readers.read(read)
