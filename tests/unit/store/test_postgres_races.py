"""Applications, webhooks and deliveries while several nodes change them at the same moment: what SQLite never had.

Where a race has to be met at one point, the test holds a lock itself, in a transaction beside, until the call waits.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import psycopg
import pytest

from hookspan.domain.records import Application, Webhook
from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, Order, WebhookStatus
from hookspan.errors import ChangedMeanwhile, StateForbidden
from hookspan.store.contract import ClaimRef, NewApplication, NewAside, WebhookChange
from hookspan.store.postgres._catch_up import LAST_EVENTS_MAX
from tests.contract.world import ALL, World
from tests.unit.store.postgres_nodes import Nodes, at_once, two_nodes

pytestmark = pytest.mark.anyio

ALL_IDS = (1 << 63) - 1
_LOOKS_MAX = 10_000


@pytest.fixture
async def nodes() -> AsyncIterator[Nodes]:
    async with two_nodes() as nodes:
        yield nodes


@contextlib.contextmanager
def beside(nodes: Nodes) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A transaction of somebody else; committed at the end."""
    with psycopg.connect(nodes.url) as connection:
        yield connection


async def waits(nodes: Nodes) -> None:
    """Until somebody waits for a lock."""
    for _ in range(_LOOKS_MAX):
        if nodes.query("select 1 from pg_locks where not granted limit 1"):
            return
        await asyncio.sleep(0)
    pytest.fail("nobody waits")


async def send(world: World, application: Application, webhook: Webhook, event_id: int) -> int:
    new = NewAside(
        id=world.ids.make(),
        application_id=application.id,
        webhook_id=webhook.id,
        event_id=event_id,
        cause=Cause.SEND,
    )
    sent = await world.store.send_aside(new, world.now)
    assert sent is not None
    return sent.run


# --- applications


async def test_a_public_id_is_given_once(nodes: Nodes) -> None:
    """Of many who ask for it at once one gets it, and the others are told that it is taken."""

    def new(world: World) -> NewApplication:
        return NewApplication(
            id=world.ids.make(),
            public_id="app_same",
            name="",
            profile="standard",
            uuid="",
            settings={},
            metadata={},
            notify=None,
            created_at=world.now,
        )

    made = await asyncio.gather(*(world.store.create_application(new(world)) for world in nodes.worlds * 4))
    [one] = [application for application in made if application is not None]
    assert one == await nodes.worlds[0].store.get_application("app_same")


async def test_the_profile_is_fixed_by_a_publish_that_is_not_yet_committed(nodes: Nodes) -> None:
    """Who changes it waits, and finds an event."""
    one, _ = nodes.worlds
    application = await one.application()
    with beside(nodes) as publisher:
        publisher.execute("update application set last_position = 1 where id = %s", (application.id,))
        changing = asyncio.create_task(
            one.store.update_application(
                application.id,
                one.now,
                name=None,
                profile="bridge-api",
                uuid=None,
                settings=None,
                metadata=None,
                notify=msgspec.UNSET,
            )
        )
        await waits(nodes)
    with pytest.raises(StateForbidden, match="standard"):
        await changing


async def test_no_event_falls_between_two_states(nodes: Nodes) -> None:
    """A publish that is being committed fans out, or is behind the webhook's position: never neither."""
    one, _ = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application)
    with beside(nodes) as publisher:
        publisher.execute("update application set last_position = 7 where id = %s", (application.id,))
        disabling = asyncio.create_task(one.move(webhook, WebhookStatus.DISABLED))
        await waits(nodes)
    assert (await disabling).position == 7
    revision = await one.store.revision(webhook.id, 2)
    assert revision is not None
    assert revision.from_position == 7


