"""A webhook is a position: off, catching up, active again; nothing missed, nothing doubled."""

import asyncio
import random

import pytest

from hookspan.domain.records import Application, Webhook
from hookspan.domain.states import DeliveryReason, DeliveryState, Order, WebhookStatus
from hookspan.store.contract import CatchUpTurn, ClaimRef, WebhookChange
from tests.contract.world import World

pytestmark = pytest.mark.anyio


async def read(world: World, webhook: Webhook) -> Webhook:
    found = await world.store.get_webhook(webhook.id)
    assert found is not None
    return found


async def delivered(world: World, application: Application, webhook: Webhook) -> list[int]:
    """Events that have a delivery for the webhook, oldest first."""
    return [one.event_id for one in reversed(await world.deliveries(application, webhook))]


async def test_a_webhook_that_was_off_gets_what_it_missed(world: World) -> None:
    """In order, in chunks; the chunk that reaches the end makes it active and hands out the new version."""
    application = await world.application()
    webhook = await world.webhook(application)
    [before] = await world.publish(application, webhook)
    off = await world.move(webhook, WebhookStatus.DISABLED)
    assert off.position == 1
    missed = await world.publish(application, count=5)
    await world.move(webhook, WebhookStatus.CATCHING_UP)
    assert [one.id for one in await world.store.catching_up()] == [webhook.id]

    turns = await world.catch_up(webhook, events_max=2)

    assert [turn.created for turn in turns] == [2, 2, 1]
    assert [turn.position for turn in turns] == [3, 5, 6]
    assert [turn.refreshed is not None for turn in turns] == [False, False, True]
    refreshed = turns[-1].refreshed
    assert refreshed is not None
    assert refreshed.webhooks[0].status is WebhookStatus.ACTIVE
    assert refreshed == await world.store.webhooks_of(application.id)
    assert await world.store.catching_up() == []
    assert await delivered(world, application, webhook) == [before.id, *(event.id for event in missed)]


async def test_a_chunk_that_ends_exactly_is_followed_by_an_empty_one(world: World) -> None:
    """Whether more is there is known only under the lock."""
    application = await world.application()
    webhook = await world.webhook(application, WebhookStatus.DISABLED)
    await world.publish(application, count=4)
    await world.move(webhook, WebhookStatus.CATCHING_UP)
    assert sum(turn.created for turn in await world.catch_up(webhook, events_max=2)) == 4
    assert (await read(world, webhook)).status is WebhookStatus.ACTIVE


async def test_only_events_asked_for_become_deliveries(world: World) -> None:
    """The subscription that is in force now decides, by type."""
    application = await world.application()
    webhook = await world.webhook(application, WebhookStatus.DISABLED)
    [wanted] = await world.publish(application, event_type="a")
    await world.publish(application, event_type="b")
    await world.move(webhook, WebhookStatus.CATCHING_UP)
    turn = await world.store.catch_up(webhook.id, 10, lambda event_type: event_type == "a")
    assert (turn.created, turn.position, turn.is_done) == (1, 2, True)
    assert await delivered(world, application, webhook) == [wanted.id]


async def test_an_event_that_was_delivered_is_not_doubled(world: World) -> None:
    """From the beginning of time: what has its original delivery keeps it."""
    application = await world.application()
    first = await world.webhook(application)
    await world.publish(application, first, count=2)
    late = await world.webhook(application, position=0)
    assert late.status is WebhookStatus.CATCHING_UP, "an active one that starts in the past catches up first"
    assert [turn.created for turn in await world.catch_up(late)] == [2]
    await world.move(late, WebhookStatus.DISABLED)
    assert len(await world.deliveries(application)) == 4
    again = await world.move(late, WebhookStatus.CATCHING_UP)
    assert again.position == 2
    assert [turn.created for turn in await world.catch_up(late)] == [0]


async def test_an_original_that_is_there_already_stays(world: World) -> None:
    """A delivery that was made while the webhook was still on its way is not made again."""
    application = await world.application()
    webhook = await world.webhook(application, WebhookStatus.DISABLED)
    await world.publish(application)
    await world.move(webhook, WebhookStatus.CATCHING_UP)
    [given] = await world.publish(application, webhook)
    assert [turn.created for turn in await world.catch_up(webhook)] == [1]
    deliveries = await world.deliveries(application, webhook)
    assert len(deliveries) == 2
    assert deliveries[0].id == given.deliveries[0].id


