"""record and release: the fence, chains of attempts, bad data."""

import msgspec
import pytest

from hookspan.domain.states import Cause, DeliveryReason, DeliveryState
from hookspan.store.contract import ClaimRef
from tests.contract.world import World

pytestmark = pytest.mark.anyio


async def test_an_outcome_is_written_with_its_attempt(world: World) -> None:
    """State, counts, times and the attempt's every byte can be read back."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    [claimed] = await world.claim()
    result = world.result(claimed, status=201)
    assert await world.record(result) == frozenset()
    delivery = await world.delivery(application, claimed.id)
    assert (delivery.state, delivery.reason, delivery.is_claimed) == (DeliveryState.SUCCEEDED, None, False)
    assert (delivery.attempt_count, delivery.last_response_status) == (1, 201)
    assert (delivery.finished_at, delivery.next_attempt_at) == (world.now, None)
    assert delivery.round_started_at == world.now
    assert await world.store.attempts_of(delivery) == [result.attempt]


async def test_a_retry_is_scheduled_and_comes_back(world: World) -> None:
    """A pending outcome is claimed again when it is due, with its history and a new claim number."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    [first] = await world.claim()
    await world.record(world.result(first, DeliveryState.PENDING, retry_in=5_000))
    assert await world.claim() == []
    world.clock.move(5_000)
    [second] = await world.claim()
    assert (first.cause, second.cause) == (Cause.FIRST, Cause.RETRY)
    assert (second.claim, second.attempt_count, second.round_attempts) == (first.claim + 1, 1, 1)
    assert second.round_started_at == world.now - 5_000
    await world.finish([second], DeliveryState.FAILED)
    delivery = await world.delivery(application, first.id)
    assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, DeliveryReason.EXHAUSTED)
    chain = await world.store.attempts_of(delivery)
    assert [one.number for one in chain] == [1, 2]
    assert chain[1].previous_attempt_id == chain[0].id


async def test_a_late_result_of_a_reclaimed_delivery_is_refused(world: World) -> None:
    """Released and claimed again by the same node: the node's name alone would let the old result overwrite it."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    [old] = await world.claim()
    await world.store.release(world.node, [ClaimRef(old.id, old.claim)], world.now)
    [new] = await world.claim()
    assert new.claim > old.claim
    assert await world.record(world.result(old, DeliveryState.FAILED)) == {old.id}
    await world.finish([new])
    assert await world.record(world.result(old, DeliveryState.FAILED)) == {old.id}
    delivery = await world.delivery(application, new.id)
    assert delivery.state is DeliveryState.SUCCEEDED
    assert len(await world.store.attempts_of(delivery)) == 1


async def test_a_result_of_another_node_is_refused(world: World) -> None:
    """The claim number alone is no fence either."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    [claimed] = await world.claim()
    result = world.result(claimed)
    assert await world.store.record(world.node + 1, [result]) == {claimed.id}
    assert (await world.delivery(application, claimed.id)).is_claimed
    assert await world.record(result) == frozenset()


async def test_late_results_do_not_hold_up_the_others(world: World) -> None:
    """Of a batch only the late ones are refused; their attempts are not kept."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=300)
    claimed = await world.claim()
    late = claimed[::7]
    await world.store.release(world.node, [ClaimRef(one.id, one.claim) for one in late], world.now)
    refused = await world.record(*(world.result(one) for one in claimed))
    assert refused == {one.id for one in late}
    deliveries = await world.deliveries(application)
    assert {one.id for one in deliveries if one.state is DeliveryState.PENDING} == refused
    assert {one.id for one in deliveries if one.last_attempt_id is None} == refused


async def test_an_old_and_a_new_result_of_one_delivery_in_one_batch(world: World) -> None:
    """The one whose claim holds is written, the other is late."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    [old] = await world.claim()
    await world.store.release(world.node, [ClaimRef(old.id, old.claim)], world.now)
    [new] = await world.claim()
    assert await world.record(world.result(old, DeliveryState.FAILED), world.result(new)) == {new.id}
    delivery = await world.delivery(application, new.id)
    assert delivery.state is DeliveryState.SUCCEEDED
    assert len(await world.store.attempts_of(delivery)) == 1


async def test_a_delivery_that_was_dropped_is_late(world: World) -> None:
    """A result for a delivery that is not there any more writes nothing, and makes nothing."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=2)
    first, second = await world.claim()
    ghost = msgspec.structs.replace(world.result(first), delivery_id=12_345)
    assert await world.record(ghost, world.result(first), world.result(second)) == {12_345}
    assert len(await world.deliveries(application)) == 2


async def test_a_result_without_an_attempt(world: World) -> None:
    """A delivery can be given up without a request: what is known of its last attempt stays."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    [first] = await world.claim()
    await world.record(world.result(first, DeliveryState.PENDING, retry_in=0, status=500))
    [second] = await world.claim()
    before = await world.delivery(application, second.id)
    await world.record(
        world.result(second, DeliveryState.FAILED, attempt=None, attempt_count=1, reason=DeliveryReason.EXPIRED)
    )
    after = await world.delivery(application, second.id)
    assert (after.state, after.reason) == (DeliveryState.FAILED, DeliveryReason.EXPIRED)
    assert (after.last_attempt_id, after.last_response_status) == (before.last_attempt_id, 500)


async def test_one_bad_row_does_not_stop_the_recorder(world: World) -> None:
    """A result that the database refuses (here an attempt's id given twice) costs its attempt, not the batch."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=20)
    claimed = await world.claim()
    results = [world.result(one) for one in claimed]
    taken = results[3].attempt
    assert taken is not None
    assert results[11].attempt is not None
    results[11] = msgspec.structs.replace(
        results[11], attempt=msgspec.structs.replace(results[11].attempt, id=taken.id)
    )
    assert await world.record(*results) == frozenset()
    deliveries = await world.deliveries(application)
    assert {one.state for one in deliveries} == {DeliveryState.SUCCEEDED}
    assert len([one for one in deliveries if one.last_attempt_id is None]) == 1


async def test_recording_nothing_is_fine(world: World) -> None:
    """An empty batch needs no commit."""
    assert await world.store.record(world.node, []) == frozenset()
    await world.store.release(world.node, [], world.now)


async def test_released_deliveries_are_due_and_unharmed(world: World) -> None:
    """A claim given back unsent counts neither as an attempt nor as an orphan; a foreign claim is left alone."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=2)
    first, second = await world.claim()
    await world.store.release(
        world.node, [ClaimRef(first.id, first.claim), ClaimRef(second.id, second.claim + 1)], world.now + 50
    )
    assert (await world.delivery(application, first.id)).next_attempt_at == world.now + 50
    assert (await world.delivery(application, second.id)).is_claimed
    world.clock.move(50)
    [again] = await world.claim()
    assert (again.id, again.attempt_count, again.orphan_count) == (first.id, 0, 0)
