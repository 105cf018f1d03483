"""A webhook whose retries have stopped says so, and what to do."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hookspan.domain.outcome import ErrorCode, Owner
from hookspan.domain.states import DeliveryState, Order
from hookspan.domain.times import to_text
from hookspan.ids import to_text as id_text
from hookspan.manage._why import Why
from hookspan.manage.inputs import SendEvent
from hookspan.store.contract import Page
from tests.support.shop import Shop
from tests.support.world import World

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """Its webhook has three events in order, and its receiver has failed for longer than it is tried."""
    async with World(tmp_path) as world:
        shop = Shop(world)
        stalls, once_more = {"when_exhausted": "stall"}, {"delays": ["0s", "1h"]}
        await shop.open(order=Order.FIFO, delivery=stalls, retry=once_more)
        world.egress.answer = lambda _: world.egress.status(500)
        await world.publish(shop.application, 1, 2, 3)
        await world.run_for(3 * HOUR_MS)
        yield shop


async def event_id(shop: Shop, place: int) -> str:
    """Of one of its events, oldest first."""
    events = await shop.world.store.events_after(shop.application.id, 0, 10)
    return id_text(shop.profile.event_prefix, events[place].id)


async def lines(shop: Shop) -> list[tuple[str | None, str]]:
    """Reason and sentence of each event, oldest first."""
    why = Why(shop.ground, shop.application, shop.profile)
    events = await shop.world.store.events_after(shop.application.id, 0, 10)
    found = [(await why.of_event(event))[0] for event in events]
    return [(one.reason, one.sentence) for one in found]


async def test_the_head_is_stalled_and_the_others_wait_behind_it(shop):
    """The sentence says how to go on."""
    (first, sentence), *others = await lines(shop)
    assert first == "stalled"
    assert "after 2 attempts (HTTP 500)" in sentence
    assert "by hand" in sentence
    assert "off and on" in sentence
    assert [reason for reason, _ in others] == ["behind_head", "behind_head"]


async def test_health_says_since_when(shop):
    """Since the last attempt of what stalled first."""
    shown = await shop.webhooks.get(shop.application.public_id, shop.webhook_id)
    [request, last] = shop.world.egress.requests
    assert request.at_ms < last.at_ms
    assert (shown.health.state, shown.health.since) == ("stalled", to_text(last.at_ms))
    assert shown.health.waiting == 3


async def test_one_that_is_sent_by_hand_lets_the_others_go_on(shop):
    """Once it is taken; then nothing is stalled any more."""
    shop.world.egress.answer = lambda _: shop.world.egress.status(200)
    sent = await shop.by_hand.send(
        shop.application.public_id, shop.webhook_id, SendEvent(event_id=await event_id(shop, 2))
    )
    assert (sent.run, sent.state, sent.reason) == (1, "pending", "due")
    await shop.world.run_for(HOUR_MS)
    shown = await shop.webhooks.get(shop.application.public_id, shop.webhook_id)
    assert (shown.health.state, shown.health.waiting) == ("healthy", 0)
    found = await shop.world.store.list_deliveries(
        shop.application.id, Page(limit=10), webhook_id=None, state=DeliveryState.SUCCEEDED, event_type=None
    )
    assert len(found) == 4


async def test_off_and_on_does_too(shop):
    """As the sentence says; while it is off, that is the reason."""
    await shop.change(status="disabled")
    assert {reason for reason, _ in await lines(shop)} == {"webhook_disabled"}
    shop.world.egress.answer = lambda _: shop.world.egress.status(200)
    await shop.change(status="active")
    await shop.world.run_for(HOUR_MS)
    assert [reason for reason, _ in await lines(shop)] == [None, None, None]


async def test_a_delivery_by_hand_never_waits_for_the_queue(shop):
    """Nor for the webhook to be switched on: its reason is its own."""
    await shop.change(status="disabled")
    sent = await shop.by_hand.send(
        shop.application.public_id, shop.webhook_id, SendEvent(event_id=await event_id(shop, 0))
    )
    assert (sent.state, sent.reason) == ("pending", "due")


async def reason_of(shop: Shop, delivery_id: str) -> str | None:
    delivery = await shop.ground.delivery(shop.application, delivery_id)
    return (await Why(shop.ground, shop.application, shop.profile).of_delivery(delivery)).reason


async def test_a_delivery_by_hand_says_what_it_waits_for_itself(shop):
    """In back-off it is scheduled, whatever stands at the head; of a webhook switched off since it waits for that."""
    given = SendEvent(event_id=await event_id(shop, 1))
    sent = await shop.by_hand.send(shop.application.public_id, shop.webhook_id, given)
    await shop.world.settle()
    assert await reason_of(shop, sent.id) == "scheduled"
    await shop.change(status="disabled")
    assert await reason_of(shop, sent.id) == "webhook_disabled"


async def test_what_failed_for_our_own_reason_is_tried_again_though_the_webhook_is_off(shop):
    """That spent nothing: the one try that a person asked for is still to come, and the reason says so."""
    await shop.change(status="disabled")
    shop.world.egress.answer = lambda _: shop.world.egress.error(ErrorCode.NO_SOCKETS, Owner.US)
    given = SendEvent(event_id=await event_id(shop, 1))
    sent = await shop.by_hand.send(shop.application.public_id, shop.webhook_id, given)
    await shop.world.settle()
    assert await reason_of(shop, sent.id) == "scheduled"
    shop.world.egress.answer = lambda _: shop.world.egress.status(200)
    await shop.world.run_for(HOUR_MS)
    assert await reason_of(shop, sent.id) is None
