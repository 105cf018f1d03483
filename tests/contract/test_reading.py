"""Lists and pages, each object within its application; reopen and cancel."""

import pytest

from hookspan.domain.records import Application, Delivery, Webhook
from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, Order, WebhookStatus
from hookspan.errors import StateForbidden
from hookspan.store.contract import Page
from tests.contract.world import ALL, World

pytestmark = pytest.mark.anyio


def place_of(delivery: Delivery) -> tuple[int, int, int]:
    """Where the next page goes on."""
    return delivery.event_id, delivery.run, delivery.id


async def pages(
    world: World,
    application: Application,
    webhook: Webhook | None,
    state: DeliveryState | None = None,
    event_type: str | None = None,
) -> list[Delivery]:
    """The whole list, three at a time."""
    found: list[Delivery] = []
    while True:
        place = place_of(found[-1]) if found else None
        part = await world.store.list_deliveries(
            application.id,
            Page(limit=3, place=place),
            webhook_id=webhook.id if webhook else None,
            state=state,
            event_type=event_type,
        )
        found += part
        if len(part) < 3:
            return found


async def test_events_by_page(world: World) -> None:
    """Newest first, each once; by type, by publisher id, by time; oldest first after a position."""
    application, other = await world.application(), await world.application()
    events = []
    for number in range(7):
        [event] = await world.publish(
            application, event_type="ab"[number % 2], publisher_id=f"p{number}" if number < 3 else None
        )
        await world.publish(other)
        events.append(event)
        world.clock.move(100)
    newest_first = [event.id for event in events][::-1]

    async def listed(page: Page, event_type: str | None = None, publisher_id: str | None = None) -> list[int]:
        types = None if event_type is None else [event_type]
        found = await world.store.list_events(application.id, page, event_types=types, publisher_id=publisher_id)
        return [event.id for event in found]

    first = await listed(Page(limit=4))
    assert first + await listed(Page(limit=4, before=4)) == newest_first
    assert await listed(Page(limit=4, before=1)) == []
    assert await listed(ALL, "a") == newest_first[::2]
    assert await listed(ALL, None, "p1") == [events[1].id]
    assert await listed(ALL, "a", "p1") == []
    assert await listed(ALL, None, "p9") == []
    assert await listed(Page(limit=9, before=3), None, "p1") == [events[1].id]
    assert await listed(Page(limit=9, before=2), None, "p1") == []
    between = Page(limit=9, since=events[2].accepted_at, until=events[5].accepted_at)
    assert await listed(between) == [events[4].id, events[3].id, events[2].id]
    after = await world.store.events_after(application.id, 5, 10)
    assert [event.position for event in after] == [6, 7]
    after = await world.store.events_after(application.id, 1, 2, event_types=["b", "c"])
    assert [event.position for event in after] == [2, 4]
    assert await world.store.events_after(application.id, 0, 9, event_types=[]) == []


async def test_deliveries_by_page(world: World) -> None:
    """Newest event first, each once, of one webhook or of all; other applications' never."""
    application, other = await world.application(), await world.application()
    webhooks = [await world.webhook(application), await world.webhook(application)]
    stranger = await world.webhook(other)
    for _ in range(7):
        await world.publish(application, *webhooks)
        await world.publish(other, stranger)
        world.clock.move(10)
    everything = await pages(world, application, None)
    assert len(everything) == len({one.id for one in everything}) == 14
    assert [one.event_id for one in everything] == sorted((one.event_id for one in everything), reverse=True)
    mine = await pages(world, application, webhooks[0])
    assert [one.id for one in mine] == [one.id for one in everything if one.webhook_id == webhooks[0].id]
    assert await pages(world, application, stranger) == []
    some = await world.store.list_deliveries(
        application.id,
        Page(limit=99, since=mine[4].created_at, until=mine[1].created_at),
        webhook_id=webhooks[0].id,
        state=None,
        event_type=None,
    )
    assert [one.id for one in some] == [one.id for one in mine[2:5]]


