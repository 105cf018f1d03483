"""expire: what is old expires visibly, then it is dropped."""

import pytest

from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, WebhookStatus
from hookspan.ids import first_id_at
from hookspan.store.contract import EXPIRED_SHOWN_MS, NewEvent, Page, WebhookChange
from tests.contract.world import ALL, World

pytestmark = pytest.mark.anyio

ALL_IDS = (1 << 63) - 1


async def kept(world: World, events: list[NewEvent]) -> list[int]:
    found = [await world.store.get_event(event.application_id, event.id) for event in events]
    return [event.id for event in found if event is not None]


async def test_the_pending_expires_before_it_is_dropped(world: World) -> None:
    """It becomes failed(expired), readable, and only a later border drops it."""
    application = await world.application()
    webhook = await world.webhook(application)
    old = await world.publish(application, webhook, count=3)
    world.clock.move(1_000)
    border = first_id_at(world.now)
    new = await world.publish(application, webhook)
    turns = await world.expire(border, 0)
    assert sum(turn.expired_deliveries for turn in turns) == 3
    for event in old:
        delivery = await world.delivery(application, event.deliveries[0].id)
        assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, DeliveryReason.EXPIRED)
        assert (delivery.finished_at, delivery.next_attempt_at) == (world.now, None)
    assert [one.event_id for one in await world.claim()] == [new[0].id]
    world.clock.move(EXPIRED_SHOWN_MS)
    turns = await world.expire(border, border)
    assert sum(turn.dropped_events for turn in turns) == 3
    assert await kept(world, old + new) == [new[0].id]


async def test_what_has_expired_can_be_seen_for_a_day(world: World) -> None:
    """Both borders at once, as after a leap of the clock: it expires, and for a day no turn drops it."""
    application = await world.application()
    webhook = await world.webhook(application)
    events = await world.publish(application, webhook, count=2)
    turns = await world.expire(0, ALL_IDS)
    world.clock.move(EXPIRED_SHOWN_MS - 1)
    turns += await world.expire(ALL_IDS, ALL_IDS)
    assert [turn.expired_deliveries for turn in turns] == [2, 0]
    assert len(await kept(world, events)) == 2
    assert {one.reason for one in await world.deliveries(application)} == {DeliveryReason.EXPIRED}
    world.clock.move(1)
    [turn] = await world.expire(ALL_IDS, ALL_IDS)
    assert turn.dropped_events == 2
    assert await kept(world, events) == []


async def test_what_stays_does_not_keep_the_rest(world: World) -> None:
    """A turn looks at so many; those that stay are passed by, however many they are, and looked at again later."""
    application = await world.application()
    webhooks = [await world.webhook(application) for _ in range(3)]
    staying = await world.publish(application, *webhooks, count=7)
    going = await world.publish(application, count=7)
    turns = await world.expire(0, ALL_IDS, limit=3)
    turns += await world.expire(0, ALL_IDS, limit=3)
    assert sum(turn.dropped_events for turn in turns) == 7
    assert await kept(world, staying + going) == [event.id for event in staying]
    world.clock.move(EXPIRED_SHOWN_MS)
    await world.expire(0, ALL_IDS, limit=3)
    assert await kept(world, staying) == []
    assert await world.deliveries(application) == []


async def test_what_is_asked_for_again_is_not_dropped(world: World) -> None:
    """An expired delivery that a person reopens keeps its event for as long as it waits, and expires anew."""
    application = await world.application()
    webhook = await world.webhook(application)
    [event] = await world.publish(application, webhook)
    await world.expire(ALL_IDS, 0)
    world.clock.move(EXPIRED_SHOWN_MS)
    await world.store.reopen_delivery(application.id, event.deliveries[0].id, Cause.MANUAL, world.now)
    [claimed] = await world.claim()
    await world.expire(ALL_IDS, ALL_IDS)
    await world.record(world.result(claimed, DeliveryState.PENDING, retry_in=0))
    [turn] = await world.expire(0, ALL_IDS)
    assert (turn.expired_deliveries, turn.dropped_events) == (1, 0)
    assert await kept(world, [event]) == [event.id]


async def test_the_time_that_retention_obeyed_is_kept(world: World) -> None:
    """An empty store has begun now, one without a mark when its newest thing was made; then the mark it is."""
    assert await world.store.retention_mark(77) == 77
    await world.application()
    world.clock.move(5_000)
    assert world.now - 5_100 <= await world.store.retention_mark(world.now) <= world.now - 4_900
    await world.store.expire(0, 0, 10, world.now, mark_ms=1_234)
    await world.store.expire(0, 0, 10, world.now)
    assert await world.store.retention_mark(world.now) == 1_234


async def test_what_is_in_flight_is_left_alone(world: World) -> None:
    """Its outcome is still recorded, its event stays until then; retention does not turn for ever over it."""
    application = await world.application()
    webhook = await world.webhook(application)
    events = await world.publish(application, webhook, count=2)
    [flying] = await world.claim(limit=1)
    await world.expire(ALL_IDS, ALL_IDS)
    assert flying.event_id in await kept(world, events)
    await world.finish([flying])
    world.clock.move(EXPIRED_SHOWN_MS)
    await world.expire(ALL_IDS, ALL_IDS)
    assert await kept(world, events) == []


