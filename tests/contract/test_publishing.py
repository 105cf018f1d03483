"""append: positions, versions, duplicates."""

import asyncio

import msgspec
import pytest

from hookspan.domain.states import DeliveryState, WebhookStatus
from hookspan.store.contract import NewDelivery, NodeGone
from tests.contract.world import ALL, World

pytestmark = pytest.mark.anyio


async def test_positions_are_gap_free_and_follow_commit_order(world: World) -> None:
    """However publishes of many applications meet, each application counts 1, 2, 3 in the order of commits."""
    applications = [await world.application() for _ in range(3)]
    batches = [
        [world.event(application) for application in applications for _ in range(1 + number % 3)]
        for number in range(20)
    ]
    versions = await world.versions([event for batch in batches for event in batch])
    done = await asyncio.gather(*(world.store.append(world.node, batch, versions, world.fan_out) for batch in batches))
    for application in applications:
        given = [
            one.position
            for batch, appended in zip(batches, done, strict=True)
            for event, one in zip(batch, appended.events, strict=True)
            if event.application_id == application.id
        ]
        counted = list(range(1, len(given) + 1))
        assert sorted(given) == counted
        assert given == counted or world.store.is_shared, "one writer goes in the order of calls"
        kept = await world.store.events_after(application.id, 0, 1_000)
        assert [event.position for event in kept] == counted
        assert await world.last_position(application) == len(given)


async def test_an_event_is_kept_as_it_was_given(world: World) -> None:
    """Content, context and body come back byte for byte, whether the content lies in the body or beside it."""
    application = await world.application()
    inside = msgspec.structs.replace(
        world.event(application, body=b'{"data":{"b": 2}}'), content_at=8, content_bytes=8, context=b'{"c":3}'
    )
    beside = msgspec.structs.replace(
        world.event(application, publisher_id="p1", body=b"rendered"),
        content=b'{ "d": 4 }',
        content_at=-1,
        content_bytes=0,
    )
    await world.append(inside, beside)
    first = await world.store.get_event(application.id, inside.id)
    second = await world.store.get_event(application.id, beside.id)
    assert first is not None
    assert second is not None
    assert (first.content, first.context, first.body) == (b'{"b": 2}', b'{"c":3}', b'{"data":{"b": 2}}')
    assert (second.content, second.context, second.body) == (b'{ "d": 4 }', None, b"rendered")
    assert (first.publisher_id, second.publisher_id) == (None, "p1")
    assert (first.type, first.occurred_at, first.accepted_at) == ("user.created", world.now - 5, world.now)


async def test_deliveries_are_claimed_at_birth_or_due(world: World) -> None:
    """A delivery that the publishing node holds is in nobody else's reach; another is due at once."""
    application = await world.application()
    webhook = await world.webhook(application)
    [held] = await world.publish(application, webhook, is_claimed=True)
    [free] = await world.publish(application, webhook)
    first = await world.delivery(application, held.deliveries[0].id)
    second = await world.delivery(application, free.deliveries[0].id)
    assert (first.is_claimed, first.next_attempt_at) == (True, None)
    assert (second.is_claimed, second.next_attempt_at) == (False, world.now)
    assert {first.state, second.state} == {DeliveryState.PENDING}
    assert [one.id for one in await world.claim()] == [second.id]


async def test_a_stale_version_is_planned_anew_inside_the_transaction(world: World) -> None:
    """An event planned with old webhooks gets the deliveries that the present ones ask for, and the caller is told."""
    application = await world.application()
    other = await world.application()
    old = await world.webhook(application)
    event = world.event(application, old, is_claimed=True)
    bystander = world.event(other)
    versions = await world.versions([event, bystander])
    new = await world.webhook(application)
    await world.move(old, WebhookStatus.DISABLED)

    appended = await world.store.append(world.node, [event, bystander], versions, world.fan_out)

    assert [one.application.id for one in appended.refreshed] == [application.id]
    assert {one.id for one in appended.refreshed[0].webhooks} == {old.id, new.id}
    [made] = appended.events[0].deliveries
    assert (made.webhook_id, made.is_claimed) == (new.id, False)
    assert appended.events[1].deliveries == bystander.deliveries
    assert [one.webhook_id for one in await world.deliveries(application)] == [new.id]


async def test_a_fresh_version_keeps_the_plan(world: World) -> None:
    """Nothing is read anew while the version holds."""

    def never(*_: object) -> tuple[NewDelivery, ...]:
        raise AssertionError

    application = await world.application()
    webhook = await world.webhook(application)
    event = world.event(application, webhook)
    appended = await world.store.append(world.node, [event], await world.versions([event]), never)
    assert appended.refreshed == ()
    assert appended.events[0].deliveries == event.deliveries


