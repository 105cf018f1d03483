"""Pictures of the pages, from the real thing: `make screenshots`.

Without an argument it writes those that the README and the documents show to docs/pictures. With a folder as argument
it writes every page there, in light and dark, for a desk and a telephone, to be looked at.
"""

import asyncio
import re
import sys
import tempfile
from pathlib import Path
from typing import Final, Literal

from playwright.async_api import Browser, Page, ViewportSize

from tests.journey.browser._town import Town, town_in
from tests.journey.browser.conftest import People, Person
from tests.journey.browser.walking import kind_of, walk
from tests.support.browser import running_chromium

DOCS: Final = Path(__file__).parents[3] / "docs" / "pictures"
DESK, TELEPHONE = ViewportSize(width=1280, height=800), ViewportSize(width=375, height=740)
Scheme = Literal["light", "dark"]
LOOKS: Final[list[tuple[str, Scheme, ViewportSize]]] = [
    ("desk-light", "light", DESK),
    ("desk-dark", "dark", DESK),
    ("telephone-light", "light", TELEPHONE),
    ("telephone-dark", "dark", TELEPHONE),
]
HEIGHT_MAX: Final = 1_500  # of a README's picture: the beginning of a page says enough


async def keep(page: Page, path: Path, height_max: int | None = None) -> None:
    """The whole page as it is, or its upper part. No pointer, no cursor, no movement."""
    height = await page.evaluate("document.documentElement.scrollHeight")
    width = page.viewport_size["width"] if page.viewport_size else DESK["width"]
    cut = {"x": 0, "y": 0, "width": width, "height": min(height, height_max or height)}
    picture = await page.screenshot(path=path, full_page=True, clip=cut, animations="disabled", caret="hide")  # type: ignore[arg-type]
    sys.stdout.write(f"{path.name}: {len(picture) // 1024} KiB\n")


async def somebody(people: People, **options) -> Person:
    """An operator's admin."""
    link = (await people.api("POST", "/v1/people", {"name": "Ada Lovelace", "role": "admin"}, status=201))["link"]
    person = await people.stranger(**options)
    await person.page.goto(link)
    await person.press("Sign in")
    await person.page.wait_for_url("**/dashboard**")
    return person


async def for_the_readme(town: Town, people: People) -> None:
    """Overview, a webhook in trouble, its delivery, and the form as matrix."""
    page = (await somebody(people, viewport=DESK, color_scheme="light", locale="en-GB", timezone_id="UTC")).page
    await keep(page, DOCS / "overview.png", HEIGHT_MAX)
    fintrack = f"/dashboard/applications/{town.applications['FinTrack']}"
    await page.goto(f"{fintrack}/webhooks/{town.webhooks['Ledger']}")
    await keep(page, DOCS / "webhook.png", 780)
    await page.goto(f"{fintrack}/deliveries?webhook={town.webhooks['Ledger']}&state=pending")
    await page.locator(".list .row").last.click()
    await page.locator("#delivery").wait_for()
    await keep(page, DOCS / "delivery.png", HEIGHT_MAX)
    await page.goto(f"/dashboard/applications/{town.applications['Lakeside University']}/webhooks/new")
    await page.get_by_role("textbox", name="Name").fill("Enrolments")
    await page.get_by_label("Destination URL").fill("https://sis.lakeside.example/enrolments")
    await page.get_by_role("button", name="all of Enrollments").click()
    await page.get_by_role("checkbox", name="Users: Create").check()
    await page.mouse.move(0, 0)
    await page.evaluate("document.activeElement.blur()")
    await page.locator("#sample", has_text="sis.lakeside.example").wait_for()
    await page.locator("#sample", has_text="Nothing is ticked yet").wait_for(state="detached")
    await keep(page, DOCS / "create.png", HEIGHT_MAX)


async def every_page(town: Town, people: People, folder: Path) -> None:
    """One page of each kind, and more where one does not tell all, each in every one of LOOKS."""
    starts = ["/dashboard", "/dashboard?span=30d", "/dashboard/search?q=nobody", "/dashboard/nothing"]
    for name, application in town.applications.items():
        starts += [f"/dashboard/applications/{application}", f"/dashboard/applications/{application}/webhooks/new"]
        own = [one for one in town.webhooks if one in {name, "Ledger", "CRM", "Orders"}]
        starts += [f"/dashboard/applications/{application}/webhooks/{town.webhooks[one]}" for one in own if one == name]
    fintrack = f"/dashboard/applications/{town.applications['FinTrack']}"
    starts.append(f"{fintrack}/webhooks/{town.webhooks['Ledger']}?span=7d")
    person = await somebody(people, timezone_id="Europe/Berlin", locale="en-GB")
    number = 0

    async def look(person: Person) -> None:
        nonlocal number
        number += 1
        name = re.sub(r"[^a-z0-9]+", "-", kind_of(person.page.url.partition("/dashboard")[2])).strip("-")
        for look, scheme, size in LOOKS:
            await person.page.set_viewport_size(size)
            await person.page.emulate_media(color_scheme=scheme)
            await keep(person.page, folder / f"{number:02}-{name or 'overview'}-{look}.png")

    await walk(person, starts, look)


async def main(folder: Path | None) -> None:
    (folder or DOCS).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        async with town_in(Path(place)) as town, running_chromium() as browser:
            await _draw(town, browser, folder)


async def _draw(town: Town, browser: Browser, folder: Path | None) -> None:
    people = People(town.api, browser)
    if folder is None:
        await for_the_readme(town, people)
    else:
        await every_page(town, people, folder)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
