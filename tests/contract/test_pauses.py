"""Pauses: what one covers is not claimed by anybody, everything else is, and when it ends all goes on."""

import asyncio

import pytest

from hookspan.domain.pause import Pause, PauseScope
from hookspan.domain.records import Application, Webhook
from hookspan.domain.states import Cause, DeliveryState, Order, WebhookStatus
from hookspan.errors import NotFound, StateForbidden
from hookspan.ids import IdMaker
from hookspan.store import pauses as room
from hookspan.store.contract import ORPHANS_ALONE, ApplicationFrozen, ClaimRef, NewAside
from tests.contract.factories import MakeStore
from tests.contract.test_audit import entry, lines
from tests.contract.test_suspects import orphan
from tests.contract.world import World
from tests.support.clock import VirtualClock

pytestmark = pytest.mark.anyio


def new_pause(world: World, of: Application | str | None = None, reason: str = "") -> Pause:
    """Of an application, of a profile's name, or of everything."""
    ident, now = world.ids.make(), world.now
    if of is None:
        return Pause(id=ident, scope=PauseScope.ALL, reason=reason, paused_at=now)
    if isinstance(of, str):
        return Pause(id=ident, scope=PauseScope.PROFILE, profile=of, reason=reason, paused_at=now)
    return Pause(id=ident, scope=PauseScope.APPLICATION, application_id=of.id, reason=reason, paused_at=now)


async def pause(world: World, of: Application | str | None = None) -> Pause:
    return await world.store.pause(new_pause(world, of))


async def send_aside(world: World, webhook: Webhook, event_id: int) -> int:
    aside = NewAside(
        id=world.ids.make(),
        application_id=webhook.application_id,
        webhook_id=webhook.id,
        event_id=event_id,
        cause=Cause.SEND,
    )
    assert await world.store.send_aside(aside, world.now) is not None
    return aside.id


async def due(world: World) -> set[int]:
    """All that can be claimed; it is given back."""
    claimed = await world.claim()
    suspect = await world.store.claim_suspect(world.node, world.now)
    found = [*claimed, *([] if suspect is None else [suspect])]
    await world.store.release(world.node, [ClaimRef(one.id, one.claim) for one in found], world.now)
    return {one.id for one in found}


async def test_it_is_kept_and_ended(world: World) -> None:
    """One of a scope; told as it is, then as it was for as long as rounds last."""
    store = world.store
    application = await world.application()
    assert await store.pauses() == []
    made = [await pause(world), await pause(world, "standard"), await pause(world, application)]
    assert [one.ended_at for one in made] == [None, None, None]
    assert await store.pauses() == made
    again = [await pause(world), await pause(world, "standard"), await pause(world, application)]
    assert again == made
    assert await pause(world, "bridge-api") not in made
    world.clock.move(5)
    ended = await store.end_pause(made[1].id, world.now)
    assert ended is not None
    assert ended.ended_at == world.now
    assert (ended.id, ended.profile) == (made[1].id, "standard")
    assert await store.end_pause(made[1].id, world.now) is None
    assert await store.end_pause(12345, world.now) is None
    found = {one.id: one for one in await store.pauses()}
    assert found[ended.id] == ended
    assert len(found) == 4
    anew = await pause(world, "standard")
    assert anew.id not in found


async def test_ended_ones_are_dropped_in_time(world: World) -> None:
    """After the longest round: not shown any more, and gone with the next that ends."""
    first = await pause(world)
    assert await world.store.end_pause(first.id, world.now) is not None
    world.clock.move(room.ENDED_KEPT_MS)
    assert [one.id for one in await world.store.pauses()] == [first.id]
    second = await pause(world)
    world.clock.move(1)
    assert [one.id for one in await world.store.pauses()] == [second.id]
    assert await world.store.end_pause(second.id, world.now) is not None
    assert [one.id for one in await world.store.pauses()] == [second.id]


