"""An application that moves from one database to another: all of it, once, and only one of both serves it."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from concurrent import futures
from typing import Any

import psycopg
import pytest

from hookspan.domain.audit import AuditEntry
from hookspan.domain.caller import Role
from hookspan.domain.pause import PauseScope
from hookspan.domain.records import Application
from hookspan.domain.states import Cause, DeliveryState
from hookspan.errors import StateForbidden, StoreUnavailable
from hookspan.store.contract import ClaimRef, WebhookChange
from hookspan.store.copying import Step
from hookspan.store.moving import BULK, FRAME
from hookspan.store.postgres._migrations import MIGRATIONS
from tests.contract.test_pauses import new_pause
from tests.contract.world import World
from tests.unit.store.moved import fill, seen, serving
from tests.unit.store.moving import Cells, two_cells

pytestmark = pytest.mark.anyio


@pytest.fixture
async def cells() -> AsyncIterator[Cells]:
    async with two_cells() as cells:
        yield cells


DAY_MS = 86_400_000


async def test_all_of_it_goes_over(cells: Cells) -> None:
    """What could be read in the source can be read in the target, which goes on with it; the source knows it no more,
    and others there have seen nothing of it.
    """
    application, webhook = await fill(cells.old)
    other = await cells.old.application()
    theirs = await cells.old.webhook(other)
    await cells.old.publish(other, theirs)
    before = await seen(cells.old, application)
    moved = await cells.move("acme")
    assert await seen(cells.new, application) == before
    assert (moved.rows["event"], moved.rows["publish_key"], moved.rows["webhook"]) == (7, 1, 3)
    assert await cells.old.store.get_application("acme") is None
    assert [one.webhook_id for one in await cells.old.claim()] == [theirs.id]
    claimed = await cells.new.claim()
    assert {one.webhook_id for one in claimed} == {webhook.id}
    assert len(claimed) == 3
    await cells.new.record(*(cells.new.result(one) for one in claimed))
    [event] = await cells.new.publish(application, webhook)
    assert (await cells.new.store.get_event(application.id, event.id)).position == 8  # type: ignore[union-attr]
    again = await cells.new.append(cells.new.event(application, webhook, publisher_id="p-1"))
    assert again.events[0].is_duplicate
    for which in (0, 1):
        assert cells.query(which, "select name from fact where name like %s", "%ing\\_%") == []


async def test_what_it_has_left_is_cleared_away(cells: Cells) -> None:
    """By retention of the source, turn by turn; the target keeps it. Only then it can move back."""
    application, _ = await fill(cells.old)
    await cells.move("acme")
    back = (cells.urls[1], cells.urls[0])
    with pytest.raises(StateForbidden, match="not yet forgotten"):
        await cells.move("acme", urls=back)
    await cells.old.expire(0, 0)
    assert cells.query(0, "select count(*) from delivery where application_id = %s", application.id) == [(0,)]
    before = await seen(cells.new, application)
    await cells.move("acme", urls=back)
    assert await seen(cells.old, application) == before
    assert await cells.new.store.get_application("acme") is None


async def test_what_changes_while_it_is_copied_goes_over_too(cells: Cells) -> None:
    """Events, retries and a delivery that was final and is asked for again, all between two passes."""
    application, webhook = await fill(cells.old)
    loop = asyncio.get_running_loop()
    is_done = False

    async def change() -> None:
        world = cells.old
        await world.publish(application, webhook, count=3)
        for one in await world.claim(limit=3):
            await world.record(world.result(one))
        failed = next(one for one in await world.deliveries(application, webhook) if one.state.value == 2)
        assert await world.store.reopen_delivery(application.id, failed.id, Cause.RETRY, world.now)

    def told(step: Step) -> None:
        nonlocal is_done
        if step.phase == "copying" and step.table == "attempt" and not is_done:
            is_done = True
            asyncio.run_coroutine_threadsafe(change(), loop).result(10)

    await cells.move("acme", told)
    found = await seen(cells.new, application)
    assert found["position"] == 10
    states = Counter(one.state for one in found["deliveries"] if one.webhook_id == webhook.id)
    assert states[DeliveryState.PENDING] + states[DeliveryState.SUCCEEDED] == 10
    assert sum(one.round for one in found["deliveries"]) == 1
    assert len(await cells.new.claim()) == states[DeliveryState.PENDING] - 1  # one waits for its retry


async def test_what_is_in_flight_is_waited_for(cells: Cells) -> None:
    """Its outcome goes over; where none comes in time the source goes on as before."""
    application, webhook = await fill(cells.old)
    held = await cells.old.claim()
    loop = asyncio.get_running_loop()
    with pytest.raises(StoreUnavailable, match="still in flight after 0 s"):
        await cells.move("acme", drain_time_max_s=0.05)
    assert await serving(cells, application) == [0]

    def told(step: Step) -> None:
        if step.phase == "draining" and held:
            results = [cells.old.result(one) for one in held]
            held.clear()
            asyncio.run_coroutine_threadsafe(cells.old.record(*results), loop).result(10)

    await cells.move("acme", told)
    ended = [one for one in await cells.new.deliveries(application, webhook) if one.state is DeliveryState.SUCCEEDED]
    assert len(ended) == 3 + 3
    assert "draining" in {step.phase for step in cells.steps}


async def test_a_claim_that_began_before_the_freeze_is_seen(cells: Cells) -> None:
    """Its transaction is waited for, and what it has claimed is in flight."""
    application, webhook = await fill(cells.old)
    world = cells.old
    [waiting] = [one.id for one in await world.deliveries(application, webhook) if one.attempt_count == 0][-1:]
    claiming: psycopg.Connection[Any] = await asyncio.to_thread(lambda: psycopg.connect(cells.urls[0]))
    loop = asyncio.get_running_loop()
    commit: futures.Future[None] | None = None
    claimed = ClaimRef(waiting, 1)

    async def commit_when_waited_for() -> None:
        while not await asyncio.to_thread(cells.query, 0, "select 1 from pg_locks where not granted limit 1"):
            await asyncio.sleep(0)
        await asyncio.to_thread(claiming.commit)

    def told(step: Step) -> None:
        nonlocal commit
        if step.phase == "freezing":
            claiming.execute("select id from node where id = %s for key share", (world.node,))
            claiming.execute(
                "update delivery set node = %s, claim = claim + 1 where id = %s", (world.node, claimed.delivery_id)
            )
            commit = asyncio.run_coroutine_threadsafe(commit_when_waited_for(), loop)
        if step.phase == "draining":
            held = asyncio.run_coroutine_threadsafe(world.store.unheld(world.node, 10), loop).result(10)
            back = world.store.release(world.node, held, world.now)
            asyncio.run_coroutine_threadsafe(back, loop).result(10)

    try:
        async with asyncio.timeout(30):
            await cells.move("acme", told)
    finally:
        await asyncio.to_thread(claiming.close)
    assert commit is not None
    assert commit.done()
    assert "draining" in {step.phase for step in cells.steps}
    assert waiting in {one.id for one in await cells.new.claim()}


async def test_a_look_writes_nothing(cells: Cells) -> None:
    """A dry run counts."""
    application, _ = await fill(cells.old)
    counted = await cells.move("acme", what="look")
    assert (counted.rows["event"], counted.rows["webhook"], counted.rows_copied) == (7, 3, 0)
    assert await serving(cells, application) == [0]
    assert cells.query(1, "select count(*) from event") == [(0,)]
    assert cells.query(1, "select count(*) from fact where name like %s", "%ing\\_%") == [(0,)]


async def test_old_days_go_over_and_are_claimed(cells: Cells) -> None:
    """What waits from long before the target was made is due there too, though nothing so old was pending in it."""
    application = await cells.old.application("acme")
    webhook = await cells.old.webhook(application)
    await cells.old.publish(application, webhook)
    cells.old.clock.move(10 * DAY_MS)
    await cells.new.register()
    await cells.new.expire(0, 0)
    assert cells.query(1, "select value > 0 from fact where name = 'lowest_pending'") == [(True,)]
    await cells.move("acme")
    assert len(await cells.new.claim()) == 1


async def test_the_audit_log_goes_on_in_the_target(cells: Cells) -> None:
    """Its chain goes over whole and says that it moved; the source says so in the installation's. There and back."""
    application, webhook = await fill(cells.old)
    lines = [("application.created", cells.old.store), ("webhook.changed", cells.old.store)]
    for number, (action, store) in enumerate(lines):
        await store.audited(line(cells.old, application, action)).update_webhook(
            webhook.id, WebhookChange(name=f"n{number}"), None, cells.old.now
        )
    await cells.move("acme")
    read = "select sequence, action, previous_hash, hash from audit where application_id = %s order by sequence"
    theirs, ours = (cells.query(which, read, application.id) for which in (0, 1))
    assert [row[1] for row in ours] == ["application.created", "webhook.changed", "application.moved"]
    assert ours[:2] == theirs
    assert [one[2] for one in ours[1:]] == [one[3] for one in ours[:-1]]
    assert [row[:2] for row in cells.query(0, read, 0)] == [(1, "application.moved")]
    await cells.old.expire(0, 0)
    await cells.move("acme", urls=(cells.urls[1], cells.urls[0]))
    back = cells.query(0, read, application.id)
    assert back[:3] == ours
    assert [row[1] for row in back[3:]] == ["application.moved"]


