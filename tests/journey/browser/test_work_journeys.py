"""A replay followed to its end, and somebody invited who signs in elsewhere: in a real browser."""

import pytest
from playwright.async_api import ViewportSize, expect

from tests.integration.api.conftest import ARRIVAL_S, Api
from tests.journey.browser.conftest import People
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio


async def test_a_replay_with_progress_to_the_end(api: Api, people: People, receiver: Receiver) -> None:
    """Preview, start; the bar moves by itself, without a reload, until everything has arrived again."""
    application = await api.application()
    await api.webhook(application, receiver.url, name="Shop")
    for number in range(12):
        await api.publish(application, number)
    await receiver.wait_until(lambda: len(receiver.numbers) == 12, ARRIVAL_S)
    admin = await people.signed_in("admin", application)
    page = admin.page
    await admin.press("Shop")
    await admin.press("Replay past events")
    await page.get_by_label("Rate").fill("4")
    await admin.press("Preview")
    await admin.sees("12 events")
    await page.get_by_text("at this rate that takes 3 seconds").wait_for()
    assert "rate=4" in await admin.address()  # can be sent to a colleague
    receiver.hold_after(18)
    await admin.press("Send these 12 again")
    await admin.sees("Started.")
    await page.evaluate("window.sameDocument = true")
    await admin.sees("ends in")
    bar = page.get_by_role("progressbar", name="Progress")
    assert int(await bar.get_attribute("value") or "") < 12
    receiver.hold_after(None)
    await admin.sees("12 of 12")
    await page.locator(".badge.good", has_text="succeeded").wait_for()
    assert await page.evaluate("window.sameDocument")
    await expect(bar).to_have_attribute("value", "12")
    assert set(receiver.numbers.values()) == {2}


async def test_somebody_is_invited_and_signs_in_elsewhere(api: Api, people: People) -> None:
    """The link is copied from one browser and opened in another; there they have their role; ended, they are out."""
    application = await api.application(name="Acme")
    admin = await people.signed_in("admin", application, permissions=["clipboard-read", "clipboard-write"])
    page = admin.page
    await admin.press("Members")
    await admin.press("Invite somebody")
    await page.get_by_label("Name", exact=True).fill("Grace Hopper")
    await page.get_by_label("Role").select_option("member")
    await admin.press("Make the link")
    await page.get_by_role("button", name="Copy the link").click()
    await admin.sees("Copied")
    link = await page.evaluate("navigator.clipboard.readText()")
    await page.reload()
    assert await page.locator("[data-secret]").count() == 0
    await admin.sees("Nowhere at this moment.")
    grace = await people.stranger()
    await grace.page.goto(link)
    await grace.press("Sign in")
    await grace.sees("Only admins manage webhooks.")
    assert await grace.page.get_by_role("link", name="Members").count() == 0
    await page.reload()
    await admin.press("End it")
    await admin.sees("The session has ended.")
    await grace.page.reload()
    await grace.sees("Sign in")
    grace.meant.add("status of 401")


async def test_nothing_scrolls_sideways_on_a_telephone(api: Api, people: People, receiver: Receiver) -> None:
    """All pages of work, people and the log, with long names, at 375 px, light and dark."""
    application = await api.application(name="A customer with quite a long name, GmbH & Co. KG")
    webhook = (await api.webhook(application, f"{receiver.url}?{'long=' * 60}", name="W" * 120))["id"]
    await api.publish(application, 1)
    path = f"/v1/applications/{application}"
    since = (await api("GET", path))["created_at"]
    job = (await api("POST", f"{path}/webhooks/{webhook}/replay", {"since": since}, status=202))["id"]
    someone = {"name": "P" * 120, "role": "member", "application_id": application}
    person = (await api("POST", "/v1/people", someone, status=201))["id"]
    await api("POST", "/v1/keys", someone | {"scope": "application"}, status=201)
    xyz = await api.application(profile="bridge-xyz")
    admin = await people.signed_in("admin", viewport=ViewportSize(width=375, height=700))
    page, root = admin.page, f"/dashboard/applications/{application}"
    line = (await api("GET", "/v1/audit"))["data"][0]["id"]
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        for place in (
            f"{root}/webhooks/{webhook}/replay", f"{root}/webhooks/{webhook}/replay?since={since}", f"{root}/jobs",
            f"{root}/jobs/{job}", f"{root}/webhooks/{webhook}/upcoming", f"{root}/catalog", f"{root}/members",
            f"{root}/members/{person}", f"{root}/members/new", f"{root}/keys", f"{root}/keys/new", f"{root}/notices",
            f"{root}/audit", f"/dashboard/applications/{xyz}/catalog", "/dashboard/jobs", "/dashboard/members",
            f"/dashboard/applications/{xyz}/catalog/liquidation_address.drain.created", "/dashboard/keys",
            f"/dashboard/audit?line={line}", "/dashboard/settings", "/dashboard/sessions",
        ):  # fmt: skip
            await page.goto(place)
            assert await page.locator("h1").count() == 1
            assert await admin.is_without_sideways_scrolling(), place
