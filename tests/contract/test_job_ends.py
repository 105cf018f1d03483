"""How jobs end: with their webhook, by a person, by themselves; and what is left of them afterwards."""

import pytest

from hookspan.domain.jobs import JobState
from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, Order, WebhookStatus
from hookspan.errors import NotFound, StateForbidden
from hookspan.ids import first_id_at
from hookspan.store.contract import ClaimRef, Page
from hookspan.store.jobs import JobTurn
from tests.contract.jobs import CHUNK, DAY_MS, RUNNING_MAX, UNTRIED_MAX, counts, delivered, now, start, step
from tests.contract.world import World

pytestmark = pytest.mark.anyio


# --- the webhook meanwhile


async def test_a_webhook_that_is_off_takes_no_replay(world: World) -> None:
    """It has to be activated first; a deleted one has none, and an unknown application neither."""
    application, webhook, events = await delivered(world, 1)
    await world.move(webhook, WebhookStatus.DISABLED)
    with pytest.raises(StateForbidden, match="activate it first"):
        await start(world, application, webhook, events)
    await world.move(webhook, WebhookStatus.DELETED)
    with pytest.raises(StateForbidden, match="deleted"):
        await start(world, application, webhook, events)
    await world.store.delete_application(application.id, world.now)
    with pytest.raises(NotFound):
        await start(world, application, webhook, events)


async def test_a_job_waits_while_its_webhook_is_off(world: World) -> None:
    """Nothing is made for it, and it goes on when the webhook is on again."""
    application, webhook, events = await delivered(world, 4)
    job = await start(world, application, webhook, events)
    await step(world, job, 2)
    await world.move(webhook, WebhookStatus.DISABLED)
    assert await step(world, job) == JobTurn()
    [look] = await world.store.look_at_jobs(0, 10, 10)
    assert (look.is_webhook_on, look.is_webhook_gone) == (False, False)
    assert (await now(world, job)).state is JobState.RUNNING
    await world.move(webhook, WebhookStatus.CATCHING_UP)
    assert await step(world, job) == JobTurn(made=2)


async def test_what_a_person_skips_counts_as_skipped(world: World) -> None:
    """Switched on without what had waited: the job's are cancelled with the rest, and what it has not made goes on."""
    application, webhook, events = await delivered(world, 4)
    job = await start(world, application, webhook, events)
    await step(world, job, 2)
    await world.move(webhook, WebhookStatus.DISABLED)
    await world.move(webhook, WebhookStatus.CATCHING_UP, keep=False)
    assert counts(await now(world, job)) == (0, 0, 2)
    await step(world, job)
    await world.catch_up(webhook)
    await world.finish(await world.claim())
    assert (await step(world, job)).is_finished
    assert counts(await now(world, job)) == (2, 0, 2)


async def test_a_job_fails_with_its_webhook(world: World) -> None:
    """It can't go on, says why, and its sum is right; the next one runs."""
    application, webhook, events = await delivered(world, 5)
    other = await world.webhook(application)
    job = await start(world, application, webhook, events)
    await start(world, application, other, events)
    queued = await start(world, application, other, events)
    await step(world, job, 3)
    [held] = await world.claim(limit=1)
    await world.move(webhook, WebhookStatus.DELETED)
    assert not (await step(world, job)).is_finished
    failing = await now(world, job)
    assert (failing.state, failing.finished_at, failing.unfed) == (JobState.FAILED, None, 0)
    assert "deleted" in str(failing.problem)
    assert (await now(world, queued)).state is JobState.RUNNING
    await world.finish([held])
    assert (await step(world, job)).is_finished
    failed = await now(world, job)
    assert (failed.state, *counts(failed), failed.done) == (JobState.FAILED, 1, 0, 4, 5)
    with pytest.raises(StateForbidden, match="failed already"):
        await world.store.cancel_job(job.id, world.now, CHUNK)


# --- cancelling


