"""What a node has claimed or kept arrives in its hands only after others took it out: it is others' to send."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hookspan.domain.states import DeliveryState, Order
from hookspan.errors import StoreUnavailable
from hookspan.store.contract import ORPHANS_ALONE, Claimed
from hookspan.store.postgres import PostgresStore
from tests.simulation.test_taken_out import Shared, states

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Shared]:
    async with Shared(tmp_path) as world:
        yield world


@pytest.fixture
async def other(world: Shared) -> AsyncIterator[PostgresStore]:
    """Another node's way to the database."""
    store = world.another()
    await store.open()
    yield store
    await store.close()


class Late:
    """The node's store, but that the node is taken out while one answer is on its way: of the call that is named.

    `rival` is the other node that takes what is free, if there is one (else 0). `fails`: the answer is an error.
    """

    def __init__(self, world: Shared, other: PostgresStore, call: str, *, rival: int, fails: bool) -> None:
        self._world = world
        self._other = other
        self._call = call
        self._rival = rival
        self._fails = fails
        self._store: Any = world.store
        self.taken: list[Claimed] = []

    def __getattr__(self, name: str) -> Any:
        return self._answer_late if name == self._call else getattr(self._store, name)

    async def _answer_late(self, *given: Any, **named: Any) -> Any:
        answer = await getattr(self._store, self._call)(*given, **named)
        self._call = ""  # this once
        world, other = self._world, self._other
        old = world.engine.node.id
        await other.deregister_node(old, world.clock.now_ms())
        if self._rival:
            await self._take()
        await world.engine.node._guarded_turn()
        assert world.engine.node.id != old or world.engine.node.is_failing
        if self._fails:
            raise StoreUnavailable("The answer was lost.")
        return answer

    async def _take(self) -> None:
        now_ms = self._world.clock.now_ms()
        self.taken = await self._other.claim(self._rival, now_ms, limit=9, per_webhook=9, bytes_max=10_000, skip=())
        suspect = await self._other.claim_suspect(self._rival, now_ms)
        self.taken += [] if suspect is None else [suspect]


async def late(world: Shared, other: PostgresStore, call: str, *, has_rival: bool = False, fails: bool = False) -> Late:
    rival = await other.register_node(world.clock.now_ms()) if has_rival else 0
    return Late(world, other, call, rival=rival, fails=fails)


def holds_nothing(world: Shared) -> bool:
    dispatcher = world.engine.dispatcher
    return (dispatcher.held, dispatcher.items, dispatcher.bytes, dispatcher.suspect) == ({}, 0, 0, None)


async def unclaimed(world: Shared, *numbers: int, order: Order = Order.ANY):
    """Events that wait in the store for a poller."""
    world.engine.dispatcher.share.delivers = False  # nothing is claimed at birth
    application = await world.application()
    await world.webhook(application, order=order)
    await world.publish(application, *numbers)
    return application


@pytest.mark.parametrize("has_rival", [True, False])
async def test_what_was_appended_before_is_not_sent_by_that_claim(world: Shared, other, has_rival: bool) -> None:
    """The publisher has its answer, for the event is kept; it is sent once, by whoever claims it."""
    application = await world.application()
    await world.webhook(application)
    slow = await late(world, other, "append", has_rival=has_rival)
    world.engine.intake._store = slow
    assert len(await world.publish(application, 1)) == 1
    assert world.numbers() == []
    assert holds_nothing(world)
    assert world.engine.dispatcher.lanes.popitem()[1].reserved == 0
    assert world.engine.poller.wake.is_set()
    await world.settle()
    assert len(slow.taken) == has_rival
    assert world.numbers() == ([] if has_rival else [1])
    assert world.counters.events_accepted == 1


async def test_what_a_repeat_gives_back_is_counted_as_one(world: Shared, other) -> None:
    """A duplicate among what was appended before is answered and counted as ever."""
    application = await world.application()
    await world.webhook(application)
    await world.publish(application, 1, publisher_id="one")
    await world.settle()
    world.engine.intake._store = await late(world, other, "append")
    await world.publish(application, 1, publisher_id="one")
    await world.settle()
    assert world.numbers() == [1]
    assert (world.counters.events_accepted, world.counters.events_duplicate) == (1, 1)
    assert holds_nothing(world)


