"""What people watch: the newest attempts, webhooks in trouble, and what fails, by webhook and error."""

from typing import Any

import msgspec
import pytest

from hookspan.domain.records import Application, Webhook
from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, StatusReason, VerdictKind, WebhookStatus
from hookspan.ids import first_id_at
from hookspan.store.contract import AttemptLine, Claimed, FailureGroup, NewAside, Result, WebhookChange
from tests.contract.world import World

pytestmark = pytest.mark.anyio


def failed(world: World, claimed: Claimed, status: int | None = 500, error: str | None = None, **more: Any) -> Result:
    """It failed, and is tried again, or (by `state`) not."""
    result = world.result(claimed, more.pop("state", DeliveryState.PENDING), **more)
    assert result.attempt is not None
    attempt = msgspec.structs.replace(
        result.attempt,
        verdict=VerdictKind.RETRY if result.state is DeliveryState.PENDING else VerdictKind.FAILED,
        response_status=status,
        error=error,
        error_message=None if error is None else "in words",
    )
    return msgspec.structs.replace(result, attempt=attempt)


async def claimed_by(world: World, application: Application, *webhooks: Webhook, count: int = 1) -> list[Claimed]:
    await world.publish(application, *webhooks, count=count)
    return await world.claim()


def facts(groups: list[FailureGroup]) -> list[tuple[int, str | None, int | None, int]]:
    found = [(one.webhook_id, one.error, one.response_status, one.deliveries) for one in groups]
    return sorted(found, key=lambda one: (one[0], one[1] or "", one[2] or 0))


async def test_the_newest_attempts(world: World) -> None:
    """Newest first above an id, of all applications, of one, of one webhook; with names; at most so many."""
    application = await world.application("app_one", name="One")
    other = await world.application("app_other")
    first = await world.webhook(application, name="First", url="https://first.example/hook")
    second, strange = await world.webhook(application), await world.webhook(other)
    lines = world.store.attempt_lines
    assert await lines(0, 9) == []
    [event] = await world.publish(application, first, event_type="order.paid")
    [claimed] = await world.claim()
    await world.record(failed(world, claimed, None, "timeout"))
    [line] = await lines(0, 9)
    assert line == AttemptLine(
        id=line.id,
        application="app_one",
        application_name="One",
        profile="standard",
        webhook_id=first.id,
        webhook_name="First",
        webhook_url="https://first.example/hook",
        delivery_id=claimed.id,
        event_id=event.id,
        type="order.paid",
        number=1,
        started_at=world.now,
        duration_us=1_500,
        verdict=VerdictKind.RETRY,
        error="timeout",
        error_message="in words",
        response_status=None,
    )
    for webhook, owner in ((second, application), (strange, other), (second, application)):
        world.clock.move(10)
        await world.finish(await claimed_by(world, owner, webhook))
    everything = await lines(0, 9)
    assert [one.id for one in everything] == sorted((one.id for one in everything), reverse=True)
    assert [one.webhook_id for one in everything] == [second.id, strange.id, second.id, first.id]
    assert [one.id for one in await lines(0, 2)] == [one.id for one in everything[:2]]
    assert [one.id for one in await lines(everything[2].id, 9)] == [one.id for one in everything[:2]]
    mine = await lines(0, 9, application_id=application.id)
    assert [one.webhook_id for one in mine] == [second.id, second.id, first.id]
    assert await lines(0, 2, application_id=application.id) == mine[:2]
    assert await lines(line.id, 9, application_id=application.id, webhook_id=first.id) == []
    assert await lines(0, 9, application_id=application.id, webhook_id=second.id) == mine[:2]
    assert await lines(0, 9, application_id=application.id, webhook_id=strange.id) == []


async def test_attempts_of_tests_and_of_what_is_deleted(world: World) -> None:
    """A test has no type and no delivery; a deleted application's are seen by nobody."""
    application, gone = await world.application(), await world.application()
    webhook, strange = await world.webhook(application), await world.webhook(gone)
    [claimed] = await claimed_by(world, gone, strange)
    await world.finish([claimed])
    test = msgspec.structs.replace(
        world.attempt(claimed, 1, None, 204), delivery_id=None, event_id=None, webhook_id=webhook.id, cause=Cause.TEST
    )
    await world.store.keep_test(test)
    assert len(await world.store.attempt_lines(0, 9)) == 2
    await world.store.delete_application(gone.id, world.now)
    [line] = await world.store.attempt_lines(0, 9)
    assert (line.id, line.delivery_id, line.event_id, line.type, line.response_status) == (
        test.id, None, None, None, 204
    )  # fmt: skip


async def test_webhooks_in_trouble(world: World) -> None:
    """Those that fail, and those that were switched off for it; the youngest trouble first; of one application or all;
    not those that work, that a person switched off, or that are deleted.
    """
    application, other = await world.application(), await world.application()
    fine, failing, off, gone, deleted = [await world.webhook(application) for _ in range(5)]
    strange = await world.webhook(other)

    async def found(application_id: int | None = None, limit: int = 9) -> list[int]:
        return [one.id for one in await world.store.in_trouble(application_id, limit)]

    assert await found() == []
    for number, webhook in enumerate((off, strange, failing, deleted), start=1):
        await world.store.set_failing_since(webhook.id, world.now + number)
    world.clock.move(1_000)
    await world.store.set_webhook_status(
        gone.id, WebhookStatus.DISABLED, StatusReason.GONE, keep=True, expected_version=None, changed_at=world.now
    )
    await world.move(off, WebhookStatus.DISABLED)
    await world.move(deleted, WebhookStatus.DELETED)
    assert await found() == [gone.id, failing.id, strange.id]
    assert await found(limit=2) == [gone.id, failing.id]
    assert await found(application.id) == [gone.id, failing.id]
    assert await found(other.id) == [strange.id]
    await world.store.set_failing_since(strange.id, None)
    assert await found(other.id) == []
    assert await world.store.in_trouble(application.id, 1) == [await world.store.get_webhook(gone.id)]
    await world.store.delete_application(application.id, world.now)
    assert await found() == []
    assert fine.failing_since is None