async def test_cancelling_ends_a_job(world: World) -> None:
    """Nothing more is made, what waits is cancelled, what is in flight ends and counts; then the sum is the total."""
    application, webhook, events = await delivered(world, 10)
    job = await start(world, application, webhook, events)
    await step(world, job, 6)
    held = await world.claim(limit=2)
    world.clock.move(5)
    cancelled = await world.store.cancel_job(job.id, world.now, CHUNK)
    assert cancelled is not None
    assert (cancelled.state, cancelled.finished_at, *counts(cancelled)) == (JobState.CANCELLED, None, 0, 0, 8)
    assert await world.claim() == [], "none that was cancelled is sent"
    assert await step(world, job) == JobTurn()
    assert await world.store.cancel_job(job.id, world.now, CHUNK) == cancelled
    await world.finish(held[:1])
    await world.finish(held[1:], DeliveryState.FAILED)
    assert (await step(world, job)).is_finished
    ended = await now(world, job)
    assert (ended.state, ended.finished_at, *counts(ended)) == (JobState.CANCELLED, world.now, 1, 1, 8)
    assert await world.store.cancel_job(job.id, world.now, CHUNK) == ended
    waiting = [one for one in await world.deliveries(application) if one.state is DeliveryState.CANCELLED]
    assert {(one.reason, one.finished_at) for one in waiting} == {(DeliveryReason.JOB_CANCELLED, world.now)}


async def test_what_is_held_unsent_is_cancelled_when_given_back(world: World) -> None:
    """By its node, or because that died; what failed in flight is not tried again."""
    application, webhook, events = await delivered(world, 3)
    job = await start(world, application, webhook, events)
    await step(world, job)
    unsent, tried, orphaned = await world.claim()
    await world.store.cancel_job(job.id, world.now, CHUNK)
    await world.store.release(world.node, [ClaimRef(unsent.id, unsent.claim)], world.now)
    await world.record(world.result(tried, DeliveryState.PENDING))
    await world.register()
    await step(world, job)
    for one in (unsent, tried, orphaned):
        delivery = await world.delivery(application, one.id)
        assert (delivery.state, delivery.reason) == (DeliveryState.CANCELLED, DeliveryReason.JOB_CANCELLED)
    assert counts(await now(world, job)) == (0, 0, 3)
    assert (await now(world, job)).finished_at is not None


async def test_many_are_cancelled_turn_by_turn(world: World) -> None:
    """Those that were never tried first, for they are due."""
    application, webhook, events = await delivered(world, 50)
    job = await start(world, application, webhook, events)
    await step(world, job)
    tried = await world.claim(limit=20)
    await world.finish(tried, DeliveryState.PENDING)
    cancelled = await world.store.cancel_job(job.id, world.now, 30)
    assert cancelled is not None
    assert cancelled.skipped == 30
    for one in tried:
        assert (await world.delivery(application, one.id)).state is DeliveryState.PENDING
    assert await step(world, job, 15) == JobTurn(cancelled=15)
    assert await step(world, job, 15) == JobTurn(cancelled=5, is_finished=True)


async def test_a_queued_job_is_cancelled_at_once(world: World) -> None:
    """It has not begun, so nothing is left to end."""
    application, webhook, events = await delivered(world, 4)
    jobs = [await start(world, application, webhook, events) for _ in range(RUNNING_MAX + 1)]
    cancelled = await world.store.cancel_job(jobs[-1].id, world.now, CHUNK)
    assert cancelled is not None
    assert (cancelled.state, cancelled.finished_at, *counts(cancelled)) == (JobState.CANCELLED, world.now, 0, 0, 4)
    assert await step(world, jobs[-1]) == JobTurn()


async def test_a_job_that_is_done_is_not_cancelled(world: World) -> None:
    """Nor is one that never was."""
    application, webhook, events = await delivered(world, 1)
    job = await start(world, application, webhook, [])
    assert (await step(world, job)).is_finished
    assert (await now(world, job)).state is JobState.SUCCEEDED
    with pytest.raises(StateForbidden, match="succeeded already"):
        await world.store.cancel_job(job.id, world.now, CHUNK)
    assert await world.store.cancel_job(4711, world.now, CHUNK) is None
    assert await world.store.get_job(4711) is None
    assert await world.store.advance_job(4711, world.now, CHUNK, UNTRIED_MAX) == JobTurn()
    assert events


# --- afterwards


async def test_failed_deliveries_do_not_fail_a_job(world: World) -> None:
    """It has done what it was to do; the count says how it went. A later retry by a person changes neither."""
    application, webhook, events = await delivered(world, 2)
    job = await start(world, application, webhook, events)
    await step(world, job)
    first, second = await world.claim()
    await world.finish([first])
    await world.finish([second], DeliveryState.FAILED)
    await step(world, job)
    done = await now(world, job)
    assert (done.state, *counts(done)) == (JobState.SUCCEEDED, 1, 1, 0)
    await world.store.reopen_delivery(application.id, second.id, Cause.MANUAL, world.now)
    assert await now(world, job) == done


