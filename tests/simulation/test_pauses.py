"""The operator pauses: nothing leaves but what was under way, nothing is lost or spent, and all goes on afterwards."""

import asyncio

import pytest
import structlog

from hookspan.domain.outcome import ErrorCode
from hookspan.domain.pause import Pause, PauseScope
from hookspan.domain.records import Application
from hookspan.domain.states import DeliveryState, Order, WebhookStatus
from hookspan.engine import EngineOptions
from hookspan.errors import StateForbidden, StoreUnavailable
from hookspan.store.contract import Page
from hookspan.store.nodes import LeftProfile
from tests.simulation.test_notices import application_with_url, people, turn

__all__ = ["people"]

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
OTHER = "https://other.example.com/hook"


def new_pause(world, of: Application | str | None = None) -> Pause:
    ident, now = world.ids.make(), world.clock.now_ms()
    if of is None:
        return Pause(id=ident, scope=PauseScope.ALL, reason="Maintenance.", paused_at=now)
    if isinstance(of, str):
        return Pause(id=ident, scope=PauseScope.PROFILE, profile=of, paused_at=now)
    return Pause(id=ident, scope=PauseScope.APPLICATION, application_id=of.id, paused_at=now)


async def pause(world, of: Application | str | None = None) -> Pause:
    """Through this node."""
    made = await world.store.pause(new_pause(world, of))
    await world.engine.pauses_changed()
    return made


async def resume(world, made: Pause) -> None:
    assert await world.store.end_pause(made.id, world.clock.now_ms()) is not None
    await world.engine.pauses_changed()


def scope_of(application: Application, scope: PauseScope) -> Application | str | None:
    return {PauseScope.ALL: None, PauseScope.PROFILE: application.profile, PauseScope.APPLICATION: application}[scope]


@pytest.mark.parametrize("scope", PauseScope)
@pytest.mark.parametrize("order", Order)
async def test_nothing_leaves_but_what_was_under_way(world, scope, order) -> None:
    """What lanes hold goes back, what is in flight ends and counts; then everything, once, in order."""
    application = await world.application()
    webhook = await world.webhook(application, order=order, concurrency=2)
    world.egress.is_holding = True
    await world.publish(application, *range(10))
    await world.settle()
    under_way = 1 if order is Order.FIFO else 2
    assert world.numbers() == list(range(under_way))
    made = await pause(world, scope_of(application, scope))
    assert not world.engine.dispatcher.lanes[webhook.id].queue
    world.egress.is_holding = False
    world.egress.let_go()
    await world.publish(application, *range(10, 15))
    await world.run_for(HOUR_MS)
    assert world.numbers() == list(range(under_way))
    assert world.engine.dispatcher.items == 0
    assert world.engine.dispatcher.held == {}
    waiting = await world.store.waiting([webhook.id])
    assert waiting[webhook.id].count == 15 - under_way
    at_ms = world.clock.now_ms()
    await resume(world, made)
    assert world.engine.poller.wake.is_set()
    await world.settle()
    assert world.clock.now_ms() == at_ms, "at once"
    assert sorted(world.numbers()) == list(range(15))
    if order is Order.FIFO:
        assert world.numbers() == list(range(15))


async def test_what_is_outside_goes_on(world) -> None:
    """Another application, and one of another profile: at birth, as if there were no pause."""
    paused, beside = await world.application(), await world.application()
    other = await world.application("bridge-lms")
    await world.webhook(paused)
    await world.webhook(beside, url=OTHER)
    made = await pause(world, paused)
    await world.publish(paused, 1)
    await world.publish(beside, 2)
    assert world.counters.deliveries_claimed == 0
    assert world.numbers() == [2]
    await world.settle()
    assert world.numbers() == [2]
    await resume(world, made)
    await world.settle()
    assert world.numbers() == [2, 1]
    made = await pause(world, "standard")
    assert world.engine.pauses.of(other.id, other.profile) is None
    await world.publish(paused, 3)
    await world.publish(beside, 4)
    await world.settle()
    assert world.numbers() == [2, 1]
    await resume(world, made)
    await world.settle()
    assert sorted(world.numbers()) == [1, 2, 3, 4]


async def test_a_narrower_pause_outlives_a_wider_one(world) -> None:
    """Each is ended by itself."""
    application, other = await world.application(), await world.application()
    await world.webhook(application)
    await world.webhook(other, url=OTHER)
    own, wide = await pause(world, application), await pause(world)
    await world.publish(application, 1)
    await world.publish(other, 2)
    await resume(world, wide)
    await world.settle()
    assert world.numbers() == [2]
    await resume(world, own)
    await world.settle()
    assert world.numbers() == [2, 1]


