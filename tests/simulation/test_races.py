"""Moments at which two things happen at once: nothing is stuck, lost, doubled, or sent after it was switched off."""

import asyncio

import pytest

from hookspan.domain.states import WebhookStatus
from hookspan.engine import EngineOptions
from hookspan.errors import StoreUnavailable, UnknownProfile
from hookspan.store.contract import Page, WebhookChange
from hookspan.vault import Vault

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000
B = "https://b.example.com/hook"


async def deliveries(world, application):
    return await world.store.list_deliveries(
        application.id, Page(limit=500), webhook_id=None, state=None, event_type=None
    )


async def failed_once(world, **webhook):
    """An application whose only delivery has failed once and is due now."""
    application = await world.application()
    made = await world.webhook(application, **webhook)
    world.egress.answer = lambda request: world.egress.status(500)
    await world.publish(application, 1)
    await world.settle()
    world.egress.answer = lambda request: world.egress.status(200)
    return application, made


async def test_a_change_sets_waiting_deliveries_free_on_an_idle_node(world):
    """More concurrency, or no rate any more, is in force at once, and not only when something else happens."""
    application = await world.application()
    slow = await world.webhook(application, rate=0.001)
    narrow = await world.webhook(application, url=B, concurrency=1)
    world.egress.is_holding = True
    await world.publish(application, *range(5))
    assert world.egress.in_flight == 2
    now_ms = world.clock.now_ms()
    await world.store.update_webhook(slow.id, WebhookChange(rate=None), None, now_ms)
    await world.store.update_webhook(narrow.id, WebhookChange(concurrency=5), None, now_ms)
    await world.engine.webhooks_changed(application.id)
    assert world.egress.in_flight == 10


async def test_what_was_claimed_before_its_webhook_came_on_leaves_then(world):
    application, webhook = await failed_once(world)
    await world.set_status(webhook, WebhookStatus.DISABLED)
    world.clock.move(60_000)
    await world.store.set_webhook_status(
        webhook.id, WebhookStatus.CATCHING_UP, None, keep=True, expected_version=None, changed_at=world.clock.now_ms()
    )
    await world.engine.poller.turn()
    await world.engine.webhooks_changed(application.id)
    await world.settle()
    assert world.numbers() == [1, 1]


async def test_what_was_claimed_while_its_webhook_went_off_is_given_back(world, monkeypatch):
    """It is not held for ever, can be cancelled, and does not leave after a skip."""
    application, webhook = await failed_once(world)
    world.clock.move(60_000)
    claim = world.store.claim

    async def claim_and_disable(*args, **options):
        found = await claim(*args, **options)
        if found:
            await world.set_status(webhook, WebhookStatus.DISABLED)
        return found

    monkeypatch.setattr(world.store, "claim", claim_and_disable)
    await world.engine.poller.turn()
    monkeypatch.undo()
    await world.settle()
    (delivery,) = await deliveries(world, application)
    assert not delivery.is_claimed
    await world.set_status(webhook, WebhookStatus.CATCHING_UP, keep=False)
    await world.settle()
    await world.publish(application, 2)
    await world.settle()
    assert world.numbers() == [1, 2]


async def test_a_suspect_whose_webhook_is_off_or_unreadable_stops_nobody(world):
    """Suspects of two webhooks: one can't be signed. The other's arrive, and its own when it can be."""
    application = await world.application()
    await world.webhook(application)
    world.egress.is_holding = True
    await world.publish(application, 1)
    other = await world.application()
    await world.webhook(other, url=B)
    await world.publish(other, 2)
    for _ in range(3):
        await world.crash()
        await world.run_for(1_000)
    world.egress.is_holding = False
    world.egress.let_go()
    await world.crash()
    world.egress.requests.clear()
    good = world.vault
    dispatcher = world.engine.dispatcher
    dispatcher._sender._vault = Vault(b"x" * 32)
    await world.run_for(10_000)
    assert world.numbers() == []
    dispatcher._sender._vault = good
    for _ in range(200):
        world.clock.move(1_000)
        await world.settle()
    assert sorted(world.numbers()) == [1, 2]
    assert dispatcher.suspect is None


async def test_one_hanging_receivers_suspects_do_not_starve_anothers_events(world):
    application = await world.application()
    await world.webhook(application, concurrency=50)
    world.egress.is_holding = True
    await world.publish(application, *range(20))
    for _ in range(3):
        await world.crash()
        await world.run_for(1_000)
    assert world.egress.in_flight == 1, "one suspect at a time"
    await world.webhook(application, url=B)
    world.egress.is_holding = False
    await world.publish(application, 99)
    await world.settle()
    assert world.numbers(B) == [99]


