"""claim and next_due_at: fairness, limits, fifo order."""

import pytest

from hookspan.domain.states import Cause, DeliveryState, Order, WebhookStatus
from hookspan.store.contract import ClaimRef
from tests.contract.world import World

pytestmark = pytest.mark.anyio


async def test_a_claim_has_all_that_sending_needs(world: World) -> None:
    """Body, type, history: no second read."""
    application = await world.application()
    webhook = await world.webhook(application)
    body = '{"ü": "\\u0000"}'.encode() + b"\xff\x00end"
    [event] = await world.publish(application, webhook, body=body, event_type="a.b")
    [claimed] = await world.claim()
    assert claimed.id == event.deliveries[0].id
    assert (claimed.application_id, claimed.webhook_id, claimed.event_id) == (application.id, webhook.id, event.id)
    assert (claimed.event_type, claimed.occurred_at, claimed.body) == ("a.b", event.occurred_at, body)
    assert (claimed.claim, claimed.run, claimed.round, claimed.cause) == (1, 0, 0, Cause.FIRST)
    assert (claimed.attempt_count, claimed.round_attempts, claimed.round_started_at) == (0, 0, None)
    assert (claimed.orphan_count, claimed.last_attempt_id) == (0, None)
    assert await world.claim() == []


async def test_limits_of_a_claim(world: World) -> None:
    """Number, number of one webhook, bytes (but at least one), and webhooks to leave alone."""
    application = await world.application()
    webhooks = [await world.webhook(application) for _ in range(4)]
    await world.publish(application, *webhooks, count=10, body=b"x" * 100)
    assert await world.claim(limit=0) == []
    assert len(await world.claim(limit=3)) == 3
    each: dict[int, int] = {}
    for one in await world.claim(per_webhook=2):
        each[one.webhook_id] = each.get(one.webhook_id, 0) + 1
    assert each == {webhook.id: 2 for webhook in webhooks}
    assert len(await world.claim(bytes_max=350)) == 3
    assert len(await world.claim(bytes_max=1)) == 1
    left = await world.claim(skip=[webhook.id for webhook in webhooks[:3]])
    assert {one.webhook_id for one in left} == {webhooks[3].id}
    assert await world.claim(skip=[webhook.id for webhook in webhooks]) == []


async def test_a_backlog_hides_nobody(world: World) -> None:
    """A hundred thousand due for one webhook, one for another: the first claim brings both."""
    application = await world.application()
    loud = await world.webhook(application)
    quiet = await world.webhook(application)
    for _ in range(20):
        await world.publish(application, loud, count=5_000)
    [event] = await world.publish(application, quiet)
    claimed = await world.claim(limit=100, per_webhook=50)
    assert len(claimed) == 51
    assert event.deliveries[0].id in {one.id for one in claimed}


async def test_every_webhook_has_its_turn_when_there_is_always_more(world: World) -> None:
    """Claims too small for all go on where the last one ended, so that no webhook starves behind others."""
    application = await world.application()
    webhooks = [await world.webhook(application) for _ in range(9)]
    await world.publish(application, *webhooks, count=40)
    seen = set()
    for _ in range(5):
        claimed = await world.claim(limit=4, per_webhook=2)
        assert len(claimed) == 4
        seen |= {one.webhook_id for one in claimed}
    assert seen == {webhook.id for webhook in webhooks}


async def test_what_is_due_first_is_claimed_first(world: World) -> None:
    """Of one webhook in the order of their times."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=3)
    claimed = await world.claim()
    for one, retry_in in zip(claimed, (300, 100, 200), strict=True):
        await world.record(world.result(one, DeliveryState.PENDING, retry_in=retry_in))
    world.clock.move(1_000)
    order = [(await world.claim(limit=1))[0].id for _ in range(3)]
    assert order == [claimed[1].id, claimed[2].id, claimed[0].id]


@pytest.mark.parametrize("status", [WebhookStatus.DISABLED, WebhookStatus.DELETED])
async def test_webhooks_that_are_off_are_left_alone(world: World, status: WebhookStatus) -> None:
    """Parked is derived from the webhook's status, and not due either."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    assert await world.store.next_due_at([]) == world.now
    await world.move(webhook, status)
    assert await world.claim() == []
    assert await world.store.next_due_at([]) is None