async def test_no_window_is_spent(world) -> None:
    """A round that had begun begins anew: a pause longer than all retries together fails nothing."""
    application = await world.application()
    webhook = await world.webhook(application)
    world.egress.answer = lambda _request: world.egress.error(ErrorCode.CONNECT_FAILED)
    await world.publish(application, 1)
    await world.run_for(MINUTE_MS)
    made = await pause(world)
    await world.run_for(7 * 24 * HOUR_MS)
    await resume(world, made)
    tried = len(world.egress.requests)
    await world.run_for(MINUTE_MS)
    assert len(world.egress.requests) > tried
    [delivery] = await world.store.list_deliveries(
        application.id, Page(limit=10), webhook_id=None, state=None, event_type=None
    )
    assert delivery.state is DeliveryState.PENDING
    assert delivery.next_attempt_at is not None
    assert delivery.round_started_at is not None
    assert delivery.round_started_at >= world.clock.now_ms() - MINUTE_MS
    assert delivery.round_attempts < delivery.attempt_count
    seen = await world.store.get_webhook(webhook.id)
    assert seen is not None
    assert seen.status is WebhookStatus.ACTIVE, "nor has it failed for so long"
    world.egress.answer = lambda _request: world.egress.status(200)
    await world.run_for(HOUR_MS)
    assert world.numbers()[-1] == 1
    seen = await world.store.get_webhook(webhook.id)
    assert seen is not None
    assert seen.failing_since is None


async def test_a_pause_that_another_node_made(world) -> None:
    """The store's claims pass it by at once; lanes follow with the next look, which comes each second."""
    application = await world.application()
    webhook = await world.webhook(application, concurrency=1)
    world.egress.is_holding = True
    await world.publish(application, 1, 2)
    made = await world.store.pause(new_pause(world))
    assert world.engine.dispatcher.lanes[webhook.id].queue
    wait_s = await world.engine.following.turn()
    assert wait_s + EngineOptions().follow_interval_s <= 2
    assert not world.engine.dispatcher.lanes[webhook.id].queue
    world.egress.is_holding = False
    world.egress.let_go()
    await world.run_for(MINUTE_MS)
    assert world.numbers() == [1]
    await world.store.end_pause(made.id, world.clock.now_ms())
    world.engine.poller.wake.set()  # the other node rings
    await world.settle()
    assert world.numbers() == [1, 2], "the poller looks whether it still is, before it claims"


async def test_a_crash_during_a_pause_stays_paused(world) -> None:
    """It is the database's, not a process's; what was claimed is free again, and waits."""
    application = await world.application()
    await world.webhook(application, concurrency=1)
    world.egress.is_holding = True
    await world.publish(application, 1, 2, 3)
    made = await pause(world)
    await world.crash()
    world.egress.is_holding = False
    await world.publish(application, 4)
    await world.run_for(HOUR_MS)
    assert world.numbers() == [1]
    assert world.engine.pauses.in_force == (made,)
    await resume(world, made)
    await world.settle()
    assert sorted(world.numbers()) == [1, 1, 2, 3, 4], "what was in flight at the crash is in doubt, and sent again"


async def test_what_people_send_by_hand_waits(world) -> None:
    """Before it was claimed and after; a test is refused, and says why."""
    application = await world.application()
    webhook = await world.webhook(application)
    [event] = await world.publish(application, 1)
    await world.settle()
    made = await pause(world, application)
    await world.send_by_hand(application, webhook, event)
    await world.run_for(HOUR_MS)
    assert world.numbers() == [1]
    with pytest.raises(StateForbidden, match="paused sending for this application"):
        await world.engine.try_out(webhook, "order.paid", world.ids.make(), b"{}")
    await resume(world, made)
    await world.settle()
    assert world.numbers() == [1, 1]
    everything = await pause(world)
    with pytest.raises(StateForbidden, match=r"paused all sending since \S+: Maintenance\. Nothing"):
        await world.engine.try_out(webhook, "order.paid", world.ids.make(), b"{}")
    await resume(world, everything)
    assert (await world.engine.try_out(webhook, "order.paid", world.ids.make(), b"{}")).response_status == 200


