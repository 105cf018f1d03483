"""Background duties around the store: catch-up of re-activated webhooks, and retention."""

from collections.abc import Callable

import structlog

from hookspan.clock import Clock
from hookspan.domain.records import Webhook
from hookspan.engine.duty import Duty
from hookspan.engine.index import Entry, Index
from hookspan.engine.options import EngineOptions
from hookspan.errors import UnknownProfile
from hookspan.ids import first_id_at
from hookspan.store.contract import Store
from hookspan.telemetry import Counters

log = structlog.get_logger()

_DAY_MS = 86_400_000


class CatchUp(Duty):
    """Turns events after a re-activated webhook's position into deliveries, a chunk a turn, until it is active."""

    name = "catch-up"
    _IDLE_S = 5.0

    def __init__(self, store: Store, index: Index, clock: Clock, options: EngineOptions, counters: Counters) -> None:
        super().__init__(clock)
        self._store = store
        self._index = index
        self._options = options
        self._counters = counters
        self.on_backlog: Callable[[], None]

    async def turn(self) -> float:
        has_more = False
        for webhook in await self._store.catching_up():
            try:
                entry = await self._index.find_by_id(webhook.application_id)
            except UnknownProfile:  # a node that has it goes on with this one
                continue
            has_more = True
            if entry is None:
                continue
            # Where the webhook was changed meanwhile nothing is done, and the next turn reads it anew.
            chunk = await self._store.catch_up(
                webhook.id, self._options.catch_up_events_max, _by_type(entry, webhook), version=webhook.version
            )
            self._counters.catch_up_events += chunk.created
            if chunk.refreshed is not None:
                self._index.replace(chunk.refreshed)
            if chunk.created:
                self.on_backlog()
        return 0 if has_more else self._IDLE_S


def _by_type(entry: Entry, webhook: Webhook) -> Callable[[str], bool]:
    """The webhook's subscription as it is in force now, as a function of the type alone."""
    asks_for = entry.asks_for(webhook)
    category_of = entry.profile.category_of
    return lambda event_type: asks_for(event_type, category_of(event_type))


class Retention(Duty):
    """Drops events after their time, a chunk a turn; what is undelivered then expires first, visibly, a day before.

    It does not take the wall's word for how much time has passed, since what is dropped is gone. It obeys a time of its
    own, kept in the store, that follows the clock by at most a day at a start, and afterwards by twice the time that it
    has seen pass. So a clock that leaps by a month erases next to nothing before somebody reads the warning; and a
    machine that was off for a month takes another to come up with it.
    """

    name = "retention"
    _GRACE_MS = _DAY_MS
    _START_MS = _DAY_MS  # what may have passed unseen before a start
    _PACE = 2  # ms of the clock that are believed for each that was seen to pass

    def __init__(self, store: Store, clock: Clock, options: EngineOptions, counters: Counters) -> None:
        super().__init__(clock)
        self._store = store
        self._options = options
        self._counters = counters
        self._obeyed_ms: int | None = None  # known from the first turn on
        self._looked_s = 0.0
        self._is_held_back = False  # and it was said

    @property
    def obeyed_ms(self) -> int | None:
        """The time that it obeyed last, None before its first turn."""
        return self._obeyed_ms

    async def turn(self) -> float:
        now_ms = self._clock.now_ms()
        obeyed_ms = await self._follow(now_ms)
        expire_ms = obeyed_ms - self._options.retention_days * _DAY_MS
        done = await self._store.expire(
            first_id_at(expire_ms),
            first_id_at(expire_ms - self._GRACE_MS),
            self._options.retention_chunk,
            now_ms,
            mark_ms=obeyed_ms,
        )
        self._counters.expired_deliveries += done.expired_deliveries
        self._counters.dropped_events += done.dropped_events
        if done.expired_deliveries:
            log.warning("undelivered deliveries expired", count=done.expired_deliveries)
        return self._options.retention_interval_s if done.is_done else 0

    async def _follow(self, now_ms: int) -> int:
        """The time to obey: the clock's, or as much of the way there as time was seen to pass."""
        seen_s = self._clock.monotonic()
        if self._obeyed_ms is None:
            latest_ms = await self._store.retention_mark(now_ms) + self._START_MS
        else:
            latest_ms = self._obeyed_ms + int((seen_s - self._looked_s) * 1000 * self._PACE)
        self._looked_s = seen_s
        self._obeyed_ms = min(now_ms, latest_ms)
        behind_ms = now_ms - self._obeyed_ms
        if behind_ms == 0:
            self._is_held_back = False
        elif behind_ms > self._GRACE_MS and not self._is_held_back:
            self._is_held_back = True
            days = behind_ms // _DAY_MS
            log.warning("retention is held back: the clock has leapt, or nothing ran for long", days_behind=days)
        return self._obeyed_ms