async def test_a_slow_load_between_claim_and_lane_doubles_nothing(world, monkeypatch):
    """Two looks for claims that nobody holds fall into the time between the claim and the lane."""
    application = await world.application()
    await world.webhook(application)
    world.egress.is_holding = True
    await world.publish(application, 1)
    await world.crash()
    gate, find = asyncio.Event(), world.engine.index.find_by_id

    async def slow(application_id):
        await gate.wait()
        return await find(application_id)

    monkeypatch.setattr(world.engine.index, "find_by_id", slow)
    turn = asyncio.ensure_future(world.engine.poller.turn())
    while not await world.store.unheld(world.engine.node.id, 10):
        await asyncio.sleep(0)
    for _ in range(2):
        await world.engine.node._free_unheld()
    gate.set()
    await turn
    monkeypatch.undo()
    world.egress.is_holding = False
    world.egress.let_go()
    await world.run_for(5_000)
    assert world.numbers() == [1, 1], "once before the crash, once after"


async def test_a_change_whose_reload_fails_leaves_nothing_old_in_force(world, monkeypatch):
    application = await world.application()
    webhook = await world.webhook(application, concurrency=1)
    world.egress.is_holding = True
    await world.publish(application, *range(20))

    async def unreadable(_application_id):
        raise StoreUnavailable("readers are busy")

    monkeypatch.setattr(world.store, "webhooks_of", unreadable)
    await world.set_status(webhook, WebhookStatus.DISABLED)
    monkeypatch.undo()
    world.egress.is_holding = False
    world.egress.let_go()
    await world.settle()
    assert world.numbers() == [0], "what was in flight ends"
    await world.set_status(webhook, WebhookStatus.CATCHING_UP)
    await world.settle()
    assert sorted(world.numbers()) == list(range(20))


async def test_a_fault_while_sending_costs_one_try_and_sticks_nowhere(world, monkeypatch):
    application = await world.application()
    await world.webhook(application)
    send = world.egress.send
    faults = iter([True])

    def faulty(*args, **options):
        if next(faults, False):
            raise ValueError("not header lines")
        send(*args, **options)

    monkeypatch.setattr(world.egress, "send", faulty)
    await world.publish(application, 1, 2)
    await world.run_for(20_000)
    assert sorted(world.numbers()) == [1, 2]
    dispatcher = world.engine.dispatcher
    assert (dispatcher.in_flight, dispatcher.items, dispatcher.bytes, dispatcher.held) == (0, 0, 0, {})


async def test_one_publisher_that_cant_be_answered_costs_the_others_nothing(world):
    application = await world.application()
    await world.webhook(application)
    answered: list = []

    def broken(_outcome):
        raise RuntimeError("the connection is odd")

    raw = b'{"type":"order.paid","content":{"number":%d}}'
    world.engine.intake.submit(application.public_id, raw % 1, broken)
    world.engine.intake.submit(application.public_id, raw % 2, answered.append)
    await world.engine.intake._guarded_turn()
    await world.settle()
    assert len(answered) == 1
    assert sorted(world.numbers()) == [1, 2]


async def test_a_webhook_that_was_disabled_for_failing_gets_its_time_again(world):
    """Re-activated while its receiver still fails, it is not disabled again by the first failure."""
    application = await world.application()
    webhook = await world.webhook(application)
    world.egress.answer = lambda request: world.egress.status(500)
    for day in range(6):
        await world.publish(application, day)
        await world.run_for(24 * HOUR_MS)
    assert (await world.store.get_webhook(webhook.id)).status is WebhookStatus.DISABLED
    await world.set_status(webhook, WebhookStatus.CATCHING_UP)
    await world.run_for(HOUR_MS)
    seen = await world.store.get_webhook(webhook.id)
    assert seen.status is WebhookStatus.ACTIVE
    assert world.clock.now_ms() - seen.failing_since <= HOUR_MS


async def test_a_catch_up_uses_the_subscription_that_is_in_force(world, monkeypatch):
    """Changed between the duty's look and its chunk: what it asks for now is what it gets."""
    application = await world.application()
    webhook = await world.webhook(application, events=("nothing.*",))
    await world.set_status(webhook, WebhookStatus.DISABLED)
    await world.publish(application, 1, 2)
    await world.set_status(webhook, WebhookStatus.CATCHING_UP)
    catch_up = world.store.catch_up

    async def changed_first(*args, **options):
        monkeypatch.undo()
        change = WebhookChange(events=("order.*",))
        await world.store.update_webhook(webhook.id, change, None, world.clock.now_ms())
        return await catch_up(*args, **options)

    monkeypatch.setattr(world.store, "catch_up", changed_first)
    await world.settle()
    assert sorted(world.numbers()) == [1, 2]


