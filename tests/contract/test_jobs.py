"""Jobs: their events are fixed, each becomes one delivery or is skipped, and the counts are exact at any moment."""

import pytest

from hookspan.domain.jobs import JobState
from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, Order
from hookspan.errors import StateForbidden
from hookspan.ids import first_id_at
from hookspan.store.contract import Page
from hookspan.store.jobs import JobTurn, Window
from tests.contract.factories import MakeStore
from tests.contract.jobs import CHUNK, DAY_MS, QUEUED_MAX, RUNNING_MAX, counts, delivered, now, start, step
from tests.contract.world import World

pytestmark = pytest.mark.anyio


# --- the window


async def test_a_window_is_by_the_time_of_acceptance(world: World) -> None:
    """From `since` on, inclusive, up to `until`, exclusive; oldest first, a part at a time."""
    application = await world.application()
    webhook = await world.webhook(application)
    events = []
    for _ in range(50):
        events += await world.publish(application, webhook)
        world.clock.move(60_000)
    since, until = events[10].accepted_at, events[30].accepted_at
    window = await world.store.find_window(application.id, since, until, 50)
    assert window.after in range(7, 11)
    assert window.last in range(30, 34)
    seen, parts = [], 0
    after: int | None = window.after
    while after is not None:
        scan = await world.store.scan_events(
            application.id, webhook.id, Window(after, window.last), since, until, 7, with_state=True
        )
        seen += scan.events
        after = scan.position
        parts += 1
    assert [one.id for one in seen] == [event.id for event in events[10:30]]
    assert parts == (window.last - window.after) // 7 + 1
    assert {one.state for one in seen} == {DeliveryState.PENDING}
    assert [one.accepted_at for one in seen] == [event.accepted_at for event in events[10:30]]
    assert seen[0].type == "user.created"


async def test_a_window_ends_at_a_position(world: World) -> None:
    """What the webhook has yet to come to is not in it; nor is another application's."""
    application, webhook, events = await delivered(world, 10)
    other, *_ = await delivered(world, 5)
    window = await world.store.find_window(application.id, 0, world.now + 1, 4)
    scan = await world.store.scan_events(application.id, webhook.id, window, 0, world.now + 1, 100, with_state=False)
    assert [one.id for one in scan.events] == [event.id for event in events[:4]]
    assert scan.position is None
    assert {one.state for one in scan.events} == {None}
    assert await world.store.find_window(other.id, world.now + DAY_MS, world.now + 2 * DAY_MS, 5) == Window(5, 5)


async def test_a_window_over_gaps_that_retention_has_left(world: World) -> None:
    """Positions that are gone cost nothing, and hide nothing."""
    application, webhook, _ = await delivered(world, 20)
    world.clock.move(40 * DAY_MS)
    kept = await world.publish(application, webhook, count=5)
    await world.expire(0, first_id_at(world.now - DAY_MS))
    window = await world.store.find_window(application.id, world.now - DAY_MS, world.now + 1, 25)
    scan = await world.store.scan_events(
        application.id, webhook.id, window, world.now - DAY_MS, world.now + 1, 100, with_state=True
    )
    assert [one.id for one in scan.events] == [event.id for event in kept]


# --- feeding


async def test_each_event_becomes_one_ordinary_delivery(world: World) -> None:
    """In the order given, with a run, a cause and the job's mark, claimed like any other."""
    application, webhook, events = await delivered(world, 3, Order.FIFO)
    job = await start(world, application, webhook, events)
    assert (job.state, job.total, job.unfed, job.done, job.started_at) == (JobState.RUNNING, 3, 3, 0, world.now)
    assert job.webhook_id == webhook.id
    assert job.application == application.public_id
    assert await step(world, job) == JobTurn(made=3)
    assert (await now(world, job)).unfed == 0
    made = [one for one in await world.deliveries(application) if one.job_id == job.id]
    assert [one.event_id for one in sorted(made, key=lambda one: one.id)] == [event.id for event in events]
    assert {(one.run, one.is_aside, one.state) for one in made} == {(1, False, DeliveryState.PENDING)}
    claimed = await world.claim()
    assert [one.event_id for one in claimed] == [event.id for event in events]
    assert {(one.cause, one.is_aside) for one in claimed} == {(Cause.REPLAY, False)}


async def test_a_job_goes_chunk_by_chunk(world: World) -> None:
    """Parts of any size, none twice, none left out, and no more waiting than was asked for."""
    application, webhook, events = await delivered(world, 1_203)
    job = await start(world, application, webhook, events)
    made = 0
    while made < 900:
        turn = await step(world, job, 70, 900)
        made += turn.made
    assert made == 900
    assert await step(world, job, 70, 900) == JobTurn(), "as many wait for their first attempt as may"
    for _ in range(100):
        await world.finish(await world.claim(limit=400))
        await step(world, job, 70, 900)
        if (await now(world, job)).finished_at is not None:
            break
    done = await now(world, job)
    assert (done.state, done.done, *counts(done)) == (JobState.SUCCEEDED, 1_203, 1_203, 0, 0)
    made_of = [one.event_id for one in await world.deliveries(application) if one.job_id == job.id]
    assert sorted(made_of) == sorted(event.id for event in events)


