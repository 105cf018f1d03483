"""Registration, claims of nodes that are gone, ids."""

import asyncio
import time

import pytest

from hookspan.domain.states import DeliveryState, Order, WebhookStatus
from hookspan.ids import IdMaker, first_id_at
from hookspan.store.contract import ORPHANS_ALONE, ClaimRef
from hookspan.store.nodes import LeftProfile
from tests.contract.factories import MakeStore
from tests.contract.world import World
from tests.support.clock import VirtualClock

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000


async def test_every_registration_has_a_new_id(world: World) -> None:
    """From 1, never twice: half of the fence."""
    seen = [world.node, await world.register(), await world.register()]
    assert seen == [1, 2, 3]
    await world.store.deregister_node(3, world.now)
    assert await world.register() == 4


async def test_a_beat_proves_registration(world: World) -> None:
    """True while registered, False after."""
    assert await world.store.beat(world.node)
    await world.store.deregister_node(world.node, world.now)
    assert not await world.store.beat(world.node)


async def test_a_node_says_for_how_long_it_may_stand_still(world: World) -> None:
    """To those that watch it; one that says nothing leaves it to them, and one that is alone has nobody to tell."""
    for window_ms in (None, 12_000):
        node = await world.store.register_node(world.now, trust_window_ms=window_ms)
        seen = {one.id: one.trust_window_ms for one in await world.store.nodes()}
        assert seen[node] == (window_ms if world.store.is_shared else None)


async def test_a_restart_frees_claims_and_counts_orphans(world: World, make_store: MakeStore) -> None:
    """What a process held when it died is due again at its successor's registration, and the count tells how often."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, is_claimed=True)
    for deaths in (1, 2):
        await world.store.close()
        world.store = make_store()
        await world.store.open()
        dead = world.node
        await world.register()
        [claimed] = await world.claim()
        assert claimed.orphan_count == deaths
        late = await world.store.record(dead, [world.result(claimed)])
        assert late == {claimed.id}
    await world.record(world.result(claimed, DeliveryState.PENDING, retry_in=0))
    [claimed] = await world.claim()
    assert claimed.orphan_count == 0, "an attempt that was recorded proves that it kills nobody"
    await world.store.close()


async def test_a_deregistered_node_loses_its_claims(world: World) -> None:
    """They are due again and counted; its results are refused once somebody has claimed them."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=2)
    held = await world.claim()
    dead = world.node
    world.clock.move(10)
    assert await world.store.deregister_node(dead, world.now) == 2
    assert await world.store.deregister_node(dead, world.now) == 0
    await world.register()
    assert [one.orphan_count for one in await world.claim()] == [1, 1]
    assert await world.store.record(dead, [world.result(one) for one in held]) == {one.id for one in held}


async def test_who_has_beaten_since_is_not_taken_out(world: World) -> None:
    """By the counter that was seen: it keeps its claims; without one, or by the right one, it goes."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=2)
    claimed = await world.claim()
    (seen,) = [one.counter for one in await world.store.nodes() if one.id == world.node]
    assert await world.store.beat(world.node)
    assert await world.store.deregister_node(world.node, world.now, counter=seen) is None
    assert await world.store.beat(world.node)
    assert len(await world.store.unheld(world.node, 10)) == len(claimed) == 2
    assert await world.store.deregister_node(world.node, world.now, counter=seen + 2) == 2
    assert not await world.store.beat(world.node)
    assert await world.store.deregister_node(world.node, world.now, counter=seen + 2) is None, "it is gone"


async def test_claims_in_a_nodes_name_can_be_listed(world: World) -> None:
    """Oldest first, bounded: those that the node does not know are given back."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=3)
    [born] = await world.publish(application, webhook, is_claimed=True)
    held = sorted(await world.claim(), key=lambda one: one.id)
    refs = [ClaimRef(one.id, one.claim) for one in held] + [ClaimRef(born.deliveries[0].id, 1)]
    assert await world.store.unheld(world.node, 10) == refs
    assert await world.store.unheld(world.node, 2) == refs[:2]
    assert await world.store.unheld(world.node + 1, 10) == []


