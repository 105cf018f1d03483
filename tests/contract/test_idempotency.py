"""Idempotency-Keys: taken by one, kept for a time, bounded in number; and publishing under them."""

import asyncio
from typing import Any

import msgspec
import pytest

from hookspan.domain.records import Application
from hookspan.store.contract import Appended, NewEvent
from hookspan.store.idempotency import (
    ANSWER_KEPT_MS,
    KEY_FORCE_MS,
    KEY_KEPT_MS,
    KeyedPublish,
    KeyOutcome,
    KeyState,
    KeyUse,
    TakenKey,
)
from tests.contract.world import World

pytestmark = pytest.mark.anyio

FRESH, REPLAYED, CONFLICT = KeyOutcome.FRESH, KeyOutcome.REPLAYED, KeyOutcome.CONFLICT


def use(world: World, key: str = "k", fingerprint: bytes = b"f", owner: str = "key:1", **changes: Any) -> KeyUse:
    one = KeyUse(owner, key, fingerprint, world.now, world.now - KEY_FORCE_MS)
    return msgspec.structs.replace(one, **changes)


async def take(world: World, one: KeyUse) -> TakenKey:
    """A key that there is room for."""
    taken = await world.store.take_key(one)
    assert taken is not None
    return taken


def under(one: KeyUse, *events: NewEvent) -> KeyedPublish:
    return KeyedPublish(one, tuple(event.id for event in events), tuple(range(len(events))))


async def publish(world: World, events: list[NewEvent], *keyed: KeyedPublish) -> Appended:
    return await world.store.append(world.node, events, await world.versions(events), world.fan_out, keyed)


async def test_a_key_is_taken_once(world: World) -> None:
    """Of fifty at once one is fresh; the others see it running."""
    taken = await asyncio.gather(*(take(world, use(world)) for _ in range(50)))
    assert sum(one.is_fresh for one in taken) == 1
    assert {(one.id, one.state, one.fingerprint) for one in taken} == {(taken[0].id, KeyState.RUNNING, b"f")}


async def test_what_became_of_it_is_kept(world: World) -> None:
    """Done with its answer, once; a running one can be given free, and then it is fresh again."""
    first = await take(world, use(world))
    assert await world.store.finish_key(first.id, KeyState.DONE, b"answer")
    assert not await world.store.finish_key(first.id, KeyState.INTERRUPTED, None)
    again = await take(world, use(world, fingerprint=b"other"))
    assert (again.is_fresh, again.state, again.answer, again.fingerprint) == (False, KeyState.DONE, b"answer", b"f")
    await world.store.forget_key(first.id)
    assert (await take(world, use(world))).is_fresh


async def test_keys_are_their_owners_own(world: World) -> None:
    """Two owners never meet."""
    assert (await take(world, use(world, owner="a"))).is_fresh
    assert (await take(world, use(world, owner="b"))).is_fresh
    assert not (await take(world, use(world, owner="a"))).is_fresh


async def test_keys_are_their_applications_own(world: World) -> None:
    """One that comes after another, by the same public id, has none of the other's; publishing too."""
    assert (await take(world, use(world, application_id=1))).is_fresh
    assert (await take(world, use(world, application_id=2))).is_fresh
    first, event = await two(world)
    await publish(world, event[:1], under(use(world, application_id=first.id), *event[:1]))
    second, event = await two(world)
    appended = await publish(world, event[:1], under(use(world, application_id=second.id), *event[:1]))
    assert appended.keyed == (FRESH,)


async def test_a_key_is_renewed_after_its_time(world: World) -> None:
    """To the millisecond; and the first one's end does not touch the second."""
    first = await take(world, use(world))
    world.clock.move(KEY_FORCE_MS)
    assert not (await take(world, use(world))).is_fresh
    world.clock.move(1)
    assert not (await take(world, use(world, free_below=0))).is_fresh
    second = await take(world, use(world))
    assert second.is_fresh
    assert not await world.store.finish_key(first.id, KeyState.DONE, b"late")
    assert await world.store.finish_key(second.id, KeyState.DONE, b"answer")


async def test_retention_drops_answers_then_keys(world: World) -> None:
    """The answer after a day, the key after a week; the rest stays."""
    done = await take(world, use(world, "done"))
    await world.store.finish_key(done.id, KeyState.DONE, b"answer")
    world.clock.move(ANSWER_KEPT_MS)
    await take(world, use(world, "young"))
    await world.expire(0, 0)
    assert (await take(world, use(world, "done", free_below=0))).answer == b"answer"
    world.clock.move(1)
    await world.expire(0, 0)
    found = await take(world, use(world, "done", free_below=0))
    assert (found.id, found.state, found.answer) == (done.id, KeyState.DONE, None)
    world.clock.move(KEY_KEPT_MS - ANSWER_KEPT_MS)
    await world.expire(0, 0)
    assert not (await take(world, use(world, "young", free_below=0))).is_fresh
    assert (await take(world, use(world, "done", free_below=0))).is_fresh


async def test_retention_goes_in_chunks(world: World) -> None:
    """A turn takes at most what it is told, and says that there is more."""
    for number in range(5):
        await take(world, use(world, str(number)))
    world.clock.move(KEY_KEPT_MS + 1)
    turns = await world.expire(0, 0, limit=2)
    assert [one.is_done for one in turns] == [False, False, True]


