"""What is counted is what happened: exact after a flush, whole after a stop, short by seconds after a crash."""

import asyncio

import pytest

from hookspan.domain.outcome import ErrorCode, Owner
from hookspan.engine import EngineOptions
from hookspan.errors import StoreUnavailable
from hookspan.store.statistics import ALL, HOUR_MS, STATISTICS_HOURS, HourCounts

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000


async def read(world, subject_id) -> list[HourCounts]:
    """Of all time, as the store has it."""
    return await world.store.statistics(subject_id, 0, 10**7)


async def total(world, subject_id) -> tuple[int, ...]:
    """Events, attempts, of them succeeded, deliveries succeeded and failed, answers."""
    hours = await read(world, subject_id)
    sums = [
        sum(getattr(one, name) for one in hours)
        for name in ("events", "attempts", "attempts_succeeded", "deliveries_succeeded", "deliveries_failed")
    ]
    return (*sums, sum(sum(one.latency.values()) for one in hours))


async def test_webhook_application_and_all_are_counted(world):
    """Each on its own; an application's are its events and the sum of its webhooks'."""
    first, second = await world.application(), await world.application()
    webhooks = [await world.webhook(first), await world.webhook(first), await world.webhook(second)]
    await world.publish(first, 1, 2)
    await world.publish(second, 3)
    await world.settle()
    await world.engine.settle_statistics()
    assert [await total(world, webhook.id) for webhook in webhooks] == [
        (0, 2, 2, 2, 0, 2),
        (0, 2, 2, 2, 0, 2),
        (0, 1, 1, 1, 0, 1),
    ]
    assert await total(world, first.id) == (2, 4, 4, 4, 0, 4)
    assert await total(world, second.id) == (1, 1, 1, 1, 0, 1)
    assert await total(world, ALL) == (3, 5, 5, 5, 0, 5)


async def test_retries_are_attempts_and_the_end_is_a_delivery(world):
    """An answer has a latency whatever it says, an error has none; given up is a delivery that failed."""
    application = await world.application(retry={"delays": ["0s", "1h", "1h"]})
    webhook = await world.webhook(application)
    answers = iter([world.egress.status(500), world.egress.error(ErrorCode.TIMEOUT), world.egress.status(404)])
    world.egress.answer = lambda _: next(answers)
    await world.publish(application, 1)
    await world.run_for(DAY_MS)
    await world.engine.settle_statistics()
    assert await total(world, webhook.id) == (0, 3, 0, 0, 1, 2)


