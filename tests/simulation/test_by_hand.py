"""What people send by hand, and webhooks that stall until they do."""

import pytest

from hookspan.domain.outcome import ErrorCode
from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, Order, WebhookStatus
from hookspan.ids import from_text
from hookspan.store.contract import Page

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000
STALLING = {"delivery": {"when_exhausted": "stall"}, "retry": {"first": "5s", "cap": "6h", "until": "48h"}}
HOOK = "https://receiver.example.com/hook"


async def deliveries_of(world, application, event_id: str):
    return await world.store.deliveries_of_event(application.id, from_text("evt_", event_id))


async def test_a_fifo_webhook_stalls_at_its_head_after_two_days(world) -> None:
    """Two days without an acceptance: nothing more is sent, nothing fails, all waits as long as it takes."""
    application = await world.application(**STALLING)
    webhook = await world.webhook(application, order=Order.FIFO)
    world.egress.answer = lambda request: world.egress.status(500)
    first, *_ = await world.publish(application, 1, 2, 3)
    began_ms = world.clock.now_ms()
    await world.run_for(2 * DAY_MS)
    assert set(world.numbers()) == {1}
    assert world.egress.requests[-1].at_ms == began_ms + 2 * DAY_MS  # the last attempt is exactly at the end
    sent = len(world.egress.requests)
    await world.run_for(5 * DAY_MS)
    assert len(world.egress.requests) == sent
    [head] = await deliveries_of(world, application, first)
    assert (head.state, head.next_attempt_at, head.is_claimed) == (DeliveryState.PENDING, None, False)
    assert await world.store.stalled([webhook.id]) == {webhook.id: began_ms + 2 * DAY_MS}
    assert (await world.store.waiting([webhook.id]))[webhook.id].count == 3


async def test_a_send_by_hand_that_is_accepted_resumes_everything(world) -> None:
    """Until an event sent by hand is accepted, nothing moves; then all that is outstanding goes out, in order."""
    application = await world.application(**STALLING)
    webhook = await world.webhook(application, order=Order.FIFO)
    world.egress.answer = lambda request: world.egress.status(500)
    first, second, _ = await world.publish(application, 1, 2, 3)
    await world.run_for(3 * DAY_MS)
    world.egress.requests.clear()

    sent = await world.send_by_hand(application, webhook, second)
    await world.settle()
    assert world.numbers() == [2]
    assert sent.run == 1
    assert await world.store.stalled([webhook.id])

    world.egress.requests.clear()
    world.egress.answer = lambda request: world.egress.status(200)
    await world.send_by_hand(application, webhook, second)
    await world.settle()
    assert world.numbers() == [2, 1, 2, 3]
    [head] = await deliveries_of(world, application, first)
    assert (head.state, head.round) == (DeliveryState.SUCCEEDED, 1)
    attempts = await world.store.attempts_of(head)
    assert attempts[-1].cause is Cause.RESEND
    assert await world.store.stalled([webhook.id]) == {}


async def test_a_send_that_succeeds_at_a_retry_resumes_too(world) -> None:
    """While the webhook is active a send is tried again like any other; whichever attempt is accepted, it counts."""
    application = await world.application(**STALLING)
    webhook = await world.webhook(application, order=Order.FIFO)
    world.egress.answer = lambda request: world.egress.status(500)
    [event] = await world.publish(application, 1)
    await world.run_for(3 * DAY_MS)
    await world.send_by_hand(application, webhook, event)
    await world.settle()
    world.egress.requests.clear()
    world.egress.answer = lambda request: world.egress.status(200)
    await world.run_for(60_000)
    assert world.numbers() == [1, 1]
    assert {one.state for one in await deliveries_of(world, application, event)} == {DeliveryState.SUCCEEDED}


async def test_an_acceptance_that_nobody_asked_for_resumes_nothing(world) -> None:
    """Of a webhook without order each delivery stalls by itself; others that are accepted meanwhile don't touch it."""
    application = await world.application(**STALLING)
    webhook = await world.webhook(application)
    world.egress.answer = lambda request: world.egress.status(200 if b'"number":2' in request.body else 500)
    await world.publish(application, 1)
    await world.run_for(3 * DAY_MS)
    await world.publish(application, 2)
    await world.settle()
    assert list(await world.store.stalled([webhook.id])) == [webhook.id]


async def test_a_persons_retry_of_the_head_resumes(world) -> None:
    """Retrying the stalled head is by hand too: where it fails the webhook stays stalled, where not it goes on."""
    application = await world.application(**STALLING)
    webhook = await world.webhook(application, order=Order.FIFO)
    world.egress.answer = lambda request: world.egress.status(500)
    first, _ = await world.publish(application, 1, 2)
    await world.run_for(3 * DAY_MS)
    [head] = await deliveries_of(world, application, first)
    for status, is_stalled in ((500, True), (200, False)):
        world.egress.answer = lambda request, status=status: world.egress.status(status)
        await world.store.reopen_delivery(application.id, head.id, Cause.MANUAL, world.clock.now_ms())
        world.engine.wake(webhook.id)
        await world.run_for(1_000)
        assert bool(await world.store.stalled([webhook.id])) is is_stalled
    assert world.numbers()[-1] == 2