async def test_deliveries_by_state_and_type(world: World) -> None:
    """Every state finds its own, in flight counts as pending, and pages of a state fit together."""
    application = await world.application()
    webhooks = [await world.webhook(application), await world.webhook(application)]
    await world.publish(application, *webhooks, count=5)
    await world.publish(application, *webhooks, count=5, event_type="other")
    claimed = await world.claim()
    await world.finish(claimed[:6], DeliveryState.FAILED)
    await world.finish(claimed[6:11])
    await world.record(*(world.result(one, DeliveryState.PENDING) for one in claimed[11:14]))
    for one in claimed[11:12]:
        await world.store.cancel_delivery(application.id, one.id, DeliveryReason.PERSON, world.now)
    everything = await pages(world, application, None)
    for state, count in zip(DeliveryState, (8, 5, 6, 1), strict=True):
        found = await pages(world, application, None, state)
        assert len(found) == count
        assert [one.id for one in found] == [one.id for one in everything if one.state is state]
        for webhook in webhooks:
            part = await pages(world, application, webhook, state)
            assert [one.id for one in part] == [one.id for one in found if one.webhook_id == webhook.id]
        typed = await pages(world, application, None, state, "other")
        assert [one.id for one in typed] == [one.id for one in found if one.type == "other"]


async def test_pending_deliveries_of_a_long_backlog(world: World) -> None:
    """Too many to look at all of them: still the newest first, and pages fit together."""
    application = await world.application()
    webhook = await world.webhook(application)
    for _ in range(3):
        await world.publish(application, webhook, count=3_500)
    first = await world.store.list_deliveries(
        application.id, Page(limit=5), webhook_id=webhook.id, state=DeliveryState.PENDING, event_type=None
    )
    second = await world.store.list_deliveries(
        application.id,
        Page(limit=5, place=place_of(first[-1])),
        webhook_id=None,
        state=DeliveryState.PENDING,
        event_type=None,
    )
    newest = await world.store.list_events(application.id, Page(limit=10), event_types=None, publisher_id=None)
    assert [one.event_id for one in first + second] == [event.id for event in newest]


async def test_a_page_behind_what_was_dropped_is_empty(world: World) -> None:
    """A cursor outlives its delivery without showing anything twice."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=2)
    await world.finish(await world.claim())
    old = await world.deliveries(application)
    await world.expire(1 << 62, 1 << 62)
    page = Page(limit=9, place=place_of(old[0]))
    assert await world.store.list_deliveries(application.id, page, webhook_id=None, state=None, event_type=None) == []


async def test_everything_is_reached_through_its_application(world: World) -> None:
    """Another tenant's id is not found."""
    mine, other = await world.application(), await world.application()
    webhook = await world.webhook(mine)
    [event] = await world.publish(mine, webhook)
    delivery_id = event.deliveries[0].id
    store = world.store
    assert await store.get_event(other.id, event.id) is None
    assert await store.get_delivery(other.id, delivery_id) is None
    assert await store.deliveries_of_event(other.id, event.id) == []
    assert await store.reopen_delivery(other.id, delivery_id, Cause.MANUAL, world.now) is None
    assert await store.cancel_delivery(other.id, delivery_id, DeliveryReason.PERSON, world.now) is None
    assert [one.id for one in await store.deliveries_of_event(mine.id, event.id)] == [delivery_id]


async def test_attempts_by_page(world: World) -> None:
    """A delivery's oldest first and at most the newest 200, a webhook's newest first."""
    application = await world.application()
    webhook = await world.webhook(application)
    [event] = await world.publish(application, webhook)
    for _ in range(205):
        [claimed] = await world.claim()
        await world.record(world.result(claimed, DeliveryState.PENDING, retry_in=0))
    delivery = await world.delivery(application, event.deliveries[0].id)
    chain = await world.store.attempts_of(delivery)
    assert [one.number for one in chain] == list(range(6, 206))
    first = await world.store.list_attempts(webhook.id, Page(limit=100))
    rest = await world.store.list_attempts(webhook.id, Page(limit=1_000, before=first[-1].id))
    assert [one.number for one in first + rest] == list(range(205, 0, -1))
    assert await world.store.list_attempts(webhook.id, Page(limit=9, until=0)) == []


# --- reopen and cancel: the table of states


