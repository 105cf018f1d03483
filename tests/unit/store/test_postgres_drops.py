"""Whole partitions dropped by retention: what they take with them, what keeps them, and that nobody waits for it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, WebhookStatus
from hookspan.ids import first_id_at
from hookspan.store.contract import EXPIRED_SHOWN_MS, NewAside, Page
from hookspan.store.postgres import PostgresOptions, _drops, _retention
from hookspan.store.postgres._partitions import DAY_MS, partition_of
from tests.contract import jobs
from tests.contract.world import World
from tests.unit.store.postgres_nodes import Nodes, two_nodes

pytestmark = pytest.mark.anyio

OPTIONS = PostgresOptions(whole_events_min=3, partition_lock_time_max_s=0.2)


@pytest.fixture
async def nodes() -> AsyncIterator[Nodes]:
    async with two_nodes(OPTIONS) as nodes:
        yield nodes


def tables(nodes: Nodes, ident: int) -> set[str]:
    """Which tables there are of the day of an id, attached or not."""
    names = [partition_of(parent, ident).name for parent in ("event", "delivery", "attempt")]
    found = nodes.query("select relname from pg_class where relkind = 'r' and relname = any(%s)", names)
    return {name.partition("_")[0] for (name,) in found}


def border(world: World) -> int:
    """The beginning of the day before this one: what is older is to go."""
    return first_id_at(world.now // DAY_MS * DAY_MS - DAY_MS)


async def turns(world: World) -> int:
    """Retention until it is done; how many events went."""
    return sum(turn.dropped_events for turn in await world.expire(border(world), border(world), limit=10))


async def test_an_old_day_goes_as_a_whole(nodes: Nodes) -> None:
    """With its deliveries, attempts and publisher ids; what is younger stays, and no id is given again."""
    world, other = nodes.worlds
    application = await world.application()
    webhook = await world.webhook(application)
    old = [(await world.publish(application, webhook, publisher_id=f"p{number}"))[0] for number in range(5)]
    await world.finish(await world.claim())
    highest = await world.store.highest_id()
    world.clock.move(4 * DAY_MS)
    [young] = await world.publish(application, webhook, publisher_id="young")
    await world.finish(await world.claim())
    assert await turns(world) == 5
    assert tables(nodes, old[0].id) == set()
    assert tables(nodes, young.id) == {"event", "delivery", "attempt"}
    assert [one.event_id for one in await world.deliveries(application)] == [young.id]
    assert [one.event_id for one in await world.store.list_attempts(webhook.id, Page(limit=10))] == [young.id]
    assert nodes.query("select publisher_id from publish_key") == [("young",)]
    assert nodes.query("select value >= %s from fact where name = 'highest_dropped_id'", highest) == [(True,)]
    other.clock.move(4 * DAY_MS)
    assert await turns(other) == 0


async def test_a_day_of_few_events_goes_by_rows(nodes: Nodes) -> None:
    """As they grow old, and its tables when they are empty."""
    world, _ = nodes.worlds
    application = await world.application()
    [old] = await world.publish(application)
    world.clock.move(4 * DAY_MS)
    young = await world.publish(application)
    assert await turns(world) == 1
    assert tables(nodes, old.id) == set()
    assert [one.id for one in await world.store.events_after(application.id, 0, 10)] == [young[0].id]


async def test_a_large_day_waits_until_all_of_it_is_old(nodes: Nodes) -> None:
    """Few events of a day go one by one, of very many none before the last."""
    world, _ = nodes.worlds
    application = await world.application()
    events = await world.publish(application, count=4)
    world.clock.move(2 * DAY_MS)
    middle = events[1].id + 1
    assert [turn.dropped_events for turn in await world.expire(middle, middle)] == [0]
    world.clock.move(2 * DAY_MS)
    assert await turns(world) == 4


async def test_what_is_to_be_seen_keeps_its_day_for_a_time(nodes: Nodes) -> None:
    """What has expired is shown for a day, in a partition too; what a person asks for again and again goes by rows."""
    world, _ = nodes.worlds
    application = await world.application()
    webhook = await world.webhook(application)
    old = await world.publish(application, webhook, count=4)
    world.clock.move(3 * DAY_MS - DAY_MS // 2)
    last = (border(world), border(world))
    assert sum(turn.expired_deliveries for turn in await world.expire(*last)) == 4
    delivery = await world.delivery(application, old[0].deliveries[0].id)
    assert delivery.reason is DeliveryReason.EXPIRED
    assert await turns(world) == 0
    world.clock.move(EXPIRED_SHOWN_MS)
    await world.store.reopen_delivery(application.id, delivery.id, Cause.MANUAL, world.now)
    [claimed] = await world.claim()
    assert await turns(world) == 0
    world.clock.move(2 * DAY_MS)
    assert await turns(world) == 3
    assert (await world.delivery(application, delivery.id)).is_claimed
    await world.finish([claimed])
    assert [await turns(world) for _ in range(2)] == [1, 0], "an empty day goes with the next turn"
    assert tables(nodes, old[0].id) == set()


async def test_late_deliveries_go_with_their_events(nodes: Nodes) -> None:
    """Those that a catch-up made days later are in other partitions."""
    world, _ = nodes.worlds
    application = await world.application()
    webhook = await world.webhook(application, WebhookStatus.DISABLED)
    await world.publish(application, count=12)
    world.clock.move(2 * DAY_MS)
    await world.move(webhook, WebhookStatus.CATCHING_UP)
    await world.catch_up(webhook)
    await world.finish(await world.claim())
    world.clock.move(DAY_MS)
    assert await turns(world) == 12
    assert nodes.query("select count(*) from delivery") == [(0,)]
    assert nodes.query("select count(*) from attempt") == [(0,)]


async def test_what_is_asked_for_between_the_plan_and_the_drop_stays(nodes: Nodes) -> None:
    """A late delivery of an old event that becomes pending after the turn was planned is not dropped as a straggler."""
    world, _ = nodes.worlds
    application = await world.application()
    webhook = await world.webhook(application)
    old = await world.publish(application, webhook, count=4)
    await world.finish(await world.claim())
    world.clock.move(3 * DAY_MS)
    asked = NewAside(
        id=world.ids.make(),
        application_id=application.id,
        webhook_id=webhook.id,
        event_id=old[0].id,
        cause=Cause.SEND,
    )
    assert await world.store.send_aside(asked, world.now) is not None
    one = partition_of("event", old[0].id)
    store: Any = world.store  # behind the contract
    await store._write(lambda connection: _drops.drop_stragglers(connection, one, 10))
    assert (await world.delivery(application, asked.id)).state is DeliveryState.PENDING
    assert await turns(world) == 0


async def test_a_reader_that_takes_long_holds_up_nobody(nodes: Nodes) -> None:
    """Publishes go on while a partition waits to be detached; that gives up soon, and a later turn ends it."""
    world, other = nodes.worlds
    application = await world.application()
    webhook = await world.webhook(application)
    old = await world.publish(application, webhook, count=4)
    await world.finish(await world.claim())
    for one in nodes.worlds:
        one.clock.move(4 * DAY_MS)
    await other.publish(application, webhook)
    with psycopg.connect(nodes.url) as reader:
        assert reader.execute("select count(*) from event").fetchone() == (5,)
        expiring = asyncio.create_task(turns(world))
        published = 0
        while not expiring.done():
            await asyncio.wait_for(other.publish(application, webhook), 10)
            published += 1
        assert await expiring == 0
        assert published > 2
        assert "event" in tables(nodes, old[0].id)
        assert reader.execute("select count(*) from event").fetchone() is not None
    assert await turns(world) == 4
    assert tables(nodes, old[0].id) == set()


async def test_a_drop_that_was_broken_off_is_ended(nodes: Nodes) -> None:
    """A table that was detached and not dropped, by a node that died: the next turn drops it, once."""
    world, _ = nodes.worlds
    application = await world.application()
    old = await world.publish(application, count=4)
    world.clock.move(4 * DAY_MS)
    await world.publish(application)
    name = partition_of("event", old[0].id).name
    with psycopg.connect(nodes.url, autocommit=True) as connection:
        connection.execute(f"alter table event detach partition {name} concurrently")
    assert await turns(world) == 4
    assert tables(nodes, old[0].id) == set()


async def test_what_was_asked_for_at_the_last_moment_brings_its_day_back(nodes: Nodes) -> None:
    """A retry that was committed while the partition was being detached: its event is there to be sent."""
    world, _ = nodes.worlds
    application = await world.application()
    webhook = await world.webhook(application)
    old = await world.publish(application, webhook, count=4)
    await world.finish(await world.claim())
    delivery = old[0].deliveries[0]
    world.clock.move(3 * DAY_MS)
    await world.store.reopen_delivery(application.id, delivery.id, Cause.MANUAL, world.now)
    [claimed] = await world.claim()
    name = partition_of("event", old[0].id).name
    with psycopg.connect(nodes.url, autocommit=True) as connection:
        connection.execute(f"alter table event detach partition {name} concurrently")
    assert await turns(world) == 0
    assert (await world.delivery(application, delivery.id)).is_claimed
    await world.record(world.result(claimed, DeliveryState.SUCCEEDED))
    assert await turns(world) == 4


async def test_two_nodes_drop_at_once(nodes: Nodes) -> None:
    """Each partition goes once, and is counted once."""
    one, other = nodes.worlds
    application = await one.application()
    for _ in range(3):
        await one.publish(application, count=4)
        one.clock.move(DAY_MS)
    one.clock.move(3 * DAY_MS)
    other.clock.move(6 * DAY_MS)
    assert sum(await asyncio.gather(turns(one), turns(other))) + await turns(one) == 12
    assert nodes.query("select count(*) from event") == [(0,)]


async def test_a_job_that_goes_on_still_counts_what_has_gone(nodes: Nodes) -> None:
    """Deliveries are counted on their rows, and before those go with a partition, with the job."""
    world, _ = nodes.worlds
    application, webhook, events = await jobs.delivered(world, 6)
    job = await jobs.start(world, application, webhook, events)
    await jobs.step(world, job, 5)
    await world.finish(await world.claim(limit=4))
    await world.finish(await world.claim(), DeliveryState.FAILED)
    assert jobs.counts(await jobs.now(world, job)) == (4, 1, 0)
    world.clock.move(4 * DAY_MS)
    assert await turns(world) == 6
    assert nodes.query("select count(*) from delivery") == [(0,)]
    assert jobs.counts(await jobs.now(world, job)) == (4, 1, 0)


async def test_a_turn_looks_at_so_many_days(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn by turn all go, however many there are."""
    monkeypatch.setattr(_drops, "LOOK_MAX", 1)
    world, _ = nodes.worlds
    application = await world.application()
    for _ in range(3):
        await world.publish(application, count=4)
        world.clock.move(DAY_MS)
    world.clock.move(3 * DAY_MS)
    assert await turns(world) == 12