async def test_a_drop_takes_everything_with_it(world: World) -> None:
    """Deliveries, every attempt of their chains, publisher ids; nothing of a newer event."""
    application = await world.application()
    webhook = await world.webhook(application)
    [old] = await world.publish(application, webhook, publisher_id="p")
    for _ in range(3):
        [claimed] = await world.claim()
        await world.record(world.result(claimed, DeliveryState.PENDING, retry_in=0))
    [claimed] = await world.claim()
    await world.finish([claimed])
    world.clock.move(1_000)
    border = first_id_at(world.now)
    [new] = await world.publish(application, webhook, publisher_id="q")
    await world.finish(await world.claim())
    await world.expire(border, border)
    assert await kept(world, [old, new]) == [new.id]
    assert [one.event_id for one in await world.deliveries(application)] == [new.id]
    assert [one.event_id for one in await world.store.list_attempts(webhook.id, ALL)] == [new.id]
    again = await world.append(world.event(application, publisher_id="p"), world.event(application, publisher_id="q"))
    assert [one.is_duplicate for one in again.events] == [False, True]


async def test_turns_are_bounded(world: World) -> None:
    """At most `limit` of each kind a turn, until it is done."""
    application = await world.application()
    webhooks = [await world.webhook(application) for _ in range(3)]
    events = await world.publish(application, *webhooks, count=25)
    turns = await world.expire(ALL_IDS, ALL_IDS, limit=10)
    world.clock.move(EXPIRED_SHOWN_MS)
    turns += await world.expire(ALL_IDS, ALL_IDS, limit=10)
    assert max(turn.dropped_events for turn in turns) <= 10
    assert max(turn.expired_deliveries for turn in turns) <= 20
    assert sum(turn.dropped_events for turn in turns) == 25
    assert sum(turn.expired_deliveries for turn in turns) == 75
    assert await kept(world, events) == []
    assert await world.deliveries(application) == []


async def test_deliveries_made_late_go_with_their_events(world: World) -> None:
    """A catch-up makes young deliveries of old events; they are dropped all the same."""
    application = await world.application()
    webhook = await world.webhook(application, WebhookStatus.DISABLED)
    events = await world.publish(application, count=2)
    world.clock.move(10_000)
    border = first_id_at(world.now - 5_000)
    await world.move(webhook, WebhookStatus.CATCHING_UP)
    await world.catch_up(webhook)
    await world.finish(await world.claim())
    await world.expire(border, border)
    assert await kept(world, events) == []
    assert await world.deliveries(application) == []


async def test_positions_go_on_after_a_drop(world: World) -> None:
    """Positions are never given twice, and a webhook whose missed events were dropped becomes active all the same."""
    application = await world.application()
    webhook = await world.webhook(application, WebhookStatus.DISABLED)
    await world.publish(application, count=3)
    await world.expire(ALL_IDS, ALL_IDS)
    await world.move(webhook, WebhookStatus.CATCHING_UP)
    [turn] = await world.catch_up(webhook)
    assert (turn.created, turn.position) == (0, 3)
    assert (await world.append(world.event(application))).events[0].position == 4


async def test_superseded_revisions_are_dropped_with_their_time(world: World) -> None:
    """The newest one stays, and those that attempts may still refer to."""
    application = await world.application()
    webhook = await world.webhook(application)
    for number in range(3):
        world.clock.move(1_000)
        await world.store.update_webhook(webhook.id, WebhookChange(name=str(number)), None, world.now)
    border = first_id_at(world.now - 500)
    await world.expire(border, border)
    versions = [await world.store.revision(webhook.id, version) is not None for version in (1, 2, 3, 4)]
    assert versions == [False, False, True, True]


async def test_deleted_webhooks_are_forgotten_when_nothing_is_left(world: World) -> None:
    """While deliveries can be shown their revisions can too."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    await world.finish(await world.claim())
    await world.move(webhook, WebhookStatus.DELETED)
    await world.expire(0, 0)
    assert len(await world.deliveries(application, webhook)) == 1
    assert await world.store.revision(webhook.id, 1) is not None
    await world.expire(ALL_IDS, ALL_IDS)
    await world.expire(ALL_IDS, ALL_IDS)
    assert await world.store.revision(webhook.id, 2) is None
    assert await world.store.list_attempts(webhook.id, Page(limit=9)) == []


async def test_nothing_to_do_is_done(world: World) -> None:
    """An empty store, or one whose events are all young."""
    [turn] = await world.expire(0, 0)
    assert (turn.expired_deliveries, turn.dropped_events) == (0, 0)
    application = await world.application()
    await world.publish(application)
    [turn] = await world.expire(0, 0)
    assert turn.dropped_events == 0
