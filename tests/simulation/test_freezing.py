"""An application that is being moved to another database, in a node that had it in memory."""

import asyncio

import pytest

from hookspan.domain.states import DeliveryState, Order
from hookspan.errors import StoreUnavailable
from hookspan.store.contract import Page

pytestmark = pytest.mark.anyio


async def pending(world, application) -> int:
    """How many of its deliveries wait; none is held by a node."""
    assert await world.store.unheld(world.engine.node.id, 100) == []
    page = Page(limit=100)
    found = await world.store.list_deliveries(
        application.id, page, webhook_id=None, state=DeliveryState.PENDING, event_type=None
    )
    return len(found)


@pytest.mark.parametrize("order", Order)
async def test_the_node_lets_go_of_it(world, order) -> None:
    """What is in flight ends, what waits in lanes goes back, publishers are refused for a time; then all goes on, each
    event once.
    """
    application = await world.application()
    await world.webhook(application, order=order, concurrency=1)
    world.egress.is_holding = True
    await world.publish(application, 1, 2, 3)
    await world.settle()
    assert world.egress.in_flight == 1
    await world.store.freeze_application(application.id, world.clock.now_ms())
    await world.engine.webhooks_changed(application.id)
    world.egress.is_holding = False
    world.egress.let_go()
    await world.settle()
    assert world.numbers() == [1]
    assert await pending(world, application) == 2
    with pytest.raises(StoreUnavailable, match="being moved") as refused:
        await world.publish(application, 4)
    assert refused.value.retry_after_s > 0
    await world.run_for(60_000)
    assert world.numbers() == [1]
    await world.store.freeze_application(application.id, None)
    await world.engine.webhooks_changed(application.id)
    await world.publish(application, 4)
    await world.settle()
    assert sorted(world.numbers()) == [1, 2, 3, 4]
    assert order is Order.ANY or world.numbers() == [1, 2, 3, 4]
    assert await pending(world, application) == 0


async def test_a_publish_on_its_way_is_refused(world) -> None:
    """It was read before the node had heard of the freeze, and others of the same commit are kept."""
    application, other = await world.application(), await world.application()
    await world.webhook(application)
    await world.webhook(other)
    await world.store.freeze_application(application.id, world.clock.now_ms())
    refused, kept = world.publish_soon(application, 1), world.publish_soon(other, 2)
    await asyncio.sleep(0)
    await world.settle()
    with pytest.raises(StoreUnavailable, match="being moved"):
        refused.result()
    assert kept.result().id
    assert world.numbers() == [2]
    assert await pending(world, application) == 0
