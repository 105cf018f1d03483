"""Catching up while several nodes publish, toggle and catch up at the same moment."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hookspan.domain.states import Cause, Order, WebhookStatus
from hookspan.store.contract import NewAside
from hookspan.store.postgres._catch_up import LAST_EVENTS_MAX
from tests.contract.world import World
from tests.unit.store.postgres_nodes import Nodes, at_once, two_nodes
from tests.unit.store.racing import beside, waits

pytestmark = pytest.mark.anyio


@pytest.fixture
async def nodes() -> AsyncIterator[Nodes]:
    async with two_nodes() as nodes:
        yield nodes


async def test_toggles_miss_and_double_nothing(nodes: Nodes) -> None:
    """However publishes, disables, activations and turns of catch-up of two nodes meet: one delivery for each event."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application)
    published: list[int] = []
    is_over = False

    async def publish(world: World) -> None:
        for _ in range(40):
            seen = await world.webhooks_seen(application.id)
            event = world.event(application, *(webhook for _ in world.fan_out(seen, world.event(application))))
            versions = {application.id: seen.application.webhooks_version}
            appended = await world.store.append(world.node, [event], versions, world.fan_out)
            published.append(appended.events[0].event_id)

    async def toggle() -> None:
        dice = random.Random(7)
        while not is_over:
            await other.move(webhook, WebhookStatus.DISABLED)
            await one.move(webhook, WebhookStatus.CATCHING_UP)
            for _ in range(dice.randrange(3)):
                await at_once(*(turn(world, 1 + dice.randrange(3)) for world in nodes.worlds))

    def turn(world: World, most: int) -> Any:
        return world.store.catch_up(webhook.id, most, lambda _type: True)

    toggler = asyncio.create_task(toggle())
    await asyncio.gather(*(publish(world) for world in nodes.worlds * 2))
    is_over = True
    await toggler
    await one.move(webhook, WebhookStatus.ACTIVE)
    await one.catch_up(webhook)
    assert sorted(each.event_id for each in await one.deliveries(application)) == sorted(published)
    positions = nodes.query("select position from event order by position")
    assert [position for (position,) in positions] == list(range(1, len(published) + 1))


@pytest.mark.parametrize("order", [Order.ANY, Order.FIFO])
async def test_two_nodes_catch_up_one_webhook(nodes: Nodes, order: Order) -> None:
    """Each event once, in order, whose ever clock is ahead, while others publish; it ends active."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application, WebhookStatus.DISABLED, order=order)
    for _ in range(5):
        await one.publish(application, count=100)
    await one.move(webhook, WebhookStatus.CATCHING_UP)
    other.clock.move(5_000)

    async def turn(world: World) -> int:
        created = 0
        for _ in range(100):
            done = await world.store.catch_up(webhook.id, 50, lambda _type: True)
            created += done.created
            if done.is_done:
                break
        return created

    async def publish() -> int:
        for _ in range(20):
            await one.store.append(one.node, [one.event(application)], {application.id: 0}, one.fan_out)
        return 20

    created = await asyncio.gather(turn(one), turn(other), turn(one), publish())
    deliveries = await one.deliveries(application)
    assert len({each.event_id for each in deliveries}) == len(deliveries) == 520
    assert sum(created) >= 500
    found = await one.store.get_webhook(webhook.id)
    assert found is not None
    assert (found.status, found.position) == (WebhookStatus.ACTIVE, 520)
    if order is Order.FIFO:
        missed = sorted(deliveries, key=lambda each: each.event_id)[:500]
        assert missed == sorted(missed, key=lambda each: each.id)


async def test_catching_up_holds_up_nobody_who_publishes(nodes: Nodes) -> None:
    """A long chunk holds the webhook's row, not the application's."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application, WebhookStatus.DISABLED)
    await one.publish(application, count=400)
    await one.move(webhook, WebhookStatus.CATCHING_UP)
    [first] = nodes.query("select min(id) from event")
    with beside(nodes) as dropper:
        dropper.execute("select 1 from event where id = %s for update", first)
        turning = asyncio.create_task(one.store.catch_up(webhook.id, 100, lambda _type: True))
        await waits(nodes)
        await other.append(other.event(application))
        assert not turning.done()
    assert (await turning).created == 100


async def test_the_last_chunk_of_a_catch_up_is_short(nodes: Nodes) -> None:
    """Nobody publishes while it runs, so a longer rest is first made shorter beside those who do."""
    one, _ = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application, WebhookStatus.DISABLED)
    await one.publish(application, count=LAST_EVENTS_MAX)
    await one.move(webhook, WebhookStatus.CATCHING_UP)
    turns = await one.catch_up(webhook, LAST_EVENTS_MAX * 2)
    assert [(turn.created, turn.is_done) for turn in turns] == [(LAST_EVENTS_MAX, False), (0, True)]


async def test_an_event_that_is_being_dropped_gets_no_delivery(nodes: Nodes) -> None:
    """Neither by a catch-up nor by hand: there would be a delivery without an event."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application, WebhookStatus.DISABLED)
    events = await one.publish(application, count=3)
    await one.move(webhook, WebhookStatus.CATCHING_UP)
    new = NewAside(
        id=one.ids.make(),
        application_id=application.id,
        webhook_id=webhook.id,
        event_id=events[0].id,
        cause=Cause.SEND,
    )
    with beside(nodes) as dropper:
        dropper.execute("delete from event where id = %s", (events[0].id,))
        turning = asyncio.create_task(one.store.catch_up(webhook.id, 10, lambda _type: True))
        await waits(nodes)
        sending = asyncio.create_task(other.store.send_aside(new, other.now))
    assert (await turning).created == 2
    assert await sending is None
    assert nodes.query("select count(*) from delivery") == [(2,)]
