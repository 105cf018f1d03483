"""Retries over two days, in milliseconds: the clock and the network are the test's."""

import msgspec
import pytest

from hookspan.domain.outcome import ErrorCode, Owner
from hookspan.domain.states import DeliveryReason, DeliveryState, Order, StatusReason, WebhookStatus
from hookspan.store.contract import Page

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000
SECRET = b"644b2ac3-0797-4ec6-9537-cb5c0af9caf9"


async def deliveries(world, application):
    return await world.store.list_deliveries(
        application.id, Page(limit=500), webhook_id=None, state=None, event_type=None
    )


async def test_an_event_is_delivered_once_and_recorded(world):
    application = await world.application()
    await world.webhook(application)
    await world.publish(application, 1)
    await world.settle()
    assert world.numbers() == [1]
    (delivery,) = await deliveries(world, application)
    assert (delivery.state, delivery.attempt_count, delivery.last_response_status) == (DeliveryState.SUCCEEDED, 1, 200)
    (attempt,) = await world.store.attempts_of(delivery)
    assert attempt.response_status == 200
    assert b"webhook-signature: v1," in attempt.request_headers


async def test_a_receiver_that_is_down_for_a_day_gets_everything(world):
    """Bridge API's promise is 1 to 2 days of retries: whatever is published during a day of failure arrives."""
    application = await world.application("bridge-api")
    await world.webhook(application, secret=SECRET, events=("item.*",))
    world.egress.answer = lambda request: world.egress.status(503)
    published = set()
    for hour in range(24):
        await world.send(application, {"type": "item.created", "content": {"item_id": hour, "user_uuid": "u"}})
        published.add(hour)
        await world.run_for(HOUR_MS)
    assert all(delivery.state is DeliveryState.PENDING for delivery in await deliveries(world, application))
    tried = len(world.egress.requests)
    assert tried > 24 * 5
    world.egress.answer = lambda request: world.egress.status(200)
    await world.run_for(13 * HOUR_MS)
    arrived = [msgspec.json.decode(request.body)["content"]["item_id"] for request in world.egress.requests[tried:]]
    assert sorted(arrived) == sorted(published), "each exactly once, once the receiver is back"
    assert all(delivery.state is DeliveryState.SUCCEEDED for delivery in await deliveries(world, application))


async def test_the_last_attempt_comes_exactly_at_the_end_of_the_window(world):
    application = await world.application("bridge-api")
    await world.webhook(application, secret=SECRET, events=("item.*",))
    world.egress.answer = lambda request: world.egress.status(500)
    await world.send(application, {"type": "item.created", "content": {"item_id": 1, "user_uuid": "u"}})
    await world.run_for(48 * HOUR_MS)
    first, *_, last = world.egress.requests
    assert last.at_ms - first.at_ms == 36 * HOUR_MS
    (delivery,) = await deliveries(world, application)
    assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, DeliveryReason.EXHAUSTED)
    attempts = await world.store.attempts_of(delivery)
    assert [attempt.number for attempt in attempts] == list(range(1, len(world.egress.requests) + 1))
    assert attempts[-1].retry_at is None


