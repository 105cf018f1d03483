"""Replays with a preview and progress, jobs, what is upcoming, and the catalog with its samples."""

import asyncio
import datetime
import re

import pytest

from hookspan.dashboard._shown import NOTHING
from tests.integration.api.conftest import ARRIVAL_S, Certificates
from tests.integration.dashboard.conftest import House, Page, furnish
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio
LONG_AGO = "2020-01-01T00:00"


async def job_of(house: House, place: str, *states: str) -> dict:
    """The job that an address leads to, once it is in one of `states`."""
    path = f"/v1/jobs/{place.partition('?')[0].rpartition('/')[2]}"
    async with asyncio.timeout(ARRIVAL_S):
        while (job := await house.api("GET", path))["state"] not in states or job["finished_at"] is None:
            await asyncio.sleep(0.01)
    return job


async def test_a_replay_is_counted_then_started(house: House, receiver: Receiver) -> None:
    """The preview counts by type and sends nothing; what is started is what was counted; sent twice it is one job."""
    application = await house.api.application()
    webhook = await house.api.webhook(application, receiver.url, name="Shop")
    for number in range(5):
        event = await house.api.publish(application, number, type="order.paid" if number % 2 else "order.made")
        await house.api.delivery_of(application, event, "succeeded")
    browser = await house.browser("admin", application)
    here = f"{browser.root}/webhooks/{webhook['id']}/replay"
    page = await browser.get(here)
    assert "counts, and sends nothing" in page.text
    presets = sorted(link for link in page.links() if "?since=" in link)
    assert len(presets) == 3
    page = await browser.get(f"{presets[0]}&rate=1000")
    assert "5 events would be sent again" in page.text
    assert "order.made3order.paid2" in page.text
    assert "at this rate that takes 5 seconds" in (await browser.get(f"{presets[0]}&rate=1")).text
    assert (await house.api("GET", "/v1/jobs", params={"application_id": application}))["data"] == []
    page = await browser.get(f"{presets[0]}&types=order.paid&state=succeeded")
    assert "2 events would be sent again" in page.text
    fields = {name: page.field(name) for name in ("since", "until", "types", "state", "once")}
    hidden = {one["name"]: one["value"] for one in page.all("input") if one.get("type") == "hidden"}
    assert hidden["types"] == "order.paid"
    fields |= {"state": "succeeded", "types": "order.paid", "until": hidden["until"], "since": hidden["since"]}
    started = (await browser.post(here, fields)).headers["location"]
    again = (await browser.post(here, fields)).headers["location"]
    assert again == started.partition("?")[0]
    job = await job_of(house, started, "succeeded")
    assert (job["total"], job["succeeded"], job["input"]["types"]) == (2, 2, ["order.paid"])
    page = await browser.get(started)
    assert "Started." in page.text
    assert "2 of 2" in page.text
    [progress] = page.all("progress")
    assert (progress["max"], progress["value"]) == ("2", "2")
    assert [one for one in page.all("div") if "hx-get" in one] == []
    assert "Replay to Shop" in (await browser.get(f"{browser.root}/jobs")).text
    assert "No job passes these filters." in (await browser.get(f"{browser.root}/jobs?state=failed")).text


async def test_what_is_wrong_with_a_replay_is_said_at_its_field(house: House, receiver: Receiver) -> None:
    """Times, rate and types are checked in the preview and at the start; nothing is started; nothing is lost."""
    there = await furnish(house.api, receiver.url)
    browser = await house.browser("admin", there.application)
    here = f"{browser.root}/webhooks/{there.webhook}/replay"
    for query, said in (
        (f"since={LONG_AGO}", "Events are kept for 30 days"),
        ("since=yesterday", "since must be a time such as"),
        ("since=2099-01-01T00:00", "The window is empty"),
        ("since=2099-01-01T00:00&until=2098-01-01T00:00", "until is in the future"),
        (f"since={LONG_AGO}&rate=fast", "'fast' is not a number."),
        (f"since={LONG_AGO}&rate=-1", "0.001"),
        (f"since={LONG_AGO}&rate=nan", "'nan' is not a number."),
        (f"since={LONG_AGO}&state=odd", "'odd' is not known here"),
    ):
        page = await browser.get(f"{here}?{query}", 400)
        assert "Nothing was started." in page.text
        assert said in page.text
        assert page.field("since") == query[6:].partition("&")[0]
    response = await browser.post(here, {"since": LONG_AGO, "once": "n"}, status=400)
    assert Page(response.text).field("since") == LONG_AGO
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    page = await browser.get(f"{here}?since={yesterday:%Y-%m-%dT00:00}&until={yesterday:%Y-%m-%dT00:01}", 200)
    assert "Nothing to send again." in page.text
    await browser.post(f"{browser.root}/webhooks/{there.webhook}/disable")
    await browser.post(here, {"since": page.field("since")}, status=409)


