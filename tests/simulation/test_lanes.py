"""Lanes: concurrency, rate, order, bounds and fairness, without a real network."""

import asyncio

import pytest

from hookspan.domain.states import DeliveryReason, Order, WebhookStatus
from hookspan.engine import EngineOptions
from hookspan.store.contract import Page

pytestmark = pytest.mark.anyio

A, B = "https://a.example.com/hook", "https://b.example.com/hook"


async def test_concurrency_is_never_exceeded(world):
    application = await world.application()
    await world.webhook(application, concurrency=3)
    world.egress.is_holding = True
    await world.publish(application, *range(20))
    assert world.egress.in_flight == 3
    while world.egress.in_flight:
        world.egress.let_go(1)
        await world.settle()
    assert world.egress.in_flight_most == 3
    assert sorted(world.numbers()) == list(range(20))


async def test_a_rate_is_kept_over_time(world):
    """Two a second, with a burst of one second at most."""
    application = await world.application()
    await world.webhook(application, rate=2.0)
    await world.publish(application, *range(10))
    await world.settle()
    assert len(world.numbers()) == 2
    for second in range(1, 5):
        for _ in range(2):
            world.clock.move(500)
            await world.settle()
        assert len(world.numbers()) == 2 + 2 * second


async def test_a_slow_lane_does_not_hold_up_another(world):
    application = await world.application()
    await world.webhook(application, url=A, concurrency=2)
    world.egress.is_holding = True
    await world.publish(application, *range(10))
    await world.webhook(application, url=B)
    world.egress.is_holding = False
    await world.publish(application, 99)
    await world.settle()
    assert world.numbers(B) == [99]


async def test_fifo_sends_one_at_a_time_in_order(world):
    application = await world.application()
    await world.webhook(application, order=Order.FIFO)
    await world.publish(application, *range(50))
    await world.settle()
    assert world.numbers() == list(range(50))
    assert world.egress.in_flight_most == 1


async def test_fifo_waits_for_a_failing_head_and_overtakes_nothing(world):
    """The head fails three times; what is published meanwhile waits behind it, in order, also across a crash."""
    application = await world.application()
    await world.webhook(application, order=Order.FIFO)
    fails = {3: 3}

    def answer(request):
        number = world.numbers()[-1]
        if fails.get(number, 0):
            fails[number] -= 1
            return world.egress.status(500)
        return world.egress.status(200)

    world.egress.answer = answer
    await world.publish(application, *range(6))
    await world.settle()
    assert world.numbers() == [0, 1, 2, 3]
    await world.publish(application, 6, 7)
    await world.run_for(6_000)
    await world.crash()
    await world.publish(application, 8)
    await world.run_for(3 * 3_600_000)
    assert world.numbers() == [0, 1, 2, 3, 3, 3, 3, 4, 5, 6, 7, 8]


async def test_fifo_keeps_its_order_when_a_lane_overflows(make_world):
    options = EngineOptions(lane_items_max=4, claim_per_webhook_max=3)
    async with make_world(options=options) as world:
        application = await world.application()
        await world.webhook(application, order=Order.FIFO)
        world.egress.is_holding = True
        await world.publish(application, *range(30))
        world.egress.is_holding = False
        world.egress.let_go()
        await world.settle()
        await world.publish(application, *range(30, 40))
        await world.settle()
        assert world.numbers() == list(range(40))


@pytest.mark.parametrize("bounds", [{"lane_items_max": 4}, {"node_items_max": 5}, {"node_bytes_max": 400}])
async def test_what_does_not_fit_into_lanes_waits_in_the_store(make_world, bounds):
    """Bounds of a lane, of the node's items and of its bytes: nothing is lost and no more is held than allowed."""
    options = EngineOptions(claim_per_webhook_max=2, **bounds)
    async with make_world(options=options) as world:
        application = await world.application()
        await world.webhook(application, concurrency=2)
        world.egress.is_holding = True
        await world.publish(application, *range(40))
        dispatcher = world.engine.dispatcher
        assert dispatcher.items <= min(options.node_items_max, options.lane_items_max)
        assert dispatcher.bytes <= options.node_bytes_max
        world.egress.is_holding = False
        world.egress.let_go()
        await world.settle()
        assert sorted(world.numbers()) == list(range(40))
        assert (dispatcher.items, dispatcher.bytes, len(dispatcher.held)) == (0, 0, 0)


