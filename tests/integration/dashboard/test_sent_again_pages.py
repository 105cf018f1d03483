"""An event that was sent to a webhook more than once: what its pages say of which delivery."""

import asyncio

import msgspec
import pytest

from hookspan.dashboard._events import Arrivals, arrivals_of
from hookspan.dashboard._upcoming import waiting_of
from hookspan.manage import views
from tests.integration.api.conftest import ARRIVAL_S, SLOW_RETRIES
from tests.integration.dashboard.conftest import Browser, House
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio


def line(webhook: str, state: views.ShownState | None) -> views.EventWebhook:
    return views.EventWebhook(
        webhook_id=webhook,
        delivery_id=None if state is None else f"dlv_{state}",
        state=state,
        reason=None,
        next_attempt_at=None,
        sentence="",
    )


def event_of(*lines: views.EventWebhook) -> views.Event:
    return views.Event(
        id="evt_1", publisher_id=None, application_id="a", type="t", category=None, position=1,
        occurred_at="", accepted_at="", content=msgspec.Raw(b"{}"), context=None, body="{}", webhooks=list(lines),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], (0, 0, "good")),
        ([("a", None)], (0, 0, "good")),
        ([("a", "succeeded"), ("a", "pending")], (1, 1, "good")),
        ([("a", "succeeded"), ("a", "failed")], (1, 1, "good")),
        ([("a", "failed"), ("a", "succeeded")], (1, 1, "good")),
        ([("a", "failed"), ("a", "pending")], (1, 0, "waiting")),
        ([("a", "succeeded"), ("b", "failed"), ("c", "pending"), ("d", None)], (3, 1, "bad")),
        ([("a", "cancelled"), ("b", "succeeded")], (2, 1, "waiting")),
    ],
)
def test_a_webhook_counts_once(lines, said: tuple[int, int, str]) -> None:
    """However often an event was sent to it: arrived if any delivery has, else as its newest one is."""
    assert arrivals_of(event_of(*(line(*one) for one in lines))) == Arrivals(*said)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([("b", "pending"), ("a", "succeeded"), ("a", "pending")], "pending"),
        ([("a", None)], None),
        ([("a", "succeeded")], "nothing"),
        ([("b", "pending")], "nothing"),
    ],
)
def test_what_waits_is_what_is_told_of(lines, found: str | None) -> None:
    """Of this webhook, and never a delivery that is over."""
    one = waiting_of(event_of(*(line(*it) for it in lines)), "a")
    assert ("nothing" if one is None else one.state) == found


async def replayed(house: House, receiver: Receiver) -> tuple[Browser, str, str]:
    """An event that has arrived, and that a replay sends again to a receiver that refuses it now."""
    application = await house.api.application(settings=SLOW_RETRIES)
    webhook = (await house.api.webhook(application, receiver.url))["id"]
    event = await house.api.publish(application, 1)
    await house.api.delivery_of(application, event, "succeeded")
    receiver.status = 503
    path = f"/v1/applications/{application}"
    since = (await house.api("GET", path))["created_at"]
    await house.api("POST", f"{path}/webhooks/{webhook}/replay", {"since": since}, status=202)
    async with asyncio.timeout(ARRIVAL_S):
        while len(sent := (await house.api("GET", f"{path}/events/{event}"))["webhooks"]) < 2:
            await asyncio.sleep(0.01)
    await house.api.attempts_of(application, sent[1]["delivery_id"])
    return await house.browser("admin", application), webhook, event


async def test_a_replayed_event_on_every_page(house: House, receiver: Receiver) -> None:
    """Upcoming tells of the delivery that waits, not of the one before; the list counts the webhook once; the event's
    page tells them apart, and so it does what was sent by hand.
    """
    browser, webhook, event = await replayed(house, receiver)
    page = await browser.get(f"{browser.root}/webhooks/{webhook}/upcoming")
    assert event in (await browser.client.get(f"{browser.root}/webhooks/{webhook}/upcoming")).text
    assert "Delivered at" not in page.text
    assert "HTTP 503" in page.text
    assert "1 of 1 arrived" in (await browser.get(f"{browser.root}/events")).text
    receiver.status = 200
    await browser.post(f"{browser.root}/webhooks/{webhook}/send", {"event_id": event})
    response = await browser.client.get(f"{browser.root}/events/{event}")
    lines = response.text.partition('class="fates"')[2].partition("</ul>")[0].split("<li>")[1:]
    assert ['class="tag"' in one for one in lines] == [False, True, True]
    assert 'class="tag">replay<' in lines[1]
    assert 'class="tag">by hand<' in lines[2]


async def test_lists_tell_their_order(house: House, receiver: Receiver) -> None:
    """Of deliveries: by event, so that a replay's stand at their event's place."""
    browser, webhook, _ = await replayed(house, receiver)
    assert "By event, newest first." in (await browser.get(f"{browser.root}/deliveries")).text
    assert "by event, newest first" in (await browser.get(f"{browser.root}/webhooks/{webhook}")).text
