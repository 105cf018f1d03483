"""Retention and erasure by several nodes at the same moment."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from hookspan.domain.states import Cause
from tests.contract.world import World
from tests.unit.store.postgres_nodes import Nodes, at_once, two_nodes
from tests.unit.store.racing import ALL_IDS

pytestmark = pytest.mark.anyio


@pytest.fixture
async def nodes() -> AsyncIterator[Nodes]:
    async with two_nodes() as nodes:
        yield nodes


async def test_two_nodes_at_retention_do_it_once(nodes: Nodes) -> None:
    """Each delivery expires once and each event is dropped once, whoever does it; then nothing is left."""
    one, other = nodes.worlds
    application = await one.application()
    webhooks = [await one.webhook(application) for _ in range(3)]
    await one.publish(application, *webhooks, count=60, publisher_id=None)

    async def turn(world: World) -> list[int]:
        turns = await world.expire(ALL_IDS, ALL_IDS, limit=20)
        return [sum(one.expired_deliveries for one in turns), sum(one.dropped_events for one in turns)]

    first = await asyncio.gather(turn(one), turn(other))
    for world in nodes.worlds:
        world.clock.move(86_400_000)
    second = await asyncio.gather(turn(one), turn(other))
    rest = await turn(one)
    assert sum(expired for expired, _ in [*first, *second, rest]) == 180
    assert sum(dropped for _, dropped in [*first, *second, rest]) == 60
    for table in ("event", "delivery"):
        assert nodes.query(f"select count(*) from {table}") == [(0,)]


async def test_what_is_asked_for_again_while_it_is_dropped(nodes: Nodes) -> None:
    """Who is first wins: the retry keeps the event, or finds no delivery any more. No delivery is without its event."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application)
    for _ in range(10):
        [event] = await one.publish(application, webhook)
        await one.finish(await one.claim())
        ident = event.deliveries[0].id
        retry = one.store.reopen_delivery(application.id, ident, Cause.MANUAL, one.now)
        await at_once(other.store.expire(0, ALL_IDS, 100, other.now), retry)
        assert nodes.query("select count(*) from delivery where event_id not in (select id from event)") == [(0,)]
        await one.store.expire(ALL_IDS, 0, 100, one.now)


async def test_two_nodes_erase_one_application(nodes: Nodes) -> None:
    """They pass each other by, and nothing of it is left."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application)
    await one.publish(application, webhook, count=50)
    await one.finish(await one.claim())
    await one.store.delete_application(application.id, one.now)
    await asyncio.gather(one.expire(0, 0, limit=7), other.expire(0, 0, limit=7))
    await one.expire(0, 0, limit=7)
    for table in ("application", "webhook", "event", "delivery", "attempt"):
        assert nodes.query(f"select count(*) from {table}") == [(0,)]
