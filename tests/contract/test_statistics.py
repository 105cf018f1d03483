"""Statistics by the hour: added up, read, dropped; and the numbers of webhooks' health."""

import pytest

from hookspan.domain.states import DeliveryState, Order
from hookspan.store.statistics import ALL, HourCounts
from tests.contract.world import World

pytestmark = pytest.mark.anyio

HOUR = 490_000


def counts(subject_id: int, hour: int = HOUR, attempts: int = 1, **members) -> HourCounts:
    return HourCounts(subject_id=subject_id, hour=hour, attempts=attempts, **members)


async def test_what_several_bring_sums_up(world: World) -> None:
    """Every number, and the histogram bucket by bucket."""
    one = HourCounts(17, HOUR, 1, 2, 3, 4, 5, {8: 1, 90: 2})
    await world.store.add_statistics([one])
    assert await world.store.statistics(17, HOUR, HOUR + 1) == [one]
    await world.store.add_statistics([HourCounts(17, HOUR, 10, 20, 30, 40, 50, {90: 5, 215: 1})])
    await world.store.add_statistics([HourCounts(17, HOUR)])
    assert await world.store.statistics(17, HOUR, HOUR + 1) == [
        HourCounts(17, HOUR, 11, 22, 33, 44, 55, {8: 1, 90: 7, 215: 1})
    ]


async def test_what_a_node_brings_again_is_added_once(world: World) -> None:
    """The outcome of a call was in doubt: it is told by its number, of each node apart."""
    for number in (1, 1, 2, 1, 2):
        await world.store.add_statistics([counts(17)], world.node, number)
    other = await world.store.register_node(world.now)
    for _ in range(2):
        await world.store.add_statistics([counts(17)], other, 1)
    assert await world.store.statistics(17, HOUR, HOUR + 1) == [counts(17, attempts=3)]


async def test_what_a_node_brings_that_is_gone_is_added(world: World) -> None:
    """Nobody knows any more what it brought: rather a few too many than a gap."""
    await world.store.deregister_node(world.node, world.now)
    await world.store.add_statistics([counts(17)], world.node, 1)
    assert await world.store.statistics(17, HOUR, HOUR + 1) == [counts(17)]


async def test_a_subject_s_hours_are_read_oldest_first(world: World) -> None:
    """From one, inclusive, to another, exclusive; nobody else's."""
    await world.store.add_statistics([counts(17, hour) for hour in (HOUR + 2, HOUR, HOUR + 5, HOUR - 1)])
    await world.store.add_statistics([counts(18), counts(ALL)])
    found = await world.store.statistics(17, HOUR, HOUR + 5)
    assert [one.hour for one in found] == [HOUR, HOUR + 2]
    assert await world.store.statistics(19, 0, HOUR * 2) == []


async def test_many_at_once(world: World) -> None:
    """As many as one flush brings in a call."""
    await world.store.add_statistics([])
    for _ in range(2):
        await world.store.add_statistics([counts(ident, latency={ident % 7: 1}) for ident in range(1, 1_001)])
    for ident in (1, 500, 1_000):
        assert await world.store.statistics(ident, HOUR, HOUR + 1) == [
            counts(ident, attempts=2, latency={ident % 7: 2})
        ]


async def test_old_hours_are_dropped_some_at_a_time(world: World) -> None:
    """Whoever they are of; later ones stay."""
    await world.store.add_statistics([counts(ident, hour) for ident in (ALL, 17, 18) for hour in (1, 2, 3)])
    assert await world.store.drop_statistics(3, 4) == 4
    assert await world.store.drop_statistics(3, 4) == 2
    assert await world.store.drop_statistics(3, 4) == 0
    for ident in (ALL, 17, 18):
        assert [one.hour for one in await world.store.statistics(ident, 0, 9)] == [3]


async def test_health_is_of_the_hours_that_are_asked_for(world: World) -> None:
    """Each webhook's own sums; one without any has zeros."""
    application = await world.application()
    webhook, idle = await world.webhook(application), await world.webhook(application)
    await world.store.add_statistics([counts(webhook.id, HOUR - 1, 100, attempts_succeeded=99)])
    await world.store.add_statistics([counts(webhook.id, HOUR + n, 4, attempts_succeeded=n) for n in (0, 1, 2)])
    found = await world.store.health([webhook.id, idle.id], HOUR)
    assert (found[webhook.id].attempts, found[webhook.id].attempts_succeeded) == (12, 3)
    assert (found[idle.id].attempts, found[idle.id].attempts_succeeded, found[idle.id].last_success_at) == (0, 0, None)
    assert await world.store.health([], HOUR) == {}


async def test_health_knows_the_last_success_and_what_stalled(world: World) -> None:
    """From deliveries and attempts themselves, whatever was counted."""
    application = await world.application()
    taken, stalled = await world.webhook(application), await world.webhook(application, order=Order.FIFO)
    await world.publish(application, taken, stalled)
    for claimed in await world.claim():
        if claimed.webhook_id == taken.id:
            await world.finish([claimed])
        else:
            await world.record(world.result(claimed, DeliveryState.PENDING, next_attempt_at=None))
    found = await world.store.health([taken.id, stalled.id], HOUR)
    assert (found[taken.id].last_success_at, found[taken.id].stalled_since) == (world.now + 1, None)
    assert found[stalled.id].stalled_since == world.now


async def test_what_waits_in_all(world: World) -> None:
    """Scheduled and in flight, of all applications, since the oldest was made."""
    assert (await world.store.waiting_of_all()).count == 0
    applications = [await world.application() for _ in range(2)]
    began_ms = world.now
    for application in applications:
        await world.publish(application, await world.webhook(application), count=2)
        world.clock.move(1_000)
    assert len(await world.claim(limit=1)) == 1
    waiting = await world.store.waiting_of_all()
    assert (waiting.count, waiting.oldest_at) == (4, began_ms)
    await world.finish(await world.claim())
    assert (await world.store.waiting_of_all()).count == 1
