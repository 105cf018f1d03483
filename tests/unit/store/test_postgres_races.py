"""Applications and webhooks while several nodes change them at the same moment: what SQLite never had."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from hookspan.domain.states import WebhookStatus
from hookspan.errors import ChangedMeanwhile, StateForbidden
from hookspan.store.contract import NewApplication, WebhookChange
from tests.contract.world import ALL, World
from tests.unit.store.postgres_nodes import Nodes, at_once, two_nodes
from tests.unit.store.racing import beside, waits

pytestmark = pytest.mark.anyio


@pytest.fixture
async def nodes() -> AsyncIterator[Nodes]:
    async with two_nodes() as nodes:
        yield nodes


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
