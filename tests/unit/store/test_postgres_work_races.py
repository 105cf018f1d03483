"""Jobs, statistics and notices while several nodes work at them: nothing twice, nothing left out, sums exact."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator

import psycopg
import pytest

from hookspan.domain.jobs import Job, JobState
from hookspan.domain.notice import NoticeKind
from hookspan.domain.records import Webhook
from hookspan.domain.states import DeliveryReason, DeliveryState
from hookspan.errors import StoreUnavailable
from hookspan.store.notices import NOTICES_MAX, NewNotice
from hookspan.store.statistics import ALL, HourCounts
from tests.contract import jobs
from tests.contract.world import World
from tests.unit.store.postgres_nodes import Nodes, at_once, two_nodes

pytestmark = pytest.mark.anyio

HOUR = 490_000


@pytest.fixture
async def nodes() -> AsyncIterator[Nodes]:
    async with two_nodes() as nodes:
        yield nodes


# --- jobs


@pytest.mark.parametrize("ahead_ms", [0, 600_000])
async def test_no_event_is_fed_twice(nodes: Nodes, ahead_ms: int) -> None:
    """Two nodes turn one job as fast as they can: each event once, in all as many as there are, also where the job was
    made by a clock that is ahead.
    """
    one, other = nodes.worlds
    application, webhook, events = await jobs.delivered(one, 60)
    one.clock.move(ahead_ms)
    job = await jobs.start(one, application, webhook, events)

    async def turn(world: World) -> int:
        made = 0
        for _ in range(20):
            made += (await world.store.advance_job(job.id, one.now, 7, 1_000)).made
        return made

    assert sum(await asyncio.gather(*(turn(world) for world in (one, other, one, other)))) == 60
    replays = [each for each in await one.deliveries(application, webhook) if each.run]
    assert Counter((each.event_id, each.run) for each in replays) == {(event.id, 1): 1 for event in events}
    assert (await jobs.now(one, job)).unfed == 0
    [look] = await one.store.look_at_jobs(0, 10, 100)
    assert (look.untried, look.has_waiting) == (60, True)


async def test_two_jobs_of_one_webhook_give_no_run_twice(nodes: Nodes) -> None:
    """Of an event that both have, the second finds a delivery on its way and skips it."""
    one, other = nodes.worlds
    application, webhook, events = await jobs.delivered(one, 40)
    first, second = [await jobs.start(world, application, webhook, events) for world in (one, other)]

    async def turn(world: World, job: Job) -> None:
        for _ in range(10):
            await jobs.step(world, job, 5)

    await asyncio.gather(turn(one, first), turn(other, second), turn(one, second), turn(other, first))
    replays = [each for each in await one.deliveries(application, webhook) if each.run]
    assert Counter((each.event_id, each.run) for each in replays) == {(event.id, 1): 1 for event in events}
    seen = [await jobs.now(one, each) for each in (first, second)]
    assert sum(each.skipped for each in seen) == 40


async def test_a_cancelled_job_ends_exactly(nodes: Nodes) -> None:
    """Both nodes feed, claim and record while a person cancels: then every event is accounted for once."""
    one, other = nodes.worlds
    application, webhook, events = await jobs.delivered(one, 80)
    job = await jobs.start(one, application, webhook, events)

    async def work(world: World) -> None:
        for _ in range(8):
            await jobs.step(world, job, 6)
            claimed = await world.claim(limit=5)
            assert not await world.record(*(world.result(each) for each in claimed))

    async def cancel() -> None:
        while (await jobs.now(one, job)).succeeded < 10:
            await asyncio.sleep(0)
        await one.store.cancel_job(job.id, one.now, 3)

    await asyncio.gather(work(one), work(other), cancel())
    while not (await jobs.now(one, job)).finished_at:
        await asyncio.gather(jobs.step(one, job), jobs.step(other, job))
    ended = await jobs.now(one, job)
    assert (ended.state, ended.done, ended.unfed) == (JobState.CANCELLED, 80, 0)
    replays = [each for each in await one.deliveries(application, webhook) if each.run]
    states = Counter(each.state for each in replays)
    assert states == {
        DeliveryState.SUCCEEDED: ended.succeeded,
        DeliveryState.CANCELLED: states[DeliveryState.CANCELLED],
    }
    assert ended.skipped == 80 - ended.succeeded
    reasons = {each.reason for each in replays if each.state is DeliveryState.CANCELLED}
    assert reasons <= {DeliveryReason.JOB_CANCELLED}
    assert await one.claim() == []


async def test_events_that_are_dropped_meanwhile_get_no_delivery(nodes: Nodes) -> None:
    """Retention takes events away while a job delivers them again: each is skipped or stays, and all are counted."""
    one, other = nodes.worlds
    application, webhook, events = await jobs.delivered(one, 60)
    job = await jobs.start(one, application, webhook, events)
    border = one.ids.make()

    async def turn() -> None:
        for _ in range(15):
            await jobs.step(one, job, 4)

    async def drop() -> None:
        for _ in range(6):
            await other.store.expire(0, border, 5, other.now)

    await asyncio.gather(turn(), drop())
    missing = "select 1 from delivery as d where not exists (select 1 from event as e where e.id = d.event_id)"
    assert nodes.query(missing) == []
    while claimed := await one.claim():
        await one.finish(claimed)
    while not (await jobs.step(one, job)).is_finished:
        await one.finish(await one.claim())
    ended = await jobs.now(one, job)
    assert (ended.state, ended.done) == (JobState.SUCCEEDED, 60)
    [(gone,)] = nodes.query("select 60 - count(*) from event")
    assert gone <= ended.skipped, "what expired before it was tried counts as failed"


async def test_what_is_read_of_a_job_is_of_one_moment(nodes: Nodes) -> None:
    """While deliveries are made and recorded, what has ended and what is left never exceed the total."""
    one, other = nodes.worlds
    application, webhook, events = await jobs.delivered(one, 60)
    job = await jobs.start(one, application, webhook, events)

    async def work(world: World) -> None:
        for _ in range(12):
            await jobs.step(world, job, 5)
            claimed = await world.claim(limit=5)
            assert not await world.record(*(world.result(each) for each in claimed))

    async def look(world: World) -> None:
        last = 0
        for _ in range(40):
            seen = await jobs.now(world, job)
            assert last <= seen.done <= seen.total - seen.unfed
            last = seen.done

    await asyncio.gather(work(one), work(other), look(one), look(other))


async def test_so_many_run_and_no_more(nodes: Nodes) -> None:
    """Jobs that are started at the same moment on two nodes: two run, the others are queued or refused."""
    one, other = nodes.worlds
    application, webhook, events = await jobs.delivered(one, 2)
    made = await at_once(*(jobs.start(world, application, webhook, events) for _ in range(5) for world in (one, other)))
    started = [each for each in made if not isinstance(each, Exception)]
    assert Counter(each.state for each in started) == {
        JobState.RUNNING: jobs.RUNNING_MAX,
        JobState.QUEUED: jobs.QUEUED_MAX,
    }
    running = [each for each in started if each.state is JobState.RUNNING]
    await at_once(*(world.store.cancel_job(each.id, one.now, 10) for each in running for world in (one, other)))
    states = Counter([(await jobs.now(one, each)).state for each in started])
    assert states == {JobState.CANCELLED: 2, JobState.RUNNING: 2, JobState.QUEUED: 1}


# --- statistics


def counts(subject_id: int, **members: int) -> HourCounts:
    return HourCounts(subject_id=subject_id, hour=HOUR, attempts=1, latency={subject_id % 5: 1, 7: 2}, **members)


async def test_what_all_nodes_bring_is_summed(nodes: Nodes) -> None:
    """Hundreds of rows in any order, the row of everything in each call: nobody stops anybody, nothing is lost."""
    chance = random.Random(1)
    subjects = [ALL, *range(1, 200)]

    async def bring(world: World, number: int) -> None:
        order = chance.sample(subjects, len(subjects))
        await world.store.add_statistics([counts(each) for each in order], world.node, number)

    async def flush(world: World) -> None:
        for number in range(1, 12):
            await bring(world, number)

    await asyncio.gather(flush(nodes.worlds[0]), *(bring(nodes.worlds[1], 0) for _ in range(11)))
    for subject in (ALL, 1, 199):
        [found] = await nodes.worlds[0].store.statistics(subject, HOUR, HOUR + 1)
        assert (found.attempts, found.latency) == (22, {subject % 5: 22, 7: 44})


async def test_a_flush_that_comes_twice_at_once_is_added_once(nodes: Nodes) -> None:
    """The first one's outcome was in doubt while it still ran."""
    one, other = nodes.worlds
    given = [counts(each) for each in (ALL, 3, 4, 3)]
    calls = [one.store.add_statistics(given, one.node, 1) for _ in range(6)]
    calls += [other.store.add_statistics(given, one.node, 1) for _ in range(6)]
    assert await at_once(*calls) == [None] * 12
    found = [(await one.store.statistics(each, HOUR, HOUR + 1))[0].attempts for each in (ALL, 3, 4)]
    assert found == [1, 2, 1]