async def test_what_waits_for_a_retry_does_not_hold_a_job_up(world: World) -> None:
    """Only those that were never tried count as waiting."""
    application, webhook, events = await delivered(world, 4)
    job = await start(world, application, webhook, events)
    await step(world, job, 2, 2)
    assert await step(world, job, 2, 2) == JobTurn()
    [look] = await world.store.look_at_jobs(0, 10, 2)
    assert (look.id, look.untried, look.has_unfed, look.has_waiting, look.has_pending) == (job.id, 2, True, True, True)
    await world.finish(await world.claim(), DeliveryState.PENDING)
    assert await step(world, job, 2, 2) == JobTurn(made=2)


async def test_a_crash_between_chunks_changes_nothing(make_store: MakeStore, clock, ids) -> None:
    """What is yet to be made is kept with what was: another process goes on where the first one ended."""
    store = make_store()
    await store.open()
    world = World(store, clock, ids)
    await world.register()
    application, webhook, events = await delivered(world, 10)
    job = await start(world, application, webhook, events)
    await step(world, job, 4)
    await store.close()
    world.store = make_store()
    await world.store.open()
    await world.register()
    assert (await now(world, job)).unfed == 6
    while (await step(world, job, 4)).made:
        pass
    assert [one.event_id for one in await world.claim()] == [event.id for event in events]
    await world.store.close()


async def test_pending_ones_are_never_doubled(world: World) -> None:
    """An event that is still on its way to the webhook is skipped."""
    application = await world.application()
    webhook = await world.webhook(application)
    events = await world.publish(application, webhook, count=3)
    claimed = await world.claim(limit=1)
    await world.finish(claimed)
    job = await start(world, application, webhook, events)
    assert await step(world, job) == JobTurn(made=1, skipped=2)
    assert counts(await now(world, job)) == (0, 0, 2)


@pytest.mark.parametrize(
    ("wanted", "fitting"),
    [(None, {0, 1, 2, 4}), (DeliveryState.SUCCEEDED, {0}), (DeliveryState.FAILED, {1}), (DeliveryState.CANCELLED, {2})],
)
async def test_an_event_that_is_no_longer_so_is_skipped(world: World, wanted, fitting: set[int]) -> None:
    """What was failed as the job was planned and was delivered since needs no delivery more."""
    application = await world.application()
    webhook = await world.webhook(application)
    events = await world.publish(application, webhook, count=4) + await world.publish(application)
    by_event = {one.event_id: one for one in await world.claim()}
    await world.finish([by_event[events[0].id]])
    await world.finish([by_event[events[1].id]], DeliveryState.FAILED)
    await world.record(world.result(by_event[events[2].id], DeliveryState.PENDING))
    await world.store.cancel_delivery(application.id, by_event[events[2].id].id, DeliveryReason.PERSON, world.now)
    job = await start(world, application, webhook, events, state=wanted)
    turn = await step(world, job)
    assert (turn.made, turn.skipped) == (len(fitting), 5 - len(fitting))
    made = {one.event_id for one in await world.deliveries(application) if one.job_id == job.id}
    assert made == {events[number].id for number in fitting}


async def test_the_newest_delivery_decides(world: World) -> None:
    """An event that failed, and succeeded when it was sent once more, has succeeded."""
    application = await world.application()
    webhook = await world.webhook(application)
    events = await world.publish(application, webhook)
    await world.finish(await world.claim(), DeliveryState.FAILED)
    first = await start(world, application, webhook, events, state=DeliveryState.FAILED)
    await step(world, first)
    await world.finish(await world.claim())
    window = await world.store.find_window(application.id, 0, world.now + 1, 1)
    scan = await world.store.scan_events(application.id, webhook.id, window, 0, world.now + 1, 10, with_state=True)
    assert [one.state for one in scan.events] == [DeliveryState.SUCCEEDED]
    second = await start(world, application, webhook, events, state=DeliveryState.FAILED)
    assert (await step(world, second)).skipped == 1
    for one in (first, second):
        assert (await step(world, one)).is_finished
    third = await start(world, application, webhook, events, state=DeliveryState.SUCCEEDED)
    await step(world, third)
    assert [one.run for one in await world.claim()] == [2]


async def test_missing_are_those_without_any_delivery(world: World) -> None:
    """Also one that was made since keeps an event from being delivered a second time."""
    application = await world.application()
    webhook = await world.webhook(application)
    had = await world.publish(application, webhook)
    await world.finish(await world.claim())
    missed = await world.publish(application, count=2)
    job = await start(world, application, webhook, had + missed, is_missing=True)
    assert await step(world, job) == JobTurn(made=2, skipped=1)
    assert [one.run for one in await world.claim()] == [1, 1], "0 is the original's even where there is none"


