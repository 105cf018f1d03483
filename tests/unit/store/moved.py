"""What is moved, who serves it, and what ends the tool in the middle."""

from typing import Any

from hookspan.domain.records import Application, Webhook
from hookspan.domain.states import DeliveryState, WebhookStatus
from hookspan.store.contract import ApplicationFrozen, ClaimRef, Page
from hookspan.store.copying import Step
from tests.contract import jobs, test_identity
from tests.contract.world import World
from tests.unit.store.moving import Cells


class Killed(BaseException):
    """The tool is gone, and has cleaned up nothing."""


async def fill(world: World) -> tuple[Application, Webhook]:
    """Something of everything: sent, failed, retried, waiting, a webhook that is off and one that was deleted."""
    application = await world.application("acme")
    webhook = await world.webhook(application)
    gone = await world.webhook(application)
    await world.webhook(application, WebhookStatus.DISABLED)
    events = await world.publish(application, webhook, gone, count=6, publisher_id=None)
    await world.publish(application, webhook, publisher_id="p-1")
    claimed = await world.claim()
    mine = [one for one in claimed if one.webhook_id == webhook.id]
    await world.record(*(world.result(one) for one in claimed if one.webhook_id == gone.id))
    await world.record(*(world.result(one) for one in mine[:3]))
    await world.record(world.result(mine[3], DeliveryState.PENDING, retry_in=60_000, status=503))
    await world.store.release(world.node, [ClaimRef(one.id, one.claim) for one in mine[4:]], world.now)
    await world.move(gone, WebhookStatus.DELETED)
    await jobs.start(world, application, webhook, events)
    await test_identity.make_key(world, "key", application)
    await test_identity.make_person(world, "link", application)
    return application, webhook


async def seen(world: World, application: Application) -> dict[str, Any]:
    """All that can be read of it."""
    store = world.store
    found = await store.get_application(application.public_id)
    assert found is not None
    webhooks = (await world.webhooks_seen(application.id)).webhooks
    deliveries = await world.deliveries(application)
    return {
        "webhooks": webhooks,
        "events": await store.events_after(application.id, 0, 1_000),
        "deliveries": deliveries,
        "attempts": [await store.attempts_of(one) for one in deliveries],
        "jobs": await store.list_jobs(Page(limit=10), application_id=application.id, webhook_id=None, state=None),
        "keys": await store.list_keys(Page(limit=10), application.id),
        "people": await store.list_people(Page(limit=10), application.id),
        "position": found.last_position,
    }


class Killer:
    """Ends the tool at the first step of a phase."""

    def __init__(self, phase: str) -> None:
        self.phase = phase

    def __call__(self, step: Step) -> None:
        if step.phase == self.phase:
            raise Killed


async def serving(cells: Cells, application: Application) -> list[int]:
    """Which of both take in and send. Of one that is frozen nothing is claimed."""
    found = []
    for number, world in enumerate((cells.old, cells.new)):
        try:
            if await world.store.webhooks_of(application.id) is not None:
                found.append(number)
                continue
        except ApplicationFrozen:
            pass
        assert await world.claim() == []
    return found
