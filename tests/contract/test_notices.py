"""Notices: whose condition may have changed, kept once, taken by one, bounded in number and time."""

import msgspec
import pytest

from hookspan.domain.notice import NoticeKind, NoticeOutcome
from hookspan.domain.records import Application, Webhook
from hookspan.domain.states import DeliveryState, Order, StatusReason, WebhookStatus
from hookspan.store.notices import NOTICES_MAX, NewNotice
from tests.contract.world import World

pytestmark = pytest.mark.anyio

URL = "https://people.example.com/notify"
MINUTE_MS = 60_000


def new(world: World, webhook: Webhook, kind: NoticeKind = NoticeKind.FAILING, **members) -> NewNotice:
    made = NewNotice(
        id=world.ids.make(),
        application_id=webhook.application_id,
        webhook_id=webhook.id,
        kind=kind,
        was=None,
        body=b'{"type":"webhook.failing"}',
        created_at=world.now,
        has_url=True,
    )
    return msgspec.structs.replace(made, **members)


async def watched(world: World, failing_before: int | None = None, after: int = 0, limit: int = 100) -> list[int]:
    before = world.now if failing_before is None else failing_before
    return [one.webhook.id for one in await world.store.watched(before, after, limit)]


async def disable(world: World, webhook: Webhook, reason: StatusReason) -> None:
    await world.store.set_webhook_status(
        webhook.id, WebhookStatus.DISABLED, reason, keep=True, expected_version=None, changed_at=world.now
    )


async def fixture(world: World) -> tuple[Application, Webhook]:
    application = await world.application(notify=URL)
    return application, await world.webhook(application)


async def test_only_what_may_have_changed_is_watched(world: World) -> None:
    """Those that fail for so long, those that Hookspan disabled, by id; all others cost nothing."""
    application, failing = await fixture(world)
    lately, cut_off, gone, by_hand, well = [await world.webhook(application) for _ in range(5)]
    await world.store.set_failing_since(failing.id, world.now - MINUTE_MS)
    await world.store.set_failing_since(lately.id, world.now)
    await disable(world, cut_off, StatusReason.FAILING)
    await disable(world, gone, StatusReason.GONE)
    await disable(world, by_hand, StatusReason.PERSON)
    assert await watched(world, world.now - 1) == [failing.id, cut_off.id, gone.id]
    assert await watched(world, world.now - 1, after=failing.id, limit=1) == [cut_off.id]
    assert well.id not in await watched(world)
    [first, *_] = await world.store.watched(world.now, 0, 1)
    assert (first.webhook.failing_since, first.notify, first.noticed) == (world.now - MINUTE_MS, URL, None)
    await world.store.delete_application(application.id, world.now)
    assert await watched(world) == []


async def test_what_was_noticed_is_watched_until_it_recovers(world: World) -> None:
    """Failing, noticed, well again; with the last success, the last answer and when it was told."""
    application, webhook = await fixture(world)
    await world.publish(application, webhook, count=2)
    first, second = await world.claim()
    await world.record(world.result(first, DeliveryState.PENDING, status=503))
    await world.store.set_failing_since(webhook.id, world.now)
    [seen] = await world.store.watched(world.now, 0, 10)
    assert (seen.last_answer.response_status, seen.last_success_at) == (503, None)  # type: ignore[union-attr]
    assert await world.store.add_notice(new(world, webhook)) == 0
    assert await watched(world) == []
    told_at = world.now
    world.clock.move(MINUTE_MS)
    await world.store.set_failing_since(webhook.id, None)
    await world.record(world.result(second))
    [seen] = await world.store.watched(world.now, 0, 10)
    assert (seen.noticed, seen.noticed_at) == (NoticeKind.FAILING, told_at)
    assert seen.last_success_at == world.now + 1
    assert seen.told_at == {NoticeKind.FAILING: told_at}
    await world.store.add_notice(new(world, webhook, NoticeKind.RECOVERED, was=NoticeKind.FAILING))
    assert await watched(world) == []


async def test_a_fifo_webhook_is_watched_while_it_fails(world: World) -> None:
    """At once and after it was noticed: it may have stalled. Then no more."""
    application = await world.application(notify=URL)
    webhook = await world.webhook(application, order=Order.FIFO)
    await world.publish(application, webhook)
    [claimed] = await world.claim()
    await world.record(world.result(claimed, DeliveryState.PENDING, next_attempt_at=None))
    await world.store.set_failing_since(webhook.id, world.now)
    [seen] = await world.store.watched(world.now - MINUTE_MS, 0, 10)
    assert seen.stalled_since == world.now
    await world.store.add_notice(new(world, webhook))
    assert await watched(world) == [webhook.id]
    await world.store.add_notice(new(world, webhook, NoticeKind.STALLED, was=NoticeKind.FAILING))
    assert await watched(world) == []


async def test_one_change_is_noticed_once(world: World) -> None:
    """Of two nodes that saw the same the second does nothing; nor is a deleted webhook noticed."""
    application, webhook = await fixture(world)
    assert await world.store.add_notice(new(world, webhook)) == 0
    assert await world.store.add_notice(new(world, webhook)) is None
    assert await world.store.add_notice(new(world, webhook, NoticeKind.DISABLED, was=NoticeKind.STALLED)) is None
    assert len(await world.store.notices(application.id, 10)) == 1
    other = await world.webhook(application)
    await world.move(other, WebhookStatus.DELETED)
    assert await world.store.add_notice(new(world, other)) is None
    assert len(await world.store.notices(application.id, 10)) == 1