async def test_each_counts_in_the_hour_in_which_it_ended(world):
    """However late it is written."""
    application = await world.application(retry={"delays": ["0s", "1h", "1h"]})
    webhook = await world.webhook(application)
    world.egress.answer = lambda _: world.egress.status(500)
    began_hour = world.clock.now_ms() // HOUR_MS
    await world.publish(application, 1)
    await world.run_for(DAY_MS)
    await world.engine.settle_statistics()
    hours = await read(world, webhook.id)
    attempts = [request.at_ms // HOUR_MS for request in world.egress.requests]
    assert [one.hour for one in hours for _ in range(one.attempts)] == attempts
    assert hours[0].hour == began_hour
    assert len(hours) > 1


async def test_our_own_failures_say_nothing_of_a_receiver(world):
    """No sockets, a dead way out: not counted, as they spend no attempts."""
    application = await world.application()
    webhook = await world.webhook(application)
    world.egress.answer = lambda _: world.egress.error(ErrorCode.NO_SOCKETS, Owner.US)
    await world.publish(application, 1)
    await world.run_for(60_000)
    assert len(world.egress.requests) > 2
    world.egress.answer = lambda _: world.egress.status(200)
    await world.run_for(600_000)
    await world.engine.settle_statistics()
    assert await total(world, webhook.id) == (0, 1, 1, 1, 0, 1)


async def test_what_is_sent_by_hand_counts_and_a_test_does_not(world):
    """A send is a delivery like any other."""
    application = await world.application()
    webhook = await world.webhook(application)
    [event] = await world.publish(application, 1)
    await world.settle()
    await world.send_by_hand(application, webhook, event)
    await world.settle()
    await world.engine.try_out(webhook, "test", world.ids.make(), b"{}")
    await world.engine.settle_statistics()
    assert await total(world, webhook.id) == (0, 2, 2, 2, 0, 2)


async def test_an_event_sent_again_counts_once(world):
    """As it is kept once."""
    application = await world.application()
    for _ in range(3):
        await world.publish(application, 1, publisher_id="p")
    await world.engine.settle_statistics()
    assert (await total(world, application.id))[0] == 1


async def test_a_stop_keeps_everything_and_a_crash_loses_what_was_not_flushed(world):
    """Of statistics; deliveries are all there."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, 1, 2)
    await world.settle()
    await world.engine.statistics.turn()
    await world.publish(application, 3)
    await world.settle()
    await world.crash()
    await world.engine.index.find(application.public_id)
    assert await total(world, webhook.id) == (0, 2, 2, 2, 0, 2)
    await world.publish(application, 4)
    await world.settle()
    await world.engine.stop(0)
    assert await total(world, webhook.id) == (0, 3, 3, 3, 0, 3)


async def test_what_the_store_refuses_is_tried_again(world, monkeypatch):
    """Nothing is lost, nothing is counted twice, and reading is no error."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, 1)
    await world.settle()
    add = world.store.add_statistics

    async def refuse(*_):
        raise StoreUnavailable("Not now.")

    monkeypatch.setattr(world.store, "add_statistics", refuse)
    await world.engine.settle_statistics()
    with pytest.raises(StoreUnavailable):
        await world.engine.statistics.turn()
    await world.publish(application, 2)
    await world.settle()
    monkeypatch.setattr(world.store, "add_statistics", add)
    await world.engine.settle_statistics()
    assert await total(world, webhook.id) == (0, 2, 2, 2, 0, 2)
    assert await total(world, ALL) == (2, 2, 2, 2, 0, 2)
    assert world.engine.statistics.is_empty


@pytest.mark.parametrize("failure", [StoreUnavailable("Perhaps."), asyncio.CancelledError()])
async def test_a_flush_in_doubt_is_counted_once(world, monkeypatch, failure):
    """The commit was kept, and nobody heard of it."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, 1)
    await world.settle()
    add = world.store.add_statistics

    async def keep_and_fail(*given):
        await add(*given)
        raise failure

    monkeypatch.setattr(world.store, "add_statistics", keep_and_fail)
    with pytest.raises(type(failure)):
        await world.engine.statistics.flush()
    assert not world.engine.statistics.is_empty
    monkeypatch.setattr(world.store, "add_statistics", add)
    await world.publish(application, 1)
    await world.settle()
    await world.engine.statistics.flush()
    assert await total(world, webhook.id) == (0, 2, 2, 2, 0, 2)
    assert await total(world, ALL) == (2, 2, 2, 2, 0, 2)
    assert world.engine.statistics.is_empty


async def test_memory_is_bounded(make_world):
    """Beyond so many hours of webhooks nothing more is held; what is missing is counted, and a flush makes room."""
    options = EngineOptions(statistics_cells_max=4, statistics_chunk=2)
    async with make_world(options=options) as world:
        application = await world.application()
        webhooks = [await world.webhook(application) for _ in range(6)]
        await world.publish(application, 1)
        await world.settle()
        assert world.engine.statistics.wake.is_set()
        await world.engine.settle_statistics()
        assert world.counters.statistics_lost == 3
        assert sum([(await total(world, one.id))[1] for one in webhooks]) == 3
        await world.publish(application, 2)
        await world.settle()
        assert world.counters.statistics_lost == 6


async def test_old_hours_go_by_the_time_that_retention_obeys(world, monkeypatch):
    """After 90 days; a wall clock that leaps erases none, and before retention has turned nothing is dropped."""
    old = world.clock.now_ms() // HOUR_MS - STATISTICS_HOURS - 1
    await world.store.add_statistics([HourCounts(ALL, hour, 1) for hour in (old, old + 1, old + 2)])
    statistics = world.engine.statistics
    assert await statistics.turn() == world.options.statistics_interval_s
    assert len(await read(world, ALL)) == 3
    await world.engine.retention.turn()
    await statistics.turn()
    assert [one.hour for one in await read(world, ALL)] == [old + 1, old + 2]
    world.clock.move(HOUR_MS)
    await world.engine.retention.turn()
    monkeypatch.setattr(world.clock, "_start_ms", world.clock._start_ms + 365 * DAY_MS)
    await world.engine.retention.turn()
    await statistics.turn()
    assert [one.hour for one in await read(world, ALL)] == [old + 2]
