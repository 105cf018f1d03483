"""Retention follows the clock only as far as time was seen to pass."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from hookspan.engine.duties import Retention
from hookspan.engine.options import EngineOptions
from hookspan.ids import IdMaker
from hookspan.store.sqlite import SqliteStore
from hookspan.telemetry import Counters
from tests.contract.world import World
from tests.support.clock import VirtualClock

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000


class LeapingClock(VirtualClock):
    """Its wall can leap while nothing passes."""

    leapt_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.leapt_ms


@pytest.fixture
def clock() -> LeapingClock:
    return LeapingClock()


@pytest.fixture
async def world(tmp_path: Path, clock: LeapingClock) -> AsyncIterator[World]:
    ids = IdMaker(clock)
    store = SqliteStore(tmp_path / "hookspan.db", clock=clock, ids=ids)
    await store.open()
    world = World(store, clock, ids)
    await world.register()
    yield world
    await store.close()


def run(world: World) -> Retention:
    """A process that has just started."""
    return Retention(world.store, world.clock, EngineOptions(retention_days=2), Counters())


async def obeyed_ms(world: World, retention: Retention) -> int:
    """The time that a turn obeyed."""
    await retention.turn()
    return await world.store.retention_mark(world.now)


async def test_time_that_passes_is_obeyed(world: World) -> None:
    """Every event is dropped in its time: retention days and the day of grace."""
    application = await world.application()
    await world.publish(application)
    retention = run(world)
    for _ in range(3):
        assert await obeyed_ms(world, retention) == world.now
        assert len(await world.store.events_after(application.id, 0, 9)) == 1
        world.clock.move(DAY_MS)
    world.clock.move(1_000)
    assert await obeyed_ms(world, retention) == world.now
    assert await world.store.events_after(application.id, 0, 9) == []


async def test_a_leap_between_two_runs_is_followed_by_a_day(world: World, clock: LeapingClock) -> None:
    """A month in which nothing ran, or which never was: nothing is erased at once, and one line says so."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=2)
    start_ms = await obeyed_ms(world, run(world))
    clock.leapt_ms = 32 * DAY_MS
    retention = run(world)
    with capture_logs() as lines:
        assert await obeyed_ms(world, retention) == start_ms + DAY_MS
        assert await obeyed_ms(world, retention) == start_ms + DAY_MS
    assert [line["days_behind"] for line in lines if "held back" in line["event"]] == [31]
    assert len(await world.store.events_after(application.id, 0, 9)) == 2
    assert all(one.finished_at is None for one in await world.deliveries(application))


async def test_a_leap_within_a_run_is_not_followed(world: World, clock: LeapingClock) -> None:
    """It comes up with the clock by a day for each day that it sees pass."""
    retention = run(world)
    start_ms = await obeyed_ms(world, retention)
    clock.leapt_ms = 10 * DAY_MS
    with capture_logs() as lines:
        assert await obeyed_ms(world, retention) == start_ms
        clock.move(DAY_MS)
        assert await obeyed_ms(world, retention) == start_ms + 2 * DAY_MS
        clock.move(9 * DAY_MS)
        assert await obeyed_ms(world, retention) == world.now
    assert len([line for line in lines if "held back" in line["event"]]) == 1


async def test_a_clock_set_back_is_obeyed_at_once(world: World, clock: LeapingClock) -> None:
    """Going back erases nothing; from there the same care is taken again."""
    retention = run(world)
    clock.leapt_ms = DAY_MS
    await obeyed_ms(world, retention)
    clock.leapt_ms = 0
    assert await obeyed_ms(world, retention) == world.now
    clock.leapt_ms = 5 * DAY_MS
    assert await obeyed_ms(world, retention) == world.now - 5 * DAY_MS