async def test_a_deletion_meets_publishes(nodes: Nodes) -> None:
    """What was published before it is cancelled and erased, what comes after is refused; nothing is left behind."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application)
    kept = refused = 0

    async def publish(world: World) -> None:
        nonlocal kept, refused
        for _ in range(15):
            event = world.event(application, webhook)
            appended = await world.store.append(world.node, [event], {application.id: 2}, world.fan_out)
            refused += application.id in appended.unknown
            kept += appended.events[0].position > 0

    async def delete() -> None:
        await other.webhook(await other.application())
        assert await other.store.delete_application(application.id, other.now)

    await asyncio.gather(publish(one), publish(other), delete())
    assert kept + refused == 30
    assert await one.claim() == []
    await one.expire(0, 0)
    for table in ("event", "delivery", "webhook_revision"):
        where = "webhook_id" if table != "event" else "application_id"
        ident = webhook.id if table != "event" else application.id
        assert nodes.query(f"select count(*) from {table} where {where} = %s", ident) == [(0,)]
    assert nodes.query("select count(*) from application") == [(1,)]


# --- webhooks


async def test_the_limit_of_webhooks_holds(nodes: Nodes) -> None:
    """Many are created at once, on two nodes: as many as fit."""
    one, _ = nodes.worlds
    application = await one.application()
    made = await asyncio.gather(
        *(world.store.create_webhook(world.new_webhook(application), 3) for world in nodes.worlds * 5)
    )
    assert len([webhook for webhook in made if webhook is not None]) == 3
    seen = await one.webhooks_seen(application.id)
    assert (len(seen.webhooks), seen.application.webhooks_version) == (3, 4)


async def test_of_two_changes_of_one_version_one_is_refused(nodes: Nodes) -> None:
    """Both by name and by status; what is refused has changed nothing."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application)
    for version in range(1, 20, 2):
        rename = one.store.update_webhook(webhook.id, WebhookChange(name=str(version)), version, one.now)
        rewrite = other.store.update_webhook(webhook.id, WebhookChange(rate=float(version)), version, other.now)
        ends = await at_once(rename, rewrite)
        assert sorted(type(end).__name__ for end in ends) == ["ChangedMeanwhile", "Webhook"]
        status = WebhookStatus.DISABLED if version % 4 == 1 else WebhookStatus.CATCHING_UP
        moves = [
            world.store.set_webhook_status(
                webhook.id, status, None, keep=True, expected_version=version + 1, changed_at=world.now
            )
            for world in nodes.worlds
        ]
        ends = await at_once(*moves)
        assert any(isinstance(end, ChangedMeanwhile) for end in ends)
    found = await one.store.get_webhook(webhook.id)
    assert found is not None
    assert found.version == 21
    assert len(nodes.query("select version from webhook_revision")) == 21


async def test_what_failed_since_is_not_brought_back(nodes: Nodes) -> None:
    """A change of members that was under way does not overwrite what a recorder notes meanwhile."""
    one, _ = nodes.worlds
    webhook = await one.webhook(await one.application())
    with beside(nodes) as recorder:
        recorder.execute("update webhook set failing_since = 77 where id = %s", (webhook.id,))
        moving = asyncio.create_task(one.move(webhook, WebhookStatus.DISABLED))
        await waits(nodes)
    assert (await moving).failing_since == 77


async def test_toggles_miss_and_double_nothing(nodes: Nodes) -> None:
    """However publishes, disables, activations and turns of catch-up of two nodes meet: one delivery for each event."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application)
    published: list[int] = []
    is_over = False

    async def publish(world: World) -> None:
        for _ in range(40):
            seen = await world.webhooks_seen(application.id)
            event = world.event(application, *(webhook for _ in world.fan_out(seen, world.event(application))))
            versions = {application.id: seen.application.webhooks_version}
            appended = await world.store.append(world.node, [event], versions, world.fan_out)
            published.append(appended.events[0].event_id)

    async def toggle() -> None:
        dice = random.Random(7)
        while not is_over:
            await other.move(webhook, WebhookStatus.DISABLED)
            await one.move(webhook, WebhookStatus.CATCHING_UP)
            for _ in range(dice.randrange(3)):
                await at_once(*(turn(world, 1 + dice.randrange(3)) for world in nodes.worlds))

    def turn(world: World, most: int) -> Any:
        return world.store.catch_up(webhook.id, most, lambda _type: True)

    toggler = asyncio.create_task(toggle())
    await asyncio.gather(*(publish(world) for world in nodes.worlds * 2))
    is_over = True
    await toggler
    await one.move(webhook, WebhookStatus.ACTIVE)
    await one.catch_up(webhook)
    assert sorted(each.event_id for each in await one.deliveries(application)) == sorted(published)
    positions = nodes.query("select position from event order by position")
    assert [position for (position,) in positions] == list(range(1, len(published) + 1))


@pytest.mark.parametrize("order", [Order.ANY, Order.FIFO])
async def test_two_nodes_catch_up_one_webhook(nodes: Nodes, order: Order) -> None:
    """Each event once, in order, whose ever clock is ahead, while others publish; it ends active."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application, WebhookStatus.DISABLED, order=order)
    for _ in range(5):
        await one.publish(application, count=100)
    await one.move(webhook, WebhookStatus.CATCHING_UP)
    other.clock.move(5_000)

    async def turn(world: World) -> int:
        created = 0
        for _ in range(100):
            done = await world.store.catch_up(webhook.id, 50, lambda _type: True)
            created += done.created
            if done.is_done:
                break
        return created

    async def publish() -> int:
        for _ in range(20):
            await one.store.append(one.node, [one.event(application)], {application.id: 0}, one.fan_out)
        return 20

    created = await asyncio.gather(turn(one), turn(other), turn(one), publish())
    deliveries = await one.deliveries(application)
    assert len({each.event_id for each in deliveries}) == len(deliveries) == 520
    assert sum(created) >= 500
    found = await one.store.get_webhook(webhook.id)
    assert found is not None
    assert (found.status, found.position) == (WebhookStatus.ACTIVE, 520)
    if order is Order.FIFO:
        missed = sorted(deliveries, key=lambda each: each.event_id)[:500]
        assert missed == sorted(missed, key=lambda each: each.id)


