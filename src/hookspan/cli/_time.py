"""The time that nodes of one database share: that database's, whatever the walls of their machines say."""

import structlog

from hookspan.clock import SystemClock
from hookspan.engine.duty import Duty
from hookspan.store.contract import Store

log = structlog.get_logger()

INTERVAL_S = 60.0
ANSWER_MAX_S = 1.0  # what took longer says too little about now
_WORTH_A_LINE_MS = 1_000


class SharedTime(Duty):
    """`begin` before anything is planned; each turn looks again, and the clock is slewed."""

    name = "time"

    def __init__(self, store: Store, clock: SystemClock) -> None:
        super().__init__(clock)
        self._store = store
        self._wall = clock

    async def begin(self) -> None:
        """Raises StoreUnavailable."""
        shared_ms = await self._look()
        if shared_ms is None:
            return
        off_ms = self._wall.now_ms() - shared_ms
        if abs(off_ms) >= _WORTH_A_LINE_MS:
            log.warning("this machine's clock differs from the database's, which is followed", off_ms=off_ms)
        self._wall.begin_at(shared_ms)

    async def turn(self) -> float:
        shared_ms = await self._look()
        if shared_ms is not None:
            self._wall.follow(shared_ms)
        return INTERVAL_S

    async def _look(self) -> int | None:
        """What the database's clock shows now; None where that is not known well enough."""
        began_s = self._clock.monotonic()
        shared_ms = await self._store.clock_ms()
        took_s = self._clock.monotonic() - began_s
        return None if took_s > ANSWER_MAX_S else shared_ms + int(took_s * 500)
