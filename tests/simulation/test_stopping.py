"""A node that stops gives back what it never sent, whatever was under way: only what it has sent counts as orphaned."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hookspan.engine import engine as engine_module
from hookspan.store.contract import Claimed
from tests.simulation.test_taken_out import Shared
from tests.support.world import World

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[World, Shared], ids=["sqlite", "postgres"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with request.param(tmp_path) as world:
        yield world


class Slow:
    """The store, but that what a call has committed is told only when the test lets it."""

    def __init__(self, world: World, call: str) -> None:
        self._store: Any = world.store
        self._call = call
        self.has_committed = asyncio.Event()
        self.may_answer = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return self._answer_late if name == self._call else getattr(self._store, name)

    async def _answer_late(self, *given: Any, **named: Any) -> Any:
        answer = await getattr(self._store, self._call)(*given, **named)
        self.has_committed.set()
        await self.may_answer.wait()
        return answer


async def unclaimed(world: World, *numbers: int) -> None:
    """Events of one webhook that takes one request at a time; they wait in the store for the poller."""
    world.engine.dispatcher.share.delivers = False  # nothing is claimed at birth
    application = await world.application()
    await world.webhook(application, concurrency=1)
    await world.publish(application, *numbers)


async def left(world: World) -> list[Claimed]:
    """What another node finds due afterwards."""
    now_ms = world.clock.now_ms()
    node = await world.store.register_node(now_ms)
    found = await world.store.claim(node, now_ms, limit=9, per_webhook=9, bytes_max=10_000, skip=())
    suspect = await world.store.claim_suspect(node, now_ms)
    return found if suspect is None else [*found, suspect]


def orphan_counts(found: list[Claimed]) -> list[int]:
    return [one.orphan_count for one in found]


async def start_with(world: World, slow: Slow) -> None:
    """Every duty turns, and the claim or the append is under way."""
    world.engine.poller._store = world.engine.intake._store = slow
    await world.engine.start()


async def test_a_claim_under_way_ends_and_what_it_brought_is_given_back(world: World) -> None:
    """What it brings is sent while that is allowed, and the rest goes back as it was."""
    await unclaimed(world, 1, 2, 3)
    world.egress.is_holding = True
    slow = Slow(world, "claim")
    await start_with(world, slow)
    await slow.has_committed.wait()
    stopping = asyncio.ensure_future(world.engine.stop(5))
    for _ in range(20):
        await asyncio.sleep(0)
    slow.may_answer.set()
    while not world.engine.dispatcher.is_stopped:
        await asyncio.sleep(0)
    assert world.egress.in_flight == 1
    world.egress.let_go()
    await stopping
    assert world.numbers() == [1]
    assert orphan_counts(await left(world)) == [0, 0]
    assert world.engine.dispatcher.held == {}


async def test_a_poller_that_waits_ends_at_once(world: World) -> None:
    """Nothing is under way: the grace is not used up."""
    await world.engine.start()
    await world.engine.stop(5)
    assert all(task.done() for task in world.engine._tasks)
    assert await world.store.nodes() == [] or world.store.is_shared


async def test_a_claim_that_outlasts_the_grace_is_given_back(world: World) -> None:
    """Its answer was never heard, so nothing of it was sent."""
    await unclaimed(world, 1, 2, 3)
    slow = Slow(world, "claim")
    await start_with(world, slow)
    await slow.has_committed.wait()
    await world.engine.stop(0)
    assert world.numbers() == []
    assert orphan_counts(await left(world)) == [0, 0, 0]


async def test_an_append_that_outlasts_the_grace_is_given_back(world: World) -> None:
    """The publisher was told that it is not known whether the event is kept; it is, and was not sent."""
    application = await world.application()
    await world.webhook(application)
    slow = Slow(world, "append")
    await start_with(world, slow)
    publishing = world.publish_soon(application, 1)
    await slow.has_committed.wait()
    await world.engine.stop(0)
    with pytest.raises(Exception, match="not known"):
        await publishing
    assert world.numbers() == []
    assert orphan_counts(await left(world)) == [0]


async def test_what_was_sent_and_not_answered_in_the_grace_is_orphaned(world: World) -> None:
    """A receiver may have it, and it may be what nodes die of; what waited behind it was not sent."""
    application = await world.application()
    await world.webhook(application, concurrency=1)
    world.egress.is_holding = True
    await world.publish(application, 1, 2)
    await world.engine.stop(0)
    assert world.numbers() == [1]
    assert orphan_counts(await left(world)) == [1, 0]


async def test_so_many_are_given_back_unheard_of(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound they are freed as a dead node's are: nothing is lost."""
    monkeypatch.setattr(engine_module, "_UNHEARD_MAX", 2)
    await unclaimed(world, 1, 2, 3)
    slow = Slow(world, "claim")
    await start_with(world, slow)
    await slow.has_committed.wait()
    await world.engine.stop(0)
    assert orphan_counts(await left(world)) == [0, 0, 1]
