"""A node that was taken out still knows what came of its requests: that is kept where nobody has them again yet."""

import msgspec
import pytest

from hookspan.domain.records import Application
from hookspan.domain.states import DeliveryReason, DeliveryState, Order
from hookspan.store.contract import Claimed
from tests.contract.test_freezing import freeze, thaw
from tests.contract.world import World

pytestmark = pytest.mark.anyio


async def taken_out(world: World, *, count: int = 1, order: Order = Order.ANY) -> tuple[Application, list[Claimed]]:
    """What a node holds at the moment when it is taken out of the register, and its claims are freed."""
    application = await world.application()
    webhook = await world.webhook(application, order=order)
    await world.publish(application, webhook, count=count)
    held = await world.claim()
    await world.store.deregister_node(world.node, world.now)
    return application, held


@pytest.mark.parametrize("is_registered_anew", [False, True])
async def test_a_known_outcome_is_kept(world: World, *, is_registered_anew: bool) -> None:
    """Under its old registration or its new one: the claim's number shows that nobody has it since. No second send."""
    application, [held] = await taken_out(world)
    if is_registered_anew:
        world.node = await world.store.register_node(world.now)
    assert not (await world.delivery(application, held.id)).is_claimed
    assert await world.record(world.result(held)) == frozenset()
    world.node = await world.store.register_node(world.now)
    assert await world.claim() == []
    delivery = await world.delivery(application, held.id)
    assert (delivery.state, delivery.is_claimed, delivery.attempt_count) == (DeliveryState.SUCCEEDED, False, 1)
    assert len(await world.store.attempts_of(delivery)) == 1


async def test_what_another_has_claimed_is_refused(world: World) -> None:
    """Of the same batch the rest is kept."""
    application, held = await taken_out(world, count=3)
    results = [world.result(one) for one in held]
    world.node = await world.store.register_node(world.now)
    again = await world.claim(limit=2)
    refused = await world.record(*results)
    assert refused == {one.id for one in again}
    assert [one.orphan_count for one in again] == [1, 1]
    await world.finish(again)
    deliveries = await world.deliveries(application)
    assert {one.state for one in deliveries} == {DeliveryState.SUCCEEDED}
    assert [len(await world.store.attempts_of(one)) for one in deliveries] == [1, 1, 1]


async def test_a_failure_that_is_known_plans_its_retry(world: World) -> None:
    """Once: brought again, because its commit was in doubt, it is late. The orphan is one no more."""
    application, [held] = await taken_out(world)
    result = world.result(held, DeliveryState.PENDING, retry_in=5_000, status=500)
    assert await world.record(result) == frozenset()
    assert await world.record(result) == {held.id}
    delivery = await world.delivery(application, held.id)
    assert (delivery.next_attempt_at, delivery.attempt_count) == (world.now + 5_000, 1)
    assert len(await world.store.attempts_of(delivery)) == 1
    world.clock.move(5_000)
    world.node = await world.store.register_node(world.now)
    assert [one.orphan_count for one in await world.claim()] == [0]


async def test_what_a_person_has_cancelled_stays_cancelled(world: World) -> None:
    """It was nobody's then."""
    application, [held] = await taken_out(world)
    await world.store.cancel_delivery(application.id, held.id, DeliveryReason.PERSON, world.now)
    assert await world.record(world.result(held)) == {held.id}
    assert (await world.delivery(application, held.id)).state is DeliveryState.CANCELLED


async def test_nothing_of_a_frozen_application_is_kept(world: World) -> None:
    """It may have been copied already: what is written then would be lost, and the copy not be the same."""
    application, [held] = await taken_out(world)
    await freeze(world, application)
    assert await world.record(world.result(held)) == {held.id}
    assert (await world.delivery(application, held.id)).state is DeliveryState.PENDING
    await thaw(world, application)
    assert await world.record(world.result(held)) == frozenset()


async def test_the_head_of_a_fifo_webhook_counts_too(world: World) -> None:
    """The next in order goes, not the same again."""
    application, [first, second] = await taken_out(world, count=2, order=Order.FIFO)
    assert await world.record(world.result(first)) == frozenset()
    world.node = await world.store.register_node(world.now)
    assert [one.id for one in await world.claim()] == [second.id]
    assert (await world.delivery(application, first.id)).state is DeliveryState.SUCCEEDED


async def test_one_bad_row_among_them_does_not_stop_the_recorder(world: World) -> None:
    """It costs its attempt, not the batch."""
    application, held = await taken_out(world, count=5)
    results = [world.result(one) for one in held]
    taken = results[0].attempt
    assert taken is not None
    assert results[3].attempt is not None
    results[3] = msgspec.structs.replace(results[3], attempt=msgspec.structs.replace(results[3].attempt, id=taken.id))
    assert await world.record(*results) == frozenset()
    deliveries = await world.deliveries(application)
    assert {one.state for one in deliveries} == {DeliveryState.SUCCEEDED}
    assert len([one for one in deliveries if one.last_attempt_id is None]) == 1
