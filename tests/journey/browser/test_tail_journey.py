"""The live tail and the failure inbox in a real browser."""

import asyncio

import pytest
from playwright.async_api import ViewportSize, expect

from tests.integration.api.conftest import ARRIVAL_S, SLOW_RETRIES, Api
from tests.journey.browser.conftest import People
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio
_COUNTED = "(low) => Number(/[0-9]+|$/.exec(document.querySelector('[data-tail-pause]').textContent)[0]) >= low"


async def test_attempts_appear_wait_while_paused_and_lead_on(api: Api, people: People, receiver: Receiver) -> None:
    """An event fails and its row appears by itself; paused, more are counted; resumed, they are there; none twice."""
    application = await api.application(name="Acme", settings=SLOW_RETRIES)
    await api.webhook(application, receiver.url, name="Shop")
    admin = await people.signed_in("admin", application)
    page = admin.page
    await page.goto(f"/dashboard/applications/{application}/tail")
    await admin.sees("No attempts yet.")
    await admin.sees("Live.")
    await page.evaluate("window.sameDocument = true")
    receiver.status = 401
    await api.publish(application, 1, type="order.refused")
    row = page.locator("[data-tail-rows] tr", has_text="order.refused")
    await row.get_by_text("it did not accept the signature").wait_for()
    assert await page.get_by_text("No attempts yet.").is_hidden()
    await admin.press("Pause")
    await admin.sees("Paused.")
    receiver.status = 200
    for number in range(3):
        await api.publish(application, number, type="order.paid")
    resume = page.get_by_role("button", name="Resume, 3 new")
    await resume.wait_for()
    assert await page.locator("[data-tail-rows] tr").count() == 1
    await resume.click()
    await page.locator("[data-tail-rows] tr", has_text="order.paid").nth(2).wait_for()
    assert await page.locator("[data-tail-rows] tr").count() == 4
    assert "order.refused" in await page.locator("[data-tail-rows] tr").last.inner_text()
    await admin.sees("Live.")
    await page.get_by_label("Outcome").select_option("failed")
    await page.wait_for_url("**outcome=failed**")
    await expect(page.locator("[data-tail-rows] tr")).to_have_count(1)
    receiver.status = 500
    await api.publish(application, 7, type="order.late")
    await page.locator("[data-tail-rows] tr", has_text="order.late").wait_for()
    assert await page.evaluate("window.sameDocument")
    await row.locator("a").click()
    await admin.sees("Your endpoint answered 401")


async def test_rows_and_what_waits_are_bounded(api: Api, people: People, receiver: Receiver) -> None:
    """A page keeps the newest 200 rows; beyond 500 that wait the oldest are left out, and it says so."""
    application = await api.application()
    await api.webhook(application, receiver.url)
    admin = await people.signed_in("admin", application)
    page = admin.page
    await page.goto(f"/dashboard/applications/{application}/tail")
    await admin.sees("Live.")
    await admin.press("Pause")
    for batch in range(6):
        events = [{"type": "order.paid", "content": {"number": batch * 100 + one}} for one in range(100)]
        await api("POST", f"/v1/applications/{application}/events", events, status=202)
        wanted = min(500, (batch + 1) * 100)
        await receiver.wait_until(lambda most=(batch + 1) * 100: len(receiver.numbers) >= most, ARRIVAL_S)
        if wanted < 500:
            await page.wait_for_function(_COUNTED, arg=wanted // 2)
    await page.get_by_text("left out: too many at once.").wait_for()
    await page.locator("[data-tail-pause]").click()
    assert await page.locator("[data-tail-rows] tr").count() == 200
    ids = await page.eval_on_selector_all("[data-tail-rows] tr", "(all) => all.map((one) => one.dataset.id)")
    assert ids == sorted(set(ids), reverse=True)


async def test_rows_that_come_are_text(api: Api, people: People, receiver: Receiver) -> None:
    """Names that would be script, in a stream: shown as they are, nothing runs, the policy has nothing to say."""
    attack = "<img src=x onerror='window.ran = 1'></td><script>window.ran = 2</script>"
    application = await api.application(name=attack)
    await api.webhook(application, f"{receiver.url}?{attack.replace(' ', '%20')}", name=attack)
    admin = await people.signed_in("admin")
    page = admin.page
    await page.goto("/dashboard/tail")
    await admin.sees("Live.")
    await api.publish(application, 1, type="order.hostile")
    row = page.locator("[data-tail-rows] tr", has_text="order.hostile")
    await row.wait_for()
    assert (await row.inner_text()).count(attack) == 2
    assert await row.locator("img, script").count() == 0
    assert await page.evaluate("window.ran === undefined")


async def test_the_end_of_a_session_is_told(api: Api, people: People) -> None:
    """The page says that it is over; without script it is a page of the newest with a link to see them anew."""
    application = await api.application()
    member = await people.signed_in("member", application)
    await member.page.goto(f"/dashboard/applications/{application}/tail")
    await member.sees("Live.")
    found = (await api("GET", "/v1/people"))["data"]
    [person] = [one["id"] for one in found if one["application_id"] == application]
    await api("DELETE", f"/v1/people/{person}", status=204)
    await member.sees("This has ended")
    member.meant.add("status of 401")
    plain = await people.stranger(java_script_enabled=False)
    made = await api("POST", f"/v1/applications/{application}/portal-sessions", {"role": "member"}, status=201)
    await plain.page.goto(f"{made['url']}/tail")
    assert await plain.page.get_by_role("button", name="Pause").count() == 0
    await plain.press("Show newest")
    await plain.sees("No attempts yet.")


async def test_more_tabs_than_may_watch(api: Api, people: People) -> None:
    """The fourth says why it does not, in words."""
    application = await api.application()
    admin = await people.signed_in("admin", application)
    for _ in range(3):
        tab = await admin.context.new_page()
        await tab.goto(f"/dashboard/applications/{application}/tail")
        await tab.get_by_text("Live.").wait_for()
    await admin.page.goto(f"/dashboard/applications/{application}/tail")
    await admin.sees("You watch in 3 places already.")
    await tab.close()
    async with asyncio.timeout(ARRIVAL_S):  # a page that is refused asks again after half a minute only
        while api.node.manage.tails.viewers >= 3:
            await asyncio.sleep(0.01)
    await admin.page.reload()
    await admin.sees("Live.")


async def test_the_inbox_leads_to_what_to_do(api: Api, people: People, receiver: Receiver) -> None:
    """From the overview to the failure, its cause, its delivery; nothing scrolls sideways on a telephone."""
    application = await api.application(name="A customer with quite a long name, GmbH & Co. KG")
    receiver.status = 401
    await api.webhook(application, f"{receiver.url}?{'long=' * 60}", name="W" * 120)
    delivery = await api.delivery_of(application, await api.publish(application, 1, type="t" * 120), "pending")
    await api.attempts_of(application, delivery["delivery_id"])
    admin = await people.signed_in("admin", viewport=ViewportSize(width=375, height=700))
    page = admin.page
    await admin.press("What fails, and why")
    await admin.sees("Answers 401: it did not accept the signature.")
    assert await admin.is_without_sideways_scrolling()
    await page.goto("/dashboard/tail")
    await admin.sees("Live.")
    assert await admin.is_without_sideways_scrolling()
    await page.goto(f"/dashboard/applications/{application}/tail")
    assert await admin.is_without_sideways_scrolling()
    await page.goto(f"/dashboard/applications/{application}/failures")
    assert await admin.is_without_sideways_scrolling()
    await admin.press("Last one")
    await admin.sees("Your endpoint answered 401")