async def test_the_highest_id_outlives_what_bore_it(world: World, make_store: MakeStore) -> None:
    """A clock that was set back must not repeat ids, not even those of dropped events."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    [claimed] = await world.claim()
    result = world.result(claimed)
    await world.record(result)
    assert result.attempt is not None
    assert await world.store.highest_id() == result.attempt.id
    world.clock.move(10_000)
    await world.expire(first_id_at(world.now), first_id_at(world.now))
    assert await world.store.highest_id() == result.attempt.id
    [alone] = await world.publish(application)
    world.clock.move(10_000)
    await world.expire(first_id_at(world.now), first_id_at(world.now))
    assert await world.store.highest_id() == alone.id
    await world.store.close()
    world.store = make_store()
    await world.store.open()
    assert await world.store.highest_id() == alone.id
    await world.store.close()


async def test_a_clock_that_was_set_back_delays_no_first_attempt(world: World) -> None:
    """First attempts are due at once, whatever the wall says at the next start; retries keep their times."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=2)
    [one] = await world.claim(limit=1)
    await world.record(world.result(one, DeliveryState.PENDING))
    earlier = world.now - 3_600_000
    node = await world.store.register_node(earlier)
    claimed = await world.store.claim(node, earlier, limit=10, per_webhook=10, bytes_max=1_000, skip=())
    assert len(claimed) == 1
    assert claimed[0].attempt_count == 0


async def test_everything_survives_a_restart(world: World, make_store: MakeStore) -> None:
    """What a call returned is still there after close and open; close may be called twice."""
    application = await world.application()
    webhook = await world.webhook(application)
    [event] = await world.publish(application, webhook, publisher_id="p")
    assert await world.store.check_value(b"first") == b"first"
    await world.store.close()
    await world.store.close()
    world.store = make_store()
    await world.store.open()
    assert await world.store.get_application(application.public_id) is not None
    assert await world.store.get_webhook(webhook.id) is not None
    assert await world.store.get_event(application.id, event.id) is not None
    assert await world.store.check_value(b"second") == b"first"
    await world.store.close()


async def test_stats_are_numbers(world: World) -> None:
    """Names with units, cheap to read."""
    stats = await world.store.stats()
    assert stats
    assert all(isinstance(value, int) and value >= 0 for value in stats.values())


async def orphan(world: World, times: int) -> None:
    """Let the node die over everything that is claimed, and claim it again, so many times."""
    for _ in range(times):
        await world.claim()
        await world.register()


async def test_what_nodes_die_over_is_claimed_alone(world: World) -> None:
    """After three deaths `claim` leaves a delivery to `claim_suspect`, which takes one at a time; others go on."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=2)
    await orphan(world, ORPHANS_ALONE)
    [fresh] = await world.publish(application, webhook)
    assert [one.event_id for one in await world.claim()] == [fresh.id]
    first = await world.store.claim_suspect(world.node, world.now)
    second = await world.store.claim_suspect(world.node, world.now)
    assert first is not None
    assert second is not None
    assert {first.orphan_count, second.orphan_count} == {ORPHANS_ALONE}
    assert await world.store.claim_suspect(world.node, world.now) is None
    await world.record(world.result(first, DeliveryState.PENDING, retry_in=0))
    assert [one.id for one in await world.claim()] == [first.id], "it was sent and nobody died"
    assert await world.store.claim_suspect(world.node + 1, world.now) is None


async def test_a_suspect_holds_back_its_fifo_webhook(world: World) -> None:
    """Only the head can be taken, and nothing behind it before it is done."""
    application = await world.application()
    webhook = await world.webhook(application, order=Order.FIFO)
    events = await world.publish(application, webhook, count=2)
    await orphan(world, ORPHANS_ALONE)
    assert await world.claim() == []
    head = await world.store.claim_suspect(world.node, world.now)
    assert head is not None
    assert head.event_id == events[0].id
    assert await world.store.claim_suspect(world.node, world.now) is None
    await world.finish([head])
    behind = await world.store.claim_suspect(world.node, world.now)
    assert behind is not None
    assert behind.event_id == events[1].id


async def test_a_suspect_of_a_webhook_that_is_off_waits(world: World) -> None:
    """Parked like any other, and not taken before it is due."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    await orphan(world, ORPHANS_ALONE)
    assert await world.store.claim_suspect(world.node, world.now - 1) is None
    await world.move(webhook, WebhookStatus.DISABLED)
    assert await world.store.claim_suspect(world.node, world.now) is None