async def test_a_catch_up_that_is_broken_off_stays_where_it_came_to(world: World) -> None:
    """Disabling keeps the position of a webhook that was catching up; it goes on from there."""
    application = await world.application()
    webhook = await world.webhook(application, WebhookStatus.DISABLED)
    events = await world.publish(application, count=5)
    await world.move(webhook, WebhookStatus.CATCHING_UP)
    await world.store.catch_up(webhook.id, 2, lambda _type: True)
    off = await world.move(webhook, WebhookStatus.DISABLED)
    assert off.position == 2
    turn = await world.store.catch_up(webhook.id, 2, lambda _type: True)
    assert turn == CatchUpTurn(0, 2, True, None)
    await world.move(webhook, WebhookStatus.CATCHING_UP)
    await world.catch_up(webhook)
    assert await delivered(world, application, webhook) == [event.id for event in events]


async def test_skipping_starts_from_now(world: World) -> None:
    """What waits is cancelled, what was missed stays missed, what comes is delivered."""
    application = await world.application()
    webhook = await world.webhook(application)
    [waiting] = await world.publish(application, webhook)
    await world.move(webhook, WebhookStatus.DISABLED)
    await world.publish(application, count=3)
    moved = await world.move(webhook, WebhookStatus.CATCHING_UP, keep=False)
    assert moved.position == 4
    [after] = await world.publish(application)
    turns = await world.catch_up(webhook)
    assert sum(turn.created for turn in turns) == 1
    skipped = await world.delivery(application, waiting.deliveries[0].id)
    assert (skipped.state, skipped.reason) == (DeliveryState.CANCELLED, DeliveryReason.SKIPPED)
    assert [one.event_id for one in await world.claim()] == [after.id]


async def test_a_long_backlog_is_skipped_turn_by_turn(world: World) -> None:
    """A backlog too long for one transaction: nothing of it is sent while it is being cancelled, nor afterwards."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=4_500)
    await world.move(webhook, WebhookStatus.DISABLED)
    await world.move(webhook, WebhookStatus.CATCHING_UP, keep=False)
    assert await world.claim() == []
    assert await world.store.next_due_at([]) is None
    await world.catch_up(webhook)
    assert await world.claim() == []
    cancelled = await world.store.waiting([webhook.id])
    assert cancelled[webhook.id].count == 0
    await world.publish(application, webhook)
    assert len(await world.claim()) == 1


async def test_to_active_goes_by_catching_up(world: World) -> None:
    """Nobody can make a webhook active past events that it has not had."""
    application = await world.application()
    webhook = await world.webhook(application, WebhookStatus.DISABLED)
    await world.publish(application)
    assert (await world.move(webhook, WebhookStatus.ACTIVE)).status is WebhookStatus.CATCHING_UP
    assert (await world.move(webhook, WebhookStatus.ACTIVE)).status is WebhookStatus.CATCHING_UP
    await world.catch_up(webhook)
    assert (await world.move(webhook, WebhookStatus.ACTIVE)).status is WebhookStatus.ACTIVE


async def test_catching_up_fifo_keeps_the_order(world: World) -> None:
    """Older events' deliveries come before those made after the webhook became active."""
    application = await world.application()
    webhook = await world.webhook(application, WebhookStatus.DISABLED, order=Order.FIFO)
    missed = await world.publish(application, count=3)
    await world.move(webhook, WebhookStatus.CATCHING_UP)
    await world.catch_up(webhook)
    new = await world.publish(application, webhook)
    claimed = await world.claim()
    assert [one.event_id for one in claimed] == [event.id for event in missed + new]


async def test_catching_up_with_nothing_missed(world: World) -> None:
    """One turn, at once."""
    application = await world.application()
    webhook = await world.webhook(application, WebhookStatus.DISABLED)
    await world.move(webhook, WebhookStatus.CATCHING_UP)
    [turn] = await world.catch_up(webhook)
    assert (turn.created, turn.is_done) == (0, True)


async def test_catching_up_a_webhook_that_is_gone(world: World) -> None:
    """Done, with nothing created."""
    assert (await world.store.catch_up(4711, 10, lambda _type: True)).is_done