async def test_of_each_scope_the_last_that_ended_is_kept(world: World) -> None:
    """However often it is paused: their number is bounded by that of the scopes."""
    one, other = await world.application(), await world.application()
    last = {}
    for of in (None, "standard", "bridge-api", one, other) * 3:
        world.clock.move(5)
        made = await pause(world, of)
        world.clock.move(5)
        last[of if of is None or isinstance(of, str) else of.id] = await world.store.end_pause(made.id, world.now)
    assert set(await world.store.pauses()) == set(last.values())
    again = await pause(world, one)
    assert set(await world.store.pauses()) == {*last.values(), again}


async def test_two_at_once_are_one(world: World) -> None:
    """Whoever comes second gets the pause that is there."""
    application = await world.application()
    for of in (None, "standard", application):
        made = await asyncio.gather(*(world.store.pause(new_pause(world, of, f"{n}")) for n in range(8)))
        assert len(set(made)) == 1
    assert len(await world.store.pauses()) == 3


async def test_only_so_many_are_in_force(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """PAUSES_MAX; one that ends makes room, and the one that is there is still told. All can be paused always."""
    kind = "postgres" if world.store.is_shared else "sqlite"
    monkeypatch.setattr(f"hookspan.store.{kind}._pauses.PAUSES_MAX", 2)
    first = await pause(world, "a")
    await pause(world, "b")
    with pytest.raises(StateForbidden, match="2 pauses are in force"):
        await pause(world, "c")
    assert await pause(world, "a") == first
    assert (await pause(world)).scope is PauseScope.ALL
    await world.store.end_pause((await pause(world)).id, world.now)
    await world.store.end_pause(first.id, world.now)
    assert (await pause(world, "c")).profile == "c"


async def test_an_application_takes_its_pauses_along(world: World) -> None:
    """Deleted, it has none, in force or ended; one that is gone can't be paused."""
    application, other = await world.application(), await world.application()
    old = await pause(world, application)
    await world.store.end_pause(old.id, world.now)
    await pause(world, application)
    kept = await pause(world, other)
    await world.store.delete_application(application.id, world.now)
    assert await world.store.pauses() == [kept]
    with pytest.raises(NotFound):
        await pause(world, application)


async def test_a_frozen_application_keeps_its_pauses(world: World) -> None:
    """While it is being moved none begins and none ends: they go along as they are."""
    application = await world.application()
    own = await pause(world, application)
    assert await world.store.freeze_application(application.id, world.now)
    with pytest.raises(ApplicationFrozen):
        await world.store.end_pause(own.id, world.now)
    with pytest.raises(ApplicationFrozen):
        await pause(world, application)
    assert await world.store.freeze_application(application.id, None)
    assert await world.store.end_pause(own.id, world.now) is not None


async def test_a_change_has_its_line_and_no_change_has_none(world: World) -> None:
    """In the audit log: a pause that is there already is no change."""
    store = world.store
    made = await store.audited(entry(world, None, "pause.begun")).pause(new_pause(world))
    await store.audited(entry(world, None, "pause.begun")).pause(new_pause(world))
    await store.audited(entry(world, None, "pause.ended")).end_pause(made.id, world.now)
    await store.audited(entry(world, None, "pause.ended")).end_pause(made.id, world.now)
    assert sorted(line.entry.action for line in await lines(world)) == ["pause.begun", "pause.ended"]


@pytest.mark.parametrize("scope", PauseScope)
@pytest.mark.parametrize("order", Order)
async def test_what_it_covers_is_not_claimed(world: World, order: Order, scope: PauseScope) -> None:
    """Neither what is due, nor what people send by hand, nor suspects; what it does not cover is. Then all is."""
    paused, other = await world.application(), await world.application(profile="bridge-api")
    webhook, theirs = await world.webhook(paused, order=order), await world.webhook(other, order=order)
    [event] = await world.publish(paused, webhook)
    [beside] = await world.publish(other, theirs)
    by_hand = await send_aside(world, webhook, event.id)
    of = {PauseScope.ALL: None, PauseScope.PROFILE: "standard", PauseScope.APPLICATION: paused}[scope]
    made = await pause(world, of)
    outside = set() if scope is PauseScope.ALL else {beside.deliveries[0].id}
    assert await due(world) == outside
    for one in outside:
        await world.finish([claim for claim in await world.claim() if claim.id == one])
    assert await world.store.next_due_at([]) is None
    await world.store.end_pause(made.id, world.now)
    assert await world.store.next_due_at([]) is not None
    left = {event.deliveries[0].id, by_hand} | ({beside.deliveries[0].id} - outside)
    assert await due(world) == left


@pytest.mark.parametrize("scope", PauseScope)
async def test_suspects_wait_too(world: World, scope: PauseScope) -> None:
    """What nodes died of is left alone like everything else that is paused."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    await orphan(world, ORPHANS_ALONE)
    of = {PauseScope.ALL: None, PauseScope.PROFILE: "standard", PauseScope.APPLICATION: application}[scope]
    made = await pause(world, of)
    assert await world.store.claim_suspect(world.node, world.now) is None
    await world.store.end_pause(made.id, world.now)
    assert await world.store.claim_suspect(world.node, world.now) is not None


async def test_what_is_in_flight_ends_and_is_recorded(world: World) -> None:
    """A pause takes no claim away; a retry that comes of one waits."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=2)
    first, second = await world.claim()
    made = await pause(world)
    assert not await world.record(world.result(first), world.result(second, DeliveryState.PENDING, retry_in=1_000))
    world.clock.move(2_000)
    assert await due(world) == set()
    await world.store.end_pause(made.id, world.now)
    assert await due(world) == {second.id}


async def test_events_are_kept_and_catch_up_goes_on(world: World) -> None:
    """Deliveries are made of them, and wait."""
    application = await world.application()
    webhook = await world.webhook(application, WebhookStatus.DISABLED)
    active = await world.webhook(application)
    made = await pause(world, application)
    await world.publish(application, active, count=3)
    await world.move(webhook, WebhookStatus.CATCHING_UP)
    await world.catch_up(webhook)
    assert len(await world.deliveries(application)) == 6
    assert await due(world) == set()
    await world.store.end_pause(made.id, world.now)
    assert len(await due(world)) == 6


async def test_profiles_that_a_node_leaves_alone(world: World) -> None:
    """`leave`: as if they were paused, for this call only."""
    mine, other = await world.application(profile="bridge-api"), await world.application()
    webhook, theirs = await world.webhook(mine), await world.webhook(other)
    [event] = await world.publish(mine, webhook)
    [beside] = await world.publish(other, theirs)
    await send_aside(world, theirs, beside.id)
    claimed = await world.store.claim(
        world.node, world.now, limit=10, per_webhook=10, bytes_max=1 << 20, skip=(), leave=["standard", "x"]
    )
    assert [one.id for one in claimed] == [event.deliveries[0].id]
    assert await world.store.next_due_at([], ["standard"]) is None
    assert await world.store.next_due_at([]) is not None
    await pause(world, "standard")
    assert await due(world) == set()
    await world.finish(claimed)


async def test_leave_is_for_suspects_too(world: World) -> None:
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    await orphan(world, ORPHANS_ALONE)
    assert await world.store.claim_suspect(world.node, world.now, leave=["standard"]) is None
    assert await world.store.claim_suspect(world.node, world.now, leave=["bridge-api"]) is not None


async def test_a_clock_that_was_set_back_leaves_none_in_the_future(make_store: MakeStore) -> None:
    """Or every round would begin anew until then."""
    right_ms = VirtualClock().now_ms()
    clock = VirtualClock(right_ms + 3_600_000)
    world = World(make_store(), clock, IdMaker(clock))
    await world.store.open()
    await world.register()
    application = await world.application()
    await world.publish(application, await world.webhook(application))
    ended = await pause(world, "a")
    await world.store.end_pause(ended.id, world.now)
    lasting = await pause(world, "b")
    await world.store.close()
    dead, clock = world.node, VirtualClock(right_ms)
    world = World(make_store(), clock, IdMaker(clock))
    world.node = dead
    await world.store.open()
    await world.register()
    found = {one.id: (one.paused_at, one.ended_at) for one in await world.store.pauses()}
    assert found == {ended.id: (world.now, world.now), lasting.id: (world.now, None)}
    await world.store.close()
