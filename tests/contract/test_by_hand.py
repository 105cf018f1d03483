"""send_aside, stalled deliveries, tests: what people do beside the queue."""

import msgspec
import pytest

from hookspan.domain.records import AlsoSign, Attempt
from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, Order, VerdictKind, WebhookStatus
from hookspan.errors import StateForbidden
from hookspan.ids import DELIVERY_PREFIX, first_id_at, to_text
from hookspan.store.contract import Claimed, ClaimRef, NewAside, Result, WebhookChange
from tests.contract.world import ALL, World

pytestmark = pytest.mark.anyio


async def send(world: World, application, webhook, event):
    new = NewAside(
        id=world.ids.make(),
        application_id=application.id,
        webhook_id=webhook.id,
        event_id=event.id,
        cause=Cause.SEND,
    )
    return await world.store.send_aside(new, world.now)


def stalled(world: World, claimed: Claimed) -> Result:
    """It was tried for the last time, and waits for a person."""
    return world.result(claimed, DeliveryState.PENDING, next_attempt_at=None)


async def test_a_send_is_a_run_of_its_own(world: World) -> None:
    """Run 0 is the original's, also where there is none yet; each send is the next run."""
    application = await world.application()
    webhook = await world.webhook(application, WebhookStatus.DISABLED)
    [event] = await world.publish(application)
    first, second = await send(world, application, webhook, event), await send(world, application, webhook, event)
    assert (first.run, second.run) == (1, 2)
    assert first.state is DeliveryState.PENDING
    assert first.next_attempt_at == world.now


async def test_sends_are_claimed_first_whatever_the_webhook_is(world: World) -> None:
    """Disabled, or fifo behind a claimed head: a send is claimed, with its cause, before what waits in queues."""
    application = await world.application()
    off = await world.webhook(application, WebhookStatus.DISABLED)
    fifo = await world.webhook(application, order=Order.FIFO)
    [event] = await world.publish(application, fifo)
    [head] = await world.claim()
    [other] = await world.publish(application, fifo)
    sends = [await send(world, application, one, event) for one in (off, fifo)]
    claimed = await world.claim()
    assert [one.id for one in claimed] == [one.id for one in sends]
    assert all(one.is_aside and one.cause is Cause.SEND for one in claimed)
    assert not head.is_aside
    assert other.deliveries[0].id not in {one.id for one in claimed}


async def test_of_a_webhook_that_is_off_only_first_attempts_are_claimed(world: World) -> None:
    """A send that failed for the receiver's reason waits until the webhook is on; next_due_at leaves it out too."""
    application = await world.application()
    webhook = await world.webhook(application, WebhookStatus.DISABLED)
    [event] = await world.publish(application)
    await send(world, application, webhook, event)
    assert await world.store.next_due_at([]) == world.now
    [claimed] = await world.claim()
    retry = world.result(claimed, DeliveryState.PENDING, next_attempt_at=world.now)
    assert await world.store.record(world.node, [retry]) == frozenset()
    assert await world.claim() == []
    assert await world.store.next_due_at([]) is None


async def test_what_is_unknown_is_not_sent(world: World) -> None:
    """Another application's event is none; a webhook that was deleted is refused."""
    application, other = await world.application(), await world.application()
    webhook = await world.webhook(application)
    [foreign] = await world.publish(other)
    [event] = await world.publish(application, webhook)
    assert await send(world, application, webhook, foreign) is None
    await world.store.set_webhook_status(
        webhook.id, WebhookStatus.DELETED, None, keep=True, expected_version=None, changed_at=world.now
    )
    with pytest.raises(StateForbidden):
        await send(world, application, webhook, event)


