"""A flush of statistics whose outcome was in doubt counts once, also when its node was taken out meanwhile."""

from collections.abc import AsyncIterator

import pytest

from hookspan.store.postgres import _nodes
from hookspan.store.statistics import HourCounts
from tests.unit.store.postgres_nodes import Nodes, at_once, two_nodes

pytestmark = pytest.mark.anyio

ONE = [HourCounts(17, 490_000, 1, 2, 3, 4, 5, {8: 1})]


@pytest.fixture
async def nodes() -> AsyncIterator[Nodes]:
    async with two_nodes() as nodes:
        yield nodes


async def attempts(nodes: Nodes) -> int:
    return sum(one.attempts for one in await nodes.worlds[0].store.statistics(17, 0, 500_000))


async def test_it_comes_again_after_the_node_was_taken_out(nodes: Nodes) -> None:
    """Whatever number of its own it had last, and under which registration it lives now."""
    world, other = nodes.worlds
    await world.store.add_statistics(ONE, world.node, 1)
    await world.store.add_statistics(ONE, world.node, 2)
    await other.store.deregister_node(world.node, other.now)
    await world.store.add_statistics(ONE, world.node, 2)
    await world.store.register_node(world.now)
    await world.store.add_statistics(ONE, world.node, 2)
    assert await attempts(nodes) == 4


async def test_one_that_had_not_arrived_is_kept_once(nodes: Nodes) -> None:
    """Also the first of a node that never brought one."""
    world, other = nodes.worlds
    await other.store.deregister_node(world.node, other.now)
    for number in (1, 1, 2, 2, 1):
        await world.store.add_statistics(ONE, world.node, number)
    assert await attempts(nodes) == 4


async def test_the_same_twice_at_once(nodes: Nodes) -> None:
    """The first call may still run when it is brought again."""
    world, other = nodes.worlds
    await other.store.deregister_node(world.node, other.now)
    done = await at_once(*(world.store.add_statistics(ONE, world.node, 7) for _ in range(4)))
    assert done == [None] * 4
    assert await attempts(nodes) == 2


async def test_a_node_is_taken_out_while_it_brings_one(nodes: Nodes) -> None:
    """Whoever takes it out waits for that, and keeps its number."""
    world, other = nodes.worlds
    for number in range(1, 6):
        await at_once(
            world.store.add_statistics(ONE, world.node, number), other.store.deregister_node(world.node, other.now)
        )
        await world.store.add_statistics(ONE, world.node, number)
        assert await attempts(nodes) == number * 2
        await world.register()


async def test_what_is_kept_has_an_end(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the last nodes only, and nothing else goes with it."""
    monkeypatch.setattr(_nodes, "_FLUSHES_KEPT", 3)
    world, _ = nodes.worlds
    facts = nodes.query("select name from fact order by name")
    for _ in range(8):
        await world.store.add_statistics(ONE, world.node, 1)
        await world.register()
    kept = [name for (name,) in nodes.query("select name from fact where name like 'flush%%' order by name")]
    assert len(kept) == 3
    assert f"flush_{world.node - 1}" in kept
    assert nodes.query("select name from fact where name not like 'flush%%' order by name") == facts
