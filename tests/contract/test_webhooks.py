"""Webhooks: versions, revisions, limits, moves."""

import msgspec
import pytest

from hookspan.domain.records import SealedCredential
from hookspan.domain.states import DeliveryReason, DeliveryState, Order, StatusReason, WebhookStatus
from hookspan.errors import ChangedMeanwhile, NotFound, StateForbidden
from hookspan.store.contract import WebhookChange
from tests.contract.world import World

pytestmark = pytest.mark.anyio

SECRET = SealedCredential(name="secret", sealed=b"\x00\xff", public=None, made_at=1, expires_at=None)


async def test_a_webhook_is_kept_as_it_was_given(world: World) -> None:
    """Every member, by each way of reading it."""
    application = await world.application()
    await world.publish(application, count=2)
    new = world.new_webhook(
        application,
        WebhookStatus.DISABLED,
        name="Ü\U0001f600",
        events=("a.*", "category:X"),
        order=Order.FIFO,
        rate=2.5,
        concurrency=1,
        event_epoch="now",
        credentials=(SECRET,),
    )
    webhook = await world.store.create_webhook(new, 0)
    assert webhook is not None
    for name in ("id", "name", "url", "status", "status_reason", "events", "order", "rate", "credentials"):
        assert getattr(webhook, name) == getattr(new, name), name
    assert (webhook.position, webhook.version, webhook.failing_since) == (2, 1, None)
    assert (webhook.created_at, webhook.updated_at) == (world.now, world.now)
    assert await world.store.get_webhook(webhook.id) == webhook
    found = await world.store.webhooks_of(application.id)
    assert found is not None
    assert found.webhooks == (webhook,)


async def test_the_limit_counts_what_is_not_deleted(world: World) -> None:
    """None beyond it; a deleted one makes room; an unknown application is an error."""
    application = await world.application()
    first = await world.store.create_webhook(world.new_webhook(application), 2)
    assert first is not None
    assert await world.store.create_webhook(world.new_webhook(application), 2) is not None
    assert await world.store.create_webhook(world.new_webhook(application), 2) is None
    await world.move(first, WebhookStatus.DELETED)
    assert await world.store.create_webhook(world.new_webhook(application), 2) is not None
    gone = msgspec.structs.replace(application, id=4711)
    with pytest.raises(NotFound):
        await world.store.create_webhook(world.new_webhook(gone), 0)


async def test_each_change_is_a_version_and_a_revision(world: World) -> None:
    """The webhook's version grows, the application's too, and what it was stays readable."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    world.clock.move(5)
    change = WebhookChange(url="https://example.org/", events=("x",), credentials=(SECRET,))
    changed = await world.store.update_webhook(webhook.id, change, webhook.version, world.now)
    assert changed is not None
    assert (changed.url, changed.events, changed.credentials) == ("https://example.org/", ("x",), (SECRET,))
    assert (changed.version, changed.name, changed.updated_at) == (2, None, world.now)
    first = await world.store.revision(webhook.id, 1)
    second = await world.store.revision(webhook.id, 2)
    assert first is not None
    assert second is not None
    assert (first.url, first.events, first.from_position) == (webhook.url, None, 0)
    assert (second.url, second.events, second.from_position) == (changed.url, ("x",), 1)
    assert (second.status, second.changed_at) == (WebhookStatus.ACTIVE, world.now)
    assert await world.store.revision(webhook.id, 3) is None
    webhooks = await world.store.webhooks_of(application.id)
    assert webhooks is not None
    assert webhooks.application.webhooks_version == 3


async def test_members_can_be_set_to_null(world: World) -> None:
    """UNSET leaves, None clears; a change that changes nothing is no version."""
    application = await world.application()
    webhook = await world.webhook(application, name="x", rate=1.0, events=("a",))
    cleared = await world.store.update_webhook(
        webhook.id, WebhookChange(name=None, rate=None, events=None), None, world.now
    )
    assert cleared is not None
    assert (cleared.name, cleared.rate, cleared.events) == (None, None, None)
    assert await world.store.update_webhook(webhook.id, WebhookChange(name=None), None, world.now) == cleared


async def test_a_change_of_another_version_is_refused(world: World) -> None:
    """If-Match: nothing is written."""
    application = await world.application()
    webhook = await world.webhook(application)
    with pytest.raises(ChangedMeanwhile):
        await world.store.update_webhook(webhook.id, WebhookChange(name="x"), 7, world.now)
    with pytest.raises(ChangedMeanwhile):
        await world.store.set_webhook_status(
            webhook.id, WebhookStatus.DISABLED, None, keep=True, expected_version=7, changed_at=world.now
        )
    assert await world.store.get_webhook(webhook.id) == webhook


async def test_the_order_is_fixed_while_deliveries_wait(world: World) -> None:
    """Scheduled or in flight; afterwards it can change, and new deliveries follow it."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    change = WebhookChange(order=Order.FIFO)
    with pytest.raises(StateForbidden):
        await world.store.update_webhook(webhook.id, change, None, world.now)
    claimed = await world.claim()
    with pytest.raises(StateForbidden):
        await world.store.update_webhook(webhook.id, change, None, world.now)
    await world.finish(claimed)
    changed = await world.store.update_webhook(webhook.id, change, None, world.now)
    assert changed is not None
    assert changed.order is Order.FIFO


