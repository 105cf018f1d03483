"""The same tour on every PostgreSQL that is at hand: those of the wheel, and Debian's."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from hookspan.clock import SystemClock
from hookspan.domain.states import DeliveryState, Order, WebhookStatus
from hookspan.ids import IdMaker, first_id_at
from hookspan.store.contract import Page
from hookspan.store.postgres import PostgresStore
from tests.contract.world import World
from tests.support.clock import VirtualClock
from tests.support.postgres import OPTIONS, Server, find_binaries

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000


def binaries() -> list[Path]:
    """Folders of PostgreSQL's programs: 16 and 18 of the wheel, and whatever Debian has."""
    wheel = find_binaries().parent.parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return [
        wheel / "pginstall" / "bin",
        wheel / "pginstall18" / "bin",
        *(one for one in debian if (one / "initdb").exists()),
    ]


@pytest.fixture(params=binaries(), ids=lambda folder: f"{folder.parts[-3]}-{folder.parts[-2]}")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    server = Server(request.param)
    server.make()
    try:
        server.start()
        server.execute("create database tour")
        yield server
    finally:
        server.close()


@pytest.fixture
async def world(server: Server) -> World:
    clock = VirtualClock(SystemClock().now_ms())
    ids = IdMaker(clock)
    store = PostgresStore(server.url("tour"), clock=clock, ids=ids, options=OPTIONS)
    await store.open()
    world = World(store, clock, ids)
    await world.register()
    return world


async def test_a_tour(world: World) -> None:
    """From an empty database to a dropped day: schema, publishing, claims, results, catch-up, lists, retention."""
    application = await world.application()
    first, second = await world.webhook(application), await world.webhook(application, order=Order.FIFO)
    events = await world.publish(application, first, second, count=10, publisher_id=None)
    repeated = await world.publish(application, first, publisher_id="once")
    again = await world.append(world.event(application, first, publisher_id="once"))
    assert (again.events[0].is_duplicate, again.events[0].event_id) == (True, repeated[0].id)
    claimed = await world.claim()
    assert len(claimed) == 21
    await world.record(world.result(claimed[0], DeliveryState.PENDING, retry_in=DAY_MS))
    await world.finish(claimed[1:])
    paused = await world.move(first, WebhookStatus.DISABLED)
    await world.publish(application, count=5)
    await world.move(paused, WebhookStatus.CATCHING_UP)
    await world.catch_up(first)
    assert len(await world.claim()) == 5
    page = Page(limit=100)
    assert len(await world.store.list_events(application.id, page, event_types=None, publisher_id=None)) == 16
    waiting = await world.store.list_deliveries(
        application.id, page, webhook_id=first.id, state=DeliveryState.PENDING, event_type=None
    )
    assert len(waiting) == 6
    assert await world.store.deregister_node(world.node, world.now) == 5
    await world.register()
    world.clock.move(40 * DAY_MS)
    border = first_id_at(world.now - 30 * DAY_MS)
    turns = await world.expire(border, border)
    assert sum(turn.expired_deliveries for turn in turns) == 6
    world.clock.move(2 * DAY_MS)
    turns += await world.expire(border, border)
    assert sum(turn.dropped_events for turn in turns) == 16
    assert await world.store.get_event(application.id, events[0].id) is None
    await world.store.close()


async def test_many_at_once(world: World) -> None:
    """Publishing, claiming and recording from many tasks, on the lanes of one node: nothing is lost or doubled."""
    application = await world.application()
    webhook = await world.webhook(application)
    await asyncio.gather(*(world.publish(application, webhook, count=20) for _ in range(10)))
    parts = await asyncio.gather(*(world.claim(limit=50) for _ in range(6)))
    claimed = [one for part in parts for one in part]
    claimed += await world.claim()
    assert len({one.id for one in claimed}) == len(claimed) == 200
    await asyncio.gather(*(world.finish(claimed[first : first + 25]) for first in range(0, 200, 25)))
    assert {one.state for one in await world.deliveries(application)} == {DeliveryState.SUCCEEDED}
    assert await world.last_position(application) == 200
    await world.store.close()