async def test_a_clock_that_was_set_back_puts_nothing_out_of_reach(
    make_store: MakeStore, clock: VirtualClock, ids: IdMaker
) -> None:
    """Ten years ahead, then set right over a restart: what had failed or was held is tried within minutes, spread."""
    right_ms = clock.now_ms()
    clock.move(3650 * DAY_MS)
    world = World(make_store(), clock, ids)
    await world.store.open()
    await world.register()
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=30)
    await world.record(*(world.result(one, DeliveryState.PENDING) for one in await world.claim(limit=20)))
    await world.record(*(world.result(one, DeliveryState.PENDING) for one in await world.claim(limit=5)))
    await world.claim(limit=3)
    await world.move(webhook, WebhookStatus.DISABLED)
    await world.move(webhook, WebhookStatus.CATCHING_UP)
    await world.store.set_failing_since(webhook.id, world.now)
    await world.store.close()
    dead = world.node
    world = World(make_store(), VirtualClock(right_ms), ids)
    world.node = dead
    await world.store.open()
    await world.register()
    deliveries = await world.deliveries(application)
    due = [one.next_attempt_at or 0 for one in deliveries]
    assert all(world.now <= one <= world.now + 600_000 for one in due)
    assert len(set(due)) > 20
    assert all(one.round_started_at in (None, world.now) for one in deliveries)
    seen = await world.store.get_webhook(webhook.id)
    assert seen is not None
    assert (seen.failing_since, seen.activated_at) == (world.now, world.now)
    await world.store.close()


async def test_an_orderly_start_leaves_the_plan_alone(world: World) -> None:
    """A retry that a policy has put days ahead stays where it is."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    await world.record(*(world.result(one, DeliveryState.PENDING, retry_in=5 * DAY_MS) for one in await world.claim()))
    due = world.now + 5 * DAY_MS
    await world.register()
    assert [one.next_attempt_at for one in await world.deliveries(application)] == [due]


async def test_the_time_that_nodes_share(world: World) -> None:
    """A shared database says its own, which no node's clock moves; one that is a single node's goes by that."""
    world.clock.move(400 * 24 * 3_600_000)
    told_ms = await world.store.clock_ms()
    assert abs(told_ms - (time.time() * 1000 if world.store.is_shared else world.now)) < 60_000


# --- whose profiles are in force


async def register(world: World, *, delivers: bool = True, **hashes: str) -> int:
    return await world.store.register_node(world.now, delivers=delivers, profiles=hashes)


async def left(world: World, node: int) -> list[LeftProfile]:
    return await world.store.settle_profiles(node, world.now)


async def test_one_content_of_a_profile_is_in_force(world: World) -> None:
    """That of the first; whoever has another leaves it alone until the last of those is gone. Alone it is one's own."""
    first = await register(world, a="1", b="1")
    assert await left(world, first) == []
    second = await register(world, a="1", b="2", c="2")
    if not world.store.is_shared:
        assert await left(world, second) == []
        return
    assert await left(world, second) == [LeftProfile("b", "1", "2")]
    assert await left(world, first) == [LeftProfile("c", "2", None)], "it has none of that name"
    third = await register(world, b="1")
    assert [one.name for one in await left(world, third)] == ["a", "c"]
    await world.store.deregister_node(first, world.now)
    assert await left(world, second) == [LeftProfile("b", "1", "2")], "one more has it"
    await world.store.deregister_node(third, world.now)
    assert await left(world, second) == []
    late = await register(world, a="1", b="1")
    assert await left(world, late) == [LeftProfile("b", "2", "1"), LeftProfile("c", "2", None)]
    assert await left(world, second) == []
    assert [one.name for one in await left(world, first)] == ["a", "b", "c"], "who is not registered has none"


async def test_what_nobody_has_any_more_is_nobodys_to_leave(world: World) -> None:
    """A profile that was taken away: who is there says so where it comes up, nothing waits in silence."""
    first = await register(world, a="1", gone="1")
    await left(world, first)
    second = await register(world, a="1")
    assert [one.name for one in await left(world, second)] == (["gone"] if world.store.is_shared else [])
    await world.store.deregister_node(first, world.now)
    assert await left(world, second) == []


async def test_who_does_not_deliver_has_nothing_in_force(world: World) -> None:
    """It sends nothing: what it has neither comes in force nor keeps anything there."""
    if not world.store.is_shared:
        return
    intake = await register(world, delivers=False, a="1")
    assert await left(world, intake) == []
    node = await register(world, a="2")
    assert await left(world, node) == []
    assert await left(world, intake) == [LeftProfile("a", "2", "1")]
    another = await register(world, delivers=False, a="2")
    await world.store.deregister_node(node, world.now)
    other = await register(world, a="3")
    assert await left(world, other) == []
    assert await left(world, another) == [LeftProfile("a", "3", "2")]


async def test_nodes_that_come_at_once_agree(world: World) -> None:
    """However many contents there are, one is in force, and all others are left alone."""
    if not world.store.is_shared:
        return
    nodes = await asyncio.gather(*(register(world, a=str(number)) for number in range(8)))
    found = await asyncio.gather(*(left(world, node) for node in nodes))
    assert [bool(one) for one in found].count(False) == 1
    assert len({one.in_force for each in found for one in each}) == 1