async def test_moves_follow_the_table_of_states(world: World) -> None:
    """Active to catching up is no move; staying is none either and returns the webhook unchanged."""
    application = await world.application()
    webhook = await world.webhook(application)
    with pytest.raises(StateForbidden):
        await world.move(webhook, WebhookStatus.CATCHING_UP)
    assert await world.move(webhook, WebhookStatus.ACTIVE) == webhook
    off = await world.move(webhook, WebhookStatus.DISABLED)
    assert (off.status, off.status_reason, off.version) == (WebhookStatus.DISABLED, StatusReason.PERSON, 2)
    assert await world.move(webhook, WebhookStatus.DISABLED) == off


async def test_when_it_was_switched_on_is_kept(world: World) -> None:
    """One row tells it for all that waits: the move to catching up, not the end of it, nor switching off."""
    application = await world.application()
    webhook = await world.webhook(application)
    assert webhook.activated_at is None
    assert (await world.move(webhook, WebhookStatus.DISABLED)).activated_at is None
    world.clock.move(1_000)
    on_at = world.now
    assert (await world.move(webhook, WebhookStatus.CATCHING_UP)).activated_at == on_at
    world.clock.move(1_000)
    await world.catch_up(webhook)
    [seen] = (await world.webhooks_seen(application.id)).webhooks
    assert (seen.status, seen.activated_at) == (WebhookStatus.ACTIVE, on_at)
    assert (await world.move(webhook, WebhookStatus.DISABLED)).activated_at == on_at


async def test_a_deleted_webhook_is_gone(world: World) -> None:
    """Its credentials are erased at once, what waits is cancelled, what is in flight may end."""
    application = await world.application()
    webhook = await world.webhook(application, credentials=(SECRET,))
    await world.publish(application, webhook, count=3)
    [flying] = await world.claim(limit=1)
    deleted = await world.move(webhook, WebhookStatus.DELETED)
    assert (deleted.status, deleted.credentials) == (WebhookStatus.DELETED, ())
    assert await world.store.get_webhook(webhook.id) is None
    assert await world.store.update_webhook(webhook.id, WebhookChange(name="x"), None, world.now) is None
    assert (
        await world.store.set_webhook_status(
            webhook.id, WebhookStatus.ACTIVE, None, keep=True, expected_version=None, changed_at=world.now
        )
        is None
    )
    assert await world.record(world.result(flying, DeliveryState.PENDING, retry_in=0)) == frozenset()
    assert await world.claim() == []
    await world.expire(0, 0)
    deliveries = await world.deliveries(application, webhook)
    assert {(one.state, one.reason) for one in deliveries} == {
        (DeliveryState.CANCELLED, DeliveryReason.WEBHOOK_DELETED)
    }
    assert len(deliveries) == 3


async def test_a_long_backlog_of_a_deleted_webhook_is_cancelled_at_leisure(world: World) -> None:
    """Turns of retention do it, bounded, and say whether they are done."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=3_500)
    await world.move(webhook, WebhookStatus.DELETED)
    assert await world.claim() == []
    turns = await world.expire(0, 0, limit=500)
    assert len(turns) > 1
    assert (await world.store.waiting([webhook.id]))[webhook.id].count == 0


async def test_failing_since_is_no_version(world: World) -> None:
    """It is remembered and forgotten without telling lanes; activation forgets it too."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.store.set_failing_since(webhook.id, world.now)
    failing = await world.store.get_webhook(webhook.id)
    assert failing == msgspec.structs.replace(webhook, failing_since=world.now)
    await world.move(webhook, WebhookStatus.DISABLED)
    fresh = await world.move(webhook, WebhookStatus.CATCHING_UP)
    assert fresh.failing_since is None