def line(world: World, application: Application, action: str) -> AuditEntry:
    return AuditEntry(
        at=world.now,
        application_id=application.id,
        application=application.public_id,
        actor_kind="operator",
        actor_id=None,
        actor_name="operator",
        role=Role.ADMIN,
        action=action,
        object_kind="webhook",
        object_id="whk_1",
        address=None,
        request_id=None,
        detail={},
    )


async def test_what_was_made_around_midnight_goes_over(cells: Cells) -> None:
    """A part that is looked at as one may reach over the end of a day, which is the end of a table."""
    world = cells.old
    application = await world.application("acme")
    webhook = await world.webhook(application)
    midnight_ms = (world.now // DAY_MS + 1) * DAY_MS
    for at_ms in range(midnight_ms - 40_000, midnight_ms + 40_000, 1_000):
        world.clock.move_to(at_ms)
        await world.publish(application, webhook)
    moved = await cells.move("acme")
    assert (moved.rows["event"], moved.rows["delivery"]) == (80, 80)
    assert len({name for (name,) in cells.query(1, "select tableoid::regclass::text from event")}) == 2
    assert len(await cells.new.claim()) == 80


@pytest.mark.parametrize("of", ["application", "profile", "all"])
async def test_what_is_paused_stays_paused(cells: Cells, of: str) -> None:
    """Its own pause goes along; one that it is under with others becomes its own. Others of the target are sent."""
    application, webhook = await fill(cells.old)
    beside = await cells.new.application("beside")
    await cells.new.publish(beside, await cells.new.webhook(beside))
    scopes: dict[str, Application | str | None] = {"application": application, "profile": "standard", "all": None}
    scope = scopes[of]
    ended = await cells.old.store.pause(new_pause(cells.old, scope))
    await cells.old.store.end_pause(ended.id, cells.old.now)
    made = await cells.old.store.pause(new_pause(cells.old, scope, "not now"))
    await cells.move("acme")
    assert {one.application_id for one in await cells.new.claim()} == {beside.id}
    found = await cells.new.store.pauses()
    assert {(one.scope, one.application_id) for one in found} == {(PauseScope.APPLICATION, application.id)}
    assert sorted((one.reason, one.paused_at, one.ended_at is None) for one in found) == sorted(
        [("", ended.paused_at, False), (made.reason, made.paused_at, True)]
    )
    left = await cells.old.store.pauses()
    assert left == ([] if of == "application" else left)
    assert len(left) == (0 if of == "application" else 2)
    [own] = [one for one in found if one.ended_at is None]
    await cells.new.store.end_pause(own.id, cells.new.now)
    assert webhook.id in {one.webhook_id for one in await cells.new.claim()}


async def test_its_own_pause_and_a_wider_one_are_one(cells: Cells) -> None:
    """One of an application is in force at a time: its own comes first. It can come back, too."""
    application, _ = await fill(cells.old)
    own = await cells.old.store.pause(new_pause(cells.old, application, "own"))
    await cells.old.store.pause(new_pause(cells.old, None, "wide"))
    await cells.move("acme")
    assert await cells.new.store.pauses() == [own]
    await cells.old.expire(0, 0)
    await cells.move("acme", urls=(cells.urls[1], cells.urls[0]))
    assert own in await cells.old.store.pauses()
    assert len(await cells.old.store.pauses()) == 2


def test_every_table_goes_over() -> None:
    """But for what is about the database itself, what triggers fill, and what was published there and not taken in."""
    text = "".join(migration.text for migration in MIGRATIONS)
    tables = set(re.findall(r"create table (\w+)", text))
    left = {"fact", "node", "idempotency_tally", "profile_in_force", "node_profile"}
    assert tables - {*BULK, *FRAME} == left | {"inbox", "inbox_hold", "inbox_refused"}