async def test_a_job_is_followed_and_cancelled(house: House, receiver: Receiver) -> None:
    """While it moves the page asks every two seconds; cancelled it says so; another application's is not found."""
    application = await house.api.application()
    webhook = await house.api.webhook(application, receiver.url)
    for number in range(3):
        await house.api.publish(application, number)
    await receiver.wait_until(lambda: len(receiver.numbers) == 3, ARRIVAL_S)
    browser = await house.browser("admin", application)
    page = await browser.get(f"{browser.root}/webhooks/{webhook['id']}/replay")
    fields = {"since": page.field("since"), "rate": "0.01"}
    place = (await browser.post(f"{browser.root}/webhooks/{webhook['id']}/replay", fields)).headers["location"]
    place = place.partition("?")[0]
    page = await browser.get(place)
    assert [one["hx-trigger"] for one in page.all("div") if "hx-get" in one] == ["every 2s"]
    assert page.all("noscript")
    assert re.search(rf"Pace({NOTHING}|[0-9.]+a (second|minute); )at most 0.01 a second", page.text.replace("> ", ""))
    member = await house.browser("member", application)
    assert (await member.get(place)).actions() <= {"/sign-out"}
    other = await house.browser("operator_admin", await house.api.application(name="Other"))
    await other.get(f"{other.root}/jobs/{place.rpartition('/')[2]}", 404)
    await other.post(f"{other.root}/jobs/{place.rpartition('/')[2]}/cancel", status=404)
    assert f"{place}" in (await other.get("/dashboard/jobs")).links()
    response = await browser.post(f"{place}/cancel")
    assert response.headers["location"] == f"{place}?done=job-cancelled"
    job = await job_of(house, place, "cancelled")
    page = await browser.get(place)
    assert "cancelled" in page.text
    assert f"Left out{job['skipped']}cancelled, on their way already" in page.text


async def test_what_is_upcoming_is_sent_by_hand(house: House, receiver: Receiver, certificates: Certificates) -> None:
    """The next events with what will be sent, filtered; one is sent now; an empty list leads to the catalog."""
    application = await house.api.application(profile="bridge-xyz")
    webhook = await house.api.webhook(application, "https://example.com/hook")
    browser = await house.browser("admin", application)
    here = f"{browser.root}/webhooks/{webhook['id']}/upcoming"
    page = await browser.get(here)
    assert "Nothing waits for this webhook." in page.text
    assert f"{browser.root}/catalog" in page.links()
    for event_type in ("customer.created", "kyc_link.created"):
        await browser.post(f"{browser.root}/catalog/{event_type}/publish")
    page = await browser.get(here)
    assert "What will be sent" in page.text
    assert page.text.index("customer.created") < page.text.index("kyc_link.created")
    assert "kyc_link.created" not in (await browser.get(f"{here}?category=customer")).text.partition("Filter")[2]
    assert "passes these filters" in (await browser.get(f"{here}?type=customer.deleted")).text
    await browser.get(f"{here}?category=odd", 400)
    sent = await browser.post(f"{browser.root}/webhooks/{webhook['id']}/send", {"event_id": page.field("event_id")})
    assert "/deliveries/" in sent.headers["location"]


async def test_the_form_of_types_is_set_apart(house: House) -> None:
    """Where any type may be published, its pattern is code within the sentence."""
    browser = await house.browser("member", await house.api.application(profile="standard"))
    text = (await browser.client.get(f"{browser.root}/catalog")).text
    sentence = text.partition('<p class="under">')[2].partition("</p>")[0]
    assert re.search(r"have the form <code>\S+</code> and at most \d+ characters\.</span>", sentence)


async def test_the_catalog_in_words_and_a_sample_published(house: House, receiver: Receiver) -> None:
    """Types under headings with what they tell; schema and sample; publishing makes an event, noted in the log."""
    application = await house.api.application(profile="bridge-lms")
    support, admin = await house.browser("support", application), await house.browser("admin", application)
    page = await support.get(f"{support.root}/catalog")
    assert "A user has been created" in page.text
    assert {f"{support.root}/catalog/{one}" for one in ("user.created", "enrollment.completed")} <= page.links()
    here = f"{support.root}/catalog/user.created"
    response = await support.client.get(here)
    page = Page(response.text)
    assert 'class="j-key"' in response.text
    assert "Its context" in page.text
    assert "Schema of the content" in page.text
    assert f"{here}/publish" not in (await admin.get(here)).actions()  # left to support users
    await admin.post(f"{here}/publish", status=403)
    response = await support.post(f"{here}/publish")
    [event] = (await house.api("GET", f"/v1/applications/{application}/events"))["data"]
    assert response.headers["location"] == f"{support.root}/events/{event['id']}?done=published"
    assert "sample.published" in (await admin.get(f"{admin.root}/audit")).text
    await support.get(f"{support.root}/catalog/nothing.here", 404)
    await support.post(f"{support.root}/catalog/nothing.here/publish", status=400)
    portal = await house.portal(application, role="support")
    response = await portal.post(f"{portal.root}/catalog/user.created/publish")
    assert response.headers["location"].startswith(f"{portal.root}/events/")
