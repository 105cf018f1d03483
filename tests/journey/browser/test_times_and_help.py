"""What the own script adds: times in the viewer's zone, exact ones in addresses, and help over the page."""

import datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import ViewportSize, expect

from hookspan.domain.times import from_text, to_text
from tests.integration.api.conftest import Api
from tests.integration.dashboard.conftest import furnish
from tests.journey.browser.conftest import People
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio
ROOT = "/dashboard/applications"
ZONE = "Australia/Darwin"  # nine hours and a half from UTC, all the year
AHEAD = datetime.timedelta(hours=9, minutes=30)


def there(at_ms: int) -> str:
    """As a field for times shows it in ZONE."""
    moment = datetime.datetime.fromtimestamp(at_ms / 1000, tz=datetime.timezone(AHEAD))
    return moment.strftime("%Y-%m-%dT%H:%M")


async def test_typed_times_are_the_viewer_s_and_the_address_is_exact(
    api: Api, people: People, receiver: Receiver
) -> None:
    """A window typed in one's own zone finds what lies in it; its address means the same to somebody elsewhere; what
    is wrong is told while the page stays.
    """
    fine = await furnish(api, receiver.url)
    accepted_ms = from_text(
        (await api("GET", f"/v1/applications/{fine.application}/events/{fine.event}"))["accepted_at"]
    )
    assert accepted_ms is not None
    viewer = await people.signed_in("member", fine.application, timezone_id=ZONE)
    page = viewer.page
    await page.goto(f"{ROOT}/{fine.application}/deliveries")
    await page.get_by_label("Accepted").select_option("between")
    await page.get_by_label(f"From {ZONE}").fill(there(accepted_ms + 60_000))
    await viewer.sees("No delivery passes these filters.")
    await page.get_by_label(f"From {ZONE}").fill(there(accepted_ms))
    await page.locator("#found .row").first.wait_for()
    asked = parse_qs(urlsplit(await viewer.address()).query)
    assert asked["from"] == [to_text(accepted_ms // 60_000 * 60_000)]
    await page.get_by_label(f"Until {ZONE}").fill(there(accepted_ms - 60_000))
    await viewer.sees("Until is not after From")
    await viewer.sees("Nothing was looked for.")
    for width in (375, 1280):
        await page.set_viewport_size({"width": width, "height": 740})
        assert await viewer.is_without_sideways_scrolling()
    await expect(page.get_by_label(f"Until {ZONE}")).to_have_attribute("aria-invalid", "true")
    await page.get_by_label(f"Until {ZONE}").fill("")
    await page.locator("#found .row").first.wait_for()
    await expect(page.get_by_label(f"Until {ZONE}")).to_have_attribute("aria-invalid", "false")
    colleague = await people.signed_in("member", fine.application, timezone_id="UTC")
    await colleague.page.goto(await viewer.address())
    await colleague.page.locator("#found .row").first.wait_for()
    await expect(colleague.page.get_by_label("From UTC")).to_have_value(to_text(accepted_ms)[:16])
    viewer.meant.add("status of 400")


async def test_times_without_script_are_of_utc(api: Api, people: People, receiver: Receiver) -> None:
    """And the label says so."""
    fine = await furnish(api, receiver.url)
    viewer = await people.signed_in("member", fine.application, timezone_id=ZONE, java_script_enabled=False)
    page = viewer.page
    await page.goto(f"{ROOT}/{fine.application}/events?within=between&from=2020-01-31T12:00")
    assert await page.get_by_label("From UTC").input_value() == "2020-01-31T12:00"
    async with page.expect_navigation():
        await viewer.press("Filter")
    await page.locator("#found .row").first.wait_for()
    assert parse_qs(urlsplit(page.url).query)["from"] == ["2020-01-31T12:00"]


async def test_a_replay_s_window_is_the_viewer_s(api: Api, people: People, receiver: Receiver) -> None:
    """What is previewed is of the typed hour there, not of that hour in UTC."""
    fine = await furnish(api, receiver.url)
    accepted_ms = from_text(
        (await api("GET", f"/v1/applications/{fine.application}/events/{fine.event}"))["accepted_at"]
    )
    assert accepted_ms is not None
    viewer = await people.signed_in("admin", fine.application, timezone_id=ZONE)
    page = viewer.page
    await page.goto(f"{ROOT}/{fine.application}/webhooks/{fine.webhook}/replay")
    await page.get_by_label("From").fill(there(accepted_ms))
    await viewer.press("Preview")
    await viewer.sees("1 event would be sent again")  # "1 event" may be a port and the words after it
    await expect(page.get_by_label("From")).to_have_value(there(accepted_ms))
    asked = parse_qs(urlsplit(await viewer.address()).query)
    assert asked["since"] == [to_text(accepted_ms // 60_000 * 60_000)]


async def test_charts_tell_the_viewer_s_hours(api: Api, people: People, receiver: Receiver) -> None:
    """Ticks at round hours of the viewer's clock, the table and what the pointer reads in the same zone, UTC beside."""
    fine = await furnish(api, receiver.url)
    viewer = await people.signed_in("member", fine.application, timezone_id="Asia/Tokyo", locale="en-GB")
    page = viewer.page
    await page.goto(f"{ROOT}/{fine.application}")
    await viewer.sees("times in Asia/Tokyo")
    ticks = await page.locator("svg[role=img] >> nth=0").locator("text:not([text-anchor=end])").all_text_contents()
    assert {"00:00", "06:00", "12:00", "18:00"} >= set(ticks)
    assert len(ticks) >= 3
    slot = page.locator("svg[role=img] rect.slot").last
    at_ms = from_text(await slot.get_attribute("data-at") or "")
    assert at_ms is not None
    hour = datetime.datetime.fromtimestamp(at_ms / 1000, tz=datetime.timezone(datetime.timedelta(hours=9)))
    told = await slot.locator("title").text_content() or ""
    assert f"{hour:%H:%M} (" in told
    assert "UTC)" in told
    cell = page.locator("th time[data-hour]").last
    assert f"{hour:%H:%M}" in (await cell.text_content() or "")
    assert to_text(at_ms) in (await cell.get_attribute("title") or "")
    await page.goto(f"{ROOT}/{fine.application}?span=30d")
    await viewer.sees("days are those of UTC")


async def test_the_search_field_has_room_for_its_words(api: Api, people: People) -> None:
    """Beside all links of an operator's admin, on desks of every width."""
    link = (await api("POST", "/v1/people", {"name": "Ada Lovelace", "role": "admin"}, status=201))["link"]
    admin = await people.stranger()
    await admin.page.goto(link)
    await admin.press("Sign in")
    await admin.page.wait_for_url("**/dashboard**")
    for width in range(1160, 1441, 8):
        await admin.page.set_viewport_size(ViewportSize(width=width, height=800))
        text, room = await admin.page.evaluate("""() => {
            const field = document.querySelector("#search");
            const style = getComputedStyle(field);
            const words = document.createElement("span");
            words.textContent = field.placeholder;
            Object.assign(words.style, { fontSize: style.fontSize, position: "absolute", whiteSpace: "nowrap" });
            field.parentElement.append(words);
            const text = words.getBoundingClientRect().width;
            words.remove();
            return [text, field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight)];
        }""")
        assert 0 < text <= room, width


async def test_labels_on_a_telephone_are_in_the_page_s_own_letters(
    api: Api, people: People, receiver: Receiver
) -> None:
    """Also before a value in those of code."""
    fine = await furnish(api, receiver.url)
    admin = await people.signed_in("admin", viewport=ViewportSize(width=375, height=740))
    for place in (f"{ROOT}/{fine.application}/events", f"{ROOT}/{fine.application}/audit", "/dashboard/sessions"):
        await admin.page.goto(place)
        mono = admin.page.locator(".list td.mono").first
        own, label, page = await mono.evaluate(
            """(cell) => [getComputedStyle(cell), getComputedStyle(cell, "::before"), getComputedStyle(document.body)]
               .map((style) => style.fontFamily)"""
        )
        assert own != page
        assert label == page


async def test_help_by_key_and_by_link(api: Api, people: People, receiver: Receiver) -> None:
    """`?` opens it over the page, Escape closes it and gives the focus back; typed into a field it is a letter; the
    link opens the same, and without script a page.
    """
    fine = await furnish(api, receiver.url)
    viewer = await people.signed_in("member", fine.application)
    page = viewer.page
    await page.goto(f"{ROOT}/{fine.application}/deliveries")
    row = page.locator(".list .row").first
    await row.focus()
    await page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Help")
    await dialog.wait_for()
    assert await page.evaluate("document.querySelector('dialog').contains(document.activeElement)")
    await page.keyboard.press("j")
    await page.keyboard.press("/")
    assert await page.evaluate("document.querySelector('dialog').contains(document.activeElement)")
    assert await viewer.is_without_sideways_scrolling()
    await page.keyboard.press("Escape")
    await dialog.wait_for(state="hidden")
    assert await row.evaluate("(one) => one === document.activeElement")
    await page.keyboard.press("/")
    await page.keyboard.type("a?b")
    assert await page.locator("#search").input_value() == "a?b"
    await page.get_by_role("link", name="Help").click()
    await dialog.wait_for()
    await dialog.get_by_role("button", name="Close").click()
    await dialog.wait_for(state="hidden")
    made = await api("POST", f"/v1/applications/{fine.application}/portal-sessions", {"role": "member"}, status=201)
    customer = await people.stranger(java_script_enabled=False)
    await customer.page.goto(made["url"])
    await customer.press("Help")
    await customer.sees("Where to find what")
    assert await customer.page.get_by_text("Overview").count() == 0
    assert "Members" not in await customer.page.locator("main").inner_text()