async def test_a_receiver_that_asks_for_patience_does_not_prolong_the_window(world):
    """Bridge API holds an event for two days at most, however often it is asked to come back a day later."""
    application = await world.application("bridge-api", retry={"until": "48h"})
    await world.webhook(application, secret=SECRET, events=("item.*",))
    world.egress.answer = lambda request: world.egress.status(503, retry_after="86400")
    await world.send(application, {"type": "item.created", "content": {"item_id": 1, "user_uuid": "u"}})
    await world.run_for(100 * HOUR_MS)
    first, *_, last = world.egress.requests
    assert last.at_ms - first.at_ms == 48 * HOUR_MS


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("is_stalling", [False, True])
async def test_the_time_that_a_webhook_is_off_spends_no_window(world, order, is_stalling):
    """Switched on again after days, a webhook whose receiver fails once more gets what waited when that recovers."""
    stalls = {"delivery": {"when_exhausted": "stall"}} if is_stalling else {}
    application = await world.application(**stalls, retry={"first": "5s", "cap": "6h", "until": "48h"})
    webhook = await world.webhook(application, order=order)
    world.egress.answer = lambda request: world.egress.status(500)
    await world.publish(application, 1)
    await world.run_for(HOUR_MS)
    await world.set_status(webhook, WebhookStatus.DISABLED)
    await world.run_for(72 * HOUR_MS)
    world.egress.requests.clear()
    await world.set_status(webhook, WebhookStatus.CATCHING_UP)
    on_at = world.clock.now_ms()
    await world.run_for(47 * HOUR_MS)
    [waiting] = await deliveries(world, application)
    assert waiting.next_attempt_at == on_at + 48 * HOUR_MS, "the window began anew with the first attempt"
    assert world.egress.requests[1].at_ms <= on_at + 10_000, "and so did the delays"
    world.egress.answer = lambda request: world.egress.status(200)
    await world.run_for(HOUR_MS)
    [arrived] = await deliveries(world, application)
    assert arrived.state is DeliveryState.SUCCEEDED


async def test_a_window_that_began_anew_ends(world):
    """Switching on is no licence to try for ever."""
    application = await world.application(retry={"first": "5s", "cap": "6h", "until": "48h"})
    webhook = await world.webhook(application)
    world.egress.answer = lambda request: world.egress.status(500)
    await world.publish(application, 1)
    await world.run_for(HOUR_MS)
    await world.set_status(webhook, WebhookStatus.DISABLED)
    await world.run_for(HOUR_MS)
    await world.set_status(webhook, WebhookStatus.CATCHING_UP)
    on_at = world.clock.now_ms()
    await world.run_for(96 * HOUR_MS)
    assert world.egress.requests[-1].at_ms == on_at + 48 * HOUR_MS
    [failed] = await deliveries(world, application)
    assert (failed.state, failed.reason) == (DeliveryState.FAILED, DeliveryReason.EXHAUSTED)


async def test_an_outage_of_ours_before_the_first_request_spends_no_window(world):
    """Days without a network here, then a receiver that fails once: its window has only just begun."""
    application = await world.application("bridge-api")
    await world.webhook(application, secret=SECRET, events=("item.*",))
    world.egress.answer = lambda request: world.egress.error(ErrorCode.DNS_FAILED, Owner.PATH)
    await world.send(application, {"type": "item.created", "content": {"item_id": 1, "user_uuid": "u"}})
    await world.run_for(40 * HOUR_MS)
    world.egress.requests.clear()
    world.egress.answer = lambda request: world.egress.status(500)
    await world.run_for(40 * HOUR_MS)
    assert world.egress.requests[-1].at_ms - world.egress.requests[0].at_ms == 36 * HOUR_MS


async def test_an_outage_of_ours_between_two_requests_spends_no_window(world):
    """What it lasted is not counted: the receiver has its window whole."""
    application = await world.application("bridge-api")
    await world.webhook(application, secret=SECRET, events=("item.*",))
    world.egress.answer = lambda request: world.egress.status(500)
    await world.send(application, {"type": "item.created", "content": {"item_id": 1, "user_uuid": "u"}})
    await world.run_for(HOUR_MS)
    began_at, tried_at = world.egress.requests[0].at_ms, world.egress.requests[-1].at_ms
    world.egress.answer = lambda request: world.egress.error(ErrorCode.DNS_FAILED, Owner.PATH)
    await world.run_for(40 * HOUR_MS)
    lost = [request.at_ms for request in world.egress.requests if request.at_ms > tried_at]
    assert len(lost) < 41 * 60 * 60 // 40, "a minute or more apart, for there is no hurry any more"
    world.egress.answer = lambda request: world.egress.status(500)
    await world.run_for(60 * HOUR_MS)
    again_at = next(request.at_ms for request in world.egress.requests if request.at_ms > lost[-1])
    assert world.egress.requests[-1].at_ms == began_at + 36 * HOUR_MS + again_at - lost[0]