async def test_a_chain_of_attempts_is_followed_so_far(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is longer goes with its partition."""
    monkeypatch.setattr(_retention, "CHAIN_MAX", 2)
    world, _ = nodes.worlds
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    for _ in range(3):
        await world.record(*[world.result(one, DeliveryState.PENDING, retry_in=0) for one in await world.claim()])
    await world.finish(await world.claim())
    world.clock.move(DAY_MS // 2)
    [turn] = await world.expire(1 << 62, 1 << 62)
    assert turn.dropped_events == 1
    assert nodes.query("select count(*) from attempt") == [(2,)]
    world.clock.move(4 * DAY_MS)
    assert await turns(world) == 0
    assert nodes.query("select count(*) from attempt") == [(0,)]


async def test_deleted_applications_are_erased_so_many_a_turn(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others with later turns."""
    monkeypatch.setattr(_retention, "ERASED_MAX", 1)
    world, _ = nodes.worlds
    for _ in range(2):
        application = await world.application()
        await world.publish(application)
        await world.store.delete_application(application.id, world.now)
    assert [turn.dropped_events for turn in await world.expire(0, 0)] == [1]
    assert [turn.dropped_events for turn in await world.expire(0, 0)] == [1]
    assert nodes.query("select count(*) from application") == [(0,)]


async def test_the_next_days_are_made_in_time(nodes: Nodes) -> None:
    """A node that runs for months finds the partitions of each day made, and so does who publishes at midnight."""
    world, _ = nodes.worlds
    world.clock.move(30 * DAY_MS)
    with psycopg.connect(nodes.url) as other:
        other.execute("lock table event in share update exclusive mode")
        await world.store.expire(0, 0, 10, world.now)
    await world.store.expire(0, 0, 10, world.now)
    for day in range(OPTIONS.partitions_ahead_days + 1):
        assert tables(nodes, first_id_at(world.now + day * DAY_MS)) == {"event", "delivery", "attempt"}
