"""What a webhook has before it: the next events that will be delivered, and how many wait without a delivery."""

import pytest

from hookspan.domain.records import Webhook
from hookspan.domain.states import Cause, DeliveryState, Order, WebhookStatus
from hookspan.store.contract import UPCOMING_LOOK_MAX, WAITING_MAX, NewAside, Waiting
from tests.contract.world import World

pytestmark = pytest.mark.anyio


def every(_type: str) -> bool:
    return True


def none(_type: str) -> bool:
    return False


async def upcoming(world: World, webhook: Webhook, *, asks_for=every, wants=every, limit: int = 10) -> list[int]:
    return [one.id for one in await world.store.upcoming(webhook.id, asks_for, wants, limit)]


@pytest.mark.parametrize("order", [Order.ANY, Order.FIFO])
async def test_what_waits_is_listed_until_it_is_delivered(world: World, order: Order) -> None:
    """Oldest first; what is in flight is not delivered yet; the limit is kept."""
    application = await world.application()
    webhook, other = await world.webhook(application, order=order), await world.webhook(application, order=order)
    events = [one.id for one in await world.publish(application, webhook, count=5)]
    await world.publish(application, other)
    assert await upcoming(world, webhook) == events
    assert await upcoming(world, webhook, limit=2) == events[:2]
    claimed = await world.claim(limit=2, skip=[other.id])
    assert await upcoming(world, webhook) == events
    await world.finish(claimed)
    assert await upcoming(world, webhook) == [one for one in events if one not in {c.event_id for c in claimed}]


async def test_of_any_order_they_go_by_the_time_they_are_due(world: World) -> None:
    """In flight, then due, then scheduled, then stalled."""
    application = await world.application()
    webhook = await world.webhook(application)
    events = [one.id for one in await world.publish(application, webhook, count=4)]
    claims = {one.event_id: one for one in await world.claim()}
    late, stalled, flying, soon = (claims[one] for one in events)
    await world.record(
        world.result(late, DeliveryState.PENDING, retry_in=60_000),
        world.result(stalled, DeliveryState.PENDING, next_attempt_at=None),
        world.result(soon, DeliveryState.PENDING, retry_in=1_000),
    )
    assert await upcoming(world, webhook) == [one.event_id for one in (flying, soon, late, stalled)]


async def test_a_fifo_webhook_keeps_its_order(world: World) -> None:
    """The head that waits for its retry, or is stalled, is still the next one."""
    application = await world.application()
    webhook = await world.webhook(application, order=Order.FIFO)
    events = [one.id for one in await world.publish(application, webhook, count=3)]
    [head] = await world.claim(limit=1)
    await world.record(world.result(head, DeliveryState.PENDING, next_attempt_at=None))
    assert await upcoming(world, webhook) == events


@pytest.mark.parametrize("status", [WebhookStatus.DISABLED, WebhookStatus.CATCHING_UP])
async def test_a_webhook_that_is_off_or_catching_up_has_events_before_it(world: World, status: WebhookStatus) -> None:
    """After what waits already come the events after its position that it asks for."""
    application = await world.application()
    webhook = await world.webhook(application)
    before = [one.id for one in await world.publish(application, webhook, count=2)]
    await world.move(webhook, WebhookStatus.DISABLED)
    after = [(await world.publish(application, event_type="ab"[number % 2]))[0].id for number in range(6)]
    if status is WebhookStatus.CATCHING_UP:
        await world.move(webhook, status)
    assert await upcoming(world, webhook) == before + after
    assert await upcoming(world, webhook, asks_for=lambda one: one == "a") == before + after[::2]
    assert await upcoming(world, webhook, wants=lambda one: one == "b") == after[1::2]
    assert await upcoming(world, webhook, limit=3) == [*before, after[0]]
    assert await world.store.behind(webhook.id, every) == Waiting(6, world.now)
    assert (await world.store.behind(webhook.id, lambda one: one == "b")).count == 3
    assert await world.store.behind(webhook.id, none) == Waiting(0, None)
    await world.move(webhook, WebhookStatus.CATCHING_UP)
    await world.catch_up(webhook)
    assert await upcoming(world, webhook) == before + after
    assert await world.store.behind(webhook.id, every) == Waiting(0, None)


async def test_an_active_or_deleted_webhook_has_nothing_behind(world: World) -> None:
    """Events fan out to the one, and never reach the other; one that does not exist has nothing either."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application)
    assert await upcoming(world, webhook) == []
    assert await world.store.behind(webhook.id, every) == Waiting(0, None)
    await world.publish(application, webhook)
    await world.move(webhook, WebhookStatus.DELETED)
    assert await upcoming(world, webhook) == []
    assert await world.store.behind(webhook.id, every) == Waiting(0, None)
    assert await world.store.upcoming(4711, every, every, 10) == []


async def test_what_is_skipped_is_not_upcoming(world: World) -> None:
    """Neither what waited nor what is in flight and will be cancelled when it comes back."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=3)
    await world.claim(limit=1)
    await world.move(webhook, WebhookStatus.DISABLED)
    await world.publish(application, count=2)
    await world.move(webhook, WebhookStatus.CATCHING_UP, keep=False)
    assert await upcoming(world, webhook) == []


async def test_what_is_sent_by_hand_goes_aside(world: World) -> None:
    """It is no part of what will be delivered by itself: the event is listed for its own sake only."""
    application = await world.application()
    webhook = await world.webhook(application, WebhookStatus.DISABLED)
    [event] = await world.publish(application)
    await world.store.send_aside(
        NewAside(
            id=world.ids.make(),
            application_id=application.id,
            webhook_id=webhook.id,
            event_id=event.id,
            cause=Cause.SEND,
        ),
        world.now,
    )
    assert await upcoming(world, webhook) == [event.id]
    assert await upcoming(world, webhook, asks_for=none) == []
    [aside] = await world.claim()
    assert await upcoming(world, webhook, asks_for=none) == []
    await world.finish([aside])
    assert await upcoming(world, webhook) == [event.id]


async def test_a_replayed_event_is_listed_once(world: World) -> None:
    """A reopened delivery and its event's other ones are one event."""
    application = await world.application()
    webhook = await world.webhook(application)
    [event] = await world.publish(application, webhook)
    await world.finish(await world.claim())
    assert await upcoming(world, webhook) == []
    await world.store.reopen_delivery(application.id, event.deliveries[0].id, Cause.MANUAL, world.now)
    assert await upcoming(world, webhook) == [event.id]


async def test_the_look_is_bounded(world: World) -> None:
    """A rare type behind very many others is not looked for without end, and the count stops at its bound."""
    application = await world.application()
    webhook = await world.webhook(application, WebhookStatus.DISABLED)
    per_batch = 1_000
    for _ in range(UPCOMING_LOOK_MAX // per_batch):
        await world.publish(application, count=per_batch)
    [rare] = await world.publish(application, event_type="rare")
    assert await upcoming(world, webhook, wants=lambda one: one == "rare") == []
    for _ in range((WAITING_MAX - UPCOMING_LOOK_MAX) // per_batch):
        await world.publish(application, count=per_batch)
    assert (await world.store.behind(webhook.id, every)).count == WAITING_MAX
    assert (await world.store.behind(webhook.id, lambda one: one == "rare")).count == 1
    await world.move(webhook, WebhookStatus.CATCHING_UP)
    await world.catch_up(webhook, 1_000)
    assert await upcoming(world, webhook, wants=lambda one: one == "rare") == []
    assert (await upcoming(world, webhook))[0] < rare.id