@pytest.mark.parametrize("state", [DeliveryState.SUCCEEDED, DeliveryState.FAILED, DeliveryState.CANCELLED])
async def test_a_final_delivery_reopens_as_a_new_round(world: World, state: DeliveryState) -> None:
    """Due at once, the window starts anew, the attempts before stay."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    [claimed] = await world.claim()
    await world.finish([claimed], state)
    opened = await world.store.reopen_delivery(application.id, claimed.id, Cause.MANUAL, world.now)
    assert opened is not None
    assert (opened.state, opened.reason, opened.round) == (DeliveryState.PENDING, None, 1)
    assert (opened.next_attempt_at, opened.finished_at, opened.round_started_at) == (world.now, None, None)
    [again] = await world.claim()
    assert (again.id, again.round, again.cause) == (claimed.id, 1, Cause.MANUAL)
    assert (again.attempt_count, again.round_attempts, again.last_attempt_id) == (1, 0, opened.last_attempt_id)
    assert again.claim > claimed.claim


async def test_a_scheduled_delivery_is_hastened(world: World) -> None:
    """The same round, due now; in flight it is refused."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    [claimed] = await world.claim()
    with pytest.raises(StateForbidden):
        await world.store.reopen_delivery(application.id, claimed.id, Cause.MANUAL, world.now)
    await world.record(world.result(claimed, DeliveryState.PENDING))
    hastened = await world.store.reopen_delivery(application.id, claimed.id, Cause.MANUAL, world.now)
    assert hastened is not None
    assert (hastened.round, hastened.next_attempt_at) == (0, world.now)
    assert [one.cause for one in await world.claim()] == [Cause.MANUAL]


async def test_a_delivery_of_a_deleted_webhook_stays_closed(world: World) -> None:
    """Nobody would ever send it."""
    application = await world.application()
    webhook = await world.webhook(application)
    [event] = await world.publish(application, webhook)
    await world.finish(await world.claim())
    await world.move(webhook, WebhookStatus.DELETED)
    with pytest.raises(StateForbidden):
        await world.store.reopen_delivery(application.id, event.deliveries[0].id, Cause.MANUAL, world.now)


async def test_a_reopened_fifo_delivery_is_the_head_again(world: World) -> None:
    """Older ones first, also when they come back."""
    application = await world.application()
    webhook = await world.webhook(application, order=Order.FIFO)
    events = await world.publish(application, webhook, count=2)
    await world.finish(await world.claim(limit=1))
    await world.store.reopen_delivery(application.id, events[0].deliveries[0].id, Cause.MANUAL, world.now)
    assert [one.event_id for one in await world.claim()] == [event.id for event in events]


async def test_only_what_is_scheduled_can_be_cancelled(world: World) -> None:
    """In flight and final are refused; what is cancelled is not sent."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=2)
    [flying] = await world.claim(limit=1)
    waiting = next(one for one in await world.deliveries(application) if not one.is_claimed)
    cancel = world.store.cancel_delivery
    with pytest.raises(StateForbidden):
        await cancel(application.id, flying.id, DeliveryReason.PERSON, world.now)
    cancelled = await cancel(application.id, waiting.id, DeliveryReason.PERSON, world.now)
    assert cancelled is not None
    assert (cancelled.state, cancelled.reason) == (DeliveryState.CANCELLED, DeliveryReason.PERSON)
    assert (cancelled.finished_at, cancelled.next_attempt_at) == (world.now, None)
    assert await world.claim() == []
    await world.finish([flying])
    for ident in (flying.id, waiting.id):
        with pytest.raises(StateForbidden):
            await cancel(application.id, ident, DeliveryReason.PERSON, world.now)
    assert await cancel(application.id, 4711, DeliveryReason.PERSON, world.now) is None


async def test_whose_it_is(world: World) -> None:
    """A thing's id alone leads to its application, until one of the two is deleted."""
    await world.register()
    application, other = await world.application("acme"), await world.application("other")
    webhook = await world.webhook(application)
    [event] = await world.publish(application, webhook)
    [delivery] = await world.store.deliveries_of_event(application.id, event.id)
    await world.publish(other)
    store = world.store
    assert await store.application_of("event", event.id) == "acme"
    assert await store.application_of("webhook", webhook.id) == "acme"
    assert await store.application_of("delivery", delivery.id) == "acme"
    assert await store.application_of("event", webhook.id) is None
    assert await store.application_of("delivery", 1) is None
    await store.delete_application(application.id, world.now)
    assert await store.application_of("event", event.id) is None
    assert await store.application_of("delivery", delivery.id) is None
    assert await store.application_of("webhook", webhook.id) is None
