"""The recorder: outcomes gathered into batches, each one durable commit, fenced by the claim.

What it can't write it keeps and tries again, and while too much is waiting nothing more is sent: an outcome that is
known must not be lost to a full disk, and a request whose outcome has no place must not leave.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from hookspan.clock import Clock
from hookspan.engine.duty import Duty
from hookspan.engine.lane import Lane
from hookspan.engine.options import EngineOptions
from hookspan.engine.statistics import Statistics
from hookspan.store.contract import Claimed, ClaimRef, Result, Store
from hookspan.telemetry import Counters

_IDLE_S = 5.0


class Written(Protocol):
    """Hears of a result that is durable; `is_late` when its claim had been lost, so that nothing was written."""

    def __call__(self, lane: Lane, result: Result, *, is_late: bool) -> None: ...


class Recorder(Duty):
    """`add` and `give_back` take in; one turn writes what has gathered.

    `on_written` hears of each result that is durable, and whether its claim had been lost; `on_given_back` of each
    delivery that this node no longer holds.
    """

    name = "recorder"

    def __init__(
        self, store: Store, clock: Clock, options: EngineOptions, counters: Counters, statistics: Statistics
    ) -> None:
        super().__init__(clock)
        self._store = store
        self._statistics = statistics
        self._options = options
        self._counters = counters
        self._results: deque[tuple[Lane, Result]] = deque()
        self._given_back: deque[Claimed] = deque()
        self._failing: dict[int, Lane] = {}  # lanes whose failing_since has changed
        self._turn = asyncio.Lock()  # a batch at a time, whoever asked for it
        self.writing = 0
        self.node = 0
        self.on_written: Written
        self.on_given_back: Callable[[Claimed], None]
        self.on_room: Callable[[], None]

    @property
    def waiting(self) -> int:
        """Results that are not durable yet."""
        return len(self._results) + self.writing

    @property
    def has_room(self) -> bool:
        return len(self._results) < self._options.results_max

    @property
    def is_empty(self) -> bool:
        return not (self._results or self.writing or self._given_back or self._failing)

    def add(self, lane: Lane, result: Result) -> None:
        self._results.append((lane, result))
        self.wake.set()

    def give_back(self, items: list[Claimed]) -> None:
        """Return unsent deliveries to the store, due at once."""
        self._given_back.extend(items)
        self.wake.set()

    def note_failing(self, lane: Lane) -> None:
        """The lane's failing_since has changed: keep it with the next commit."""
        self._failing[lane.webhook.id] = lane
        self.wake.set()

    def forget_claims(self) -> None:
        """This node lost its registration: what it meant to give back is free already."""
        for item in self._given_back:
            self.on_given_back(item)
        self._given_back.clear()

    async def flush(self, time_max_s: float) -> None:
        """Write what is known now; begins no batch after so long. What is left is tried by the turns that follow.
        Raises what the store does.
        """
        end_s = self._clock.monotonic() + time_max_s
        for _ in range(len(self._results) // self._options.record_results_max + 1):
            if not self._results or self._clock.monotonic() >= end_s:
                break
            await self._write()

    async def turn(self) -> float:
        if self._results:
            await self._write()
        if self._given_back:
            await self._return()
        if self._failing:
            await self._keep_failing()
        return 0 if self._results or self._given_back or self._failing else _IDLE_S

    async def _write(self) -> None:
        async with self._turn:
            await self._write_batch()

    async def _write_batch(self) -> None:
        had_room = self.has_room
        size = min(len(self._results), self._options.record_results_max)
        batch = [self._results.popleft() for _ in range(size)]
        self.writing = size
        try:
            late = await self._store.record(self.node, [result for _, result in batch])
        except BaseException:
            self._results.extendleft(reversed(batch))  # in doubt or refused: the fence makes a second try harmless
            raise
        finally:
            self.writing = 0
        if late:
            self._counters.attempts_late += len(late)
        on_written, count = self.on_written, self._statistics.result
        for lane, result in batch:
            is_late = result.delivery_id in late
            if not is_late:
                count(lane, result)
            on_written(lane, result, is_late=is_late)
        if not had_room:
            self.on_room()

    async def _return(self) -> None:
        size = min(len(self._given_back), self._options.record_results_max)
        batch = [self._given_back.popleft() for _ in range(size)]
        refs = [ClaimRef(item.id, item.claim) for item in batch]
        try:
            await self._store.release(self.node, refs, self._clock.now_ms())
        except BaseException:
            self._given_back.extendleft(reversed(batch))
            raise
        for item in batch:
            self.on_given_back(item)

    async def _keep_failing(self) -> None:
        for webhook_id in list(self._failing)[: self._options.record_results_max]:
            lane = self._failing[webhook_id]
            if lane.failing_since != lane.failing_since_kept:
                since = lane.failing_since
                await self._store.set_failing_since(webhook_id, since)
                lane.failing_since_kept = since
            if lane.failing_since == lane.failing_since_kept:
                self._failing.pop(webhook_id, None)