async def test_failures_since_the_last_success(world: World) -> None:
    """By webhook, error and status, with how many deliveries, since when, the last one; a success ends them all."""
    application = await world.application()
    first, second = await world.webhook(application), await world.webhook(application)
    begun = world.now
    one, two, three = await claimed_by(world, application, first, count=3)
    await world.record(failed(world, one, 401), failed(world, two, 401), failed(world, three, None, "timeout"))
    world.clock.move(60_000)
    again = await world.claim()
    await world.record(*(failed(world, claimed, 401) for claimed in again))
    await world.record(*(failed(world, claimed, 503) for claimed in await claimed_by(world, application, second)))
    ids = [first.id, second.id]
    found = await world.store.failures(ids, 100)
    assert facts(found) == [
        (first.id, None, 401, 3),
        (first.id, "timeout", None, 1),
        (second.id, None, 503, 1),
    ]
    [group] = [one for one in found if one.response_status == 401]
    assert (group.first_at, group.last_at, group.is_cut) == (begun, world.now, False)
    assert group.delivery_id in {one.id, two.id, three.id}
    assert facts(await world.store.failures([second.id], 100)) == [(second.id, None, 503, 1)]
    assert await world.store.failures([], 100) == []
    test = msgspec.structs.replace(
        world.attempt(one, 1, None, 200), delivery_id=None, event_id=None, cause=Cause.TEST, webhook_id=first.id
    )
    await world.store.keep_test(test)
    assert len(await world.store.failures([first.id], 100)) == 2  # a test proves nothing of deliveries
    await world.finish(await claimed_by(world, application, first))
    assert await world.store.failures([first.id], 100) == []
    [claimed] = await claimed_by(world, application, first)
    await world.record(failed(world, claimed, None, "reset"))
    assert facts(await world.store.failures(ids, 100)) == [(first.id, "reset", None, 1), (second.id, None, 503, 1)]


async def test_failures_are_counted_up_to_a_bound(world: World) -> None:
    """Each webhook's newest are looked at, and where there are more it is said."""
    application = await world.application()
    first, second = await world.webhook(application), await world.webhook(application)
    for claimed in await claimed_by(world, application, first, count=5):
        world.clock.move(1)
        await world.record(failed(world, claimed))
    await world.record(*(failed(world, one) for one in await claimed_by(world, application, second, count=2)))
    groups = await world.store.failures([first.id, second.id], 3)
    found = {one.webhook_id: (one.deliveries, one.is_cut) for one in groups}
    assert found == {first.id: (3, True), second.id: (2, False)}


async def give_up(world: World, claimed: Claimed, status: int | None = 500, error: str | None = None) -> None:
    await world.record(failed(world, claimed, status, error, state=DeliveryState.FAILED))


async def test_what_was_given_up(world: World) -> None:
    """Failed deliveries by how they ended, of events of a time; not those that a later run has brought."""
    application, other = await world.application(), await world.application()
    webhook, strange = await world.webhook(application), await world.webhook(other)
    await give_up(world, (await claimed_by(world, application, webhook))[0], 410)
    world.clock.move(3_600_000)
    since = first_id_at(world.now)
    given = await claimed_by(world, application, webhook, count=4)
    for claimed in given[:3]:
        await give_up(world, claimed)
    await give_up(world, given[3], None, "timeout")
    [claimed] = await claimed_by(world, other, strange)
    never = msgspec.structs.replace(
        world.result(claimed, DeliveryState.FAILED, reason=DeliveryReason.EXPIRED), attempt=None
    )
    await world.record(never)

    async def found(application_id: int | None, since_id: int = since, **bounds: int) -> list[FailureGroup]:
        return await world.store.given_up(application_id, since_id, **({"webhooks": 9, "each": 9} | bounds))

    mine = [(webhook.id, None, 500, 3), (webhook.id, "timeout", None, 1)]
    assert facts(await found(application.id)) == mine
    assert facts(await found(None)) == [*mine, (strange.id, None, None, 1)]
    [untold] = await found(other.id)
    assert (untold.first_at, untold.last_at, untold.delivery_id, untold.is_cut) == (
        world.now, world.now, claimed.id, False
    )  # fmt: skip
    assert (webhook.id, None, 410, 1) in facts(await found(None, 0))
    cut = await found(application.id, each=2)
    assert sum(one.deliveries for one in cut) == 2
    assert any(one.is_cut for one in cut)
    await world.webhook(await world.application())  # the newest, which has given nothing up, takes nobody's place
    assert [one.webhook_id for one in await found(None, webhooks=1)] == [strange.id]
    aside = NewAside(
        id=world.ids.make(),
        application_id=application.id,
        webhook_id=webhook.id,
        event_id=given[3].event_id,
        cause=Cause.REPLAY,
    )
    assert await world.store.send_aside(aside, world.now) is not None
    assert facts(await found(application.id)) == mine
    await world.finish(await world.claim())
    assert facts(await found(application.id)) == mine[:1]
    await world.store.update_webhook(webhook.id, WebhookChange(name="Shop"), None, world.now)
    await world.move(webhook, WebhookStatus.DELETED)
    assert await found(application.id) == []
