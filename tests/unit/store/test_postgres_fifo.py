"""The order of fifo webhooks where events come in through nodes whose clocks differ."""

import pytest

from hookspan.domain.states import Order
from tests.unit.store.postgres_nodes import two_nodes

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("order", [Order.FIFO, Order.ANY])
async def test_a_clock_that_is_ahead_puts_nothing_in_front(order: Order) -> None:
    """Events are delivered in the order of their positions, whichever node took them in; other webhooks keep the ids
    that were planned.
    """
    async with two_nodes() as nodes:
        ahead, behind = nodes.worlds
        ahead.clock.move(5_000)
        application = await ahead.application()
        webhook = await ahead.webhook(application, order=order)
        published = []
        for world in (ahead, behind, behind, ahead, behind):
            published += await world.publish(application, webhook, count=2)
        ahead.clock.move(10_000)
        claimed = await ahead.claim(limit=3)
        claimed_all = claimed + (await ahead.claim() if order is Order.ANY else [])
        if order is Order.FIFO:
            while claimed:
                await ahead.finish(claimed)
                claimed = await ahead.claim(limit=3)
                claimed_all += claimed
            assert [one.event_id for one in claimed_all] == [event.id for event in published]
        else:
            planned = {one.id for event in published for one in event.deliveries}
            assert {one.id for one in claimed_all} == planned


async def test_one_batch_keeps_its_own_order() -> None:
    """New ids rise with the events of a batch, and what is answered names them."""
    async with two_nodes() as nodes:
        ahead, behind = nodes.worlds
        ahead.clock.move(5_000)
        application = await ahead.application()
        webhook = await ahead.webhook(application, order=Order.FIFO)
        await ahead.publish(application, webhook)
        events = [behind.event(application, webhook) for _ in range(5)]
        appended = await behind.append(*events)
        named = [one.deliveries[0].id for one in appended.events]
        assert named == sorted(named)
        assert not {one.id for event in events for one in event.deliveries} & set(named)
        kept = nodes.query("select id from delivery order by id")
        assert [ident for (ident,) in kept][1:] == named