async def test_what_was_sent_by_hand_and_is_claimed_goes_back(world) -> None:
    """It waits in the node for a free place: a pause takes it back too."""
    application = await world.application()
    webhook = await world.webhook(application)
    [event] = await world.publish(application, 1)
    await world.settle()
    await world.send_by_hand(application, webhook, event)
    world.engine.dispatcher.is_halted = True
    await world.engine.poller.turn()
    assert world.engine.dispatcher.items == 1
    made = await pause(world)
    assert world.engine.dispatcher.items == 0
    world.engine.dispatcher.is_halted = False
    await world.run_for(MINUTE_MS)
    assert world.numbers() == [1]
    await resume(world, made)
    await world.settle()
    assert world.numbers() == [1, 1]


async def test_what_is_claimed_as_the_pause_comes_goes_back(world) -> None:
    """A claim that was under way brings it into a lane that is closed by then."""
    application = await world.application()
    webhook = await world.webhook(application)
    made = await pause(world)
    [event] = await world.publish(application, 1)
    await resume(world, made)
    claim = world.store.claim

    async def overtaken(*args, **kwargs):
        found = await claim(*args, **kwargs)
        await pause(world)
        return found

    await world.send_by_hand(application, webhook, event)
    world.store.claim = overtaken
    await world.engine.poller.turn()
    world.store.claim = claim
    assert world.engine.dispatcher.items == 0
    await world.run_for(MINUTE_MS)
    assert world.numbers() == []
    assert world.engine.dispatcher.held == {}
    await resume(world, world.engine.pauses.in_force[0])
    await world.settle()
    assert world.numbers() == [1, 1]


async def test_catch_up_goes_on_and_notices_go_out(world, people) -> None:
    """Deliveries are made, and wait; a webhook does not fail because nothing is sent, but is told if it does."""
    application = await application_with_url(world)
    await world.webhook(application)
    off = await world.webhook(application, url=OTHER, status=WebhookStatus.DISABLED)
    await world.publish(application, 1)
    await world.run_for(MINUTE_MS)
    made = await pause(world, application)
    await world.set_status(off, WebhookStatus.CATCHING_UP)
    await world.settle()
    seen = await world.store.get_webhook(off.id)
    assert seen is not None
    assert seen.status is WebhookStatus.ACTIVE
    await world.run_for(5 * HOUR_MS)
    await turn(world)
    assert people.told == [], "it has failed for a minute, then nothing was tried"
    await resume(world, made)
    await world.run_for(5 * MINUTE_MS)
    await turn(world)
    assert people.told == []
    await world.run_for(6 * MINUTE_MS)
    await turn(world)
    assert people.told == ["webhook.failing"] * 2, "both do now"


async def test_notices_that_are_due_go_out_during_a_pause(world, people) -> None:
    """They are no deliveries."""
    application = await application_with_url(world)
    await world.webhook(application)
    people.is_down = True
    await world.publish(application, 1)
    await world.run_for(11 * MINUTE_MS)
    await turn(world)
    told = len(people.told)
    assert told
    await pause(world)
    people.is_down = False
    await world.run_for(HOUR_MS)
    await turn(world)
    assert len(people.told) == told + 1


async def test_a_node_can_start_paused(world, make_world) -> None:
    """Before anything is claimed, and said aloud; by what is paused already nothing changes; over restarts."""
    application = await world.application()
    await world.webhook(application)
    world.egress.is_holding = True
    await world.publish(application, 1)
    world.options = EngineOptions(start_paused=True)
    with structlog.testing.capture_logs() as logs:
        await world.crash()
    assert any(line["log_level"] == "warning" and line.get("resume") == "hookspan resume" for line in logs)
    world.egress.is_holding = False
    await world.run_for(HOUR_MS)
    assert world.numbers() == [1]
    [made] = world.engine.pauses.in_force
    assert (made.scope, made.reason) == (PauseScope.ALL, "started paused")
    await world.crash()
    assert world.engine.pauses.in_force == (made,)
    world.options = EngineOptions()
    await world.crash()
    await world.run_for(HOUR_MS)
    assert world.numbers() == [1]
    await resume(world, made)
    await world.settle()
    assert world.numbers() == [1, 1]


async def test_what_can_not_be_read_is_read_soon(world) -> None:
    """The change is durable: whoever made it is not told that it failed, and the next look has it."""
    application = await world.application()
    await world.webhook(application)
    read = world.store.pauses

    async def fails():
        raise StoreUnavailable("gone")

    world.store.pauses = fails
    made = await pause(world)
    assert world.engine.pauses.in_force == ()
    world.store.pauses = read
    await world.engine.following.turn()
    assert world.engine.pauses.in_force == (made,)


