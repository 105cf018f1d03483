"""An application's people hear of what lasts: once, signed, and not lost by a crash."""

import asyncio
import itertools
from datetime import UTC, datetime

import msgspec
import pytest
import standardwebhooks.webhooks
from standardwebhooks import Webhook as Verifier

from hookspan.domain.outcome import ErrorCode
from hookspan.domain.states import Order, WebhookStatus
from hookspan.engine.notices import (
    TRIES_AT_ONCE_MAX,
    TRIES_EACH_MAX,
    TRIES_WAIT_S,
    NoticeFinder,
    NoticeSender,
    signing_secret,
)
from hookspan.errors import InvalidUrl, NotFound, Overloaded, StoreUnavailable
from hookspan.store.contract import WebhookChange

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
URL = "https://people.example.com/notify"
HOOK = "https://receiver.example.com/hook"


class People:
    """Their URL, and what arrived there."""

    def __init__(self, world) -> None:
        self.world = world
        self.is_down = False
        self.hook_status = 500

    def answer(self, request):
        if request.url == URL:
            return self.world.egress.status(500 if self.is_down else 204)
        return self.world.egress.status(self.hook_status)

    @property
    def requests(self):
        return [one for one in self.world.egress.requests if one.url == URL]

    @property
    def told(self) -> list[str]:
        return [msgspec.json.decode(one.body)["type"] for one in self.requests]


async def turn(world) -> None:
    """Both duties, until nothing is due."""
    while await world.engine.notice_finder.turn() == 0:
        pass
    while await world.engine.notice_sender.turn() == 0:
        pass


