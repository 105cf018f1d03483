"""Nodes of one database go by its clock, against a store that only tells the time."""

import time

import pytest

from hookspan.cli._time import ANSWER_MAX_S, INTERVAL_S, SharedTime
from hookspan.clock import SystemClock

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000


class Store:
    """A database whose clock is `ahead_ms` of this machine's."""

    def __init__(self, ahead_ms: int) -> None:
        self.ahead_ms = ahead_ms

    async def clock_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead_ms


def ahead_ms(clock: SystemClock) -> int:
    return clock.now_ms() - time.time_ns() // 1_000_000


@pytest.mark.parametrize("database_ms", [HOUR_MS, -HOUR_MS, 365 * 24 * HOUR_MS])
async def test_a_node_begins_with_the_databases_time(database_ms: int) -> None:
    """So what one node has taken in is due on every other, however wrong the walls of their machines are."""
    clock = SystemClock()
    await SharedTime(Store(database_ms), clock).begin()  # type: ignore[arg-type]
    assert abs(ahead_ms(clock) - database_ms) < 500
    clock._slewed_s -= 10
    assert abs(ahead_ms(clock) - database_ms) < 500, "it does not go back to its own wall"


async def test_a_running_node_is_slewed_and_never_leaps() -> None:
    """Another primary, with another clock: followed by half a percent."""
    clock, store = SystemClock(), Store(0)
    shared = SharedTime(store, clock)  # type: ignore[arg-type]
    await shared.begin()
    store.ahead_ms = HOUR_MS
    assert await shared.turn() == INTERVAL_S
    clock._slewed_s -= 10
    assert 40 <= ahead_ms(clock) <= 500


async def test_a_late_answer_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What took longer than a second is not what the time is now."""
    clock = SystemClock()
    monkeypatch.setattr("hookspan.cli._time.ANSWER_MAX_S", -1.0)
    await SharedTime(Store(HOUR_MS), clock).begin()  # type: ignore[arg-type]
    assert abs(ahead_ms(clock)) < 500
    assert ANSWER_MAX_S == 1.0