async def test_giving_back_survives_a_new_registration_and_a_store_that_fails(world, monkeypatch):
    application = await world.application()
    webhook = await world.webhook(application, concurrency=1)
    world.egress.is_holding = True
    await world.publish(application, *range(10))
    release = world.store.release
    failures = iter([True, True])

    async def failing(*args):
        world.engine.recorder.forget_claims()  # the node registers anew meanwhile
        if next(failures, False):
            raise StoreUnavailable("gone for a moment")
        await release(*args)

    monkeypatch.setattr(world.store, "release", failing)
    await world.set_status(webhook, WebhookStatus.DISABLED)
    for _ in range(3):
        await world.engine.recorder._guarded_turn()
    monkeypatch.undo()
    world.egress.is_holding = False
    world.egress.let_go()
    await world.settle()
    await world.set_status(webhook, WebhookStatus.CATCHING_UP)
    await world.settle()
    assert sorted(world.numbers()) == list(range(10))


async def test_more_busy_lanes_than_idle_ones_are_kept_all_obey_their_limits(make_world):
    """The bound is on idle lanes: a busy one is never forgotten, so its concurrency holds."""
    async with make_world(options=EngineOptions(idle_lanes_max=2)) as world:
        application = await world.application()
        for letter in "abcde":
            await world.webhook(application, url=f"https://{letter}.example.com/", concurrency=1)
        world.egress.is_holding = True
        await world.publish(application, *range(4))
        assert world.egress.in_flight == 5
        world.egress.is_holding = False
        world.egress.let_go()
        await world.settle()
        assert len(world.egress.requests) == 20
        for _ in range(3):
            extra = await world.application()
            await world.webhook(extra)
            await world.publish(extra, 1)
            await world.settle()
        assert len(world.engine.dispatcher.lanes) <= 6


async def test_bytes_in_flight_count_against_the_nodes_bound(make_world):
    async with make_world(options=EngineOptions(node_bytes_max=1_000)) as world:
        application = await world.application()
        await world.webhook(application, concurrency=100)
        world.egress.is_holding = True
        await world.publish(application, *range(40))
        dispatcher = world.engine.dispatcher
        assert dispatcher.in_flight > 1
        assert sum(len(request.body) for request in world.egress.requests) <= 1_000
        world.egress.is_holding = False
        world.egress.let_go()
        await world.settle()
        assert sorted(world.numbers()) == list(range(40))
        assert dispatcher.bytes == 0


async def test_a_claim_whose_webhook_cant_be_read_is_nobodys_for_long(world, monkeypatch):
    """The database is lost between a claim and the look for its webhook, and giving back fails too."""
    application, _ = await failed_once(world)
    world.engine.index.forget(application.id)
    world.clock.move(HOUR_MS)

    async def gone(*_):
        raise StoreUnavailable("gone for a moment")

    monkeypatch.setattr(world.store, "webhooks_of", gone)
    monkeypatch.setattr(world.store, "release", gone)
    await world.engine.poller._guarded_turn()
    monkeypatch.undo()
    assert await world.store.unheld(world.engine.node.id, 10), "it was claimed"
    for _ in range(2):
        await world.engine.node.turn()
    await world.settle()
    assert world.numbers() == [1, 1]


async def test_a_late_result_of_an_old_claim_does_not_give_up_the_new_one(world):
    """Claimed again by the same process after it was taken out, while its first request is still under way."""
    application = await world.application()
    await world.webhook(application, concurrency=2)
    world.egress.is_holding = True
    await world.publish(application, 1)
    await world.store.deregister_node(world.engine.node.id, world.clock.now_ms())
    await world.engine.node.turn()
    await world.engine.poller.turn()
    assert world.egress.in_flight == 2, "the old request, and the new one"
    world.egress.let_go(1)
    while world.engine.recorder.is_empty:
        await asyncio.sleep(0)
    await world.engine.recorder.turn()
    assert world.counters.attempts_late == 1
    for _ in range(2):
        await world.engine.node._free_unheld()
    await world.engine.poller.turn()
    assert world.egress.in_flight == 1, "what is under way was not taken for nobody's"


@pytest.mark.parametrize("status", [WebhookStatus.ACTIVE, WebhookStatus.CATCHING_UP])
async def test_a_profile_that_this_node_does_not_have_stops_nobody_else(world, monkeypatch, status):
    """Another node knows it: its deliveries are left to that one, and everything else goes on."""
    strange, other = await world.application(), await world.application()
    for application in (strange, other):
        webhook = await world.webhook(application)
        await world.set_status(webhook, WebhookStatus.DISABLED)
        await world.publish(application, 1)
        await world.set_status(webhook, WebhookStatus.CATCHING_UP)
        if status is WebhookStatus.ACTIVE:
            await world.engine.catch_up.turn()
    index, profile_of = world.engine.index, world.engine.index._profile_of

    def unknown(application):
        if application.id == strange.id:
            raise UnknownProfile("There is no such profile here.")
        return profile_of(application)

    monkeypatch.setattr(index, "_profile_of", unknown)
    index.forget(strange.id)
    await world.settle()
    assert len(world.numbers()) == 1
    assert await world.store.unheld(world.engine.node.id, 10) == [], "what it can't send it does not keep"
    monkeypatch.undo()
    world.clock.move(61_000)
    await world.settle()
    assert len(world.numbers()) == 2
