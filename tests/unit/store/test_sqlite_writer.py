"""The writer: group commit, jobs that fail, bounds, a disk that hangs."""

import asyncio
import threading

import apsw
import pytest

from hookspan.domain.states import WebhookStatus
from hookspan.errors import Overloaded, StateForbidden, StoreUnavailable
from tests.contract.world import World
from tests.unit.store.conftest import Open, inside

pytestmark = pytest.mark.anyio


class Commits:
    """Counts commits that wrote something."""

    def __init__(self) -> None:
        self.count = 0

    def hook(self) -> bool:
        self.count += 1
        return False


async def count_commits(world: World) -> Commits:
    commits = Commits()
    await inside(world)._write(lambda db: db.set_commit_hook(commits.hook))
    commits.count = 0
    return commits


async def test_what_is_submitted_in_one_tick_shares_a_commit(open_world: Open) -> None:
    """An append and a record of the same turn of the loop cost one fsync."""
    world = await open_world()
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    [claimed] = await world.claim()
    event = world.event(application)
    versions = await world.versions([event])
    commits = await count_commits(world)
    appended, late = await asyncio.gather(
        world.store.append(world.node, [event], versions, world.fan_out), world.record(world.result(claimed))
    )
    assert (appended.events[0].position, late) == (2, frozenset())
    assert commits.count == 1


async def test_jobs_submitted_in_answer_join_the_next_group(open_world: Open) -> None:
    """Callers that go round in step need one commit a round, not one each."""
    world = await open_world()
    commits = await count_commits(world)

    async def go_round() -> None:
        for _ in range(10):
            assert await world.store.beat(world.node)

    await asyncio.gather(*(go_round() for _ in range(8)))
    assert commits.count == 10


async def test_two_bands_of_callers_become_one(open_world: Open) -> None:
    """Those who come while a commit runs and those whom it wakes share the next: the bands must not take turns."""
    world = await open_world()
    store = inside(world)
    commits = await count_commits(world)
    hold = threading.Event()

    async def go_round() -> None:
        for _ in range(10):
            assert await world.store.beat(world.node)

    holder = asyncio.create_task(store._write(lambda _db: hold.wait(30)))
    first = [asyncio.create_task(go_round()) for _ in range(3)]
    while not store._writer._running:
        await asyncio.sleep(0)
    second = [asyncio.create_task(go_round()) for _ in range(3)]
    while not store._writer._pending:
        await asyncio.sleep(0)
    hold.set()
    await asyncio.gather(holder, *first, *second)
    assert commits.count == 11


async def test_a_job_that_fails_hurts_only_itself(open_world: Open) -> None:
    """Also when it had written before it failed: the others of its group are kept, nothing of it is."""
    world = await open_world()

    def fails(connection: apsw.Connection) -> None:
        connection.execute("insert into fact (name, value) values ('half', 1)")
        raise ZeroDivisionError

    store = inside(world)
    done = await asyncio.gather(
        store.beat(world.node), store._write(fails), store.check_value(b"kept"), return_exceptions=True
    )
    assert done[0] is True
    assert isinstance(done[1], ZeroDivisionError)
    assert done[2] == b"kept"
    assert await store._read(lambda db: db.execute("select count(*) from fact where name = 'half'").get) == 0


async def test_a_refusal_before_writing_needs_no_second_try(open_world: Open) -> None:
    """A job that only says no costs the group nothing."""
    world = await open_world()
    webhook = await world.webhook(await world.application())
    commits = await count_commits(world)
    done = await asyncio.gather(
        world.store.beat(world.node), world.move(webhook, WebhookStatus.CATCHING_UP), return_exceptions=True
    )
    assert done[0] is True
    assert isinstance(done[1], StateForbidden)
    assert commits.count == 1


async def test_a_caller_that_leaves_does_not_cancel_its_commit(open_world: Open) -> None:
    """A cancelled publish may be kept, never half kept."""
    world = await open_world()
    application = await world.application()
    event = world.event(application)
    versions = await world.versions([event])
    task = asyncio.create_task(world.store.append(world.node, [event], versions, world.fan_out))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await world.store.beat(world.node)
    assert await world.last_position(application) == 1


async def test_jobs_are_bounded_and_intake_first(open_world: Open) -> None:
    """Beyond its bound intake is Overloaded while outcomes still get in, up to theirs."""
    world = await open_world(intake_jobs_max=2, jobs_max=3)
    application = await world.application()
    event = world.event(application)
    versions = await world.versions([event])

    def append() -> "asyncio.Task[object]":
        return asyncio.create_task(world.store.append(world.node, [event], versions, world.fan_out))

    tasks = [asyncio.create_task(world.store.beat(world.node)) for _ in range(2)]
    refused_intake = append()
    last = asyncio.create_task(world.store.beat(world.node))
    refused = asyncio.create_task(world.store.beat(world.node))
    done = await asyncio.gather(*tasks, refused_intake, last, refused, return_exceptions=True)
    assert done[:2] == [True, True]
    assert isinstance(done[2], Overloaded)
    assert done[3] is True
    assert isinstance(done[4], Overloaded)
    assert (await world.append(event)).events[0].position == 1


async def test_a_disk_that_hangs_is_in_doubt(open_world: Open) -> None:
    """Nobody waits for ever: those in the commit are told that it is open, those behind it that nothing was kept."""
    world = await open_world(commit_time_max_s=0.5)
    store = inside(world)
    hang = threading.Event()
    first = asyncio.create_task(store._write(lambda _db: hang.wait(30)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = asyncio.create_task(store.beat(world.node))
    try:
        with pytest.raises(StoreUnavailable, match="open"):
            await first
        with pytest.raises(StoreUnavailable, match="Nothing"):
            await second
        with pytest.raises(StoreUnavailable):
            await store.beat(world.node)
        store._writer._idle.clear()
    finally:
        hang.set()
    await store._writer._idle.wait()
    assert await store.beat(world.node)


async def test_closing_finishes_what_was_accepted(open_world: Open) -> None:
    """And refuses what comes after."""
    world = await open_world()
    beats = [asyncio.create_task(world.store.beat(world.node)) for _ in range(5)]
    await asyncio.sleep(0)
    await world.store.close()
    assert await asyncio.gather(*beats) == [True] * 5
    with pytest.raises(StoreUnavailable):
        await world.store.beat(world.node)
    with pytest.raises(StoreUnavailable):
        await world.store.highest_id()