async def test_running_ones_are_interrupted_by_the_end_of_their_process(world: World, make_store: Any) -> None:
    """After a restart nobody knows how far it came; what was done stays done."""
    done = await take(world, use(world, "done"))
    await world.store.finish_key(done.id, KeyState.DONE, b"answer")
    await take(world, use(world, "running"))
    await world.store.close()
    store = make_store()
    await store.open()
    await store.deregister_node(world.node, world.now)  # where several nodes live it has to be found dead first
    try:
        assert (await store.take_key(use(world, "running"))).state is KeyState.INTERRUPTED
        assert (await store.take_key(use(world, "done"))).answer == b"answer"
    finally:
        await store.close()


async def two(world: World) -> tuple[Application, list[NewEvent]]:
    application = await world.application()
    return application, [world.event(application), world.event(application)]


async def test_a_publish_under_a_key_is_kept_once(world: World) -> None:
    """The same again, also after a restart's time, tells the same events, and takes no position."""
    application, first = await two(world)
    again = [world.event(application), world.event(application)]
    one = await publish(world, first, under(use(world), *first))
    assert one.keyed == (FRESH,)
    assert [event.position for event in one.events] == [1, 2]
    two_ = await publish(world, again, under(use(world), *again))
    assert two_.keyed == (REPLAYED,)
    assert [(event.event_id, event.position, event.is_duplicate) for event in two_.events] == [
        (first[0].id, 0, True),
        (first[1].id, 0, True),
    ]
    assert await world.last_position(application) == 2


async def test_in_one_commit_too(world: World) -> None:
    """Fifty of the same, beside others with and without keys: one of them is kept."""
    application = await world.application()
    webhook = await world.webhook(application)
    alike = [world.event(application, webhook) for _ in range(50)]
    other = world.event(application)
    conflict = world.event(application)
    keyed = [under(use(world), one) for one in alike]
    keyed.insert(25, under(use(world, fingerprint=b"g"), conflict))
    plain = world.event(application)
    appended = await publish(world, [plain, *alike, conflict, other], *keyed, under(use(world, "other"), other))
    assert appended.keyed.count(FRESH) == 2
    assert appended.keyed.count(REPLAYED) == 49
    assert appended.keyed[25] is CONFLICT
    assert {event.event_id for event in appended.events[1:51]} == {alike[0].id}
    assert await world.last_position(application) == 3
    assert len(await world.deliveries(application)) == 1


async def test_another_body_is_kept_in_no_part(world: World) -> None:
    """Also where it is longer, or has publisher ids of its own."""
    application, first = await two(world)
    await publish(world, first, under(use(world), *first))
    longer = [*(await two(world))[1], world.event(application, publisher_id="own")]
    appended = await publish(world, longer, under(use(world, fingerprint=b"g"), *longer))
    assert appended.keyed == (CONFLICT,)
    assert await world.last_position(application) == 2
    own = world.event(application, publisher_id="own")
    assert (await publish(world, [own])).events[0].position == 3


async def test_other_places_are_another_request(world: World) -> None:
    """The same bytes, of which other members can be kept since the catalog has changed."""
    application, first = await two(world)
    await publish(world, first, under(use(world), *first))
    again = world.event(application)
    assert (await publish(world, [again], under(use(world), again))).keyed == (CONFLICT,)


async def test_publisher_ids_go_on_beside_keys(world: World) -> None:
    """A member that was a duplicate, or in conflict, the first time is so again."""
    application = await world.application()
    taken = world.event(application, publisher_id="p", body=b"1")
    await publish(world, [taken])

    def members() -> list[NewEvent]:
        return [
            world.event(application, publisher_id="p", body=b"1"),
            world.event(application, publisher_id="p", body=b"2"),
            world.event(application),
        ]

    first, again = members(), members()
    one = await publish(world, first, under(use(world), *first))
    two_ = await publish(world, again, under(use(world), *again))
    assert [event.is_conflict for event in one.events] == [False, True, False]
    assert [event.is_conflict for event in two_.events] == [False, True, False]
    assert [event.event_id for event in two_.events[::2]] == [taken.id, first[2].id]


async def test_where_nothing_is_kept_the_key_stays_free(world: World) -> None:
    """A conflict of the publisher's own id, and an application that is gone."""
    application = await world.application()
    await publish(world, [world.event(application, publisher_id="p", body=b"1")])
    refused = world.event(application, publisher_id="p", body=b"2")
    await publish(world, [refused], under(use(world), refused))
    good = world.event(application)
    assert (await publish(world, [good], under(use(world, fingerprint=b"g"), good))).keyed == (FRESH,)
    gone = await world.application()
    await world.store.delete_application(gone.id, world.now)
    events = [world.event(gone), world.event(gone)]
    appended = await publish(world, events, *(under(use(world, "gone"), one) for one in events))
    assert appended.unknown == {gone.id}
    assert {event.position for event in appended.events} == {0}
    assert (await take(world, use(world, "gone"))).is_fresh


async def test_a_key_of_another_kind_of_request_is_in_conflict(world: World) -> None:
    """Whatever became of that."""
    _, [event, _] = await two(world)
    await take(world, use(world, fingerprint=b"other"))
    assert (await publish(world, [event], under(use(world), event))).keyed == (CONFLICT,)