async def test_a_stalled_head_holds_back_the_others(world: World) -> None:
    """Pending, unclaimed, without a next attempt: it is claimed by nobody, nor is what stands behind it."""
    application = await world.application()
    webhook = await world.webhook(application, order=Order.FIFO)
    await world.publish(application, webhook, count=3)
    head, *followers = await world.claim()
    await world.store.release(world.node, [ClaimRef(one.id, one.claim) for one in followers], world.now)
    assert await world.store.record(world.node, [stalled(world, head)]) == frozenset()
    world.clock.move(10**9)
    assert await world.claim() == []
    assert await world.store.next_due_at([]) is None
    since = (await world.store.attempts_of(await world.delivery(application, head.id)))[-1].started_at
    assert await world.store.stalled([webhook.id, 17]) == {webhook.id: since}


@pytest.mark.parametrize("order", list(Order))
async def test_a_result_that_resumes_opens_a_new_round(world: World, order: Order) -> None:
    """In the same commit: round + 1, its window anew, cause resend. Once more is no harm."""
    application = await world.application()
    webhook = await world.webhook(application, order=order)
    [event] = await world.publish(application, webhook)
    [head] = await world.claim()
    await world.store.record(world.node, [stalled(world, head)])
    await send(world, application, webhook, event)
    [by_hand] = await world.claim()
    accepted = msgspec.structs.replace(world.result(by_hand, DeliveryState.SUCCEEDED), resumes=webhook.id)
    assert await world.store.record(world.node, [accepted]) == frozenset()
    assert await world.store.stalled([webhook.id]) == {}
    [resent] = await world.claim()
    assert (resent.id, resent.round, resent.cause, resent.round_attempts) == (head.id, 1, Cause.RESEND, 0)
    assert resent.round_started_at is None


async def test_a_late_result_resumes_nothing(world: World) -> None:
    """Its claim was lost, so it says nothing, whatever it says."""
    application = await world.application()
    webhook = await world.webhook(application)
    [event] = await world.publish(application, webhook)
    [head] = await world.claim()
    await world.store.record(world.node, [stalled(world, head)])
    await send(world, application, webhook, event)
    [by_hand] = await world.claim()
    late = msgspec.structs.replace(
        world.result(by_hand, DeliveryState.SUCCEEDED), claim=by_hand.claim - 1, resumes=webhook.id
    )
    assert await world.store.record(world.node, [late]) == {by_hand.id}
    assert list(await world.store.stalled([webhook.id])) == [webhook.id]


async def test_switching_on_resumes(world: World) -> None:
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    [head] = await world.claim()
    await world.store.record(world.node, [stalled(world, head)])
    for status in (WebhookStatus.DISABLED, WebhookStatus.CATCHING_UP):
        assert list(await world.store.stalled([webhook.id])) == [webhook.id]
        await world.store.set_webhook_status(
            webhook.id, status, None, keep=True, expected_version=None, changed_at=world.now
        )
    assert await world.store.stalled([webhook.id]) == {}


async def stalled_head(world: World, application, webhook, count: int = 3):
    """A fifo webhook whose head has stalled; what its claim was, and what waits behind it, oldest first."""
    events = await world.publish(application, webhook, count=count)
    head, *followers = await world.claim()
    await world.store.release(world.node, [ClaimRef(one.id, one.claim) for one in followers], world.now)
    assert await world.store.record(world.node, [stalled(world, head)]) == frozenset()
    return head, [event.deliveries[0].id for event in events[1:]]


async def cancel(world: World, application, delivery_id: int) -> None:
    await world.store.cancel_delivery(application.id, delivery_id, DeliveryReason.PERSON, world.now)