async def test_catching_up_holds_up_nobody_who_publishes(nodes: Nodes) -> None:
    """A long chunk holds the webhook's row, not the application's."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application, WebhookStatus.DISABLED)
    await one.publish(application, count=400)
    await one.move(webhook, WebhookStatus.CATCHING_UP)
    [first] = nodes.query("select min(id) from event")
    with beside(nodes) as dropper:
        dropper.execute("select 1 from event where id = %s for update", first)
        turning = asyncio.create_task(one.store.catch_up(webhook.id, 100, lambda _type: True))
        await waits(nodes)
        await other.append(other.event(application))
        assert not turning.done()
    assert (await turning).created == 100


async def test_the_last_chunk_of_a_catch_up_is_short(nodes: Nodes) -> None:
    """Nobody publishes while it runs, so a longer rest is first made shorter beside those who do."""
    one, _ = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application, WebhookStatus.DISABLED)
    await one.publish(application, count=LAST_EVENTS_MAX)
    await one.move(webhook, WebhookStatus.CATCHING_UP)
    turns = await one.catch_up(webhook, LAST_EVENTS_MAX * 2)
    assert [(turn.created, turn.is_done) for turn in turns] == [(LAST_EVENTS_MAX, False), (0, True)]


async def test_an_event_that_is_being_dropped_gets_no_delivery(nodes: Nodes) -> None:
    """Neither by a catch-up nor by hand: there would be a delivery without an event."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application, WebhookStatus.DISABLED)
    events = await one.publish(application, count=3)
    await one.move(webhook, WebhookStatus.CATCHING_UP)
    new = NewAside(
        id=one.ids.make(),
        application_id=application.id,
        webhook_id=webhook.id,
        event_id=events[0].id,
        cause=Cause.SEND,
    )
    with beside(nodes) as dropper:
        dropper.execute("delete from event where id = %s", (events[0].id,))
        turning = asyncio.create_task(one.store.catch_up(webhook.id, 10, lambda _type: True))
        await waits(nodes)
        sending = asyncio.create_task(other.store.send_aside(new, other.now))
    assert (await turning).created == 2
    assert await sending is None
    assert nodes.query("select count(*) from delivery") == [(2,)]


# --- what is claimed at the same moment


def claim(connection: psycopg.Connection[tuple[Any, ...]], node: int, delivery_id: int) -> ClaimRef:
    """Another node's claim, not yet committed."""
    text = "update delivery set node = %s, claim = claim + 1 where id = %s and node = 0 returning id, claim"
    row = connection.execute(text, (node, delivery_id)).fetchone()
    assert row is not None
    return ClaimRef(*row)


