"""Idempotency-Keys while several nodes take them: one effect, exact bounds, counts that are what they say."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from hookspan.domain.records import Application
from hookspan.store.contract import Appended, NewEvent
from hookspan.store.idempotency import KEY_FORCE_MS, KEY_KEPT_MS, KeyedPublish, KeyOutcome, KeyState, KeyUse, TakenKey
from hookspan.store.postgres import PostgresOptions
from tests.contract.world import World
from tests.unit.store.postgres_nodes import Nodes, at_once, two_nodes

pytestmark = pytest.mark.anyio

KEYS_MAX = 10
FRESH, REPLAYED, CONFLICT = KeyOutcome.FRESH, KeyOutcome.REPLAYED, KeyOutcome.CONFLICT


@pytest.fixture
async def nodes() -> AsyncIterator[Nodes]:
    options = PostgresOptions(keys_max=KEYS_MAX, key_answers_bytes_max=1_000, publish_keys_max=KEYS_MAX)
    async with two_nodes(options) as nodes:
        yield nodes


def use(world: World, key: str = "k", fingerprint: bytes = b"f", application_id: int = 0) -> KeyUse:
    return KeyUse("key:1", key, fingerprint, world.now, world.now - KEY_FORCE_MS, application_id)


async def take(world: World, key: KeyUse) -> TakenKey:
    """A key that there is room for."""
    taken = await world.store.take_key(key)
    assert taken is not None
    return taken


async def publish(world: World, event: NewEvent, key: KeyUse) -> Appended:
    keyed = KeyedPublish(key, (event.id,), (0,))
    return await world.store.append(world.node, [event], await world.versions([event]), world.fan_out, [keyed])


def check_tallies(nodes: Nodes) -> None:
    """What is counted is what is there."""
    counted = nodes.query("select application_id, is_publish, keys, bytes from idempotency_tally where keys > 0")
    there = nodes.query(
        "select application_id, is_publish, count(*), coalesce(sum(length(answer)), 0)::bigint "
        "from idempotency group by 1, 2"
    )
    assert sorted(counted) == sorted(there)


async def test_a_key_is_taken_once_whoever_asks(nodes: Nodes) -> None:
    """Of forty at once on two nodes one is fresh; the others are told that it runs."""
    taken = await at_once(*(world.store.take_key(use(world)) for _ in range(20) for world in nodes.worlds))
    assert sum(one.is_fresh for one in taken) == 1
    assert {(one.id, one.state) for one in taken} == {(taken[0].id, KeyState.RUNNING)}


async def test_one_whose_time_is_over_is_renewed_once(nodes: Nodes) -> None:
    """The one that is given the key anew is one."""
    first = await nodes.worlds[0].store.take_key(use(nodes.worlds[0]))
    for world in nodes.worlds:
        world.clock.move(KEY_FORCE_MS + 1)
    taken = await at_once(*(world.store.take_key(use(world)) for _ in range(10) for world in nodes.worlds))
    assert first is not None
    assert sum(one.is_fresh for one in taken) == 1
    assert {one.id for one in taken} - {first.id} == {taken[0].id}
    check_tallies(nodes)


async def test_an_application_has_as_many_as_it_may(nodes: Nodes) -> None:
    """To the key, however many ask at once; the rest is refused and leaves nothing."""
    asked = [use(world, f"{number}/{world.node}") for number in range(20) for world in nodes.worlds]
    taken = await at_once(*(nodes.worlds[at % 2].store.take_key(one) for at, one in enumerate(asked)))
    assert [one for one in taken if isinstance(one, Exception)] == []
    assert sum(one is not None and one.is_fresh for one in taken) == KEYS_MAX
    check_tallies(nodes)


async def test_answers_have_as_many_bytes_as_they_may(nodes: Nodes) -> None:
    """Of requests that end at the same moment the later ones keep the short answer."""
    one = nodes.worlds[0]
    keys = [await one.store.take_key(use(one, str(number))) for number in range(8)]
    ended = await at_once(
        *(
            nodes.worlds[at % 2].store.finish_key(key.id, KeyState.DONE, b"x" * 300, short=b"s")
            for at, key in enumerate(keys)
            if key is not None
        )
    )
    assert ended == [True] * 8
    [(kept,)] = nodes.query("select sum(length(answer)) from idempotency")
    assert kept == 3 * 300 + 5
    check_tallies(nodes)


async def test_a_publish_under_a_key_is_kept_once_whoever_takes_it_in(nodes: Nodes) -> None:
    """Sent to both nodes at once, many times: each key has one event, and everybody is told that one."""
    one, other = nodes.worlds
    application = await one.application()
    for number in range(10):
        sent = [
            (world, world.event(application), use(world, str(number), application_id=application.id))
            for _ in range(3)
            for world in (one, other)
        ]
        appended = await at_once(*(publish(*each) for each in sent))
        outcomes = [each.keyed[0] for each in appended]
        assert (outcomes.count(FRESH), outcomes.count(REPLAYED)) == (1, 5)
        assert len({each.events[0].event_id for each in appended}) == 1
    assert await one.last_position(application) == 10
    assert nodes.query("select count(*) from event") == [(10,)]
    check_tallies(nodes)


async def test_publishes_have_as_many_keys_as_they_may(nodes: Nodes) -> None:
    """To the key, on both nodes at once; of the others nothing is kept."""
    one, other = nodes.worlds
    application = await one.application()
    sent = [
        publish(world, world.event(application), use(world, f"{world.node}/{number}", application_id=application.id))
        for number in range(KEYS_MAX)
        for world in (one, other)
    ]
    outcomes = [each.keyed[0] for each in await at_once(*sent)]
    assert (outcomes.count(FRESH), outcomes.count(KeyOutcome.FULL)) == (KEYS_MAX, KEYS_MAX)
    assert await one.last_position(application) == KEYS_MAX
    check_tallies(nodes)


async def test_a_key_stands_for_one_kind_of_request(nodes: Nodes) -> None:
    """A publish and another request under one key at the same moment: one of them is told so, and has no effect."""
    one, other = nodes.worlds
    application = await one.application()
    for number in range(KEYS_MAX):
        key = use(one, str(number), application_id=application.id)
        event = one.event(application)
        appended, taken = await at_once(
            publish(one, event, key),
            other.store.take_key(msgspec.structs.replace(key, fingerprint=b"other")),
        )
        assert (appended.keyed[0], taken.is_fresh) in ((FRESH, False), (CONFLICT, True))
    check_tallies(nodes)


async def test_batches_of_many_applications_get_through(nodes: Nodes) -> None:
    """In whatever order the applications stand in them: nobody waits in a ring for long, nothing is kept twice."""
    one, other = nodes.worlds
    applications = [await one.application() for _ in range(6)]

    async def batch(world: World, order: list[Application]) -> Appended:
        events = [world.event(application) for application in order]
        keyed = [
            KeyedPublish(use(world, "same", application_id=application.id), (event.id,), (0,))
            for application, event in zip(order, events, strict=True)
        ]
        return await world.store.append(world.node, events, await world.versions(events), world.fan_out, keyed)

    calls = [batch(world, order) for world in (one, other) for order in (applications, applications[::-1])]
    appended = await at_once(*calls, *(one.store.take_key(use(one, "x", application_id=a.id)) for a in applications))
    outcomes = [outcome for each in appended[:4] for outcome in each.keyed]
    assert (outcomes.count(FRESH), outcomes.count(REPLAYED)) == (6, 18)
    assert [await one.last_position(application) for application in applications] == [1] * 6
    check_tallies(nodes)


async def test_what_a_node_was_answering_is_interrupted_when_it_is_gone(nodes: Nodes) -> None:
    """Whoever asks; another node's own go on, and so does what it ends late: its effect is a fact."""
    one, other = nodes.worlds
    mine, lost = use(one, "mine"), use(other, "lost")
    await take(one, mine)
    taken = await take(other, lost)
    assert (await take(one, lost)).state is KeyState.RUNNING
    await one.store.deregister_node(other.node, one.now)
    assert (await take(one, lost)).state is KeyState.INTERRUPTED
    assert (await take(other, mine)).state is KeyState.RUNNING
    assert await other.store.finish_key(taken.id, KeyState.DONE, b"answer")
    assert (await take(one, lost)).answer == b"answer"


async def test_old_ones_are_dropped_while_others_are_taken(nodes: Nodes) -> None:
    """By both nodes at once: nothing is left of the old, the new are all there, the counts fit."""
    one, other = nodes.worlds
    applications = [await one.application() for _ in range(4)]
    for application in applications:
        for number in range(KEYS_MAX):
            assert await one.store.take_key(use(one, str(number), application_id=application.id))
    for world in nodes.worlds:
        world.clock.move(KEY_KEPT_MS + 1)
    results = await at_once(
        *(world.expire(0, 0, 7) for world in nodes.worlds),
        *(
            world.store.take_key(use(world, str(number), application_id=application.id))
            for number in range(KEYS_MAX)
            for application in applications[::-1]
            for world in (one, other)
        ),
    )
    assert [each for each in results if isinstance(each, Exception)] == []
    assert sum(each.is_fresh for each in results[2:]) == KEYS_MAX * len(applications)
    assert nodes.query("select count(*), count(distinct key) from idempotency") == [(40, KEYS_MAX)]
    check_tallies(nodes)
