"""Setting a webhook up with somebody watching: what will be sent, another URL, a token that only the customer knows."""

import asyncio
import contextlib
import json

import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Route, ViewportSize, expect

from tests.integration.api.conftest import Api, Certificates
from tests.journey.browser.conftest import People, Person
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio
ROOT = "/dashboard/applications"
PHONE = ViewportSize(width=375, height=700)
DESK = ViewportSize(width=1280, height=900)


async def sample_of(person: Person) -> dict:
    """The body in the panel, as its button would copy it."""
    raw = await person.page.locator("#sample details.code .copy").get_attribute("data-copy")
    return json.loads(raw or "{}")


async def test_the_sample_changes_as_one_ticks(api: Api, people: People) -> None:
    """What was ticked last is shown, rows as a whole too; unticked it makes room for another; the URL goes along; what
    was typed stays, and nothing is made.
    """
    application = await api.application(name="School", profile="bridge-lms")
    support = await people.signed_in("support", application, viewport=DESK)
    page, panel = support.page, support.page.locator("#sample")
    await page.goto(f"{ROOT}/{application}/webhooks/new")
    await expect(panel.get_by_text("Nothing is ticked yet")).to_be_visible()
    await page.get_by_role("textbox", name="Name").fill("Students")
    await page.get_by_role("checkbox", name="Programs: Delete").check()
    await expect(panel.locator("pre").last).to_contain_text('"resource": "program"')
    await expect(panel.get_by_text("Nothing is ticked yet")).to_have_count(0)
    await page.get_by_role("button", name="all of Enrollments").click()
    await expect(panel.locator("pre").last).to_contain_text('"resource": "enrollment"')
    await page.get_by_role("checkbox", name="Enrollments: Create").uncheck()
    await expect(panel.get_by_label("Sample of")).to_have_value("")
    await expect(panel.locator("pre").last).to_contain_text('"trigger": "updated"')
    await panel.get_by_label("Sample of").select_option("user.created")
    await expect(panel.get_by_text("This type is not ticked")).to_be_visible()
    assert (await sample_of(support))["resource"] == "user"
    await page.get_by_label("Destination URL").fill("https://sis.lakeside.example/in")
    await page.get_by_label("HMAC Secret").fill("typed-by-me")
    await page.get_by_label("HMAC Secret").blur()
    await expect(panel.locator(".headers")).to_contain_text("sis.lakeside.example")
    await expect(panel.locator(".headers")).to_contain_text("X-Bridge-Signature")
    await expect(panel.get_by_text("EXAMPLE-secret-this-is-not-yours")).to_be_visible()
    assert "typed-by-me" not in await panel.inner_html()
    assert await page.get_by_role("textbox", name="Name").input_value() == "Students"
    await page.set_viewport_size(PHONE)
    assert await support.is_without_sideways_scrolling()
    assert (await api("GET", f"/v1/applications/{application}/webhooks"))["data"] == []


async def test_what_is_chosen_while_an_answer_is_on_its_way_stays_chosen(api: Api, people: People) -> None:
    """The answer to the form as it was is given up; what was chosen after it is shown."""
    application = await api.application(name="School", profile="bridge-lms")
    support = await people.signed_in("support", application, viewport=DESK)
    page, panel = support.page, support.page.locator("#sample")
    asked, chosen = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        is_first = not asked.is_set()
        asked.set()
        if is_first:
            await chosen.wait()
        with contextlib.suppress(PlaywrightError):  # the page gave it up
            await route.continue_()

    await page.route("**/webhooks/sample", hold)
    await page.goto(f"{ROOT}/{application}/webhooks/new")
    await page.get_by_role("checkbox", name="Programs: Delete").check()
    await asyncio.wait_for(asked.wait(), 5)
    await panel.get_by_label("Sample of").select_option("user.created")
    chosen.set()
    await expect(panel.get_by_text("This type is not ticked")).to_be_visible()
    await expect(panel.get_by_label("Sample of")).to_have_value("user.created")
    assert (await sample_of(support))["resource"] == "user"


async def test_a_refusal_leaves_the_sample_that_is_there(api: Api, people: People) -> None:
    """A session that has ended meanwhile, say: the panel stays, and what was typed."""
    application = await api.application(name="Fintech", profile="bridge-api")
    admin = await people.signed_in("admin", application, viewport=DESK)
    page = admin.page
    await page.goto(f"{ROOT}/{application}/webhooks/new")
    await page.get_by_role("checkbox", name="An item has been created").check()
    await expect(page.locator("#sample pre").last).to_contain_text('"type": "item.created"')
    [session] = [
        one for one in (await api("GET", "/v1/sessions"))["data"] if one["person"]["application_id"] == application
    ]
    await api("DELETE", f"/v1/sessions/{session['id']}", status=204)
    async with page.expect_response("**/webhooks/sample") as answered:
        await page.get_by_role("checkbox", name="An item has been deleted").check()
    assert (await answered.value).status == 401
    await expect(page.locator("#sample pre").last).to_contain_text('"type": "item.created"')
    admin.meant.add("401")


