"""Statistics: what was sent and came back is counted in memory, hour by hour, and added to the store every few seconds.

Per event this is a look into a dict and a few additions of integers. The price: a process that dies (not one that is
stopped) loses the counts of its last seconds. Events, deliveries and attempts lose nothing; see decision 10.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from hookspan.clock import Clock
from hookspan.domain.latency import add_to, bucket_of
from hookspan.domain.states import DeliveryState, VerdictKind
from hookspan.engine.duty import Duty
from hookspan.engine.lane import Lane
from hookspan.engine.options import EngineOptions
from hookspan.store.contract import Result, Store
from hookspan.store.statistics import ALL, HOUR_MS, STATISTICS_HOURS, HourCounts
from hookspan.telemetry import Counters

_DROP_INTERVAL_S = 600.0
_SHIFT_MAX = 26  # durations below 2**29 us
_SUCCEEDED = VerdictKind.SUCCEEDED
_PENDING = DeliveryState.PENDING


class _Cell:
    """One hour of one webhook, or of an application's events."""

    __slots__ = (
        "application_id",
        "attempts",
        "attempts_succeeded",
        "deliveries_failed",
        "deliveries_succeeded",
        "events",
        "latency",
    )

    def __init__(self, application_id: int) -> None:
        self.application_id = application_id
        self.events = 0
        self.attempts = 0
        self.attempts_succeeded = 0
        self.deliveries_succeeded = 0
        self.deliveries_failed = 0
        self.latency: dict[int, int] = {}

    def add(self, other: "_Cell") -> None:
        self.events += other.events
        self.attempts += other.attempts
        self.attempts_succeeded += other.attempts_succeeded
        self.deliveries_succeeded += other.deliveries_succeeded
        self.deliveries_failed += other.deliveries_failed
        add_to(self.latency, other.latency)

    def counts(self, subject_id: int, hour: int) -> HourCounts:
        return HourCounts(
            subject_id,
            hour,
            self.events,
            self.attempts,
            self.attempts_succeeded,
            self.deliveries_succeeded,
            self.deliveries_failed,
            self.latency,
        )


class Statistics(Duty):
    """`result` and `event` count; one turn adds what has gathered to the store, and drops hours that are too old.

    `obeyed_ms` is the time by which hours are dropped (retention's own: a wall clock that leaps must not erase them),
    None while it is not known. The results and events are counted once they are durable.
    """

    name = "statistics"

    def __init__(
        self,
        store: Store,
        clock: Clock,
        options: EngineOptions,
        counters: Counters,
        obeyed_ms: Callable[[], int | None],
    ) -> None:
        super().__init__(clock)
        self._store = store
        self._options = options
        self._counters = counters
        self._obeyed_ms = obeyed_ms
        self._cells: dict[tuple[int, int], _Cell] = {}  # by webhook or application, and hour
        self._taken: deque[HourCounts] = deque()  # to be written; nothing is added to it any more
        self.node = 0
        self._number = 0
        self._writing: tuple[int, int, list[HourCounts]] | None = None  # node, number, counts: until they are kept
        self._flushing = asyncio.Lock()
        self._dropped_s = clock.monotonic() - _DROP_INTERVAL_S

    # --- counting, on the hot path

    def result(self, lane: Lane, result: Result) -> None:
        """One that is recorded. It counts in the hour in which its attempt ended, and not at all if it failed for a
        reason that is ours.
        """
        attempt = result.attempt
        if attempt is None:
            self._without_attempt(lane, result)
            return
        if result.is_ours:
            return
        duration_us = attempt.duration_us
        key = (attempt.webhook_id, (attempt.started_at + duration_us // 1000) // HOUR_MS)
        cell = self._cells.get(key) or self._cell(key, lane.webhook.application_id)
        cell.attempts += 1
        if attempt.response_status is not None:
            # As `bucket_of`, but for the call: it is half of the whole.
            shift = duration_us.bit_length() - 4
            bucket = (shift << 3) + (duration_us >> shift) if 0 < shift < _SHIFT_MAX else bucket_of(duration_us)
            latency = cell.latency
            latency[bucket] = latency.get(bucket, 0) + 1
        if attempt.verdict is _SUCCEEDED:
            cell.attempts_succeeded += 1
            cell.deliveries_succeeded += 1
        elif result.state is not _PENDING:
            cell.deliveries_failed += 1

    def event(self, application_id: int, accepted_at: int) -> None:
        """One that was published."""
        key = (application_id, accepted_at // HOUR_MS)
        cell = self._cells.get(key) or self._cell(key, application_id)
        cell.events += 1

    def _without_attempt(self, lane: Lane, result: Result) -> None:
        """Given up without another try."""
        if result.finished_at is not None:
            webhook = lane.webhook
            key = (webhook.id, result.finished_at // HOUR_MS)
            cell = self._cells.get(key) or self._cell(key, webhook.application_id)
            cell.deliveries_failed += 1

    def _cell(self, key: tuple[int, int], application_id: int) -> _Cell:
        cell = _Cell(application_id)
        if len(self._cells) < self._options.statistics_cells_max:
            self._cells[key] = cell
        else:  # nobody will read it
            self._counters.statistics_lost += 1
        if len(self._cells) * 2 >= self._options.statistics_cells_max:
            self.wake.set()
        return cell

    # --- keeping

    async def turn(self) -> float:
        await self.flush()
        now_s = self._clock.monotonic()
        obeyed_ms = self._obeyed_ms()
        if obeyed_ms is not None and now_s - self._dropped_s >= _DROP_INTERVAL_S:
            limit = self._options.statistics_chunk
            if await self._store.drop_statistics(obeyed_ms // HOUR_MS - STATISTICS_HOURS, limit) >= limit:
                return 0
            self._dropped_s = now_s
        return self._options.statistics_interval_s

    async def flush(self) -> None:
        """Add all that was counted until now to the store, in bounded chunks. What can't be written is tried again."""
        async with self._flushing:
            await self._write()  # what a flush before this could not
            self._take()
            await self._write()

    async def _write(self) -> None:
        """A chunk whose write failed, was cancelled or is in doubt is written again, as it was: the store tells by its
        number whether it has it.
        """
        while self._writing is not None or self._taken:
            if self._writing is None:
                size = min(len(self._taken), self._options.statistics_chunk)
                self._number += 1
                self._writing = self.node, self._number, [self._taken.popleft() for _ in range(size)]
            node, number, counts = self._writing
            await self._store.add_statistics(counts, node, number)
            self._writing = None

    @property
    def is_empty(self) -> bool:
        return not (self._cells or self._taken or self._writing)

    def _take(self) -> None:
        """What was counted, with the sums of applications and of all."""
        cells, self._cells = self._cells, {}
        sums: dict[tuple[int, int], _Cell] = {}
        for (subject_id, hour), cell in cells.items():
            application_id = cell.application_id
            if subject_id != application_id:
                self._taken.append(cell.counts(subject_id, hour))
            for key in ((application_id, hour), (ALL, hour)):
                if key not in sums:
                    sums[key] = _Cell(key[0])
                sums[key].add(cell)
        self._taken.extend(cell.counts(subject_id, hour) for (subject_id, hour), cell in sums.items())
