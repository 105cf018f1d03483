"""A read replica for lists, as long as it is not far behind. A convenience: what it can't answer the primary does.

How far behind it is, is told by this node's own heartbeat, which is a row like any other: the replica must show a count
that was reached a few seconds ago. No clocks are compared, an idle primary is no lag, and a replica that has lost its
primary is found out.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from functools import partial

import structlog

from hookspan.errors import HookspanError, StoreUnavailable
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._lanes import Lanes
from hookspan.store.postgres._options import PostgresOptions
from hookspan.store.postgres._place import Place, begin_text, connect
from hookspan.store.postgres._task import T

log = structlog.get_logger()

_CHECK_INTERVAL_S = 1.0
_BEATS_KEPT = 64
_BEAT_INTERVAL_MIN_S = 0.2  # of those that are kept: 64 of them cover more than any lag that is allowed


class Replica:
    """Lives on one event loop. `open` waits for nothing: a replica that is away is looked for until it is there."""

    def __init__(self, place: Place, options: PostgresOptions) -> None:
        self._place = place
        self._options = options
        self._lanes: Lanes | None = None
        self._opening: asyncio.Task[None] | None = None
        self._node = 0
        self._count = 0
        self._beats: deque[tuple[float, int]] = deque(maxlen=_BEATS_KEPT)  # when, and the count then
        self._is_fresh = False
        self._checked_s = -_CHECK_INTERVAL_S

    # --- life

    def open(self) -> None:
        self._opening = asyncio.create_task(self._open(), name="hookspan-replica")

    async def _open(self) -> None:
        is_said = False
        while True:
            lanes = self._made()
            try:
                await lanes.start()
            except Exception as error:  # noqa: BLE001 - it may come later, and until then nobody needs it
                if not is_said:
                    log.warning("the read replica can't be reached", place=self._place.where, problem=_words(error))
                    is_said = True
                await asyncio.sleep(self._options.replica_retry_interval_s)
                continue
            self._lanes = lanes
            return

    def _made(self) -> Lanes:
        options = self._options
        return Lanes(
            "replica",
            self._place.where,
            partial(connect, self._place, options, options.read_time_max_s),
            begin_text("repeatable read read only", options, options.read_time_max_s),
            options,
            count=options.readers,
            time_max_s=options.read_time_max_s,
            tasks_max=options.reads_max,
        )

    async def close(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._lanes is not None:
            await self._lanes.close()

    # --- how far behind

    def registered(self, node: int) -> None:
        """From now on this node's beats are counted, from 0."""
        self._node = node
        self._count = 0
        self._beats.clear()
        self._is_fresh = False

    def beaten(self) -> None:
        """The primary has kept one more beat."""
        self._count += 1
        now_s = time.monotonic()
        if not self._beats or now_s - self._beats[-1][0] >= _BEAT_INTERVAL_MIN_S:
            self._beats.append((now_s, self._count))

    async def is_fresh(self) -> bool:
        """Whether it shows what the primary had `replica_lag_max_s` ago. Asked of it at most once a second."""
        now_s = time.monotonic()
        if now_s - self._checked_s >= _CHECK_INTERVAL_S:
            self._checked_s = now_s
            was_fresh, self._is_fresh = self._is_fresh, await self._check(now_s)
            if was_fresh and not self._is_fresh:
                log.warning("the read replica is behind, lists come from the primary", place=self._place.where)
        return self._is_fresh

    async def _check(self, now_s: float) -> bool:
        wanted = self._wanted(now_s - self._options.replica_lag_max_s)
        if self._lanes is None or wanted is None:
            return False
        try:
            shown = await self._lanes.submit(self._shown)
        except HookspanError:
            return False
        return shown is not None and shown >= wanted

    def _wanted(self, at_s: float) -> int | None:
        """What the count was then; None where that is not known (yet)."""
        found = None
        for beaten_s, count in self._beats:
            if beaten_s > at_s:
                break
            found = count
        return found

    def _shown(self, connection: Connection) -> int | None:
        found = rows.value(connection, "read_counter", (self._node,))
        return None if found is None else int(found)

    # --- reading

    async def read(self, read: Callable[[Connection], T], otherwise: Callable[[], asyncio.Future[T]]) -> T:
        """From here where it is fresh and answers, else `otherwise`."""
        if await self.is_fresh() and self._lanes is not None:
            # Behind there may be a conflict with what is being replayed; the primary has none.
            with contextlib.suppress(StoreUnavailable):
                return await self._lanes.submit(read)
        return await otherwise()


def _words(error: Exception) -> str:
    return error.detail if isinstance(error, HookspanError) else type(error).__name__
