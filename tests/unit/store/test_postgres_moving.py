"""An application that moves from one database to another: all of it, once, and only one of both serves it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hookspan.domain.records import Application, Webhook
from hookspan.domain.states import DeliveryState, WebhookStatus
from hookspan.errors import ConfigurationError, HookspanError, NotFound, StateForbidden, StoreUnavailable
from hookspan.store.contract import ApplicationFrozen, ClaimRef, Page
from hookspan.store.copying import Step
from tests.contract import jobs, test_identity
from tests.contract.world import World
from tests.unit.store.moving import Cells, two_cells

pytestmark = pytest.mark.anyio


@pytest.fixture
async def cells() -> AsyncIterator[Cells]:
    async with two_cells() as cells:
        yield cells


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


async def test_all_of_it_goes_over(cells: Cells) -> None:
    """What could be read in the source can be read in the target, which goes on with it; the source knows it no more,
    and others there have seen nothing of it.
    """
    application, webhook = await fill(cells.old)
    other = await cells.old.application()
    theirs = await cells.old.webhook(other)
    await cells.old.publish(other, theirs)
    before = await seen(cells.old, application)
    moved = await cells.move("acme")
    assert await seen(cells.new, application) == before
    assert (moved.rows["event"], moved.rows["publish_key"], moved.rows["webhook"]) == (7, 1, 3)
    assert await cells.old.store.get_application("acme") is None
    assert [one.webhook_id for one in await cells.old.claim()] == [theirs.id]
    claimed = await cells.new.claim()
    assert {one.webhook_id for one in claimed} == {webhook.id}
    assert len(claimed) == 3
    await cells.new.record(*(cells.new.result(one) for one in claimed))
    [event] = await cells.new.publish(application, webhook)
    assert (await cells.new.store.get_event(application.id, event.id)).position == 8  # type: ignore[union-attr]
    again = await cells.new.append(cells.new.event(application, webhook, publisher_id="p-1"))
    assert again.events[0].is_duplicate
    for which in (0, 1):
        assert cells.query(which, "select name from fact where name like %s", "%ing\\_%") == []


async def test_what_it_has_left_is_cleared_away(cells: Cells) -> None:
    """By retention of the source, turn by turn; the target keeps it. Only then it can move back."""
    application, _ = await fill(cells.old)
    await cells.move("acme")
    back = (cells.urls[1], cells.urls[0])
    with pytest.raises(StateForbidden, match="not yet forgotten"):
        await cells.move("acme", urls=back)
    await cells.old.expire(0, 0)
    assert cells.query(0, "select count(*) from delivery where application_id = %s", application.id) == [(0,)]
    before = await seen(cells.new, application)
    await cells.move("acme", urls=back)
    assert await seen(cells.old, application) == before
    assert await cells.new.store.get_application("acme") is None


class Killer:
    """Ends the tool at the first step of a phase."""

    def __init__(self, phase: str) -> None:
        self.phase = phase

    def __call__(self, step: Step) -> None:
        if step.phase == self.phase:
            raise Killed


PHASES = ("copying", "freezing", "comparing", "arriving", "arrived", "left")


@pytest.mark.parametrize("phase", PHASES)
async def test_one_that_failed_goes_on(cells: Cells, phase: str) -> None:
    """Wherever a run ends, one of both serves or none does; the next run finishes it."""
    application, _ = await fill(cells.old)
    before = await seen(cells.old, application)
    with pytest.raises(Killed):
        await cells.move("acme", Killer(phase))
    assert await serving(cells, application) == ([] if phase in {"arrived"} else [1 if phase == "left" else 0]) or (
        phase == "arrived" and await serving(cells, application) == [1]
    )
    await cells.move("acme")
    assert await serving(cells, application) == [1]
    assert await seen(cells.new, application) == before


async def serving(cells: Cells, application: Application) -> list[int]:
    """Which of both take in, and have something to claim."""
    found = []
    for number, world in enumerate((cells.old, cells.new)):
        try:
            if await world.store.webhooks_of(application.id) is not None:
                found.append(number)
        except ApplicationFrozen:
            assert await world.claim() == []
    return found