async def live(world, ms: int, step_ms: int = 5 * MINUTE_MS) -> None:
    """Let time pass with the duties turning."""
    for _ in range(ms // step_ms):
        await world.run_for(step_ms)
        await turn(world)


async def application_with_url(world, profile="standard", **settings):
    application = await world.application(profile, **settings)
    await world.store.update_application(
        application.id, world.clock.now_ms(),
        name=None, profile=None, uuid=None, settings=None, metadata=None, notify=URL,
    )  # fmt: skip
    await world.engine.webhooks_changed(application.id)
    return application


@pytest.fixture
def people(world):
    one = People(world)
    world.egress.answer = one.answer
    return one


async def test_failing_is_told_after_a_while_and_once(world, people):
    """Not the first failure; then once, however long it lasts."""
    application = await application_with_url(world)
    webhook = await world.webhook(application)
    await world.publish(application, 1)
    await live(world, 5 * MINUTE_MS)
    assert people.told == []
    await live(world, 20 * MINUTE_MS)
    assert people.told == ["webhook.failing"]
    await live(world, 20 * HOUR_MS, HOUR_MS)
    assert people.told == ["webhook.failing"]
    data = msgspec.json.decode(people.requests[0].body)["data"]
    assert data["application_id"] == application.public_id
    assert data["webhook"]["url"] == "https://receiver.example.com", "its path may be a secret"
    assert (data["status"], data["status_reason"]) == ("active", None)
    assert data["last_attempt"]["response_status"] == 500
    assert "HTTP 500" in data["sentence"]
    assert webhook.id


async def test_recovery_is_told_after_failing_only(world, people):
    """By the first delivery that is taken; a webhook that fails for a minute is nobody's business."""
    application = await application_with_url(world)
    await world.webhook(application)
    await world.publish(application, 1)
    await live(world, MINUTE_MS, MINUTE_MS)
    people.hook_status = 200
    await live(world, HOUR_MS)
    assert people.told == []
    people.hook_status = 500
    await world.publish(application, 2)
    await live(world, HOUR_MS)
    people.hook_status = 200
    await live(world, 12 * HOUR_MS, HOUR_MS)
    assert people.told == ["webhook.failing", "webhook.recovered"]


async def test_gone_is_told_at_once_and_being_switched_on_is_no_recovery(world, people):
    """Only a delivery that is taken is."""
    application = await application_with_url(world)
    webhook = await world.webhook(application)
    people.hook_status = 410
    await world.publish(application, 1)
    await world.settle()
    await turn(world)
    assert people.told == ["webhook.disabled"]
    data = msgspec.json.decode(people.requests[0].body)["data"]
    assert (data["status"], data["status_reason"]) == ("disabled", "gone")
    assert "410 Gone" in data["sentence"]
    people.hook_status = 200
    await world.set_status(webhook, WebhookStatus.ACTIVE)
    await live(world, HOUR_MS)
    assert people.told == ["webhook.disabled"]
    await world.publish(application, 2)
    await live(world, HOUR_MS)
    assert people.told == ["webhook.disabled", "webhook.recovered"]


async def test_a_person_s_switch_is_no_news(world, people):
    """Who switched it off knows."""
    application = await application_with_url(world)
    webhook = await world.webhook(application)
    await world.set_status(webhook, WebhookStatus.DISABLED)
    await live(world, HOUR_MS)
    await world.set_status(webhook, WebhookStatus.ACTIVE)
    await live(world, HOUR_MS)
    assert people.told == []


async def test_a_stalled_webhook_is_told_and_what_to_do(world, people):
    """After failing; it is sent by hand, and well again."""
    application = await application_with_url(
        world, delivery={"when_exhausted": "stall"}, retry={"delays": ["0s", "1h"]}
    )
    webhook = await world.webhook(application, order=Order.FIFO)
    [event] = await world.publish(application, 1)
    await live(world, 3 * HOUR_MS)
    assert people.told == ["webhook.failing", "webhook.stalled"]
    assert "by hand" in msgspec.json.decode(people.requests[-1].body)["data"]["sentence"]
    await live(world, 5 * HOUR_MS, HOUR_MS)
    assert len(people.told) == 2
    people.hook_status = 200
    await world.send_by_hand(application, webhook, event)
    await live(world, HOUR_MS)
    assert people.told[2:] == ["webhook.recovered"]


async def test_flapping_is_bounded(world, people):
    """At most one of a kind and webhook in an hour; what lasts is told then."""
    application = await application_with_url(world)
    await world.webhook(application)
    for number in range(6):  # every half an hour anew
        people.hook_status = 500
        await world.publish(application, number)
        await live(world, 15 * MINUTE_MS)
        people.hook_status = 200
        await world.publish(application, number)
        await live(world, 15 * MINUTE_MS)
    assert people.told.count("webhook.failing") == people.told.count("webhook.recovered") == 3
    times = [one.at_ms for one, kind in zip(people.requests, people.told, strict=True) if kind == "webhook.failing"]
    assert all(later - earlier >= HOUR_MS for earlier, later in itertools.pairwise(times))
    people.hook_status = 500
    await world.publish(application, 9)
    await live(world, 2 * HOUR_MS)
    assert people.told[-1] == "webhook.failing"


async def test_a_crash_loses_none_and_repeats_none(world, people):
    """Before it was found, before it was sent, after it was sent."""
    application = await application_with_url(world)
    await world.webhook(application)
    await world.publish(application, 1)
    await world.run_for(20 * MINUTE_MS)
    await world.crash()
    await world.engine.notice_finder.turn()
    await world.crash()
    await turn(world)
    assert people.told == ["webhook.failing"]
    await world.crash()
    await live(world, HOUR_MS)
    assert people.told == ["webhook.failing"]


async def test_one_that_a_dead_node_was_sending_is_sent_again(world, people):
    """By its lease, under the same id: a receiver knows it."""
    application = await application_with_url(world)
    await world.webhook(application)
    await world.publish(application, 1)
    await world.run_for(20 * MINUTE_MS)
    await world.engine.notice_finder.turn()
    now_ms = world.clock.now_ms()
    await world.store.take_notices(now_ms, now_ms + NoticeSender.LEASE_MS, 10, 10)
    await world.crash()
    await turn(world)
    assert people.told == []
    await live(world, NoticeSender.LEASE_MS, NoticeSender.LEASE_MS)
    assert people.told == ["webhook.failing"]


async def test_it_is_tried_five_times_then_given_up(world, people):
    """Within some hours, with the same bytes and id; visibly."""
    application = await application_with_url(world)
    await world.webhook(application)
    people.is_down = True
    await world.publish(application, 1)
    await live(world, 8 * HOUR_MS)
    assert len(people.requests) == 5
    assert len({(one.body, one.headers["webhook-id"]) for one in people.requests}) == 1
    assert people.requests[-1].at_ms - people.requests[0].at_ms < 6 * HOUR_MS
    [kept] = await world.store.notices(application.id, 10)
    assert (kept.outcome.word, kept.problem, kept.attempts) == ("gave_up", "HTTP 500", 5)
    assert world.counters.notices_by_outcome["gave_up"] == 1


async def test_the_official_library_verifies_it(world, people, monkeypatch):
    """Standard Webhooks, by its own Python package; another application's secret does not."""
    application = await application_with_url(world)
    other = await world.application()
    await world.webhook(application)
    await world.publish(application, 1)
    await live(world, 20 * MINUTE_MS)
    [request] = people.requests

    class Then(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.fromtimestamp(request.at_ms / 1000, tz or UTC)

    monkeypatch.setattr(standardwebhooks.webhooks, "datetime", Then)
    verified = Verifier(signing_secret(world.vault, application.id)).verify(request.body, request.headers)
    assert verified["type"] == "webhook.failing"
    with pytest.raises(standardwebhooks.webhooks.WebhookVerificationError):
        Verifier(signing_secret(world.vault, other.id)).verify(request.body, request.headers)


async def test_without_a_url_they_are_kept_for_people_to_see(world):
    """Nothing is sent."""
    application = await world.application()
    await world.webhook(application)
    world.egress.answer = lambda _: world.egress.error(ErrorCode.CONNECT_REFUSED)
    await world.publish(application, 1)
    await live(world, HOUR_MS)
    [kept] = await world.store.notices(application.id, 10)
    assert (kept.kind.type, kept.outcome.word) == ("webhook.failing", "no_url")
    assert "connect_refused" in msgspec.json.decode(kept.body)["data"]["sentence"]
    assert {one.url for one in world.egress.requests} == {HOOK}


async def test_a_url_that_is_taken_away_ends_what_waits(world, people):
    """It can't be sent any more."""
    application = await application_with_url(world)
    await world.webhook(application)
    people.is_down = True
    await world.publish(application, 1)
    await live(world, 20 * MINUTE_MS)
    await world.store.update_application(
        application.id, world.clock.now_ms(),
        name=None, profile=None, uuid=None, settings=None, metadata=None, notify=None,
    )  # fmt: skip
    await live(world, HOUR_MS)
    [kept] = await world.store.notices(application.id, 10)
    assert kept.outcome.word == "no_url"


async def test_a_url_that_is_allowed_no_more_is_a_failed_attempt(world, people, monkeypatch):
    """The operator's rules may have changed since it was saved; nothing is sent, and it says why."""
    application = await application_with_url(world)
    await world.webhook(application)
    await world.publish(application, 1)
    await world.run_for(20 * MINUTE_MS)
    await world.engine.notice_finder.turn()

    def refuse(url, *, https_required):
        raise InvalidUrl("Not any more.")

    monkeypatch.setattr(world.egress, "target", refuse)
    await world.engine.notice_sender.turn()
    [kept] = await world.store.notices(application.id, 10)
    assert (kept.problem, kept.outcome) == ("blocked_destination: Not any more.", None)
    assert people.told == []


async def test_many_webhooks_are_looked_at_a_part_a_turn(world, people, monkeypatch):
    """A turn is bounded, and a pass goes on where the last one ended."""
    monkeypatch.setattr(NoticeFinder, "LOOK_MAX", 2)
    application = await application_with_url(world)
    for _ in range(5):
        await world.webhook(application)
    await world.publish(application, 1)
    await world.run_for(20 * MINUTE_MS)
    waits = [await world.engine.notice_finder.turn() for _ in range(3)]
    assert waits == [0, 0, NoticeFinder.INTERVAL_S]
    assert world.counters.notices_by_outcome["made"] == 5
    assert world.engine.notice_sender.wake.is_set()
    await turn(world)
    assert len(people.told) == 5


async def test_what_can_t_be_kept_does_not_stop_the_others(world, people, monkeypatch):
    """The duty has failed, and each notice that was sent is told as sent when the store is back, at the latest."""
    application = await application_with_url(world)
    for _ in range(3):
        await world.webhook(application)
    await world.publish(application, 1)
    await world.run_for(20 * MINUTE_MS)
    await world.engine.notice_finder.turn()
    end, calls = world.store.end_notice_attempt, []

    async def first_fails(*given):
        calls.append(given)
        if len(calls) == 1:
            raise StoreUnavailable("Not now.")
        await end(*given)

    monkeypatch.setattr(world.store, "end_notice_attempt", first_fails)
    with pytest.raises(StoreUnavailable):
        await world.engine.notice_sender.turn()
    assert len(calls) == 3
    await live(world, 5 * MINUTE_MS)
    assert {one.outcome.word for one in await world.store.notices(application.id, 10)} == {"delivered"}


async def test_old_notices_are_dropped(world, people):
    """After 90 days of the time that retention obeys."""
    application = await application_with_url(world)
    await world.webhook(application)
    await world.publish(application, 1)
    await live(world, 20 * MINUTE_MS)
    await world.engine.retention.turn()
    await world.engine.notice_finder.turn()
    assert len(await world.store.notices(application.id, 10)) == 1
    for _ in range(92):
        world.clock.move(24 * HOUR_MS)
        await world.engine.retention.turn()
    await world.engine.notice_finder.turn()
    assert await world.store.notices(application.id, 10) == []


async def test_tries_are_bounded(world, people):
    """So many at once, of an application and of all: the next waits so long. One that is gone has none."""
    applications = [await application_with_url(world) for _ in range(5)]
    world.egress.is_holding = True

    def trying(application):
        return asyncio.ensure_future(world.engine.try_notify(application.id, URL, 1, b"{}"))

    tries = [trying(one) for one in applications for _ in range(TRIES_EACH_MAX)]
    while len(people.requests) < TRIES_AT_ONCE_MAX:
        await asyncio.sleep(0)
    world.clock.move(int(TRIES_WAIT_S * 1000))
    for one in tries[TRIES_AT_ONCE_MAX:]:
        with pytest.raises(Overloaded):
            await one
    world.egress.let_go()
    assert all([(await one).is_success for one in tries[:TRIES_AT_ONCE_MAX]])
    world.egress.is_holding = False
    assert (await trying(applications[-1])).is_success
    with pytest.raises(NotFound):
        await world.engine.try_notify(17, URL, 10, b"{}")


async def test_one_application_leaves_tries_for_another(world, people):
    """However often A tries a URL that hangs, B's is tried at once; and who leaves hangs no longer."""
    hanging, other = await application_with_url(world), await application_with_url(world)
    world.egress.is_holding = True
    trying = [asyncio.ensure_future(world.engine.try_notify(hanging.id, URL, n, b"{}")) for n in range(1, 30)]
    while len(people.requests) < TRIES_EACH_MAX:
        await asyncio.sleep(0)
    world.egress.is_holding = False
    assert (await world.engine.try_notify(other.id, URL, 40, b"{}")).is_success
    assert len(people.requests) == TRIES_EACH_MAX + 1
    for one in trying:
        one.cancel()
    await asyncio.gather(*trying, return_exceptions=True)
    assert world.egress.in_flight == 0
    assert (await world.engine.try_notify(hanging.id, URL, 41, b"{}")).is_success


class Letters:
    """Takes letters in the place of a mail server."""

    def __init__(self, world) -> None:
        self.world = world
        self.letters: list[tuple[str, str, str]] = []

    async def send(self, to, subject, text):
        self.letters.append((to, subject, text))
        return self.world.egress.status(250)


async def test_by_mail_the_sentence_comes_as_a_letter(world, people):
    """A webhook's name, which anybody may have chosen, is in the text and not in the subject."""
    application = await world.application()
    await world.store.update_application(
        application.id, world.clock.now_ms(),
        name=None, profile=None, uuid=None, settings=None, metadata=None, notify="mailto:people@example.com",
    )  # fmt: skip
    await world.engine.webhooks_changed(application.id)
    webhook = await world.webhook(application)
    await world.store.update_webhook(
        webhook.id, WebhookChange(name="x\r\nBcc: all@example.com"), None, world.clock.now_ms()
    )
    await world.engine.webhooks_changed(application.id)
    assert not world.engine.has_mail
    world.engine.courier.mail = letters = Letters(world)
    await world.publish(application, 1)
    await live(world, 20 * MINUTE_MS)
    [(to, subject, text)] = letters.letters
    assert (to, subject) == ("people@example.com", f"[Hookspan] webhook.failing in {application.public_id}")
    assert "Bcc: all@example.com" in text
    [kept] = await world.store.notices(application.id, 10)
    assert kept.outcome.word == "delivered"


async def test_a_mail_server_that_was_taken_away_is_a_failed_attempt(world, people):
    """It says so, and is tried again."""
    application = await world.application()
    await world.store.update_application(
        application.id, world.clock.now_ms(),
        name=None, profile=None, uuid=None, settings=None, metadata=None, notify="mailto:people@example.com",
    )  # fmt: skip
    await world.engine.webhooks_changed(application.id)
    await world.webhook(application)
    await world.publish(application, 1)
    await live(world, 10 * MINUTE_MS)
    [kept] = await world.store.notices(application.id, 10)
    assert (kept.outcome, kept.problem) == (None, "blocked_destination: The operator has set no mail server.")