async def test_the_heart_beats_while_statistics_wait(nodes: Nodes) -> None:
    """Whoever holds the row of everything holds up flushes, and nothing else of the node."""
    one, other = nodes.worlds
    await one.store.add_statistics([counts(ALL)], one.node, 1)
    with psycopg.connect(nodes.url) as holder:
        holder.execute("select from statistic where subject_id = 0 for update")
        flush = asyncio.ensure_future(one.store.add_statistics([counts(ALL), counts(1)], one.node, 2))
        while not nodes.query("select 1 from pg_stat_activity where wait_event_type = 'Lock'"):
            await asyncio.sleep(0)
        assert await one.store.beat(one.node)
        assert await other.store.beat(other.node)
        assert not flush.done()
        holder.rollback()
        await flush
    [found] = await one.store.statistics(ALL, HOUR, HOUR + 1)
    assert found.attempts == 2


async def test_old_hours_are_dropped_by_both(nodes: Nodes) -> None:
    """At once, without one waiting for the other."""
    one, other = nodes.worlds
    await one.store.add_statistics([HourCounts(subject, hour) for subject in range(20) for hour in (1, 2)])
    dropped = await at_once(*(world.store.drop_statistics(2, 15) for world in (one, other)))
    dropped += await at_once(*(world.store.drop_statistics(2, 15) for world in (one, other)))
    assert sum(dropped) == 20


