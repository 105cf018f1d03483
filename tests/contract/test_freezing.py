"""An application that is being moved elsewhere: nothing is taken in, sent or changed; then all goes on."""

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest

from hookspan.domain.identity import digest_of
from hookspan.domain.records import Application, Webhook
from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, Order, WebhookStatus
from hookspan.store.contract import ApplicationFrozen, ClaimRef, NewAside, WebhookChange
from hookspan.store.idempotency import KeyOutcome
from tests.contract import jobs, test_identity, test_notices
from tests.contract.test_idempotency import publish, under, use
from tests.contract.world import World

pytestmark = pytest.mark.anyio


async def freeze(world: World, application: Application) -> None:
    assert await world.store.freeze_application(application.id, world.now)


async def thaw(world: World, application: Application) -> None:
    assert await world.store.freeze_application(application.id, None)


async def version_of(world: World, application: Application) -> int:
    return (await world.store.versions_of([application.id]))[application.id]


async def test_none_of_its_events_is_kept(world: World) -> None:
    """Others of the same batch are, and it is told apart from one that is gone; then it goes on without a gap."""
    frozen, other, gone = [await world.application() for _ in range(3)]
    webhook = await world.webhook(frozen)
    await world.publish(frozen, webhook)
    await world.store.delete_application(gone.id, world.now)
    versions = await world.versions([world.event(each) for each in (frozen, other)]) | {gone.id: 1}
    await freeze(world, frozen)
    events = [world.event(frozen, webhook, publisher_id="p"), world.event(other), world.event(gone)]
    appended = await world.store.append(world.node, events, versions, world.fan_out)
    assert appended.frozen == {frozen.id}
    assert appended.unknown == {gone.id}
    assert [one.position for one in appended.events] == [0, 1, 0]
    assert not any(one.is_duplicate or one.is_conflict or one.deliveries for one in appended.events)
    await thaw(world, frozen)
    appended = await world.append(events[0])
    assert [(one.position, one.is_duplicate) for one in appended.events] == [(2, False)]


async def test_a_key_under_which_it_was_refused_stays_free(world: World) -> None:
    """The publisher's retry under the same Idempotency-Key is kept afterwards."""
    application = await world.application()
    event = world.event(application)
    one = use(world, application_id=application.id)
    versions = await world.versions([event])
    await freeze(world, application)
    appended = await world.store.append(world.node, [event], versions, world.fan_out, [under(one, event)])
    assert appended.frozen == {application.id}
    await thaw(world, application)
    appended = await publish(world, [event], under(one, event))
    assert appended.keyed == (KeyOutcome.FRESH,)
    assert appended.events[0].position == 1


@pytest.mark.parametrize("order", Order)
async def test_nothing_of_it_is_claimed(world: World, order: Order) -> None:
    """Neither what is due, nor what is sent by hand, nor a suspect; what other applications have is."""
    application, other = await world.application(), await world.application()
    webhook, theirs = await world.webhook(application, order=order), await world.webhook(other)
    [event] = await world.publish(application, webhook)
    await world.publish(other, theirs)
    aside = NewAside(
        id=world.ids.make(),
        application_id=application.id,
        webhook_id=webhook.id,
        event_id=event.id,
        cause=Cause.FIRST,
    )
    assert await world.store.send_aside(aside, world.now)
    await freeze(world, application)
    assert [one.webhook_id for one in await world.claim()] == [theirs.id]
    assert await world.store.next_due_at(()) is None
    assert await world.store.claim_suspect(world.node, world.now) is None
    await thaw(world, application)
    assert len(await world.claim()) == 2


async def test_a_suspect_of_it_is_not_claimed(world: World) -> None:
    """`claim_suspect` passes it by."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    for _ in range(3):
        assert await world.claim()
        await world.register()
    await freeze(world, application)
    assert await world.store.claim_suspect(world.node, world.now) is None
    await thaw(world, application)
    assert await world.store.claim_suspect(world.node, world.now) is not None


async def test_what_is_in_flight_is_recorded_or_given_back(world: World) -> None:
    """Its outcome is kept; what comes back unsent waits."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=3)
    done, retried, back = await world.claim()
    await freeze(world, application)
    await world.record(world.result(done))
    await world.record(world.result(retried, DeliveryState.PENDING, retry_in=0))
    await world.store.release(world.node, [ClaimRef(back.id, back.claim)], world.now)
    states = {one.id: one.state for one in await world.deliveries(application)}
    assert states == {
        done.id: DeliveryState.SUCCEEDED,
        retried.id: DeliveryState.PENDING,
        back.id: DeliveryState.PENDING,
    }
    assert await world.claim() == []
    assert await world.store.unheld(world.node, 10) == []


async def test_every_holder_of_it_is_told(world: World) -> None:
    """Its version grows when it is frozen and when it goes on; between them its webhooks can't be put in force."""
    application = await world.application()
    webhook = await world.webhook(application)
    before = await version_of(world, application)
    await freeze(world, application)
    assert await version_of(world, application) == before + 1
    with pytest.raises(ApplicationFrozen, match="moved to another database"):
        await world.store.webhooks_of(application.id)
    assert await world.store.get_application(application.public_id) is not None
    assert await world.store.get_webhook(webhook.id) == webhook
    await thaw(world, application)
    assert await version_of(world, application) == before + 2
    assert [one.id for one in (await world.webhooks_seen(application.id)).webhooks] == [webhook.id]


