"""A whole node on PostgreSQL that is taken out while it knows what came of its requests."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hookspan.domain.states import DeliveryState
from hookspan.engine import Engine
from hookspan.ids import IdMaker
from hookspan.store.contract import Page
from hookspan.store.postgres import PostgresStore
from tests.support.postgres import DATABASES, OPTIONS
from tests.support.world import PROFILES, Inline, World

pytestmark = pytest.mark.anyio


class Shared(World):
    """As `World`, on a database that others share."""

    async def start(self) -> None:
        self.url = await asyncio.to_thread(DATABASES.make)
        self.store = self.another()  # type: ignore[assignment]  # of the same contract
        await self.store.open()
        self.engine = Engine(
            store=self.store,
            profiles=PROFILES,
            egress=self.egress,  # type: ignore[arg-type]  # a stand-in of the same shape
            vault=self.vault,
            clock=self.clock,
            ids=self.store._ids,
            counters=self.counters,
            options=self.options,
            signing=Inline(),
        )
        await self.engine.prepare()

    def another(self) -> PostgresStore:
        return PostgresStore(self.url, clock=self.clock, ids=IdMaker(self.clock), options=OPTIONS)

    async def __aexit__(self, *_: object) -> None:
        await super().__aexit__()
        await asyncio.to_thread(DATABASES.drop, self.url)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Shared]:
    async with Shared(tmp_path) as world:
        yield world


async def states(world: Shared, application) -> list[tuple[DeliveryState, int]]:
    found = await world.store.list_deliveries(
        application.id, Page(limit=10), webhook_id=None, state=None, event_type=None
    )
    return [(one.state, one.attempt_count) for one in found]


async def answered_but_not_recorded(world: Shared):
    """Two events have arrived, and their outcomes wait for the next commit."""
    application = await world.application()
    await world.webhook(application)
    await world.publish(application, 1, 2)
    while world.egress.answers_due:
        await asyncio.sleep(0)
    assert world.engine.recorder.waiting == 2
    return application


async def test_what_it_knows_is_recorded_before_it_registers_anew(world: Shared) -> None:
    """Nobody had claimed it meanwhile: nothing is sent a second time, by whomever."""
    application = await answered_but_not_recorded(world)
    old = world.engine.node.id
    assert await world.store.deregister_node(old, world.clock.now_ms()) == 2
    await world.engine.node.turn()
    assert world.engine.node.id != old
    assert world.engine.recorder.waiting == 0
    await world.settle()
    assert await states(world, application) == [(DeliveryState.SUCCEEDED, 1)] * 2
    assert sorted(world.numbers()) == [1, 2]
    assert world.counters.attempts_late == 0
    assert world.engine.dispatcher.held == {}


async def test_what_another_has_claimed_is_that_ones(world: Shared) -> None:
    """Its outcome is late, and counted; the other sends it again."""
    application = await answered_but_not_recorded(world)
    other = world.another()
    await other.open()
    try:
        node = await other.register_node(world.clock.now_ms())
        await world.store.deregister_node(world.engine.node.id, world.clock.now_ms())
        now_ms = world.clock.now_ms()
        [taken] = await other.claim(node, now_ms, limit=1, per_webhook=1, bytes_max=10_000, skip=())
        await world.engine.node.turn()
        await world.settle()
        assert world.counters.attempts_late == 1
        assert sorted(await states(world, application)) == [(DeliveryState.PENDING, 0), (DeliveryState.SUCCEEDED, 1)]
        assert [(one.delivery_id, one.claim) for one in await other.unheld(node, 10)] == [(taken.id, taken.claim)]
    finally:
        await other.close()
