"""Time, injected everywhere so that two days of retries can be tested in milliseconds.

One clock per node: the wall at start plus the monotonic clock, so that a wall clock that leaps moves nothing
that is already planned (see docs/architecture.md, "Time").
"""

import asyncio
import functools
import time
from typing import Protocol


class Clock(Protocol):
    """What the engine knows of time. Points in time are integers: milliseconds since 1970, UTC."""

    def now_ms(self) -> int:
        """The present, in ms since 1970. Never runs backwards within one process."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed point; for deadlines and durations only."""
        ...

    async def wait(self, wake: asyncio.Event, timeout_s: float) -> None:
        """Return when `wake` is set (and clear it) or when `timeout_s` seconds have passed."""
        ...


# Where there is one, the clock that goes on while the machine is suspended: a node that slept must know how long.
_elapsed_s = (
    functools.partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
)


class SystemClock:
    """Wall time at construction, carried forward by the monotonic clock and slewed towards the wall, or towards another
    clock that it is told of: nodes of one database go by that one's.
    """

    _SLEW_MS_PER_S = 5  # a wrong wall clock is followed by at most half a percent, never by a leap

    def __init__(self) -> None:
        self._wall_ms = time.time_ns() // 1_000_000
        self._started_s = self._slewed_s = _elapsed_s()
        self._ahead_ms = 0  # of this machine's wall is what it follows

    def now_ms(self) -> int:
        now_s = _elapsed_s()
        if now_s - self._slewed_s >= 1:
            self._slew(now_s)
        return self._wall_ms + int((now_s - self._started_s) * 1000)

    def follow(self, true_ms: int) -> None:
        """Slew towards a clock that shows `true_ms` now, in place of this machine's."""
        self._ahead_ms = true_ms - time.time_ns() // 1_000_000

    def begin_at(self, true_ms: int) -> None:
        """The same, at once: only while nothing is planned yet, for it may leap back."""
        self.follow(true_ms)
        self._wall_ms += true_ms - self.now_ms()

    def _slew(self, now_s: float) -> None:
        own_ms = self._wall_ms + int((now_s - self._started_s) * 1000)
        wall_ms = time.time_ns() // 1_000_000 + self._ahead_ms
        most_ms = max(1, int((now_s - self._slewed_s) * self._SLEW_MS_PER_S))
        self._wall_ms += max(-most_ms, min(most_ms, wall_ms - own_ms))
        self._slewed_s = now_s

    def monotonic(self) -> float:
        return _elapsed_s()

    async def wait(self, wake: asyncio.Event, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await wake.wait()
        except TimeoutError:
            return
        wake.clear()
