"""Lists of a time of one's own: from and until, in the address, wrong ones told beside the field."""

import pytest

from hookspan.domain.times import from_text, to_text
from tests.integration.dashboard.conftest import House, Page

pytestmark = pytest.mark.anyio
LISTS = ("deliveries", "events")


async def shown(browser, path: str, name: str) -> set[str]:
    """Ids on a list and on all its next pages."""
    found: set[str] = set()
    for _ in range(5):
        page = await browser.get(path)
        here = f"{browser.root}/{name}/"
        found |= {link.removeprefix(here) for link in page.links() if link.startswith(here)}
        older = [one["href"] for one in page.all("a") if one.get("rel") == "next"]
        if not older:
            return found
        path = older[0]
    raise AssertionError("the list does not end")


@pytest.mark.parametrize("name", LISTS)
async def test_a_window_by_the_millisecond(house: House, name: str) -> None:
    """From is included and until is not; the window holds on the next pages; either may be left open."""
    application = await house.api.application()
    await house.api.webhook(application, "http://127.0.0.1:1/hook")
    path = f"/v1/applications/{application}"
    parts = []
    for _ in range(3):
        events = [{"type": "order.paid", "content": {}} for _ in range(60)]
        taken = await house.api("POST", f"{path}/events", events, status=202)
        parts.append({one["id"] for one in taken["data"]})
    times: dict[str, int] = {}
    for part in parts:
        for ident in part:
            times[ident] = from_text((await house.api("GET", f"{path}/events/{ident}"))["accepted_at"]) or 0
    begin, end = (min(times[one] for one in part) for part in parts[1:])
    assert begin < end
    browser = await house.browser("member", application)
    here = f"{browser.root}/{name}"
    for query, count in (
        (f"?within=between&from={to_text(begin)}&to={to_text(end)}", 60),
        (f"?from={to_text(begin)}&to={to_text(end)}", 60),
        (f"?within=between&to={to_text(end)}", 120),
        (f"?within=between&from={to_text(begin)}&to=", 120),
        (f"?within=1h&from={to_text(begin)}&to={to_text(end)}", 180),
        ("?within=between&from=&to=2020-01-01T00:00", 0),
    ):
        assert len(await shown(browser, here + query, name)) == count, query
    page = await browser.get(f"{here}?within=between&from={to_text(begin)}")
    assert page.field("from") == to_text(begin)[:16], "UTC, to the minute"
    [field] = [one for one in page.all("input") if one.get("name") == "from"]
    assert field["data-zoned"] == to_text(begin), "exact for the script"
    assert "From UTC" in page.text


@pytest.mark.parametrize("name", [*LISTS, "audit"])
async def test_wrong_and_inverted_windows_are_told_at_the_field(house: House, name: str) -> None:
    """Nothing is looked for, what was typed stays, and the words stand where the field refers to."""
    application = await house.api.application()
    browser = await house.browser("admin", application)
    here = f"{browser.root}/{name}?within=between"
    for query, field, said in (
        ("&from=yesterday", "from", "That is no time such as"),
        ("&from=2026-11-20T12:00&to=2026-11-20T11:59", "to", "Until is not after From"),
        ("&to=%3Cb%3E", "to", "That is no time such as"),
    ):
        response = await browser.client.get(here + query)
        assert response.status_code == 400
        page = Page(response.text)
        assert "Nothing was looked for." in page.text
        assert said in page.text
        marked = [one for one in page.all("input") if one.get("aria-invalid") == "true"]
        assert [one["name"] for one in marked] == [field]
        assert f"wrong-{field}" in marked[0]["aria-describedby"]
        assert page.all("b") == []
    assert page.field("to") == "<b>"


async def test_filters_that_do_not_go_together_are_told_at_the_field(house: House) -> None:
    """Not delivered everywhere, of one event: there is nothing to look for, and no page of refusal."""
    application = await house.api.application()
    browser = await house.browser("member", application)
    page = await browser.get(f"{browser.root}/events?undelivered=1&publisher_id=order-17", 400)
    assert "That is one event" in page.text
    assert page.field("publisher_id") == "order-17"