async def test_an_older_look_never_takes_the_place_of_a_younger_one(world) -> None:
    """Each reads after the one before is in force."""
    read = world.store.pauses
    held = asyncio.Event()
    begun = asyncio.Event()

    async def slow():
        found = await read()
        begun.set()
        await held.wait()
        return found

    world.store.pauses = slow
    older = asyncio.ensure_future(world.engine.following.turn())
    await begun.wait()
    made = await world.store.pause(new_pause(world))
    world.store.pauses = read
    younger = asyncio.ensure_future(world.engine.pauses_changed())
    held.set()
    await asyncio.gather(older, younger)
    assert world.engine.pauses.in_force == (made,)


async def toss(world, application: Application, in_force: list[Pause]) -> None:
    """Something happens, or nothing."""
    chance = world.random.random()
    if chance < 0.2:
        made = await pause(world, scope_of(application, world.random.choice(list(PauseScope))))
        if made not in in_force:
            in_force.append(made)
    elif chance < 0.4 and in_force:
        await resume(world, in_force.pop(world.random.randrange(len(in_force))))
    elif chance < 0.5:
        world.egress.is_holding = not world.egress.is_holding
    elif chance < 0.6:
        world.egress.let_go(2)
    elif chance < 0.8:
        await world.settle()


@pytest.mark.parametrize("seed", range(5))
async def test_pauses_at_any_moment(world, seed) -> None:
    """Whatever is paused and resumed while events come: each arrives, of a fifo webhook in order."""
    world.random.seed(seed)
    application = await world.application()
    ordered = await world.webhook(application, order=Order.FIFO)
    await world.webhook(application, url=OTHER, concurrency=3, rate=20.0)
    in_force: list[Pause] = []
    for number in range(120):
        await world.publish(application, number)
        await toss(world, application, in_force)
        if in_force:
            sent = len(world.egress.requests)
            await world.settle()
            assert len(world.egress.requests) == sent
    for made in in_force:
        await resume(world, made)
    world.egress.is_holding = False
    world.egress.let_go()
    for _ in range(20):  # as its rate allows
        await world.run_for(1_000)
    assert world.numbers(ordered.url) == list(range(120))
    assert sorted(world.numbers(OTHER)) == list(range(120))
    assert world.engine.dispatcher.held == {}
    assert world.engine.dispatcher.items == world.engine.dispatcher.bytes == 0


async def test_a_request_that_outlives_its_lane_holds_up_nothing(world) -> None:
    """The application was forgotten, for it could not be read anew, while it was paused and a request under way: what
    that leaves to be retried is sent after the pause, though no other event comes.
    """
    application = await world.application()
    await world.webhook(application, order=Order.FIFO)
    world.egress.is_holding = True
    world.egress.answer = lambda _: world.egress.status(500)
    await world.publish(application, 1)
    await world.settle()
    made = await pause(world, application)
    world.engine.index.forget(application.id)
    world.egress.let_go()
    await world.settle()
    assert world.engine.dispatcher.backlogged == {}
    world.egress.is_holding = False
    world.egress.answer = lambda _: world.egress.status(200)
    await resume(world, made)
    world.clock.move(HOUR_MS)
    await world.settle()
    assert world.numbers() == [1, 1]


async def test_a_profile_that_others_send_for(world) -> None:
    """Nothing of it is claimed, at birth or later, and what lanes hold goes back. Then all of it is."""
    application = await world.application()
    webhook = await world.webhook(application, concurrency=1)
    world.egress.is_holding = True
    events = await world.publish(application, 1, 2)
    theirs = [LeftProfile("standard", "0" * 64, "1" * 64)]

    async def settled(_node, _now_ms):
        return theirs

    world.store.settle_profiles = settled
    await world.engine.roll_out.settle(lambda: world.engine.node.id)
    world.egress.is_holding = False
    world.egress.let_go()
    await world.publish(application, 3)
    await world.send_by_hand(application, webhook, events[0])
    await world.settle()
    world.clock.move(MINUTE_MS)
    await world.settle()
    assert world.numbers() == [1]
    assert world.engine.dispatcher.held == {}
    theirs.clear()
    await world.engine.roll_out.settle(lambda: world.engine.node.id)
    assert world.engine.poller.wake.is_set()
    await world.settle()
    assert sorted(world.numbers()) == [1, 1, 2, 3]