async def test_what_waits_for_a_webhook(world: World) -> None:
    """Scheduled and in flight, with the oldest one's creation; nothing for one that has nothing."""
    application = await world.application()
    webhook, idle = await world.webhook(application), await world.webhook(application)
    started = world.now
    await world.publish(application, webhook, count=2)
    world.clock.move(100)
    await world.publish(application, webhook)
    [claimed] = await world.claim(limit=1)
    waiting = await world.store.waiting([webhook.id, idle.id])
    assert (waiting[webhook.id].count, waiting[webhook.id].oldest_at) == (3, started)
    assert (waiting[idle.id].count, waiting[idle.id].oldest_at) == (0, None)
    await world.finish([claimed])
    assert (await world.store.waiting([webhook.id]))[webhook.id].count == 2
    assert await world.store.waiting([]) == {}


async def test_counting_stops_at_ten_thousand(world: World) -> None:
    """More is told as 10,000, so that a page never counts a million rows."""
    application = await world.application()
    webhook = await world.webhook(application)
    for _ in range(2):
        await world.publish(application, webhook, count=5_100)
    assert (await world.store.waiting([webhook.id]))[webhook.id].count == 10_000


async def test_members_and_status_change_together_or_not_at_all(world: World) -> None:
    """One call: when the move is refused the members stay too, and no version is spent."""
    application = await world.application()
    webhook = await world.webhook(application)
    refused = WebhookChange(name="x", status=WebhookStatus.CATCHING_UP)
    with pytest.raises(StateForbidden):
        await world.store.update_webhook(webhook.id, refused, None, world.now)
    assert await world.store.get_webhook(webhook.id) == webhook
    change = WebhookChange(url="https://b.example/", status=WebhookStatus.DISABLED, status_reason=StatusReason.PERSON)
    with pytest.raises(ChangedMeanwhile):
        await world.store.update_webhook(webhook.id, change, 7, world.now)
    changed = await world.store.update_webhook(webhook.id, change, 1, world.now)
    assert changed is not None
    assert (changed.url, changed.status, changed.version) == ("https://b.example/", WebhookStatus.DISABLED, 3)
    assert changed.status_reason is StatusReason.PERSON
    assert await world.store.get_webhook(webhook.id) == changed


async def test_a_change_of_status_can_skip(world: World) -> None:
    """`keep` means what it means alone."""
    application = await world.application()
    webhook = await world.webhook(application)
    [event] = await world.publish(application, webhook)
    await world.move(webhook, WebhookStatus.DISABLED)
    change = WebhookChange(name="x", status=WebhookStatus.CATCHING_UP, keep=False)
    await world.store.update_webhook(webhook.id, change, None, world.now)
    delivery = await world.delivery(application, event.deliveries[0].id)
    assert (delivery.state, delivery.reason) == (DeliveryState.CANCELLED, DeliveryReason.SKIPPED)


async def test_the_last_success_is_looked_for_among_the_newest_attempts(world: World) -> None:
    """Its attempt's end; unknown when 200 failures came after it, so that no backlog makes it slow."""
    application = await world.application()
    webhook, other = [await world.webhook(application) for _ in range(2)]
    await world.publish(application, webhook, count=200)
    claimed = await world.claim()
    await world.finish(claimed[:1])
    succeeded_at = world.now + 1  # 1.5 ms
    world.clock.move(1_000)
    await world.record(*(world.result(one, DeliveryState.PENDING, retry_in=0) for one in claimed[1:]))
    asked = [webhook.id, other.id]
    assert {ident: one.last_success_at for ident, one in (await world.store.health(asked, 0)).items()} == {
        ident: succeeded_at if ident == webhook.id else None for ident in asked
    }
    again = await world.claim(limit=1)
    await world.record(*(world.result(one, DeliveryState.PENDING) for one in again))
    assert {one.last_success_at for one in (await world.store.health(asked, 0)).values()} == {None}


async def test_what_webhooks_were_when_an_event_was_published(world: World) -> None:
    """The newest revision from before the event, however many there were since; none for a webhook made later."""
    application = await world.application()
    webhook = await world.webhook(application, events=("a",))
    await world.publish(application, webhook)
    for number in range(250):
        await world.store.update_webhook(webhook.id, WebhookChange(events=(str(number),)), None, world.now)
    await world.publish(application, webhook)
    later = await world.webhook(application)
    asked = [webhook.id, later.id]
    then = await world.store.revisions_at(asked, 1)
    assert {ident: one.events for ident, one in then.items()} == {webhook.id: ("a",)}
    assert (await world.store.revisions_at(asked, 2))[webhook.id].events == ("249",)
    assert later.id in await world.store.revisions_at(asked, 3)