async def test_who_cancels_a_stalled_head_hands_the_stall_on(world: World) -> None:
    """Only what is sent by hand ends a stall: it passes to the next in order, with its time and its used-up round."""
    application = await world.application()
    webhook = await world.webhook(application, order=Order.FIFO)
    head, followers = await stalled_head(world, application, webhook)
    since = await world.store.stalled([webhook.id])
    for cancelled, heir in zip([head.id, followers[0]], followers, strict=True):
        world.clock.move(60_000)
        await cancel(world, application, cancelled)
        assert await world.claim() == []
        assert await world.store.next_due_at([]) is None
        assert (await world.delivery(application, heir)).next_attempt_at is None
        assert await world.store.stalled([webhook.id]) == since
    await world.store.reopen_delivery(application.id, followers[1], Cause.MANUAL, world.now)
    [by_hand] = await world.claim()
    assert (by_hand.id, by_hand.attempt_count) == (followers[1], 0)
    assert (by_hand.round_attempts, by_hand.round_started_at) == (1, world.now - 120_000)
    assert await world.store.record(world.node, [stalled(world, by_hand)]) == frozenset()
    await cancel(world, application, followers[1])
    assert await world.store.stalled([webhook.id]) == {}


async def test_what_is_handed_a_stall_goes_on_when_it_ends(world: World) -> None:
    application = await world.application()
    webhook = await world.webhook(application, order=Order.FIFO)
    head, followers = await stalled_head(world, application, webhook)
    await cancel(world, application, head.id)
    [event] = await world.publish(application)
    await send(world, application, webhook, event)
    [by_hand] = await world.claim()
    accepted = msgspec.structs.replace(world.result(by_hand, DeliveryState.SUCCEEDED), resumes=webhook.id)
    await world.store.record(world.node, [accepted])
    resent, other = await world.claim()
    assert [resent.id, other.id] == followers
    assert (resent.round, resent.cause, resent.round_started_at) == (1, Cause.RESEND, None)


async def test_one_that_is_cancelled_behind_a_stalled_head_hands_nothing_on(world: World) -> None:
    """Nor does a head that is only scheduled, and where there is no order each is stalled by itself."""
    application = await world.application()
    fifo, other = await world.webhook(application, order=Order.FIFO), await world.webhook(application)
    head, followers = await stalled_head(world, application, fifo)
    await cancel(world, application, followers[0])
    last = await world.delivery(application, followers[1])
    assert last.next_attempt_at == world.now
    await world.store.reopen_delivery(application.id, head.id, Cause.MANUAL, world.now)
    await cancel(world, application, head.id)
    assert await world.store.stalled([fifo.id]) == {}
    one, _ = await stalled_head(world, application, other, count=2)
    await cancel(world, application, one.id)
    assert await world.store.stalled([other.id]) == {}


async def test_a_stall_is_not_handed_to_what_is_in_flight(world: World) -> None:
    """For a moment a node may still hold what comes next; who cancels then is asked to try again."""
    application = await world.application()
    webhook = await world.webhook(application, order=Order.FIFO)
    await world.publish(application, webhook, count=2)
    head, follower = await world.claim()
    await world.store.record(world.node, [stalled(world, head)])
    with pytest.raises(StateForbidden, match="again"):
        await cancel(world, application, head.id)
    assert list(await world.store.stalled([webhook.id])) == [webhook.id]
    await world.store.release(world.node, [ClaimRef(follower.id, follower.claim)], world.now)
    await cancel(world, application, head.id)
    assert await world.claim() == []


async def test_a_stalled_head_that_expires_hands_the_stall_on(world: World) -> None:
    """Retention of a part or of all of them: whatever is left waits for a person."""
    application = await world.application()
    webhook = await world.webhook(application, order=Order.FIFO)
    head, _ = await stalled_head(world, application, webhook, count=4)
    world.clock.move(1_000)
    border = first_id_at(world.now)
    [young] = await world.publish(application, webhook)
    await world.expire(border, 0, limit=2)
    assert (await world.delivery(application, head.id)).reason is DeliveryReason.EXPIRED
    assert await world.claim() == []
    assert (await world.delivery(application, young.deliveries[0].id)).next_attempt_at is None
    assert await world.store.stalled([webhook.id]) == {webhook.id: world.now - 1_000}