async def test_toggling_while_publishing_misses_and_doubles_nothing(world: World) -> None:
    """However publishes, disables, activations and catch-up turns meet, each event has one delivery in the end."""
    application = await world.application()
    webhook = await world.webhook(application)
    dice = random.Random(7)
    published: list[int] = []
    is_over = False

    async def publish() -> None:
        for _ in range(150):
            webhooks = await world.store.webhooks_of(application.id)
            assert webhooks is not None
            event = world.event(application)
            planned = world.fan_out(webhooks, event)
            event = world.event(application, *(webhook for _ in planned))
            versions = {application.id: webhooks.application.webhooks_version}
            await asyncio.gather(*(asyncio.sleep(0) for _ in range(dice.randrange(3))))
            appended = await world.store.append(world.node, [event], versions, world.fan_out)
            published.append(appended.events[0].event_id)

    async def toggle() -> None:
        while not is_over:
            await world.move(webhook, WebhookStatus.DISABLED)
            await world.move(webhook, WebhookStatus.CATCHING_UP)
            for _ in range(dice.randrange(3)):
                await world.store.catch_up(webhook.id, 1 + dice.randrange(3), lambda _type: True)

    toggler = asyncio.create_task(toggle())
    await asyncio.gather(*(publish() for _ in range(3)))
    is_over = True
    await toggler
    await world.move(webhook, WebhookStatus.ACTIVE)
    await world.catch_up(webhook)
    assert sorted(await delivered(world, application, webhook)) == sorted(published)


async def test_its_end_is_no_change_that_a_person_made(world: World) -> None:
    """The webhook stays at its version, so that who has read it can still change it by that; the application's index
    is stale all the same.
    """
    application = await world.application()
    webhook = await world.webhook(application, WebhookStatus.DISABLED)
    await world.publish(application)
    caught = await world.move(webhook, WebhookStatus.CATCHING_UP)
    before = await world.webhooks_seen(application.id)
    [turn] = await world.catch_up(webhook)
    after = await read(world, webhook)
    assert (after.status, after.version) == (WebhookStatus.ACTIVE, caught.version)
    assert turn.refreshed is not None
    assert turn.refreshed.application.webhooks_version > before.application.webhooks_version


async def test_a_plan_for_another_version_does_nothing(world: World) -> None:
    """A subscription that changed between the planning and the chunk is the one in force: the caller plans anew."""
    application = await world.application()
    webhook = await world.webhook(application, WebhookStatus.DISABLED, events=("a",))
    await world.publish(application, event_type="b")
    planned = await world.move(webhook, WebhookStatus.CATCHING_UP)
    changed = await world.store.update_webhook(webhook.id, WebhookChange(events=("a", "b")), None, world.now)
    assert changed is not None
    turn = await world.store.catch_up(webhook.id, 10, lambda _type: False, version=planned.version)
    assert turn == CatchUpTurn(0, 0, is_done=False, refreshed=None, is_stale=True, webhook=changed)
    turn = await world.store.catch_up(webhook.id, 10, lambda _type: True, version=changed.version)
    assert (turn.created, turn.is_done, turn.is_stale) == (1, True, False)


async def test_what_was_held_at_a_skip_is_skipped_when_given_back(world: World) -> None:
    """Claimed but unsent, in a lane for instance: giving it back later does not bring it to life again."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=4)
    sent, tried, unsent, orphaned = await world.claim()
    await world.move(webhook, WebhookStatus.DISABLED)
    await world.move(webhook, WebhookStatus.CATCHING_UP, keep=False)
    await world.catch_up(webhook)
    assert (await world.delivery(application, unsent.id)).reason is None
    world.clock.move(10)
    await world.finish([sent])
    await world.record(world.result(tried, DeliveryState.PENDING, retry_in=0))
    await world.store.release(world.node, [ClaimRef(unsent.id, unsent.claim)], world.now)
    await world.register()
    for one in (unsent, orphaned):
        delivery = await world.delivery(application, one.id)
        assert (delivery.state, delivery.reason) == (DeliveryState.CANCELLED, DeliveryReason.SKIPPED)
        assert (delivery.is_claimed, delivery.next_attempt_at, delivery.finished_at) == (False, None, world.now)
    assert (await world.delivery(application, sent.id)).state is DeliveryState.SUCCEEDED
    assert [one.id for one in await world.claim()] == [tried.id], "what was in flight ends as it would have"