async def test_no_more_is_in_flight_than_the_node_allows_and_lanes_take_turns(make_world):
    async with make_world(options=EngineOptions(in_flight_max=4)) as world:
        application = await world.application()
        for letter in "abcd":
            await world.webhook(application, url=f"https://{letter}.example.com/", concurrency=4)
        world.egress.is_holding = True
        await world.publish(application, *range(5))
        assert world.egress.in_flight == 4
        while world.egress.in_flight:
            world.egress.let_go(1)
            await world.settle()
        assert world.egress.in_flight_most == 4
        assert len({request.url for request in world.egress.requests[-4:]}) == 4


async def test_nothing_is_sent_while_outcomes_have_no_room(make_world):
    async with make_world(options=EngineOptions(results_max=3)) as world:
        application = await world.application()
        await world.webhook(application, concurrency=1)
        await world.publish(application, *range(10))
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(world.egress.requests) <= 4
        await world.settle()
        assert sorted(world.numbers()) == list(range(10))


async def test_switching_off_takes_what_waits_out_of_the_lane(world):
    application = await world.application()
    webhook = await world.webhook(application, concurrency=1)
    world.egress.is_holding = True
    await world.publish(application, 1, 2, 3)
    await world.set_status(webhook, WebhookStatus.DISABLED)
    world.egress.is_holding = False
    world.egress.let_go()
    await world.settle()
    assert world.numbers() == [1], "what was in flight ends, nothing else leaves"
    await world.set_status(webhook, WebhookStatus.CATCHING_UP)
    await world.settle()
    assert sorted(world.numbers()) == [1, 2, 3]


async def test_skipping_cancels_what_waited(world):
    application = await world.application()
    webhook = await world.webhook(application, concurrency=1)
    world.egress.is_holding = True
    await world.publish(application, 1, 2, 3)
    await world.set_status(webhook, WebhookStatus.DISABLED)
    world.egress.is_holding = False
    world.egress.let_go()
    await world.settle()
    await world.publish(application, 4)
    await world.set_status(webhook, WebhookStatus.CATCHING_UP, keep=False)
    await world.settle()
    await world.publish(application, 5)
    await world.settle()
    assert world.numbers() == [1, 5]


async def test_unreadable_secrets_make_deliveries_wait_never_leave_unsigned(world):
    application = await world.application()
    await world.webhook(application)
    good = world.vault
    world.engine.dispatcher._sender._vault = type(good)(b"x" * 32)
    await world.publish(application, 1, 2)
    await world.settle()
    assert world.egress.requests == []
    world.engine.dispatcher._sender._vault = good
    world.clock.move(61_000)
    await world.settle()
    assert sorted(world.numbers()) == [1, 2]


async def test_a_delivery_that_kills_the_process_is_sent_alone_and_then_given_up(world):
    """Five crashes while it is in flight: it fails. The innocent one that was in flight beside it arrives."""
    application = await world.application()
    webhook = await world.webhook(application, concurrency=10)
    await world.publish(application, 0)
    await world.settle()
    world.egress.is_holding = True
    await world.publish(application, 1, 2)
    for crashes in range(1, 6):
        assert world.egress.in_flight == (2 if crashes <= 3 else 1), "from the third time on alone"
        await world.crash()
        await world.run_for(1_000)
    world.egress.is_holding = False
    world.egress.let_go()
    await world.run_for(5_000)
    found = await world.store.list_deliveries(
        application.id, Page(limit=10), webhook_id=webhook.id, state=None, event_type=None
    )
    assert sorted(delivery.state.word for delivery in found) == ["failed", "succeeded", "succeeded"]
    assert [delivery.reason for delivery in found if delivery.reason] == [DeliveryReason.EXHAUSTED]
    assert world.counters.attempts_succeeded == 2


async def test_a_suspect_head_of_a_fifo_webhook_keeps_its_place(world):
    application = await world.application()
    await world.webhook(application, order=Order.FIFO)
    await world.publish(application, 0)
    await world.settle()
    world.egress.is_holding = True
    await world.publish(application, 1, 2, 3)
    await world.settle()
    for _ in range(4):
        await world.crash()
        await world.run_for(1_000)
    assert world.egress.in_flight == 1
    world.egress.is_holding = False
    world.egress.let_go()
    await world.run_for(5_000)
    assert list(dict.fromkeys(world.numbers())) == [0, 1, 2, 3]
    assert world.numbers()[-3:] == [1, 2, 3]