async def test_without_script_a_button_shows_it(api: Api, people: People) -> None:
    """The same panel by a button, with the form as it was filled in."""
    application = await api.application(name="Fintech", profile="bridge-api")
    url = (await api("POST", f"/v1/applications/{application}/portal-sessions", {}, status=201))["url"]
    plain = await people.stranger(java_script_enabled=False, viewport=PHONE)
    await plain.page.goto(f"{url}/webhooks/new")
    await plain.page.get_by_label("Callback URL").fill("https://hooks.fintrack.example/in")
    await plain.page.get_by_role("checkbox", name="An item has been refreshed").check()
    await plain.press("Show what will be sent")
    await expect(plain.page.locator("#sample pre").last).to_contain_text('"type": "item.refreshed"')
    await expect(plain.page.locator("#sample .headers")).to_contain_text("hooks.fintrack.example")
    assert await plain.page.get_by_role("checkbox", name="An item has been refreshed").is_checked()
    assert await plain.page.get_by_label("Callback URL").input_value() == "https://hooks.fintrack.example/in"


async def test_a_developer_moves_an_active_webhook(api: Api, people: People, certificates: Certificates) -> None:
    """From the checklist to active, then another URL in one go: refused first, which changes nothing, then done."""
    application = await api.application(name="Payments", profile="bridge-xyz")
    made = await api.webhook(application, "https://127.0.0.1:1/hook")
    developer = await people.signed_in("admin", application)
    page, here = developer.page, f"{ROOT}/{application}/webhooks/{made['id']}"
    await page.goto(here)
    await developer.sees("Before it runs")
    await page.locator(".checklist").get_by_role("button", name="Activate").click()
    await developer.sees("Activated.")
    await developer.press("Change the URL")
    await page.get_by_label("New URL").fill("https://10.0.0.1/in")
    await developer.press("Disable, change, activate")
    await developer.sees("The new URL can't be used.")
    await expect(page.locator(".notice.bad")).to_contain_text("Now it is active")
    await developer.was_refused(400)
    await page.get_by_label("New URL").fill("https://127.0.0.1:2/hook")
    await developer.press("Disable, change, activate")
    await developer.sees("Moved: what waits goes to the new URL, in order.")
    async with asyncio.timeout(10):
        now = await api("GET", f"/v1/applications/{application}/webhooks/{made['id']}")
    assert (now["url"], now["status"]) == ("https://127.0.0.1:2/hook", "active")


async def test_a_customer_enters_a_token_on_a_telephone(api: Api, people: People, receiver: Receiver) -> None:
    """Support makes a link and copies it; the customer opens it, without signing in, and saves; support sees that it is
    set, not what it is; the link is over.
    """
    application = await api.application(name="Lakeside University", profile="bridge-lms")
    made = await api.webhook(application, receiver.url, name="Student records", events=["user.created"])
    support = await people.signed_in("support", application)
    await support.page.goto(f"{ROOT}/{application}/webhooks/{made['id']}")
    await support.press("Make a one-time link")
    await support.page.get_by_role("checkbox", name="HMAC Secret").uncheck()
    await support.press("Make the link")
    link = await support.page.locator("[data-secret]").inner_text()
    await support.page.reload()
    assert await support.page.locator("[data-secret]").count() == 0
    customer = await people.stranger(viewport=PHONE)
    await customer.page.goto(link)
    await customer.sees("Lakeside University")
    assert await customer.is_without_sideways_scrolling()
    await customer.page.get_by_label("Bearer Token").fill("t0ken-of-theirs")
    await customer.page.keyboard.press("Enter")
    await customer.sees("The link is spent.")
    await customer.page.goto(link)
    await customer.sees("This link is over")
    await customer.was_refused(401)
    await support.page.reload()
    await support.sees("Bearer Token")
    assert "t0ken-of-theirs" not in await support.page.content()
    receiver.keeps_requests = True
    await support.press("Send a test")
    await support.sees("Your endpoint answered 200: delivered.")
    assert receiver.requests[-1][0][b"authorization"] == b"Bearer t0ken-of-theirs"
    assert "t0ken-of-theirs" not in await support.page.content()