# --- notices


def notice(world: World, webhook: Webhook, kind: NoticeKind, was: NoticeKind | None) -> NewNotice:
    return NewNotice(
        id=world.ids.make(),
        application_id=webhook.application_id,
        webhook_id=webhook.id,
        kind=kind,
        was=was,
        body=b"{}",
        created_at=world.now,
        has_url=True,
    )


async def test_a_notice_is_made_and_taken_once(nodes: Nodes) -> None:
    """Both nodes see the same condition, and both look for what is due."""
    one, other = nodes.worlds
    application = await one.application(notify="https://people.example.com")
    webhooks = [await one.webhook(application) for _ in range(10)]
    made = await at_once(
        *(
            world.store.add_notice(notice(world, webhook, NoticeKind.FAILING, None))
            for webhook in webhooks
            for world in (one, other)
        )
    )
    assert (made.count(0), made.count(None)) == (10, 10)
    taken = await at_once(
        *(world.store.take_notices(one.now, one.now + 1_000, 3, 100) for _ in range(4) for world in (one, other))
    )
    got = [each.notice.id for part in taken for each in part]
    for _ in range(4):
        got += [each.notice.id for each in await one.store.take_notices(one.now, one.now + 1_000, 3, 100)]
    assert len(got) == len(set(got)) == 10
    kept = await one.store.notices(application.id, 100)
    assert {each.attempts for each in kept} == {1}


async def test_notices_are_bounded_whoever_adds(nodes: Nodes) -> None:
    """Those of one application, with both nodes adding at once."""
    one, other = nodes.worlds
    application = await one.application()
    webhooks = [await one.webhook(application) for _ in range(8)]
    with_rows = (
        "insert into notice (id, application_id, webhook_id, kind, body, created_at, attempts) "
        "select n, %s, 1, 1, '', 1, 0 from generate_series(1, %s) n returning id"
    )
    nodes.query(with_rows, application.id, NOTICES_MAX - 2)
    results = await at_once(
        *(
            (one, other)[at % 2].store.add_notice(notice(one, webhook, NoticeKind.DISABLED, None))
            for at, webhook in enumerate(webhooks)
        )
    )
    assert [each for each in results if isinstance(each, StoreUnavailable)] == []
    assert sum(results) == 6
    assert nodes.query("select count(*) from notice") == [(NOTICES_MAX,)]
