"""Applications: names, changes, deletion."""

from typing import Any

import msgspec
import pytest

from hookspan.domain.states import DeliveryReason, DeliveryState, WebhookStatus
from hookspan.errors import StateForbidden
from hookspan.store.contract import NewApplication, Page
from tests.contract.world import World

pytestmark = pytest.mark.anyio

KEEP: dict[str, Any] = {
    "name": None,
    "profile": None,
    "uuid": None,
    "settings": None,
    "metadata": None,
    "notify": msgspec.UNSET,
}


async def test_an_application_is_kept_as_it_was_given(world: World) -> None:
    """Every member."""
    application = await world.application(
        "app_x", name="Ü", uuid="u", settings={"a": {"b": [1]}}, metadata={"k": None}, notify="https://x"
    )
    assert (application.public_id, application.name, application.uuid) == ("app_x", "Ü", "u")
    assert (application.settings, application.metadata) == ({"a": {"b": [1]}}, {"k": None})
    assert (application.notify, application.last_position) == ("https://x", 0)
    assert (application.created_at, application.updated_at) == (world.now, world.now)
    assert await world.store.get_application("app_x") == application
    assert await world.store.get_application("app_y") is None
    assert await world.store.webhooks_of(4711) is None


async def test_a_public_id_is_taken_once(world: World) -> None:
    """None the second time; free again after deletion."""
    first = await world.application("app_x")
    new = world.store.create_application
    again: dict[str, Any] = {
        "public_id": "app_x",
        "name": "",
        "profile": "p",
        "uuid": "",
        "settings": {},
        "metadata": {},
    }
    assert await new(NewApplication(id=world.ids.make(), notify=None, created_at=0, **again)) is None
    await world.store.delete_application(first.id, world.now)
    assert await new(NewApplication(id=world.ids.make(), notify=None, created_at=0, **again)) is not None


async def test_changes(world: World) -> None:
    """Only what is given changes; the version that fan-out is planned with grows."""
    application = await world.application(notify="https://x")
    world.clock.move(7)
    changed = await world.store.update_application(application.id, world.now, **(KEEP | {"name": "New"}))
    assert changed == msgspec.structs.replace(
        application, name="New", webhooks_version=application.webhooks_version + 1, updated_at=world.now
    )
    cleared = await world.store.update_application(
        application.id, world.now, **(KEEP | {"notify": None, "settings": {"x": 1}})
    )
    assert cleared is not None
    assert (cleared.notify, cleared.settings) == (None, {"x": 1})
    assert await world.store.update_application(4711, world.now, **KEEP) is None


async def test_the_profile_is_fixed_after_the_first_event(world: World) -> None:
    """Before it, it can change; after it, naming the same one is fine."""
    application = await world.application()
    moved = await world.store.update_application(application.id, world.now, **(KEEP | {"profile": "bridge-api"}))
    assert moved is not None
    assert moved.profile == "bridge-api"
    await world.publish(application)
    with pytest.raises(StateForbidden):
        await world.store.update_application(application.id, world.now, **(KEEP | {"profile": "standard"}))
    same = await world.store.update_application(application.id, world.now, **(KEEP | {"profile": "bridge-api"}))
    assert same is not None


async def test_pages_of_applications(world: World) -> None:
    """Newest first, each once, within times."""
    made = []
    for _ in range(5):
        made.append(await world.application())
        world.clock.move(10)
    newest_first = made[::-1]
    first = await world.store.list_applications(Page(limit=2))
    rest = await world.store.list_applications(Page(limit=9, before=first[-1].id))
    assert first + rest == newest_first
    page = Page(limit=9, since=made[1].created_at, until=made[3].created_at)
    assert await world.store.list_applications(page) == [made[2], made[1]]


async def test_a_deleted_application_is_out_of_reach_and_then_gone(world: World) -> None:
    """At once nothing of it is sent or published; retention drops its events, at leisure, without a trace."""
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=3, publisher_id=None)
    await world.publish(application, webhook, publisher_id="p")
    [flying] = await world.claim(limit=1)
    assert await world.store.delete_application(application.id, world.now)
    assert not await world.store.delete_application(application.id, world.now)
    assert await world.store.get_application(application.public_id) is None
    assert await world.store.webhooks_of(application.id) is None
    assert await world.store.get_webhook(webhook.id) is None
    assert await world.store.list_applications(Page(limit=9)) == []
    assert await world.claim() == []
    waiting = await world.delivery(application, flying.id)
    assert waiting.is_claimed
    turn = await world.store.expire(0, 0, 100, world.now)
    assert turn.dropped_events == 3, "the event whose delivery is in flight stays until that is recorded"
    await world.finish([flying])
    await world.expire(0, 0)
    assert await world.store.events_after(application.id, 0, 10) == []
    assert await world.store.get_delivery(application.id, flying.id) is None
    assert await world.store.list_attempts(webhook.id, Page(limit=9)) == []
    assert await world.store.revision(webhook.id, 1) is None


async def test_what_waits_for_a_deleted_application_is_cancelled(world: World) -> None:
    """With the reason erased, before it is dropped."""
    application = await world.application()
    webhook = await world.webhook(application)
    [event] = await world.publish(application, webhook)
    await world.store.delete_application(application.id, world.now)
    delivery = await world.store.get_delivery(application.id, event.deliveries[0].id)
    assert delivery is None or (delivery.state, delivery.reason) in {
        (DeliveryState.PENDING, None),
        (DeliveryState.CANCELLED, DeliveryReason.ERASED),
    }
    other = await world.application()
    hook = await world.webhook(other, WebhookStatus.ACTIVE)
    await world.publish(other, hook)
    await world.expire(0, 0)
    assert len(await world.claim()) == 1, "another application is not touched"
