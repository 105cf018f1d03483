"""Publishing on several nodes at once: positions, the register, changes of webhooks."""

import asyncio
import threading

import pytest

from hookspan.domain.records import Webhooks
from hookspan.ids import IdMaker
from hookspan.store.contract import NewDelivery, NewEvent, NodeGone
from tests.unit.store.postgres_nodes import two_nodes

pytestmark = pytest.mark.anyio


async def test_a_cursor_that_reads_along_misses_nothing() -> None:
    """Positions become visible one after another, without a gap, while several nodes publish to one application."""
    async with two_nodes() as nodes:
        one, two = nodes.worlds
        two.ids = IdMaker(two.clock, 7)
        application = await one.application()
        seen: list[int] = []

        async def publish(world) -> None:
            for _ in range(15):
                await world.publish(application, count=3)

        async def follow() -> None:
            while len(seen) < 180:
                last = seen[-1] if seen else 0
                events = await two.store.events_after(application.id, last, 50)
                seen.extend(event.position for event in events)

        async with asyncio.timeout(60):
            await asyncio.gather(publish(one), publish(two), publish(one), publish(two), follow())
        assert seen == list(range(1, 181))


async def test_nothing_is_kept_for_a_node_that_was_taken_out() -> None:
    """Neither an event nor a position: it must register anew first."""
    async with two_nodes() as nodes:
        one, two = nodes.worlds
        application = await one.application()
        await two.store.deregister_node(one.node, two.now)
        with pytest.raises(NodeGone):
            await one.publish(application, publisher_id="p")
        assert await two.last_position(application) == 0
        [event] = await two.publish(application, publisher_id="p")
        assert await two.store.get_event(application.id, event.id) is not None


async def test_taking_a_node_out_waits_for_its_last_commit() -> None:
    """What a paused transaction of it has claimed is freed too, since it is committed before the node is gone."""
    async with two_nodes() as nodes:
        one, two = nodes.worlds
        application = await one.application()
        webhook = await one.webhook(application)
        is_in, go_on = threading.Event(), threading.Event()

        def slow(webhooks: Webhooks, event: NewEvent) -> tuple[NewDelivery, ...]:
            is_in.set()
            assert go_on.wait(20)
            return tuple(one.planned(each, is_claimed=True) for each in webhooks.webhooks)

        event = one.event(application)
        appending = asyncio.ensure_future(one.store.append(one.node, [event], {application.id: -1}, slow))
        await asyncio.to_thread(is_in.wait, 20)
        removing = asyncio.ensure_future(two.store.deregister_node(one.node, two.now))
        await two.store.get_webhook(webhook.id)
        assert not removing.done()
        go_on.set()
        appended = await appending
        assert appended.events[0].position == 1
        assert await removing == 1
        [taken] = await two.claim()
        assert taken.event_id == event.id


async def test_publishes_and_changes_of_webhooks_meet() -> None:
    """Each event goes to the webhooks as they are at its position: none falls between two versions."""
    async with two_nodes() as nodes:
        one, two = nodes.worlds
        application = await one.application()
        versions = {application.id: 1}

        async def publish(world) -> int:
            count = 0
            for _ in range(20):
                event = world.event(application)
                appended = await world.store.append(world.node, [event], versions, world.fan_out)
                count += len(appended.events[0].deliveries)
            return count

        async def change() -> list[int]:
            made = [await two.webhook(application) for _ in range(6)]
            return [each.position for each in made]

        first, second, starts = await asyncio.gather(publish(one), publish(two), change())
        last = await one.last_position(application)
        assert last == 40
        assert first + second == sum(last - start for start in starts)


async def test_nodes_have_slots_of_their_own() -> None:
    """Ids that two living nodes make never meet: the remainders of their numbers differ."""
    async with two_nodes() as nodes:
        one, two = nodes.worlds
        nodes.query("select setval(pg_get_serial_sequence('node', 'id'), %s)", 63)
        third = await one.store.register_node(one.now, delivers=False)
        assert third % 63 not in {one.node % 63, two.node % 63}
        seen = await two.store.nodes()
        assert [each.id for each in seen] == [one.node, two.node, third]
        assert [each.delivers for each in seen] == [True, True, False]