async def test_cancelling_the_stalled_head_ends_no_stall(world) -> None:
    """The event is given up, not the rule: nothing goes out by itself before something sent by hand was accepted."""
    application = await world.application(**STALLING)
    webhook = await world.webhook(application, order=Order.FIFO)
    world.egress.answer = lambda request: world.egress.status(500)
    first, second, _ = await world.publish(application, 1, 2, 3)
    await world.run_for(3 * DAY_MS)
    world.egress.requests.clear()
    world.egress.answer = lambda request: world.egress.status(200)
    [head] = await deliveries_of(world, application, first)
    await world.store.cancel_delivery(application.id, head.id, DeliveryReason.PERSON, world.clock.now_ms())
    world.engine.wake(webhook.id)
    await world.run_for(3 * DAY_MS)
    await world.crash()
    await world.publish(application, 4)
    await world.run_for(3 * DAY_MS)
    assert world.egress.requests == []
    await world.send_by_hand(application, webhook, second)
    await world.settle()
    assert world.numbers() == [2, 2, 3, 4]


async def test_one_try_by_a_person_of_a_head_that_took_the_stall_over(world) -> None:
    """Its round is used up like that of the one before it: where it fails the webhook is stalled as it was."""
    application = await world.application(**STALLING)
    webhook = await world.webhook(application, order=Order.FIFO)
    world.egress.answer = lambda request: world.egress.status(500)
    first, second, _ = await world.publish(application, 1, 2, 3)
    await world.run_for(3 * DAY_MS)
    [head] = await deliveries_of(world, application, first)
    await world.store.cancel_delivery(application.id, head.id, DeliveryReason.PERSON, world.clock.now_ms())
    [heir] = await deliveries_of(world, application, second)
    world.egress.requests.clear()
    await world.store.reopen_delivery(application.id, heir.id, Cause.MANUAL, world.clock.now_ms())
    world.engine.wake(webhook.id)
    await world.run_for(DAY_MS)
    assert world.numbers() == [2]
    assert list(await world.store.stalled([webhook.id])) == [webhook.id]


async def stalled_ones(world, count: int):
    """An application, its webhook without order, and so many events that have stalled each by itself."""
    application = await world.application(**STALLING)
    webhook = await world.webhook(application)
    world.egress.answer = lambda request: world.egress.status(500)
    events = await world.publish(application, *range(count))
    await world.run_for(3 * DAY_MS)
    world.egress.requests.clear()
    return application, webhook, events


@pytest.mark.parametrize("failures", [0, 3])
async def test_each_that_is_resumed_and_accepted_resumes_the_next(world, monkeypatch, failures) -> None:
    """So many at once, and all in the end: also where those that were resumed are accepted at a later attempt only."""
    monkeypatch.setattr("hookspan.store.sqlite._webhooks.RESUMED_MAX", 3)
    application, webhook, events = await stalled_ones(world, 10)
    outcomes = iter([200, *[500] * failures])  # the first is what is sent by hand
    world.egress.answer = lambda request: world.egress.status(next(outcomes, 200))
    await world.send_by_hand(application, webhook, events[0])
    await world.run_for(DAY_MS)
    assert set(world.numbers()) == set(range(10))
    assert await world.store.stalled([webhook.id]) == {}


@pytest.mark.parametrize("failures", [0, 1])
async def test_a_persons_retry_resumes_the_others_where_there_is_no_order(world, failures) -> None:
    """It is by hand like any send. Opened again, it is tried like any other: whichever attempt is accepted."""
    application, webhook, events = await stalled_ones(world, 4)
    [chosen] = await deliveries_of(world, application, events[1])
    if failures:
        await world.store.cancel_delivery(application.id, chosen.id, DeliveryReason.PERSON, world.clock.now_ms())
    outcomes = iter([500] * failures)
    world.egress.answer = lambda request: world.egress.status(next(outcomes, 200))
    await world.store.reopen_delivery(application.id, chosen.id, Cause.MANUAL, world.clock.now_ms())
    world.engine.wake(webhook.id)
    await world.run_for(60_000)
    assert sorted(world.numbers()) == sorted([1] * failures + [0, 1, 2, 3])
    assert await world.store.stalled([webhook.id]) == {}


async def test_off_and_on_again_resumes(world) -> None:
    """Who has mended a URL switches the webhook on again, and need not send anything by hand."""
    application = await world.application(**STALLING)
    webhook = await world.webhook(application, order=Order.FIFO)
    world.egress.answer = lambda request: world.egress.status(500)
    await world.publish(application, 1, 2)
    await world.run_for(3 * DAY_MS)
    await world.set_status(webhook, WebhookStatus.DISABLED)
    await world.settle()
    world.egress.requests.clear()
    world.egress.answer = lambda request: world.egress.status(200)
    await world.set_status(webhook, WebhookStatus.CATCHING_UP)
    await world.settle()
    assert world.numbers() == [1, 2]