async def test_deliveries_that_are_dropped_stay_counted(world: World) -> None:
    """Of a job that takes longer than events are kept; nothing is counted twice when it is done."""
    application, webhook, old = await delivered(world, 3)
    world.clock.move(40 * DAY_MS)
    young = await world.publish(application, webhook)
    await world.finish(await world.claim())
    job = await start(world, application, webhook, old + young)
    await step(world, job)
    by_event = {one.event_id: one for one in await world.claim()}
    await world.finish([by_event[old[0].id], by_event[old[1].id]])
    await world.finish([by_event[old[2].id]], DeliveryState.FAILED)
    before = await now(world, job)
    await world.expire(0, first_id_at(world.now - DAY_MS))
    assert {one.event_id for one in await world.deliveries(application)} == {young[0].id}
    assert await now(world, job) == before
    await world.finish([by_event[young[0].id]])
    await step(world, job)
    assert counts(await now(world, job)) == (3, 1, 0)


async def test_what_expires_counts_as_failed(world: World) -> None:
    """Made, but too old before it was accepted: visible, as everywhere."""
    application, webhook, events = await delivered(world, 2)
    job = await start(world, application, webhook, events)
    await step(world, job)
    world.clock.move(40 * DAY_MS)
    await world.expire(first_id_at(world.now), 0)
    await step(world, job)
    assert counts(await now(world, job)) == (0, 2, 0)


async def test_jobs_are_dropped_after_their_time(world: World) -> None:
    """With events: what was finished before. One that is not finished stays; ids are not given again."""
    application, webhook, events = await delivered(world, 1)
    done = await start(world, application, webhook, [])
    await step(world, done)
    world.clock.move(40 * DAY_MS)
    open_one = await start(world, application, webhook, events)
    young = await start(world, application, webhook, [])
    await step(world, young)
    highest = await world.store.highest_id()
    assert highest >= young.id
    await world.expire(0, first_id_at(world.now - DAY_MS))
    assert await world.store.get_job(done.id) is None
    assert await world.store.get_job(open_one.id) is not None
    assert await world.store.get_job(young.id) is not None
    assert await world.store.highest_id() == highest


async def test_an_application_takes_its_jobs_with_it(world: World) -> None:
    """Out of reach at once, gone when it is; others stay."""
    application, webhook, events = await delivered(world, 4)
    job = await start(world, application, webhook, events)
    queued = [await start(world, application, webhook, events) for _ in range(2)]
    other = await start(world, *await delivered(world, 1))
    await step(world, job, 2)
    await world.store.delete_application(application.id, world.now)
    assert await world.store.get_job(job.id) is None
    page = Page(limit=10)
    listed = await world.store.list_jobs(page, application_id=None, webhook_id=None, state=None)
    assert [one.id for one in listed] == [other.id]
    for one in (job, *queued):
        await step(world, one)
    await world.expire(0, 0)
    assert [one.id for one in await world.store.look_at_jobs(0, 10, 10)] == [other.id]
    assert await world.store.cancel_job(job.id, world.now, CHUNK) is None


async def test_the_head_of_a_fifo_webhook_is_its_oldest_delivery(world: World) -> None:
    """A replay of an old event stands behind what was made before it, though that is of a younger event."""
    application, webhook, events = await delivered(world, 1, Order.FIFO)
    [live] = await world.publish(application, webhook)
    await step(world, await start(world, application, webhook, events))
    assert await world.store.fifo_head(webhook.id) == live.deliveries[0].id
    await world.finish(await world.claim())
    assert await world.store.fifo_head(webhook.id) is None


async def test_a_job_that_is_cancelled_hands_the_stall_of_its_webhook_on(world: World) -> None:
    """Its deliveries stood before others in the queue: what ends a stall is only what is sent by hand."""
    application, webhook, events = await delivered(world, order=Order.FIFO)
    job = await start(world, application, webhook, events)
    await step(world, job)
    [young] = await world.publish(application, webhook)
    head, *followers = await world.claim()
    await world.store.release(world.node, [ClaimRef(one.id, one.claim) for one in followers], world.now)
    await world.record(world.result(head, DeliveryState.PENDING, next_attempt_at=None))
    await world.store.cancel_job(job.id, world.now, CHUNK)
    assert (await world.delivery(application, head.id)).state is DeliveryState.CANCELLED
    assert (await world.delivery(application, young.deliveries[0].id)).next_attempt_at is None
    assert await world.claim() == []
    assert list(await world.store.stalled([webhook.id])) == [webhook.id]