@pytest.mark.parametrize("has_rival", [True, False])
@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("call", ["claim", "webhooks_of"])
async def test_what_was_claimed_before_is_not_sent_by_that_claim(
    world: Shared, other, call: str, order: Order, has_rival: bool
) -> None:
    """Neither when the claim's answer comes late, nor when its application had to be looked up first."""
    application = await unclaimed(world, 1, 2, order=order)
    world.engine.index.forget(application.id)
    slow = await late(world, other, call, has_rival=has_rival)
    world.engine.index._store = world.engine.poller._store = slow
    await world.engine.poller.turn()
    assert world.numbers() == []
    assert holds_nothing(world)
    await world.settle()
    assert len(slow.taken) == 2 * has_rival
    assert world.numbers() == ([] if has_rival else [1, 2])
    wanted = (DeliveryState.PENDING, 0) if has_rival else (DeliveryState.SUCCEEDED, 1)
    assert await states(world, application) == [wanted] * 2


async def test_what_waited_in_a_lane_goes_with_what_had_not_come_so_far(world: Shared, other) -> None:
    """Of one claim some is in its lane, and the rest waits for its application when the node is taken out."""
    warm = await unclaimed(world, 1, 2)
    cold = await world.application()
    await world.webhook(cold, url="https://cold.example.com/hook")
    await world.publish(cold, 3)
    world.engine.index.forget(cold.id)
    world.engine.index._store = slow = await late(world, other, "webhooks_of", has_rival=True)
    await world.engine.poller.turn()
    await world.settle()
    assert len(slow.taken) == 3
    assert world.numbers() == []
    assert holds_nothing(world)
    assert await states(world, warm) == [(DeliveryState.PENDING, 0)] * 2


async def test_a_suspect_that_was_claimed_before_is_not_sent_by_that_claim(world: Shared, other) -> None:
    """And the next suspect need not wait for it."""
    application = await unclaimed(world, 1)
    now_ms = world.clock.now_ms()
    for _ in range(ORPHANS_ALONE):
        node = await other.register_node(now_ms)
        await other.claim(node, now_ms, limit=1, per_webhook=1, bytes_max=10_000, skip=())
        await other.deregister_node(node, now_ms)
    world.engine.poller._store = slow = await late(world, other, "claim_suspect", has_rival=True)
    await world.settle()
    assert len(slow.taken) == 1
    assert world.numbers() == []
    assert holds_nothing(world)
    assert await states(world, application) == [(DeliveryState.PENDING, 0)]


async def test_what_was_lost_is_not_given_back_in_the_new_name(world: Shared, other) -> None:
    """The look for its application failed, and the registration was gone: the claim went with that."""
    application = await unclaimed(world, 1)
    world.engine.index.forget(application.id)
    world.engine.index._store = await late(world, other, "webhooks_of", fails=True)
    released: list[object] = []

    async def release(*given: object) -> None:
        released.append(given)

    world.store.release = release  # type: ignore[method-assign,assignment]  # and told of it
    with pytest.raises(StoreUnavailable):
        await world.engine.poller.turn()
    assert released == []
    assert holds_nothing(world)
    await world.settle()
    assert world.numbers() == [1]


@pytest.mark.parametrize("call", ["claim", "append"])
async def test_what_comes_before_the_new_registration_is_not_put_either(world: Shared, other, call: str) -> None:
    """The database goes away in the middle of registering anew: what comes then is of the lost registration."""
    if call == "claim":
        await unclaimed(world, 1)
    else:
        application = await world.application()
        await world.webhook(application)
    engine, register = world.engine, world.store.register_node

    async def away(*_: object, **__: object) -> int:
        raise StoreUnavailable("The database can't be reached.")

    world.store.register_node = away  # type: ignore[method-assign]  # for a while
    slow = await late(world, other, call)
    engine.intake._store = engine.poller._store = slow
    if call == "claim":
        await engine.poller.turn()
    else:
        await world.publish(application, 1)
    assert holds_nothing(world)
    world.store.register_node = register  # type: ignore[method-assign]
    await engine.node.turn()
    await world.settle()
    assert world.numbers() == [1]