async def test_what_is_being_claimed_is_not_cancelled(nodes: Nodes) -> None:
    """Who cancels it or asks for it at once waits for the claim, and is told that it is being sent."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application)
    [event] = await one.publish(application, webhook)
    ident = event.deliveries[0].id
    for call in (
        lambda: one.store.cancel_delivery(application.id, ident, DeliveryReason.PERSON, one.now),
        lambda: one.store.reopen_delivery(application.id, ident, Cause.MANUAL, one.now),
    ):
        with beside(nodes) as claimer:
            ref = claim(claimer, other.node, ident)
            calling = asyncio.create_task(call())
            await waits(nodes)
        with pytest.raises(StateForbidden, match="sent right now"):
            await calling
        await other.store.release(other.node, [ref], other.now)
    assert (await one.delivery(application, ident)).state is DeliveryState.PENDING


async def test_a_cancellation_meets_an_outcome(nodes: Nodes) -> None:
    """Whichever is first: recorded, it is refused; cancelled, the claim finds nothing. Never both."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application)
    for _ in range(12):
        [event] = await one.publish(application, webhook)
        ident = event.deliveries[0].id

        async def work() -> int:
            claimed = await other.claim()
            await other.finish(claimed)
            return len(claimed)

        cancelling = one.store.cancel_delivery(application.id, ident, DeliveryReason.PERSON, one.now)
        done, cancelled = await at_once(work(), cancelling)
        delivery = await one.delivery(application, ident)
        if isinstance(cancelled, StateForbidden):
            assert (done, delivery.state) == (1, DeliveryState.SUCCEEDED)
        else:
            assert (done, delivery.state) == (0, DeliveryState.CANCELLED)


async def test_a_claim_that_is_committed_after_a_skip_is_skipped_too(nodes: Nodes) -> None:
    """It began before; the sweep does not end until it is marked."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application)
    events = await one.publish(application, webhook, count=3)
    await one.move(webhook, WebhookStatus.DISABLED)
    with beside(nodes) as claimer:
        ref = claim(claimer, other.node, events[0].deliveries[0].id)
        await one.move(webhook, WebhookStatus.CATCHING_UP, keep=False)
        assert not (await one.store.catch_up(webhook.id, 10, lambda _type: True)).is_done
    await one.catch_up(webhook)
    assert (await one.delivery(application, ref.delivery_id)).is_claimed
    await other.store.release(other.node, [ref], other.now)
    assert {each.reason for each in await one.deliveries(application)} == {DeliveryReason.SKIPPED}


async def test_runs_are_given_once(nodes: Nodes) -> None:
    """However many send one event by hand at the same moment: each is a run of its own."""
    one, _ = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application)
    [event] = await one.publish(application)
    runs = await asyncio.gather(*(send(world, application, webhook, event.id) for world in nodes.worlds * 4))
    assert sorted(runs) == list(range(1, 9))


async def test_an_old_delivery_that_is_asked_for_again_is_found(nodes: Nodes) -> None:
    """Also where retention is noting at this moment that nothing so old is pending."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application)
    [event] = await one.publish(application, webhook)
    await one.finish(await one.claim())
    await one.store.expire(0, 0, 10, one.now)
    ident = event.deliveries[0].id
    with beside(nodes) as retention:
        retention.execute("update fact set value = %s where name = 'lowest_pending'", (ALL_IDS,))
        asking = asyncio.create_task(one.store.reopen_delivery(application.id, ident, Cause.MANUAL, one.now))
        await waits(nodes)
    assert await asking is not None
    assert [each.id for each in await other.claim()] == [ident]


# --- stalls


async def stall(world: World, application: Application, webhook: Webhook) -> tuple[int, int]:
    """The head of a fifo webhook that has stalled, and what comes after it."""
    events = await world.publish(application, webhook, count=2)
    head, follower = await world.claim()
    stalled = world.result(head, DeliveryState.PENDING, next_attempt_at=None)
    await world.store.release(world.node, [ClaimRef(follower.id, follower.claim)], world.now)
    await world.record(stalled)
    assert head.id == events[0].deliveries[0].id
    return head.id, follower.id