async def test_a_blocked_destination_stalls_instead_of_losing(world) -> None:
    """Where a webhook stalls, not even an address that we refuse costs an event."""
    application = await world.application(**STALLING)
    webhook = await world.webhook(application, order=Order.FIFO)
    world.egress.answer = lambda request: world.egress.error(ErrorCode.BLOCKED_DESTINATION)
    await world.publish(application, 1)
    await world.run_for(3 * DAY_MS)
    assert list(await world.store.stalled([webhook.id])) == [webhook.id]


async def test_while_a_webhook_is_off_a_send_is_tried_once(world) -> None:
    """Nothing happens to a webhook that is off but what a person asks for; other queued events are not touched."""
    application = await world.application()
    webhook = await world.webhook(application, status=WebhookStatus.DISABLED)
    first, second = await world.publish(application, 1, 2)
    await world.settle()
    assert world.egress.requests == []
    await world.send_by_hand(application, webhook, second)
    world.egress.answer = lambda request: world.egress.status(503)
    await world.send_by_hand(application, webhook, first)
    await world.run_for(DAY_MS)
    assert world.numbers() == [2, 1]
    [failed] = await deliveries_of(world, application, first)
    assert (failed.run, failed.state, failed.reason) == (1, DeliveryState.FAILED, DeliveryReason.EXHAUSTED)
    [attempt] = await world.store.attempts_of(failed)
    assert attempt.cause is Cause.SEND
    world.egress.answer = lambda request: world.egress.status(200)
    await world.set_status(webhook, WebhookStatus.CATCHING_UP)
    await world.settle()
    assert world.numbers() == [2, 1, 1, 2]  # the originals came all the same


async def test_a_send_goes_past_the_queue(world) -> None:
    """A fifo webhook whose head is in flight, or whose rate is used up, does not keep a person waiting."""
    application = await world.application()
    webhook = await world.webhook(application, order=Order.FIFO, rate=0.001)
    _, second, _ = await world.publish(application, 1, 2, 3)
    await world.settle()
    world.egress.is_holding = True
    await world.send_by_hand(application, webhook, second)
    await world.settle()
    assert world.numbers() == [1, 2]
    lane = world.engine.dispatcher.lanes[webhook.id]
    assert (lane.in_flight, lane.is_blocked, world.engine.dispatcher.in_flight) == (0, False, 1)
    world.egress.is_holding = False
    world.egress.let_go()
    for _ in range(4):
        await world.run_for(1_000_000)
    assert world.numbers() == [1, 2, 2, 3]
    dispatcher = world.engine.dispatcher
    assert (dispatcher.in_flight, dispatcher.items, dispatcher.bytes) == (0, 0, 0)


async def test_a_send_survives_a_crash(world) -> None:
    """What was asked for is kept: it goes out after a restart, also to a webhook that is off."""
    application = await world.application()
    webhook = await world.webhook(application, status=WebhookStatus.DISABLED)
    [event] = await world.publish(application, 1)
    world.egress.is_holding = True
    await world.send_by_hand(application, webhook, event)
    await world.settle()
    world.egress.is_holding = False
    await world.crash()
    await world.settle()
    assert world.numbers() == [1, 1]
    [sent] = await deliveries_of(world, application, event)
    assert sent.state is DeliveryState.SUCCEEDED


async def test_sends_to_a_webhook_that_was_deleted_are_cancelled(world) -> None:
    """A webhook that is gone gets nothing, and nothing stays behind."""
    application = await world.application()
    webhook = await world.webhook(application, status=WebhookStatus.DISABLED)
    [event] = await world.publish(application, 1)
    await world.send_by_hand(application, webhook, event)
    await world.set_status(webhook, WebhookStatus.DELETED)
    await world.settle()
    assert world.egress.requests == []
    page = Page(limit=10)
    [left] = await world.store.list_deliveries(application.id, page, webhook_id=None, state=None, event_type=None)
    assert (left.state, left.reason) == (DeliveryState.CANCELLED, DeliveryReason.WEBHOOK_DELETED)


async def test_many_sends_leave_room_for_the_rest(world) -> None:
    """One claim takes a bounded number of them, so that a person's script can't keep all others waiting."""
    application = await world.application()
    busy = await world.webhook(application, status=WebhookStatus.DISABLED)
    await world.webhook(application, url="https://other.example.com/hook")
    [event] = await world.publish(application, 1)
    await world.settle()
    world.egress.is_holding = True
    for _ in range(250):
        await world.send_by_hand(application, busy, event)
    claimed = await world.store.claim(
        world.engine.node.id, world.clock.now_ms(), limit=512, per_webhook=128, bytes_max=1 << 24, skip=()
    )
    assert len(claimed) == 100
    assert all(one.is_aside for one in claimed)