Change = Callable[[World, Application, Webhook, dict[str, Any]], Coroutine[Any, Any, Any]]

CHANGES: dict[str, Change] = {
    "update_application": lambda world, application, _webhook, _things: world.store.update_application(
        application.id,
        world.now,
        name="x",
        profile=None,
        uuid=None,
        settings=None,
        metadata=None,
        notify=msgspec.UNSET,
    ),
    "delete_application": lambda world, application, _webhook, _things: world.store.delete_application(
        application.id, world.now
    ),
    "create_webhook": lambda world, application, _webhook, _things: world.webhook(application),
    "update_webhook": lambda world, _application, webhook, _things: world.store.update_webhook(
        webhook.id, WebhookChange(name="x"), None, world.now
    ),
    "set_webhook_status": lambda world, _application, webhook, _things: world.move(webhook, WebhookStatus.DISABLED),
    "send_aside": lambda world, application, webhook, things: world.store.send_aside(
        NewAside(
            id=world.ids.make(),
            application_id=application.id,
            webhook_id=webhook.id,
            event_id=things["event"].id,
            cause=Cause.FIRST,
        ),
        world.now,
    ),
    "reopen_delivery": lambda world, application, _webhook, things: world.store.reopen_delivery(
        application.id, things["delivery"].id, Cause.RETRY, world.now
    ),
    "cancel_delivery": lambda world, application, _webhook, things: world.store.cancel_delivery(
        application.id, things["delivery"].id, DeliveryReason.PERSON, world.now
    ),
    "create_job": lambda world, application, webhook, things: jobs.start(
        world, application, webhook, [things["event"]]
    ),
    "cancel_job": lambda world, _application, _webhook, things: world.store.cancel_job(
        things["job"].id, world.now, 100
    ),
    "create_key": lambda world, application, _webhook, _things: test_identity.make_key(world, "other", application),
    "delete_key": lambda world, _application, _webhook, things: world.store.delete_key(things["key"].id),
    "create_person": lambda world, application, _webhook, _things: test_identity.make_person(
        world, "another", application
    ),
    "update_person": lambda world, _application, _webhook, things: world.store.update_person(
        things["person"].id, name="Bea", role=None
    ),
    "replace_link": lambda world, _application, _webhook, things: world.store.replace_link(
        things["person"].id, b"d", world.now + 1_000
    ),
    "open_session": lambda world, _application, _webhook, _things: world.store.open_session(
        digest_of(b"link"), test_identity.new_session(world, "session"), 10
    ),
    "delete_person": lambda world, _application, _webhook, things: world.store.delete_person(things["person"].id),
}


@pytest.mark.parametrize("name", sorted(CHANGES))
async def test_nothing_of_it_can_be_changed(world: World, name: str) -> None:
    """Every change is refused for a time, and goes through when the application goes on."""
    application = await world.application()
    webhook = await world.webhook(application)
    [event] = await world.publish(application, webhook)
    [delivery] = await world.deliveries(application)
    things = {
        "event": event,
        "delivery": delivery,
        "job": await jobs.start(world, application, webhook, [event]),
        "key": await test_identity.make_key(world, "key", application),
        "person": await test_identity.make_person(world, "link", application),
    }
    await freeze(world, application)
    with pytest.raises(ApplicationFrozen):
        await CHANGES[name](world, application, webhook, things)
    await thaw(world, application)
    assert await CHANGES[name](world, application, webhook, things)


async def test_duties_leave_it_alone(world: World) -> None:
    """Nothing catches up, no job goes on, no notice is made or sent."""
    application, webhook = await test_notices.fixture(world)
    off = await world.webhook(application, WebhookStatus.DISABLED)
    [event] = await world.publish(application, webhook)
    await world.move(off, WebhookStatus.ACTIVE)
    await jobs.start(world, application, webhook, [event])
    await world.store.add_notice(test_notices.new(world, webhook))
    await world.store.set_failing_since(off.id, world.now - 60_000)

    async def looks() -> tuple[int, int, int]:
        store = world.store
        return (
            len(await store.catching_up()),
            len(await store.look_at_jobs(0, 10, 10)),
            len(await store.watched(world.now, 0, 10)),
        )

    assert await looks() == (1, 1, 2)
    await freeze(world, application)
    assert await looks() == (0, 0, 0)
    assert await world.store.take_notices(world.now, world.now + 1, 10, 10) == []
    await thaw(world, application)
    assert await looks() == (1, 1, 2)
    assert len(await world.store.take_notices(world.now, world.now + 1, 10, 10)) == 1


async def test_there_is_none_to_freeze(world: World) -> None:
    """Neither one that never was, nor one that is gone."""
    application = await world.application()
    await world.store.delete_application(application.id, world.now)
    assert not await world.store.freeze_application(application.id, world.now)
    assert not await world.store.freeze_application(world.ids.make(), world.now)