async def test_events_of_an_application_that_is_gone_are_not_kept(world: World) -> None:
    """The others of the batch are; a gap is not left, nor a publisher id taken."""
    gone = await world.application()
    there = await world.application()
    await world.store.delete_application(gone.id, world.now)
    lost = world.event(gone, publisher_id="p")
    kept = world.event(there)
    appended = await world.append(lost, kept)
    assert appended.unknown == {gone.id}
    assert (appended.events[0].position, appended.events[0].is_duplicate) == (0, False)
    assert appended.events[1].position == 1
    assert await world.store.get_event(gone.id, lost.id) is None


async def test_a_repeated_publisher_id_is_the_earlier_event(world: World) -> None:
    """The same input again is a duplicate: the first event's id, no second delivery, no gap."""
    application = await world.application()
    webhook = await world.webhook(application)
    [first] = await world.publish(application, webhook, publisher_id="p1")
    again = world.event(application, webhook, publisher_id="p1")
    fresh = world.event(application, webhook, publisher_id="p2")
    appended = await world.append(again, fresh)
    duplicate, kept = appended.events
    assert (duplicate.event_id, duplicate.position, duplicate.is_duplicate) == (first.id, 0, True)
    assert duplicate.deliveries == ()
    assert (kept.event_id, kept.position, kept.is_duplicate) == (fresh.id, 2, False)
    assert len(await world.deliveries(application)) == 2


async def test_a_publisher_id_with_another_input_is_a_conflict(world: World) -> None:
    """Nothing of it is kept, and the earlier event is untouched."""
    application = await world.application()
    [first] = await world.publish(application, publisher_id="p1")
    other = world.event(application, publisher_id="p1", body=b'{"a":2}')
    [one] = (await world.append(other)).events
    assert (one.position, one.is_duplicate, one.is_conflict) == (0, False, True)
    assert await world.store.get_event(application.id, other.id) is None
    kept = await world.store.get_event(application.id, first.id)
    assert kept is not None
    assert kept.body == first.body


async def test_publisher_ids_may_repeat_within_one_batch(world: World) -> None:
    """The first of the batch wins; the same again is a duplicate of it, another input a conflict."""
    application = await world.application()
    first = world.event(application, publisher_id="p")
    same = world.event(application, publisher_id="p")
    other = world.event(application, publisher_id="p", body=b"{}")
    last = world.event(application)
    appended = await world.append(first, same, other, last)
    assert [one.position for one in appended.events] == [1, 0, 0, 2]
    assert [one.is_duplicate for one in appended.events] == [False, True, False, False]
    assert [one.is_conflict for one in appended.events] == [False, False, True, False]
    assert appended.events[1].event_id == first.id


async def test_publisher_ids_are_each_applications_own(world: World) -> None:
    """Two applications may use the same one."""
    one, other = await world.application(), await world.application()
    appended = await world.append(world.event(one, publisher_id="p"), world.event(other, publisher_id="p"))
    assert [event.position for event in appended.events] == [1, 1]


async def test_publishing_with_a_node_that_is_gone_is_refused(world: World) -> None:
    """A node that was taken out of the register keeps nothing, and no publisher id is taken in its name."""
    application = await world.application()
    event = world.event(application, publisher_id="p")
    await world.store.deregister_node(world.node, world.now)
    with pytest.raises(NodeGone):
        await world.append(event)
    await world.register()
    assert (await world.append(event)).events[0].position == 1


async def test_a_large_batch_is_one_commit(world: World) -> None:
    """A thousand events with two deliveries each, and all are there."""
    application = await world.application()
    webhooks = [await world.webhook(application), await world.webhook(application)]
    await world.publish(application, *webhooks, count=1_000)
    assert await world.last_position(application) == 1_000
    assert len(await world.store.list_events(application.id, ALL, event_types=None, publisher_id=None)) == 1_000
    assert {
        webhook.id: waiting.count
        for webhook, waiting in zip(
            webhooks, (await world.store.waiting([one.id for one in webhooks])).values(), strict=True
        )
    } == {webhook.id: 1_000 for webhook in webhooks}


async def test_a_batch_that_fails_leaves_nothing(world: World) -> None:
    """All or nothing: when planning anew fails, no event and no position of the batch is kept, and others are."""

    def fails(*_: object) -> tuple[NewDelivery, ...]:
        raise ZeroDivisionError

    application = await world.application()
    fine = world.event(application)
    broken = world.event(application, publisher_id="p")
    versions = await world.versions([fine])
    done = await asyncio.gather(
        world.store.append(world.node, [broken], {application.id: 0}, fails),
        world.store.append(world.node, [fine], versions, world.fan_out),
        return_exceptions=True,
    )
    assert isinstance(done[0], ZeroDivisionError)
    assert not isinstance(done[1], BaseException)
    assert done[1].events[0].position == 1
    assert (await world.append(broken)).events[0].position == 2
