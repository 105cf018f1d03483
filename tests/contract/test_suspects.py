"""claim_suspect: what nodes died over three times is claimed alone, one at a time, in its place."""

import pytest

from hookspan.domain.states import DeliveryState, Order, WebhookStatus
from hookspan.store.contract import ORPHANS_ALONE, Claimed
from tests.contract.world import World

pytestmark = pytest.mark.anyio


async def orphan(world: World, times: int) -> None:
    """All that is due is claimed and its node dies, so often."""
    for _ in range(times):
        assert await world.claim()
        await world.store.deregister_node(world.node, world.now)
        await world.register()


async def suspect(world: World) -> Claimed | None:
    return await world.store.claim_suspect(world.node, world.now)


async def test_suspects_are_claimed_one_by_one_and_only_as_such(world: World) -> None:
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=2)
    await orphan(world, ORPHANS_ALONE - 1)
    assert await suspect(world) is None
    await orphan(world, 1)
    [innocent] = await world.publish(application, webhook)
    assert [one.id for one in await world.claim()] == [innocent.deliveries[0].id]
    first, second = await suspect(world), await suspect(world)
    assert first is not None
    assert second is not None
    assert first.id < second.id
    assert first.orphan_count == ORPHANS_ALONE
    assert await suspect(world) is None


async def test_a_suspect_that_is_held_is_the_only_one_counted_again(world: World) -> None:
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=2)
    await orphan(world, ORPHANS_ALONE)
    held = await suspect(world)
    assert held is not None
    await world.store.deregister_node(world.node, world.now)
    await world.register()
    counts = {}
    while (found := await suspect(world)) is not None:
        counts[found.id] = found.orphan_count
    assert counts.pop(held.id) == ORPHANS_ALONE + 1
    assert list(counts.values()) == [ORPHANS_ALONE]


async def test_a_recorded_attempt_clears_the_suspicion(world: World) -> None:
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    await orphan(world, ORPHANS_ALONE)
    held = await suspect(world)
    assert held is not None
    await world.record(world.result(held, DeliveryState.PENDING, retry_in=0))
    [again] = await world.claim()
    assert again.orphan_count == 0


async def test_only_the_head_of_a_fifo_webhook_and_it_holds_up_its_followers(world: World) -> None:
    application = await world.application()
    webhook = await world.webhook(application, order=Order.FIFO)
    events = await world.publish(application, webhook, count=3)
    await orphan(world, ORPHANS_ALONE)
    assert await world.claim() == []
    head = await suspect(world)
    assert head is not None
    assert head.id == events[0].deliveries[0].id
    assert await suspect(world) is None
    await world.finish([head])
    following = await suspect(world)
    assert following is not None
    assert following.id == events[1].deliveries[0].id


async def test_none_of_a_webhook_that_is_off_and_none_before_its_time_or_for_strangers(world: World) -> None:
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    await orphan(world, ORPHANS_ALONE)
    assert await world.store.claim_suspect(world.node + 1, world.now) is None
    assert await world.store.claim_suspect(world.node, world.now - 1_000_000) is None
    await world.move(webhook, WebhookStatus.DISABLED)
    assert await suspect(world) is None