async def test_a_stall_is_not_handed_on_past_a_success_by_hand(nodes: Nodes) -> None:
    """Who cancels the head waits for the outcome that lets everything go; nothing is stalled for ever."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application, order=Order.FIFO)
    head, follower = await stall(one, application, webhook)
    for _ in range(6):
        [event] = await other.publish(application)
        await send(other, application, webhook, event.id)
        [aside] = [each for each in await other.claim() if each.is_aside]
        accepted = other.result(aside, resumes=webhook.id)
        cancelling = one.store.cancel_delivery(application.id, head, DeliveryReason.PERSON, one.now)
        late, cancelled = await at_once(other.record(accepted), cancelling)
        assert late == frozenset()
        assert not isinstance(cancelled, BaseException)
        assert await one.store.stalled([webhook.id]) == {}
        claimed = await one.claim()
        assert follower in {each.id for each in claimed}
        await one.finish(claimed)
        head, follower = await stall(one, application, webhook)


async def test_an_expired_head_and_a_cancelled_one_hand_on_once(nodes: Nodes) -> None:
    """Retention and a person take the same head away: what comes next is stalled, and only that."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application, order=Order.FIFO)
    head, follower = await stall(one, application, webhook)
    [event] = nodes.query("select event_id from delivery where id = %s", head)
    expiring = other.store.expire(event[0] + 1, 0, 10, other.now)
    cancelling = one.store.cancel_delivery(application.id, head, DeliveryReason.PERSON, one.now)
    await at_once(expiring, cancelling)
    assert (await one.delivery(application, head)).state is not DeliveryState.PENDING
    assert list(await one.store.stalled([webhook.id])) == [webhook.id]
    assert (await one.delivery(application, follower)).next_attempt_at is None
    assert await one.claim() == []


# --- retention


async def test_two_nodes_at_retention_do_it_once(nodes: Nodes) -> None:
    """Each delivery expires once and each event is dropped once, whoever does it; then nothing is left."""
    one, other = nodes.worlds
    application = await one.application()
    webhooks = [await one.webhook(application) for _ in range(3)]
    await one.publish(application, *webhooks, count=60, publisher_id=None)

    async def turn(world: World) -> list[int]:
        turns = await world.expire(ALL_IDS, ALL_IDS, limit=20)
        return [sum(one.expired_deliveries for one in turns), sum(one.dropped_events for one in turns)]

    first = await asyncio.gather(turn(one), turn(other))
    for world in nodes.worlds:
        world.clock.move(86_400_000)
    second = await asyncio.gather(turn(one), turn(other))
    rest = await turn(one)
    assert sum(expired for expired, _ in [*first, *second, rest]) == 180
    assert sum(dropped for _, dropped in [*first, *second, rest]) == 60
    for table in ("event", "delivery"):
        assert nodes.query(f"select count(*) from {table}") == [(0,)]


async def test_what_is_asked_for_again_while_it_is_dropped(nodes: Nodes) -> None:
    """Who is first wins: the retry keeps the event, or finds no delivery any more. No delivery is without its event."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application)
    for _ in range(10):
        [event] = await one.publish(application, webhook)
        await one.finish(await one.claim())
        ident = event.deliveries[0].id
        retry = one.store.reopen_delivery(application.id, ident, Cause.MANUAL, one.now)
        await at_once(other.store.expire(0, ALL_IDS, 100, other.now), retry)
        assert nodes.query("select count(*) from delivery where event_id not in (select id from event)") == [(0,)]
        await one.store.expire(ALL_IDS, 0, 100, one.now)


async def test_two_nodes_erase_one_application(nodes: Nodes) -> None:
    """They pass each other by, and nothing of it is left."""
    one, other = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application)
    await one.publish(application, webhook, count=50)
    await one.finish(await one.claim())
    await one.store.delete_application(application.id, one.now)
    await asyncio.gather(one.expire(0, 0, limit=7), other.expire(0, 0, limit=7))
    await one.expire(0, 0, limit=7)
    for table in ("application", "webhook", "event", "delivery", "attempt"):
        assert nodes.query(f"select count(*) from {table}") == [(0,)]


# --- texts


async def test_a_text_with_a_nul_finds_nothing(nodes: Nodes) -> None:
    """PostgreSQL can't keep one, so nothing is called so: that is no fault of the store."""
    one, _ = nodes.worlds
    application = await one.application()
    webhook = await one.webhook(application)
    await one.publish(application, webhook)
    assert await one.store.get_application("app_\0") is None
    assert await one.store.list_events(application.id, ALL, event_types=None, publisher_id="\0") == []
    assert await one.store.list_events(application.id, ALL, event_types=["\0"], publisher_id=None) == []
    assert await one.store.events_after(application.id, 0, 10, event_types=["\0"]) == []
    assert (await one.store.undelivered(application.id, ALL, event_types=["\0"])).events == ()
    deliveries = await one.store.list_deliveries(application.id, ALL, webhook_id=None, state=None, event_type="\0")
    assert deliveries == []
