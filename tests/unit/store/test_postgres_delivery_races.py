"""Deliveries that a person changes while nodes claim and record them, and stalls that are handed on meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from hookspan.domain.records import Application, Webhook
from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, Order, WebhookStatus
from hookspan.errors import StateForbidden
from hookspan.store.contract import ClaimRef
from tests.contract.world import World
from tests.unit.store.postgres_nodes import Nodes, at_once, two_nodes
from tests.unit.store.racing import ALL_IDS, beside, send, waits

pytestmark = pytest.mark.anyio


@pytest.fixture
async def nodes() -> AsyncIterator[Nodes]:
    async with two_nodes() as nodes:
        yield nodes


def claim(connection: psycopg.Connection[tuple[Any, ...]], node: int, delivery_id: int) -> ClaimRef:
    """Another node's claim, not yet committed."""
    text = "update delivery set node = %s, claim = claim + 1 where id = %s and node = 0 returning id, claim"
    row = connection.execute(text, (node, delivery_id)).fetchone()
    assert row is not None
    return ClaimRef(*row)


async def test_what_is_being_claimed_is_not_cancelled(nodes: Nodes) -> None:
    """Who cancels it or asks for it at once waits for the claim, and is told that it is being sent."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application)
    [event] = await one.publish(application, webhook)
    ident = event.deliveries[0].id
    for call in (
        lambda: one.store.cancel_delivery(application.id, ident, DeliveryReason.PERSON, one.now),
        lambda: one.store.reopen_delivery(application.id, ident, Cause.MANUAL, one.now),
    ):
        with beside(nodes) as claimer:
            ref = claim(claimer, other.node, ident)
            calling = asyncio.create_task(call())
            await waits(nodes)
        with pytest.raises(StateForbidden, match="sent right now"):
            await calling
        await other.store.release(other.node, [ref], other.now)
    assert (await one.delivery(application, ident)).state is DeliveryState.PENDING


async def test_a_cancellation_meets_an_outcome(nodes: Nodes) -> None:
    """Whichever is first: recorded, it is refused; cancelled, the claim finds nothing. Never both."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application)
    for _ in range(12):
        [event] = await one.publish(application, webhook)
        ident = event.deliveries[0].id

        async def work() -> int:
            claimed = await other.claim()
            await other.finish(claimed)
            return len(claimed)

        cancelling = one.store.cancel_delivery(application.id, ident, DeliveryReason.PERSON, one.now)
        done, cancelled = await at_once(work(), cancelling)
        delivery = await one.delivery(application, ident)
        if isinstance(cancelled, StateForbidden):
            assert (done, delivery.state) == (1, DeliveryState.SUCCEEDED)
        else:
            assert (done, delivery.state) == (0, DeliveryState.CANCELLED)


async def test_a_claim_that_is_committed_after_a_skip_is_skipped_too(nodes: Nodes) -> None:
    """It began before; the sweep does not end until it is marked."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application)
    events = await one.publish(application, webhook, count=3)
    await one.move(webhook, WebhookStatus.DISABLED)
    with beside(nodes) as claimer:
        ref = claim(claimer, other.node, events[0].deliveries[0].id)
        await one.move(webhook, WebhookStatus.CATCHING_UP, keep=False)
        assert not (await one.store.catch_up(webhook.id, 10, lambda _type: True)).is_done
    await one.catch_up(webhook)
    assert (await one.delivery(application, ref.delivery_id)).is_claimed
    await other.store.release(other.node, [ref], other.now)
    assert {each.reason for each in await one.deliveries(application)} == {DeliveryReason.SKIPPED}


async def test_runs_are_given_once(nodes: Nodes) -> None:
    """However many send one event by hand at the same moment: each is a run of its own."""
    one, _ = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application)
    [event] = await one.publish(application)
    runs = await asyncio.gather(*(send(world, application, webhook, event.id) for world in nodes.worlds * 4))
    assert sorted(runs) == list(range(1, 9))


async def test_an_old_delivery_that_is_asked_for_again_is_found(nodes: Nodes) -> None:
    """Also where retention is noting at this moment that nothing so old is pending."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application)
    [event] = await one.publish(application, webhook)
    await one.finish(await one.claim())
    await one.store.expire(0, 0, 10, one.now)
    ident = event.deliveries[0].id
    with beside(nodes) as retention:
        retention.execute("update fact set value = %s where name = 'lowest_pending'", (ALL_IDS,))
        asking = asyncio.create_task(one.store.reopen_delivery(application.id, ident, Cause.MANUAL, one.now))
        await waits(nodes)
    assert await asking is not None
    assert [each.id for each in await other.claim()] == [ident]


async def stall(world: World, application: Application, webhook: Webhook) -> tuple[int, int]:
    """The head of a fifo webhook that has stalled, and what comes after it."""
    events = await world.publish(application, webhook, count=2)
    head, follower = await world.claim()
    stalled = world.result(head, DeliveryState.PENDING, next_attempt_at=None)
    await world.store.release(world.node, [ClaimRef(follower.id, follower.claim)], world.now)
    await world.record(stalled)
    assert head.id == events[0].deliveries[0].id
    return head.id, follower.id


async def test_a_stall_is_not_handed_on_past_a_success_by_hand(nodes: Nodes) -> None:
    """Who cancels the head waits for the outcome that lets everything go; nothing is stalled for ever."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application, order=Order.FIFO)
    head, follower = await stall(one, application, webhook)
    for _ in range(6):
        [event] = await other.publish(application)
        await send(other, application, webhook, event.id)
        [aside] = [each for each in await other.claim() if each.is_aside]
        accepted = other.result(aside, resumes=webhook.id)
        cancelling = one.store.cancel_delivery(application.id, head, DeliveryReason.PERSON, one.now)
        late, cancelled = await at_once(other.record(accepted), cancelling)
        assert late == frozenset()
        assert not isinstance(cancelled, BaseException)
        assert await one.store.stalled([webhook.id]) == {}
        claimed = await one.claim()
        assert follower in {each.id for each in claimed}
        await one.finish(claimed)
        head, follower = await stall(one, application, webhook)


async def test_an_expired_head_and_a_cancelled_one_hand_on_once(nodes: Nodes) -> None:
    """Retention and a person take the same head away: what comes next is stalled, and only that."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application, order=Order.FIFO)
    head, follower = await stall(one, application, webhook)
    [event] = nodes.query("select event_id from delivery where id = %s", head)
    expiring = other.store.expire(event[0] + 1, 0, 10, other.now)
    cancelling = one.store.cancel_delivery(application.id, head, DeliveryReason.PERSON, one.now)
    await at_once(expiring, cancelling)
    assert (await one.delivery(application, head)).state is not DeliveryState.PENDING
    assert list(await one.store.stalled([webhook.id])) == [webhook.id]
    assert (await one.delivery(application, follower)).next_attempt_at is None
    assert await one.claim() == []