async def test_events_that_are_gone_are_skipped(world: World) -> None:
    """Retention may be faster than a slow job; the sum stays right."""
    application, webhook, events = await delivered(world, 3)
    world.clock.move(40 * DAY_MS)
    kept = await world.publish(application, webhook)
    await world.finish(await world.claim())
    job = await start(world, application, webhook, events + kept)
    await world.expire(0, first_id_at(world.now - DAY_MS))
    assert await step(world, job) == JobTurn(made=1, skipped=3)


# --- pace


async def test_a_rate_is_kept_over_any_turns(world: World) -> None:
    """So many a second however often somebody turns it, with a second's worth at most to make up for."""
    application, webhook, events = await delivered(world, 200)
    job = await start(world, application, webhook, events, rate=20)
    made = 0
    for _ in range(21):  # one second
        made += (await step(world, job)).made
        assert (await step(world, job)).made == 0, "a second node finds nothing to do"
        world.clock.move(50)
    assert made == 21
    [look] = await world.store.look_at_jobs(0, 10, 10)
    assert look.feeds_at == world.now
    world.clock.move(60_000)
    assert (await step(world, job)).made == 21, "a pause is not made up for"
    assert (await step(world, job)).made == 0
    world.clock.move(2_000)
    assert (await step(world, job, 5)).made == 5


async def test_a_rate_below_one(world: World) -> None:
    """One, then none for as long as it takes."""
    application, webhook, events = await delivered(world, 3)
    job = await start(world, application, webhook, events, rate=0.1)
    made = []
    for _ in range(25):
        made.append((await step(world, job)).made)
        world.clock.move(1_000)
    assert [number for number, one in enumerate(made) if one] == [0, 10, 20]


async def test_skipping_costs_no_rate(world: World) -> None:
    """What is not delivered does not use up what may be."""
    application = await world.application()
    webhook = await world.webhook(application)
    pending = await world.publish(application, webhook, count=50)
    job = await start(world, application, webhook, pending, rate=1)
    skipped = 0
    for _ in range(50):
        skipped += (await step(world, job)).skipped
    assert skipped == 50


# --- several


async def test_only_so_many_of_one_application_run(world: World) -> None:
    """The others are queued, oldest first, and too many are refused; another application is not concerned."""
    application, webhook, events = await delivered(world, 2)
    jobs = [await start(world, application, webhook, events) for _ in range(RUNNING_MAX + QUEUED_MAX)]
    states = [(await now(world, one)).state for one in jobs]
    assert states == [JobState.RUNNING] * RUNNING_MAX + [JobState.QUEUED] * QUEUED_MAX
    assert jobs[-1].started_at is None
    with pytest.raises(StateForbidden, match="wait already"):
        await start(world, application, webhook, events)
    assert (await start(world, *await delivered(world, 1))).state is JobState.RUNNING
    assert await step(world, jobs[2]) == JobTurn(), "its turn has not come"
    assert jobs[2].id not in {one.id for one in await world.store.look_at_jobs(0, 100, 10)}
    await step(world, jobs[0])
    await world.finish(await world.claim())
    assert (await step(world, jobs[0])).is_finished
    assert (await now(world, jobs[2])).state is JobState.RUNNING
    assert (await now(world, jobs[3])).state is JobState.QUEUED
    await world.store.cancel_job(jobs[1].id, world.now, CHUNK)
    assert (await now(world, jobs[3])).state is JobState.RUNNING


async def test_looks_go_on_after_a_job(world: World) -> None:
    """A few at a time, by id."""
    jobs = [await start(world, *await delivered(world, 1)) for _ in range(5)]
    first = await world.store.look_at_jobs(0, 3, 10)
    assert [one.id for one in first] == [one.id for one in jobs[:3]]
    assert [one.id for one in await world.store.look_at_jobs(jobs[2].id, 3, 10)] == [one.id for one in jobs[3:]]


async def test_jobs_are_listed_by_what_they_are_of(world: World) -> None:
    """Newest first, of all, of an application, of a webhook, in a state, page by page."""
    application, webhook, events = await delivered(world, 1)
    second = await world.webhook(application)
    other = await delivered(world, 1)
    jobs = [
        await start(world, application, webhook, events),
        await start(world, application, second, events),
        await start(world, *other),
        await start(world, application, webhook, events),
    ]
    everything = [one.id for one in jobs][::-1]

    async def ids(limit: int = 10, before: int | None = None, **more) -> list[int]:
        filters = {"application_id": None, "webhook_id": None, "state": None} | more
        return [one.id for one in await world.store.list_jobs(Page(limit=limit, before=before), **filters)]

    assert await ids() == everything
    assert await ids(2) == everything[:2]
    assert await ids(2, everything[1]) == everything[2:]
    assert await ids(application_id=application.id) == [everything[0], *everything[2:]]
    assert await ids(webhook_id=webhook.id) == [everything[0], everything[3]]
    assert await ids(application_id=application.id, webhook_id=second.id) == [everything[2]]
    assert await ids(application_id=other[0].id, webhook_id=second.id) == []
    assert await ids(state=JobState.QUEUED) == [everything[0]]
    assert await ids(application_id=application.id, state=JobState.RUNNING) == everything[2:]