async def test_a_catching_up_webhook_is_claimed_like_an_active_one(world: World) -> None:
    """What it has already is sent while the rest is still being made."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    await world.move(webhook, WebhookStatus.DISABLED)
    await world.move(webhook, WebhookStatus.CATCHING_UP)
    assert await world.store.next_due_at([]) == world.now
    assert len(await world.claim()) == 1


async def test_when_the_next_is_due(world: World) -> None:
    """The earliest of all webhooks that are not skipped; None when nothing is scheduled."""
    application = await world.application()
    first, second = await world.webhook(application), await world.webhook(application)
    assert await world.store.next_due_at([]) is None
    await world.publish(application, first, second)
    for one in await world.claim():
        retry_in = 100 if one.webhook_id == first.id else 200
        await world.record(world.result(one, DeliveryState.PENDING, retry_in=retry_in))
    assert await world.store.next_due_at([]) == world.now + 100
    assert await world.store.next_due_at([first.id]) == world.now + 200
    assert await world.store.next_due_at([first.id, second.id]) is None


async def test_a_node_that_is_gone_claims_nothing(world: World) -> None:
    """Claims in the name of no node would wait for ever."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    await world.store.deregister_node(world.node, world.now)
    assert await world.claim() == []


# --- fifo


async def test_fifo_is_taken_from_the_oldest_on(world: World) -> None:
    """In order, several at once, and nothing more while an older one is claimed."""
    application = await world.application()
    webhook = await world.webhook(application, order=Order.FIFO)
    events = await world.publish(application, webhook, count=5)
    order = [event.deliveries[0].id for event in events]
    first = await world.claim(per_webhook=2)
    assert [one.id for one in first] == order[:2]
    assert await world.claim() == []
    assert await world.store.next_due_at([]) is None
    await world.finish([first[0]])
    assert await world.claim() == []
    await world.finish([first[1]])
    assert [one.id for one in await world.claim()] == order[2:]


async def test_a_fifo_head_that_waits_holds_back_the_rest(world: World) -> None:
    """A scheduled retry of the head is due before anything behind it may go."""
    application = await world.application()
    webhook = await world.webhook(application, order=Order.FIFO)
    events = await world.publish(application, webhook, count=3)
    [head] = await world.claim(limit=1)
    await world.record(world.result(head, DeliveryState.PENDING, retry_in=500))
    assert await world.claim() == []
    assert await world.store.next_due_at([]) == world.now + 500
    world.clock.move(500)
    assert [one.id for one in await world.claim()] == [event.deliveries[0].id for event in events]


async def test_a_fifo_claim_given_back_keeps_its_place(world: World) -> None:
    """Released deliveries are the head again."""
    application = await world.application()
    webhook = await world.webhook(application, order=Order.FIFO)
    await world.publish(application, webhook, count=3)
    claimed = await world.claim(limit=2)
    await world.store.release(world.node, [ClaimRef(one.id, one.claim) for one in claimed], world.now)
    assert [one.id for one in await world.claim(limit=2)] == [one.id for one in claimed]


async def test_fifo_beside_any(world: World) -> None:
    """A fifo webhook and another share a claim."""
    application = await world.application()
    ordered = await world.webhook(application, order=Order.FIFO)
    free = await world.webhook(application)
    await world.publish(application, ordered, free, count=3)
    claimed = await world.claim(per_webhook=2)
    assert sorted(one.webhook_id for one in claimed) == sorted([ordered.id] * 2 + [free.id] * 2)