async def test_noticing_is_no_change_of_the_webhook(world: World) -> None:
    """Its version stays, or a person's If-Match would fail for nothing."""
    application, webhook = await fixture(world)
    before = await world.webhooks_seen(application.id)
    await world.store.add_notice(new(world, webhook))
    assert await world.webhooks_seen(application.id) == before


async def test_a_notice_is_taken_by_one_and_again_after_its_lease(world: World) -> None:
    """Each time is an attempt; what came of it is kept only by who has it."""
    application, webhook = await fixture(world)
    await world.store.add_notice(new(world, webhook))
    [first] = await world.store.take_notices(world.now, world.now + MINUTE_MS, 10, 10)
    assert (first.url, first.notice.attempts) == (URL, 1)
    assert await world.store.take_notices(world.now, world.now + MINUTE_MS, 10, 10) == []
    world.clock.move(MINUTE_MS)
    [second] = await world.store.take_notices(world.now, world.now + MINUTE_MS, 10, 10)
    assert second.notice.attempts == 2
    await world.store.end_notice_attempt(first.notice, NoticeOutcome.GAVE_UP, "late", world.now)
    [kept] = await world.store.notices(application.id, 10)
    assert (kept.outcome, kept.problem) == (None, None)
    await world.store.end_notice_attempt(second.notice, None, "HTTP 500", world.now + 5)
    [kept] = await world.store.notices(application.id, 10)
    assert (kept.outcome, kept.problem, kept.next_attempt_at, kept.finished_at) == (
        None,
        "HTTP 500",
        world.now + 5,
        None,
    )
    world.clock.move(5)
    [third] = await world.store.take_notices(world.now, world.now + MINUTE_MS, 10, 10)
    await world.store.end_notice_attempt(third.notice, NoticeOutcome.DELIVERED, None, world.now)
    [kept] = await world.store.notices(application.id, 10)
    assert (kept.outcome, kept.finished_at, kept.next_attempt_at) == (NoticeOutcome.DELIVERED, world.now, None)
    world.clock.move(MINUTE_MS)
    assert await world.store.take_notices(world.now, world.now + 1, 10, 10) == []


async def test_without_a_url_nothing_is_to_be_sent(world: World) -> None:
    """The notice is there to be seen, and finished."""
    application, webhook = await fixture(world)
    await world.store.add_notice(new(world, webhook, has_url=False))
    assert await world.store.take_notices(world.now, world.now + 1, 10, 10) == []
    [kept] = await world.store.notices(application.id, 10)
    assert (kept.outcome, kept.finished_at, kept.attempts) == (NoticeOutcome.NO_URL, world.now, 0)


async def test_the_url_is_the_application_s_present_one(world: World) -> None:
    """None when it was taken away, or with it the application."""
    for kind in ("taken away", "deleted"):
        application, webhook = await fixture(world)
        await world.store.add_notice(new(world, webhook))
        if kind == "deleted":
            await world.store.delete_application(application.id, world.now)
        else:
            await world.store.update_application(
                application.id, world.now, name=None, profile=None, uuid=None, settings=None, metadata=None, notify=None
            )
        [taken] = await world.store.take_notices(world.now, world.now + MINUTE_MS, 10, 10)
        assert taken.url is None


async def test_each_application_has_its_share_of_what_is_taken(world: World) -> None:
    """A hundred of one don't keep another's waiting."""
    _, busy = await fixture(world)
    for number in range(10):
        await world.store.add_notice(
            new(world, busy, NoticeKind(1 + number % 2), was=NoticeKind(2 - number % 2) if number else None)
        )
    _, quiet = await fixture(world)
    world.clock.move(1)
    await world.store.add_notice(new(world, quiet))
    taken = await world.store.take_notices(world.now, world.now + MINUTE_MS, 4, 3)
    assert [one.notice.webhook_id for one in taken] == [busy.id] * 3 + [quiet.id]
    assert len(await world.store.take_notices(world.now, world.now + MINUTE_MS, 5, 9)) == 5


async def test_an_application_keeps_so_many(world: World) -> None:
    """The oldest go first, and are counted; another application's stay."""
    application, webhook = await fixture(world)
    _, other = await fixture(world)
    await world.store.add_notice(new(world, other))
    dropped = []
    for number in range(NOTICES_MAX + 2):
        was = NoticeKind(2 - number % 2) if number else None
        dropped.append(await world.store.add_notice(new(world, webhook, NoticeKind(1 + number % 2), was=was)))
    assert dropped == [0] * NOTICES_MAX + [1, 1]
    found = await world.store.notices(application.id, NOTICES_MAX * 2)
    assert len(found) == NOTICES_MAX
    assert [one.id for one in found] == sorted((one.id for one in found), reverse=True)
    assert len(await world.store.notices(other.application_id, 10)) == 1


async def test_old_ones_are_dropped_and_a_deleted_application_s_with_it(world: World) -> None:
    """Some at a time."""
    application, webhook = await fixture(world)
    for number in range(3):
        was = NoticeKind(2 - number % 2) if number else None
        await world.store.add_notice(new(world, webhook, NoticeKind(1 + number % 2), was=was))
    newest, *_ = await world.store.notices(application.id, 10)
    assert await world.store.drop_notices(newest.id, 1) == 1
    assert await world.store.drop_notices(newest.id, 5) == 1
    assert await world.store.notices(application.id, 10) == [newest]
    await world.store.delete_application(application.id, world.now)
    await world.expire(0, 0)
    assert await world.store.notices(application.id, 10) == []


async def test_ids_are_not_given_twice(world: World) -> None:
    """A clock that was set back must not repeat a notice's."""
    _, webhook = await fixture(world)
    notice = new(world, webhook)
    await world.store.add_notice(notice)
    assert await world.store.highest_id() >= notice.id