async def test_our_own_failures_spend_neither_attempts_nor_the_window(world):
    application = await world.application()
    await world.webhook(application)
    world.egress.answer = lambda request: world.egress.error(ErrorCode.NO_SOCKETS, Owner.US)
    await world.publish(application, 1)
    await world.run_for(10 * 60_000)
    assert 8 <= len(world.egress.requests) <= 20, "often at first, then less"
    world.egress.answer = lambda request: world.egress.status(200)
    await world.run_for(60_000)
    (delivery,) = await deliveries(world, application)
    assert delivery.state is DeliveryState.SUCCEEDED


async def test_410_disables_a_standard_webhook_and_what_waits_is_kept(world):
    application = await world.application()
    webhook = await world.webhook(application, concurrency=1)
    world.egress.answer = lambda request: world.egress.status(410)
    await world.publish(application, 1)
    await world.settle()
    seen = await world.store.get_webhook(webhook.id)
    assert (seen.status, seen.status_reason) == (WebhookStatus.DISABLED, StatusReason.GONE)
    await world.publish(application, 2, 3)
    await world.settle()
    assert world.numbers() == [1]
    world.egress.answer = lambda request: world.egress.status(200)
    await world.set_status(webhook, WebhookStatus.CATCHING_UP)
    await world.settle()
    assert world.numbers() == [1, 2, 3]


async def test_a_standard_webhook_that_only_fails_for_five_days_is_disabled_and_recovers(world):
    application = await world.application()
    webhook = await world.webhook(application)
    world.egress.answer = lambda request: world.egress.status(500)
    for day in range(6):
        await world.publish(application, day)
        await world.run_for(24 * HOUR_MS)
    seen = await world.store.get_webhook(webhook.id)
    assert (seen.status, seen.status_reason) == (WebhookStatus.DISABLED, StatusReason.FAILING)
    world.egress.answer = lambda request: world.egress.status(200)
    world.egress.requests.clear()
    await world.set_status(webhook, WebhookStatus.CATCHING_UP)
    await world.run_for(48 * HOUR_MS)
    states = {delivery.state for delivery in await deliveries(world, application)}
    assert DeliveryState.PENDING not in states
    assert 5 in world.numbers()


async def test_the_failing_time_is_remembered_and_forgotten(world):
    application = await world.application()
    webhook = await world.webhook(application)
    world.egress.answer = lambda request: world.egress.status(500)
    await world.publish(application, 1)
    await world.settle()
    assert (await world.store.get_webhook(webhook.id)).failing_since == world.clock.now_ms()
    world.egress.answer = lambda request: world.egress.status(200)
    await world.run_for(60_000)
    assert (await world.store.get_webhook(webhook.id)).failing_since is None


async def test_a_crash_in_the_middle_of_retrying_loses_nothing(world):
    application = await world.application()
    await world.webhook(application)
    world.egress.answer = lambda request: world.egress.status(500)
    await world.publish(application, *range(10))
    await world.run_for(60_000)
    await world.crash()
    world.egress.answer = lambda request: world.egress.status(200)
    world.egress.requests.clear()
    await world.run_for(HOUR_MS)
    assert sorted(world.numbers()) == list(range(10))


async def test_a_crash_with_requests_in_flight_doubles_only_those(world):
    application = await world.application()
    await world.webhook(application, concurrency=4)
    world.egress.is_holding = True
    await world.publish(application, *range(10))
    assert world.egress.in_flight == 4
    await world.crash()
    world.egress.is_holding = False
    await world.settle()
    arrived = world.numbers()
    assert set(arrived) == set(range(10))
    assert len(arrived) == 14