async def test_a_retry_behind_a_stalled_head_is_refused(world: World) -> None:
    """It would move nothing; the refusal names what it waits for. The head itself, and what is older, may go."""
    application = await world.application()
    webhook = await world.webhook(application, order=Order.FIFO)
    [oldest] = await world.publish(application, webhook)
    await world.finish(await world.claim())
    head, followers = await stalled_head(world, application, webhook)
    await cancel(world, application, followers[1])
    for behind in followers:
        before = await world.delivery(application, behind)
        with pytest.raises(StateForbidden, match=to_text(DELIVERY_PREFIX, head.id)):
            await world.store.reopen_delivery(application.id, behind, Cause.MANUAL, world.now)
        assert await world.delivery(application, behind) == before
    await world.store.reopen_delivery(application.id, oldest.deliveries[0].id, Cause.MANUAL, world.now)
    assert [one.id for one in await world.claim()] == [oldest.deliveries[0].id]
    await world.store.reopen_delivery(application.id, head.id, Cause.MANUAL, world.now)


async def test_a_retry_of_what_was_sent_aside_is_not_held_back(world: World) -> None:
    """It never waited for the queue."""
    application = await world.application()
    webhook = await world.webhook(application, order=Order.FIFO)
    await stalled_head(world, application, webhook)
    [event] = await world.publish(application)
    sent = await send(world, application, webhook, event)
    await world.finish(await world.claim(), DeliveryState.FAILED)
    await world.store.reopen_delivery(application.id, sent.id, Cause.MANUAL, world.now)
    assert [one.id for one in await world.claim()] == [sent.id]


async def test_a_late_claim_in_the_batch_keeps_nothing_from_going_on(world: World) -> None:
    """The careful way writes what holds, and resumes as the usual one does."""
    application = await world.application()
    webhook = await world.webhook(application)
    [event] = await world.publish(application, webhook)
    [head] = await world.claim()
    await world.store.record(world.node, [stalled(world, head)])
    await send(world, application, webhook, event)
    await send(world, application, webhook, event)
    by_hand, other = await world.claim()
    accepted = msgspec.structs.replace(world.result(by_hand, DeliveryState.SUCCEEDED), resumes=webhook.id)
    late = msgspec.structs.replace(world.result(other, DeliveryState.SUCCEEDED), claim=other.claim - 1)
    assert await world.store.record(world.node, [late, accepted]) == {other.id}
    assert await world.store.stalled([webhook.id]) == {}
    assert [one.id for one in await world.claim()] == [head.id]


async def test_a_test_is_kept_with_what_it_sent(world: World) -> None:
    """It belongs to no delivery, and is listed with the webhook's other attempts."""
    application = await world.application()
    webhook = await world.webhook(application)
    attempt = Attempt(
        id=world.ids.make(),
        delivery_id=None,
        webhook_id=webhook.id,
        event_id=None,
        number=1,
        round=0,
        cause=Cause.TEST,
        webhook_version=1,
        started_at=world.now,
        duration_us=12,
        verdict=VerdictKind.FAILED,
        retry_at=None,
        error=None,
        error_message=None,
        remote_address="203.0.113.9",
        request_headers=b"a: b\r\n",
        request_body=b'{"a":1}',
        response_status=418,
        response_headers=b"",
        response_body=b"\xff",
        response_bytes=1,
        previous_attempt_id=None,
    )
    await world.store.keep_test(attempt)
    assert await world.store.list_attempts(webhook.id, ALL) == [attempt]


async def test_a_second_profile_is_kept_changed_and_taken_away(world: World) -> None:
    application = await world.application()
    webhook = await world.webhook(application, also_sign=AlsoSign(profile="bridge-api", until=None))
    assert webhook.also_sign == AlsoSign(profile="bridge-api", until=None)
    change = WebhookChange(also_sign=AlsoSign(profile="standard", until=world.now + 1))
    found = [
        await world.store.update_webhook(webhook.id, one, None, world.now)
        for one in (change, WebhookChange(name="x"), WebhookChange(also_sign=None))
    ]
    assert [one and one.also_sign for one in found] == [change.also_sign, change.also_sign, None]
