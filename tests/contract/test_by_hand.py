"""send_aside, stalled deliveries, tests: what people do beside the queue."""

import msgspec
import pytest

from hookspan.domain.records import AlsoSign, Attempt
from hookspan.domain.states import Cause, DeliveryState, Order, VerdictKind, WebhookStatus
from hookspan.errors import StateForbidden
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
