"""Writing at once what is known, against a store that takes its time."""

import asyncio

import pytest

from hookspan.domain.states import DeliveryState
from hookspan.engine.options import EngineOptions
from hookspan.engine.recorder import Recorder
from hookspan.errors import StoreUnavailable
from hookspan.store.contract import Result
from hookspan.telemetry import Counters
from tests.support.clock import VirtualClock

pytestmark = pytest.mark.anyio

OPTIONS = EngineOptions(record_results_max=10)


class Store:
    """Keeps the sizes of the batches; each takes a second."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.sizes: list[int] = []
        self.is_away = False
        self.is_free = asyncio.Event()
        self.is_free.set()

    async def record(self, _node, results):
        await self.is_free.wait()
        if self.is_away:
            raise StoreUnavailable("away")
        self._clock.move(1_000)
        self.sizes.append(len(results))
        return frozenset()


class Statistics:
    def result(self, _lane, _result) -> None:
        """Nobody asks for them here."""


class World:
    def __init__(self, results: int) -> None:
        self.clock = VirtualClock()
        self.store = Store(self.clock)
        self.recorder = Recorder(self.store, self.clock, OPTIONS, Counters(), Statistics())  # type: ignore[arg-type]
        self.written: list[int] = []
        self.recorder.on_written = lambda _lane, result, *, is_late: self.written.append(result.delivery_id)
        for number in range(results):
            self.recorder.add(None, result(number))  # type: ignore[arg-type]


def result(number: int) -> Result:
    return Result(
        delivery_id=number, claim=1, state=DeliveryState.SUCCEEDED, reason=None, next_attempt_at=None, attempt_count=1,
        round_attempts=1, round_started_at=0, attempt=None, finished_at=0,
    )  # fmt: skip


async def test_all_that_is_known_is_written() -> None:
    """In batches of the usual size."""
    world = World(25)
    await world.recorder.flush(10.0)
    assert world.store.sizes == [10, 10, 5]
    assert world.written == list(range(25))
    assert world.recorder.is_empty


async def test_no_batch_begins_after_the_time() -> None:
    """What is left waits for the turns that follow."""
    world = World(100)
    await world.recorder.flush(3.0)
    assert world.store.sizes == [10, 10, 10]
    assert world.recorder.waiting == 70


async def test_a_store_that_is_away_ends_it() -> None:
    """Nothing is lost of the batch that could not be written."""
    world = World(25)
    world.store.is_away = True
    with pytest.raises(StoreUnavailable):
        await world.recorder.flush(10.0)
    assert world.recorder.waiting == 25


async def test_a_batch_at_a_time() -> None:
    """The turn that is under way and a flush beside it write each result once, and the count of both is right."""
    world = World(25)
    world.store.is_free.clear()
    both = [asyncio.create_task(world.recorder.turn()), asyncio.create_task(world.recorder.flush(10.0))]
    for _ in range(3):
        await asyncio.sleep(0)
    assert world.recorder.writing == 10
    assert world.recorder.waiting == 25
    world.store.is_free.set()
    await asyncio.gather(*both)
    assert world.written == list(range(25))
    assert world.recorder.is_empty
