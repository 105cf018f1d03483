"""What a node that was taken out still knows, beside nodes that take over at the same moment."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from hookspan.domain.states import DeliveryState
from hookspan.errors import StoreUnavailable
from tests.unit.store.postgres_nodes import Nodes, at_once, two_nodes

pytestmark = pytest.mark.anyio


@pytest.fixture
async def nodes() -> AsyncIterator[Nodes]:
    async with two_nodes() as nodes:
        yield nodes


async def test_claims_that_nobody_has_freed_yet(nodes: Nodes) -> None:
    """Whoever takes a node out deletes its row, then frees its claims, and may die in between. The node's results count
    under its old number as under another.
    """
    world, _ = nodes.worlds
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=2)
    first, second = await world.claim()
    nodes.query("delete from node where id = %s returning id", world.node)
    assert await world.record(world.result(first)) == frozenset()
    assert await world.store.record(nodes.worlds[1].node, [world.result(second)]) == frozenset()
    states = {one.state for one in await world.deliveries(application)}
    assert states == {DeliveryState.SUCCEEDED}


async def test_what_somebody_takes_at_this_moment_is_not_waited_for(nodes: Nodes) -> None:
    """Its result is late: the one who has the row locked is about to claim it."""
    world, _ = nodes.worlds
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=2)
    held, free = await world.claim()
    await world.store.deregister_node(world.node, world.now)
    with psycopg.connect(nodes.url) as taker:
        taker.execute("select from delivery where id = %s for update", (held.id,))
        # Its own number is looked for first, and that waits for nobody: the row is not in its name any more.
        late = await world.record(world.result(held), world.result(free))
        assert late == {held.id}
        taker.rollback()


async def test_taking_over_and_recording_at_the_same_moment(nodes: Nodes) -> None:
    """Each delivery is either recorded or claimed by the other, never both."""
    old, other = nodes.worlds
    application = await old.application()
    webhook = await old.webhook(application)
    for _ in range(10):
        await old.publish(application, webhook, count=20)
        held = await old.claim()
        await old.store.deregister_node(old.node, old.now)
        results = [old.result(one) for one in held]
        late, taken = await at_once(old.record(*results), other.claim(limit=10))
        assert {one.id for one in taken} <= late
        recorded = {one.id for one in held} - late
        await other.finish(taken)
        await other.finish(await other.claim())
        attempts = nodes.query("select delivery_id, count(*) from attempt group by 1")
        assert {ident for ident, _ in attempts} >= recorded
        assert {count for _, count in attempts} == {1}
        await old.register()


async def test_a_registration_that_fails_leaves_no_node(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a new node tidies up comes first: the others would share their limits with one that nobody is."""
    world, _ = nodes.worlds
    before = await world.store.nodes()

    async def fails(*_: object) -> int:
        raise StoreUnavailable("the database went away")

    with monkeypatch.context() as patch:
        patch.setattr(world.store, "free_orphans", fails)
        with pytest.raises(StoreUnavailable):
            await world.store.register_node(world.now)
    assert await world.store.nodes() == before
    await world.store.register_node(world.now)
    assert len(await world.store.nodes()) == len(before) + 1
