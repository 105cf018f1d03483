"""Claims of several nodes at once: nobody takes what another has, and what can't be divided is one node's."""

import asyncio

import pytest

from hookspan.domain.states import Cause, DeliveryState, Order
from hookspan.ids import first_id_at
from hookspan.store.contract import Claimed
from hookspan.store.postgres import _claim
from tests.contract.world import World
from tests.unit.store.postgres_nodes import two_nodes

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000


async def claim(world: World, *, nodes: int = 2, per_webhook: int = 1_000, limit: int = 1_000) -> list[Claimed]:
    return await world.store.claim(
        world.node, world.now, limit=limit, per_webhook=per_webhook, bytes_max=1 << 30, skip=(), nodes=nodes
    )


async def test_two_nodes_share_a_backlog() -> None:
    """Each delivery is one node's, and together they get everything, however their claims meet."""
    async with two_nodes() as nodes:
        one, two = nodes.worlds
        application = await one.application()
        webhooks = [await one.webhook(application, concurrency=10) for _ in range(3)]
        await one.publish(application, *webhooks, count=100)
        taken: list[int] = []
        while len(taken) < 300:
            parts = await asyncio.gather(*(claim(world, per_webhook=7, limit=20) for world in (one, two, one, two)))
            assert any(parts)
            taken += [each.id for part in parts for each in part]
        assert len(set(taken)) == 300


async def test_a_fifo_webhook_is_one_nodes() -> None:
    """Claims that meet never take a follower while another takes the head: what one holds is its lease."""
    async with two_nodes() as nodes:
        one, two = nodes.worlds
        application = await one.application()
        webhook = await one.webhook(application, order=Order.FIFO)
        events = await one.publish(application, webhook, count=12)
        expected = [event.deliveries[0].id for event in events]
        done: list[int] = []
        while len(done) < 12:
            parts = await asyncio.gather(*(claim(world, per_webhook=2) for world in (one, two)))
            holders = [(world, part) for world, part in zip((one, two), parts, strict=True) if part]
            assert len(holders) == 1
            world, part = holders[0]
            other = two if world is one else one
            assert await claim(other) == []
            await world.finish(part)
            done += [each.id for each in part]
        assert done == expected


@pytest.mark.parametrize("members", [{"concurrency": 1}, {"concurrency": 4, "rate": 1.0}])
async def test_what_can_not_be_divided_is_leased(members) -> None:
    """A webhook whose concurrency or rate is below the number of nodes is one's, until that has none of it left."""
    async with two_nodes() as nodes:
        one, two = nodes.worlds
        application = await one.application()
        webhook = await one.webhook(application, **members)
        await one.publish(application, webhook, count=3)
        held = await claim(one, per_webhook=1)
        assert len(held) == 1
        assert await claim(two) == []
        assert len(await claim(two, nodes=1)) == 2, "alone it would be everything's owner"
        await one.finish(held)
        await one.publish(application, webhook)
        assert await claim(one) == [], "now it is the other's"
        assert len(await claim(two)) == 1


async def test_a_dead_nodes_claims_are_no_lease() -> None:
    """A node that was taken out holds nothing back, and what it held goes to the one that lives."""
    async with two_nodes() as nodes:
        one, two = nodes.worlds
        application = await one.application()
        webhook = await one.webhook(application, order=Order.FIFO)
        await one.publish(application, webhook, count=2)
        held = await claim(one)
        assert len(held) == 2
        assert await two.store.deregister_node(one.node, two.now) == 2
        taken = await claim(two)
        assert [each.id for each in taken] == [each.id for each in held]
        assert [each.orphan_count for each in taken] == [1, 1]
        assert await claim(one) == [], "it has no name any more"
        assert await one.store.record(one.node, [one.result(each) for each in held]) == {each.id for each in held}


async def test_old_days_are_left_out_until_something_in_them_is_pending() -> None:
    """Claims know below which id nothing is pending; a delivery that is sent again from long ago is found at once."""
    async with two_nodes() as nodes:
        one, _ = nodes.worlds
        application = await one.application()
        webhook = await one.webhook(application)
        [event] = await one.publish(application, webhook)
        [old] = await claim(one)
        await one.finish([old], DeliveryState.FAILED)
        one.clock.move(10 * DAY_MS)
        await one.publish(application, webhook)
        await one.store.expire(0, 0, 100, one.now)
        [(lowest,)] = nodes.query("select value from fact where name = 'lowest_pending'")
        assert event.deliveries[0].id < lowest < first_id_at(one.now)
        assert len(await claim(one)) == 1
        await one.store.reopen_delivery(application.id, old.id, Cause.MANUAL, one.now)
        assert await one.store.next_due_at(()) == one.now
        [again] = await claim(one)
        assert again.id == old.id
        await one.store.expire(0, 0, 100, one.now)
        [(lowest,)] = nodes.query("select value from fact where name = 'lowest_pending'")
        assert lowest <= old.id, "it is in flight"
        await one.finish([again])
        await one.store.expire(0, 0, 100, one.now)
        [(lowest,)] = nodes.query("select value from fact where name = 'lowest_pending'")
        assert lowest > old.id


async def test_what_another_node_holds_hides_nobody() -> None:
    """More webhooks that can't be divided than one look takes, all another node's: those after them have turns."""
    async with two_nodes() as nodes:
        one, two = nodes.worlds
        application = await one.application()
        held = [await one.webhook(application, concurrency=1) for _ in range(9)]
        await one.publish(application, *held, count=2)
        assert len(await claim(one, per_webhook=1)) == 9
        last = await one.webhook(application, concurrency=10)
        await one.publish(application, last, count=3)
        assert len(await claim(two, limit=3)) == 3


async def test_a_look_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """One claim looks so often and no more, and the next goes on where it came to."""
    monkeypatch.setattr(_claim, "LOOKS_MAX", 2)
    async with two_nodes() as nodes:
        one, two = nodes.worlds
        application = await one.application()
        held = [await one.webhook(application, concurrency=1) for _ in range(9)]
        await one.publish(application, *held, count=2)
        assert len(await claim(one, per_webhook=1)) == 9
        last = await one.webhook(application, concurrency=10)
        await one.publish(application, last)
        assert [len(await claim(two, limit=3)) for _ in range(2)] == [0, 1]
