"""What the three Bridges' people do in their dashboards, done here in a real browser."""

import pytest
from playwright.async_api import ViewportSize, expect

from tests.integration.api.conftest import SLOW_RETRIES, Api, Certificates
from tests.journey.browser.conftest import People
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio
PHONE = ViewportSize(width=375, height=700)


async def only_webhook(api: Api, application: str) -> dict:
    [one] = (await api("GET", f"/v1/applications/{application}/webhooks"))["data"]
    return one


async def test_an_admin_of_bridge_api(api: Api, people: People, receiver: Receiver) -> None:
    """Create by ticking a whole group, copy the secret, send a test that is accepted, see it; reload makes nothing."""
    application = await api.application(name="Fintech", profile="bridge-api")
    admin = await people.signed_in("admin", application, permissions=["clipboard-read", "clipboard-write"])
    page = admin.page
    await admin.sees("No webhooks yet.")
    await admin.press("Create a webhook")
    await page.get_by_label("Callback URL").fill(receiver.url)
    await page.get_by_role("textbox", name="Name").fill("Aggregation")
    await page.get_by_role("button", name="all of Items").click()
    await page.get_by_label("A user has been deleted").check()
    await admin.sees("4 ticked")
    await admin.press("Create the webhook")
    secret = await page.locator("[data-secret]").inner_text()
    await page.get_by_role("button", name="Copy the secret").click()
    await admin.sees("Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == secret
    await admin.press("Send a test")
    await admin.sees("Your endpoint answered 200: delivered.")
    made = await only_webhook(api, application)
    assert made["events"] == ["user.deleted", "item.created", "item.refreshed", "item.deleted"]
    await page.go_back()
    await page.reload()
    assert await page.locator("[data-secret]").count() == 0
    assert (await only_webhook(api, application))["id"] == made["id"]


async def test_a_support_user_of_bridge_lms(api: Api, people: People, receiver: Receiver) -> None:
    """Name, URL, token, secret, the matrix with a whole row and column; the receiver refuses, and why is said."""
    application = await api.application(name="School", profile="bridge-lms")
    support = await people.signed_in("support", application)
    page = support.page
    await support.press("Create a webhook")
    await page.get_by_role("textbox", name="Name").fill("Students")
    await page.get_by_label("Destination URL").fill(receiver.url)
    await page.get_by_label("Bearer Token").fill("t0ken")
    await page.get_by_label("HMAC Secret").fill("s3cret")
    await page.get_by_role("button", name="all of Enrollments").click()
    await page.get_by_role("button", name="all of Delete").click()
    await page.get_by_role("checkbox", name="Users: Create").check()
    await support.press("Create the webhook")
    await support.sees("Created.")
    wanted = {f"enrollment.{verb}" for verb in ("created", "updated", "completed")} | {"user.created"}
    groups = ("user", "enrollment", "course_template", "live_course", "live_course_session_registration", "program")
    assert set((await only_webhook(api, application))["events"]) == wanted | {f"{one}.deleted" for one in groups}
    receiver.status = 401
    await support.press("Send a test")
    await support.sees("Your endpoint answered 401: it did not accept the signature.")
    assert "t0ken" not in await page.content()
    assert "s3cret" not in await page.content()


async def test_a_developer_of_bridge_xyz(
    api: Api, people: People, receiver: Receiver, certificates: Certificates
) -> None:
    """Made disabled with a public key; an event waits; it is sent by hand, then the webhook is activated."""
    application = await api.application(name="Payments", profile="bridge-xyz")
    developer = await people.signed_in("admin", application)
    page = developer.page
    await developer.press("Create a webhook")
    await page.get_by_label("URL").fill("https://127.0.0.1:1/hook")
    await page.get_by_label("Only these").check()
    await page.get_by_label("Customers").check()
    await page.get_by_text("More: order").click()
    await page.get_by_label("Start").select_option("beginning_of_time")
    await developer.press("Create the webhook")
    await developer.sees("BEGIN PUBLIC KEY")
    await api("POST", f"/v1/applications/{application}/events/sample", {"type": "customer.created"}, status=202)
    await developer.press("To the webhook")
    await developer.sees("1 event waits for it")
    await developer.press("Send this one")
    await developer.sees("It is on its way.")
    await page.go_back()
    await developer.press("Activate and deliver what waits")
    await developer.sees("Activated.")
    assert (await only_webhook(api, application))["status"] == "active"


async def test_a_failing_delivery_is_watched_until_it_succeeds(api: Api, people: People, receiver: Receiver) -> None:
    """The page of a delivery follows it by itself: failed once, retried by hand, arrived."""
    receiver.status = 503
    application = await api.application(settings=SLOW_RETRIES)
    await api.webhook(application, receiver.url)
    event = await api.publish(application, 1)
    delivery = await api.delivery_of(application, event, "pending")
    admin = await people.signed_in("admin", application)
    page = admin.page
    await page.goto(f"/dashboard/applications/{application}/deliveries/{delivery['delivery_id']}")
    await admin.sees("Your endpoint answered 503: it failed.")
    opened = page.locator("#delivery details").first
    await opened.evaluate("(one) => { one.open = true; }")  # at once: the page may renew it within a click
    receiver.status = 200
    await api("POST", f"/v1/applications/{application}/deliveries/{delivery['delivery_id']}/retry")
    await admin.sees("Your endpoint answered 200: delivered.")
    await expect(page.locator(".timeline li")).to_have_count(2)
    await expect(opened).to_have_attribute("open", "")  # as it was left


async def test_an_older_attempt_stays_chosen_while_the_page_follows(
    api: Api, people: People, receiver: Receiver
) -> None:
    """The page brings itself up to date; which attempt is looked at is the viewer's."""
    receiver.status = 503
    application = await api.application(settings=SLOW_RETRIES)
    await api.webhook(application, receiver.url)
    event = await api.publish(application, 1)
    delivery = (await api.delivery_of(application, event, "pending"))["delivery_id"]
    attempt = (await api.attempts_of(application, delivery))[0]["id"]
    admin = await people.signed_in("admin", application)
    await admin.page.goto(f"/dashboard/applications/{application}/deliveries/{delivery}?attempt={attempt}")
    await api("POST", f"/v1/applications/{application}/deliveries/{delivery}/retry")
    await admin.page.locator(".timeline li").nth(1).wait_for()
    await expect(admin.page.get_by_role("heading", name="Attempt 1", exact=True)).to_be_visible()


async def test_a_member_looks_and_changes_nothing(api: Api, people: People, receiver: Receiver) -> None:
    """Every button that changes something is off, with the reason; the pages still tell everything."""
    application = await api.application()
    webhook = await api.webhook(application, receiver.url, name="Shop")
    await api.publish(application, 1)
    member = await people.signed_in("member", application)
    page = member.page
    await member.sees("Only admins manage webhooks.")
    assert await page.get_by_role("button", name="Create a webhook").is_disabled()
    await page.get_by_role("link", name="Shop").click()
    for name in ("Send a test", "Edit", "Disable", "Delete", "Rotate the secret"):
        assert await page.get_by_role("button", name=name).is_disabled()
    await page.wait_for_load_state()
    assert await page.locator("form[method=post]").count() == 1  # to sign out
    await page.goto(f"/dashboard/applications/{application}/webhooks/{webhook['id']}/delete")
    assert await page.get_by_role("button", name="Delete it for ever").count() == 0
    await member.press("Sign out")
    await member.sees("You are signed out.")


async def test_the_portal_sees_only_its_application(api: Api, people: People, receiver: Receiver) -> None:
    """In a frame of the platform's page: one application, without the operator's things, and forms work there."""
    application, other = await api.application(name="Mine"), await api.application(name="Theirs")
    theirs = await api.webhook(other, receiver.url, name="Not for me")
    frame_host = await people.stranger()
    origin = api.node.base_url
    made = await api("POST", f"/v1/applications/{application}/portal-sessions", {"origin": origin}, status=201)
    await frame_host.page.goto("/healthz")
    await frame_host.page.set_content(f'<iframe src="{made["url"]}" width="800" height="700"></iframe>')
    portal = frame_host.page.frame_locator("iframe")
    await portal.get_by_role("link", name="Create a webhook").click()
    await portal.get_by_label("URL").fill(receiver.url)
    await portal.get_by_role("button", name="Create the webhook").click()
    await portal.get_by_role("button", name="Send a test").click()
    await portal.get_by_text("Your endpoint answered 200: delivered.").wait_for()
    assert (await only_webhook(api, application))["url"] == receiver.url
    text = await portal.locator("body").inner_text()
    assert "Theirs" not in text
    assert "Sign out" not in text
    await portal.get_by_label("Search by id or name").fill(theirs["id"])
    await portal.get_by_label("Search by id or name").press("Enter")
    await portal.get_by_text("Nothing here has").wait_for()


async def test_without_script_everything_works(api: Api, people: People, receiver: Receiver) -> None:
    """A browser that runs none: create, test, filter, disable."""
    application = await api.application()
    admin = await people.signed_in("admin", application, java_script_enabled=False)
    page = admin.page
    await admin.press("Create a webhook")
    await page.get_by_label("URL").fill(receiver.url)
    await admin.press("Create the webhook")
    await admin.press("Send a test")
    await admin.sees("Your endpoint answered 200: delivered.")
    await admin.press("Back to the webhook")
    await admin.press("Disable")
    await admin.sees("Disabled. Events wait until it is activated again.")
    await page.get_by_role("link", name="Deliveries", exact=True).click()
    await page.get_by_label("State").select_option("failed")
    await admin.press("Filter")
    await admin.sees("No delivery passes these filters.")


async def test_by_keyboard_and_on_a_telephone(api: Api, people: People, receiver: Receiver) -> None:
    """/ searches, j and Enter open a row, filters are in the address; at 375 px nothing scrolls sideways."""
    application = await api.application(name="A customer with quite a long name, GmbH & Co. KG")
    await api.webhook(application, f"{receiver.url}?{'long=' * 60}", name="W" * 120)
    event = await api.publish(application, 1, publisher_id="p" * 200)
    delivery = await api.delivery_of(application, event, "succeeded")
    admin = await people.signed_in("admin", viewport=PHONE)
    page, root = admin.page, f"/dashboard/applications/{application}"
    webhook = (await only_webhook(api, application))["id"]
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        for path in (
            "/dashboard", "/dashboard/applications", "/dashboard/applications/new", root, f"{root}/webhooks/new",
            f"{root}/webhooks/{webhook}", f"{root}/webhooks/{webhook}/edit", f"{root}/webhooks/{webhook}/delete",
            f"{root}/webhooks/{webhook}/secret", f"{root}/deliveries", f"{root}/deliveries/{delivery['delivery_id']}",
            f"{root}/events", f"{root}/events/{event}", "/dashboard/search?q=zzz", "/sign-in",
        ):  # fmt: skip
            await page.goto(path)
            assert await admin.is_without_sideways_scrolling(), path
    await page.goto(f"{root}/deliveries")
    await page.get_by_label("State").select_option("failed")
    await admin.sees("No delivery passes these filters.")
    await page.wait_for_url("**/deliveries?state=failed&**")
    await page.get_by_label("State").select_option("succeeded")
    await page.locator(".list .row").wait_for()
    await page.locator("h1").click()
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await admin.sees("Your endpoint answered 200: delivered.")
    await page.keyboard.press("/")
    await page.keyboard.type(event)
    await page.keyboard.press("Enter")
    await admin.sees("What became of it")
