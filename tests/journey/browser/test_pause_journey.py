"""The operator pauses an application and lets it go on; its people see it, and nothing leaves: in real browsers."""

import pytest
from playwright.async_api import ViewportSize, expect

from tests.integration.api.conftest import ARRIVAL_S, Api
from tests.journey.browser.conftest import People
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio
REASON = "Your receiver is being moved, as you asked."


async def test_a_pause_from_its_beginning_to_its_end(api: Api, people: People, receiver: Receiver) -> None:
    """From the application's page; the member's pages say who, since when and why; an event waits, and arrives after
    the resume, while the delivery's page follows by itself.
    """
    application = await api.application(name="Harbor Pay")
    await api.webhook(application, receiver.url, name="Shop")
    operator, member = await people.signed_in("admin"), await people.signed_in("member", application)
    page = operator.page
    await page.goto(f"/dashboard/applications/{application}")
    await operator.press("Pause sending")
    await expect(page.get_by_role("radio", name="One application")).to_be_checked()
    await expect(page.get_by_label("Application", exact=True)).to_have_value(application)
    await expect(page.get_by_label("Profile", exact=True)).to_be_hidden()
    await page.get_by_role("radio", name="Everything").check()
    await expect(page.get_by_label("Application", exact=True)).to_be_hidden()
    await page.get_by_role("radio", name="One application").check()
    await page.get_by_label("Why").fill(REASON)
    await operator.press("Pause sending")
    await operator.sees("Paused. Events are taken in and wait.")
    await operator.sees(REASON)
    await operator.sees("for 1 application")

    await member.page.reload()
    await member.sees("The operator has paused sending")
    await member.sees(REASON.rstrip("."))
    event = await api.publish(application, 7)
    delivery = (await api.delivery_of(application, event, "pending"))["delivery_id"]
    await member.page.goto(f"/dashboard/applications/{application}/deliveries/{delivery}")
    badge = member.page.locator("h1 .badge")
    await expect(badge).to_have_text("paused")
    await member.sees("when sending goes on")
    assert receiver.numbers[7] == 0

    await page.get_by_text("Resume", exact=False).first.click()
    await operator.press("Resume sending")
    await operator.sees("Nothing is paused.")
    assert await receiver.wait_until(lambda: receiver.numbers[7], ARRIVAL_S)
    await expect(badge).to_have_text("succeeded")
    await member.page.reload()
    await expect(member.page.locator(".standing")).to_have_count(0)


async def test_nothing_scrolls_sideways_on_a_telephone(api: Api, people: People, receiver: Receiver) -> None:
    """The line above, the list and the form at 375 px, with the longest words that there may be."""
    application = await api.application(name="N" * 120)
    await api.webhook(application, receiver.url, name="Shop")
    reason = "W" * 500
    admin = await people.signed_in("admin", viewport=ViewportSize(width=375, height=700))
    portal = (await api("POST", f"/v1/applications/{application}/portal-sessions", {}, status=201))["url"]
    made = await api(
        "POST", "/v1/pauses", {"scope": "application", "application_id": application, "reason": reason}, status=201
    )
    places = ("/dashboard", "/dashboard/pauses", "/dashboard/pauses/new", f"/dashboard/applications/{application}")
    for place in (*places, portal):
        await admin.page.goto(place)
        await admin.page.locator(".standing").wait_for()
        await admin.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert await admin.is_without_sideways_scrolling(), place
    await api("DELETE", f"/v1/pauses/{made['id']}")
