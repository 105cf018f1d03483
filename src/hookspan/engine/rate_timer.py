"""Lanes that wait for their rate."""

import heapq
import itertools
from collections.abc import Callable

from hookspan.clock import Clock
from hookspan.engine.duty import Duty
from hookspan.engine.lane import Lane


class RateTimer(Duty):
    """Lanes whose rate makes them wait, woken when their time has come."""

    name = "rate timer"
    _IDLE_S = 5.0

    def __init__(self, clock: Clock, ready: Callable[[Lane], None]) -> None:
        super().__init__(clock)
        self._ready = ready
        self._heap: list[tuple[float, int, Lane]] = []
        self._waiting: set[int] = set()
        self._sequence = itertools.count()

    def add(self, lane: Lane, wait_s: float) -> None:
        """Make the lane ready in `wait_s` seconds. Once for each lane."""
        if id(lane) not in self._waiting:
            self._waiting.add(id(lane))
            due_s = self._clock.monotonic() + wait_s
            heapq.heappush(self._heap, (due_s, next(self._sequence), lane))
            if self._heap[0][2] is lane:
                self.wake.set()

    async def turn(self) -> float:
        now_s = self._clock.monotonic()
        while self._heap and self._heap[0][0] <= now_s:
            _, _, lane = heapq.heappop(self._heap)
            self._waiting.discard(id(lane))
            self._ready(lane)
        return max(0.001, self._heap[0][0] - now_s) if self._heap else self._IDLE_S
