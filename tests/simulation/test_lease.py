"""The lease: nothing leaves that another node may send as well before it has been answered or given up."""

from concurrent.futures import Executor, Future

import pytest

from hookspan.domain.states import Order
from hookspan.engine.slow_signing import SlowSigning
from hookspan.store.contract import Page

pytestmark = pytest.mark.anyio

WINDOW_MS = 30_000
LENT_MS = 10_000
TIMEOUT_MS = 15_000  # of the profile


class Held(Executor):
    """Signs when it is told to."""

    def __init__(self) -> None:
        self._jobs: list = []

    def submit(self, fn, /, *args, **kwargs):
        future: Future = Future()
        self._jobs.append((future, fn, args))
        return future

    def go(self) -> None:
        jobs, self._jobs = self._jobs, []
        for future, fn, args in jobs:
            future.set_result(fn(*args))


def beat(world) -> None:
    """As the node's duty does on a database that others share."""
    now_ms = world.clock.now_ms()
    world.engine.dispatcher.renew(now_ms + WINDOW_MS, now_ms + LENT_MS)


async def test_a_request_leaves_only_if_it_ends_within_the_window(world) -> None:
    """Its own timeout decides: answered or given up, whatever it is, before others may take this node for dead."""
    application = await world.application()
    await world.webhook(application)
    beat(world)
    world.clock.move(WINDOW_MS - TIMEOUT_MS - 1)
    await world.publish(application, 1)
    await world.settle()
    assert world.numbers() == [1]
    world.clock.move(1)
    await world.publish(application, 2)
    await world.settle()
    assert world.numbers() == [1]
    assert world.engine.dispatcher.is_halted
    beat(world)
    await world.settle()
    assert world.numbers() == [1, 2]


@pytest.mark.parametrize(("told", "longest_ms"), [("2s", 27_999), ("30s", 9_999), ("60s", 9_999)])
async def test_the_timeout_may_be_an_applications_own(world, told: str, longest_ms: int) -> None:
    """A short one has more of the window, one that is as long as the window a part of it all the same."""
    application = await world.application(delivery={"timeout": told})
    await world.webhook(application)
    beat(world)
    world.clock.move(longest_ms)
    await world.publish(application, 1)
    await world.settle()
    world.clock.move(1)
    await world.publish(application, 2)
    await world.settle()
    assert world.numbers() == [1]


async def test_what_a_person_sends_is_leased_too(world) -> None:
    """It waits for the next beat, in its place."""
    application = await world.application()
    webhook = await world.webhook(application)
    [event_id] = await world.publish(application, 1)
    await world.settle()
    beat(world)
    world.clock.move(WINDOW_MS - TIMEOUT_MS)
    await world.send_by_hand(application, webhook, event_id)
    await world.settle()
    assert world.numbers() == [1]
    assert world.engine.dispatcher.in_flight == 0
    beat(world)
    await world.settle()
    assert world.numbers() == [1, 1]
    assert world.engine.dispatcher.items == 0


@pytest.mark.parametrize("order", list(Order))
async def test_a_lease_that_ends_while_a_request_is_signed(world, order: Order) -> None:
    """A signature made in a thread is ready later than it was asked for: the lease is asked again then. Unsent it goes
    back to the store, and after the next beat it is sent in its order, once.
    """
    application = await world.application()
    webhook = await world.webhook(application, order=order)
    await world.publish(application, 1)
    await world.settle()
    executor = Held()
    world.engine.dispatcher._sender._signing = SlowSigning(world.clock, executor)
    world.engine.dispatcher.lanes[webhook.id].post.is_slow = True
    beat(world)
    await world.publish(application, 2, 3)
    await world.settle()
    world.clock.move(WINDOW_MS)
    executor.go()
    await world.settle()
    assert world.numbers() == [1]
    assert world.engine.dispatcher.in_flight == 0
    beat(world)
    for _ in range(3):
        await world.settle()
        executor.go()
    await world.settle()
    assert world.numbers() == [1, 2, 3]
    assert (world.engine.dispatcher.items, world.engine.dispatcher.bytes) == (0, 0)
    assert {one.attempt_count for one in await deliveries(world, application)} == {1}


@pytest.mark.parametrize("order", list(Order))
async def test_what_is_signed_across_a_registration_does_not_leave(world, order: Order) -> None:
    """The node was taken out while a signature was made, and has registered anew: its claim is free, others may have
    sent it. The new lease is none for it.
    """
    application = await world.application()
    webhook = await world.webhook(application, order=order)
    await world.publish(application, 1)
    await world.settle()
    executor = Held()
    world.engine.dispatcher._sender._signing = SlowSigning(world.clock, executor)
    world.engine.dispatcher.lanes[webhook.id].post.is_slow = True
    await world.publish(application, 2)
    await world.settle()
    node = world.engine.node
    await world.store.deregister_node(node.id, world.clock.now_ms())
    await node.turn()
    beat(world)
    executor.go()
    assert world.numbers() == [1]
    for _ in range(3):
        await world.settle()
        executor.go()
    await world.settle()
    assert world.numbers() == [1, 2]
    assert world.engine.dispatcher.held == {}
    assert (world.engine.dispatcher.items, world.engine.dispatcher.bytes) == (0, 0)


async def deliveries(world, application):
    return await world.store.list_deliveries(
        application.id, Page(limit=10), webhook_id=None, state=None, event_type=None
    )
