"""The operator's brand in a real browser: seen, readable, and nothing in a hostile logo runs."""

from collections.abc import AsyncIterator

import pytest

from hookspan.brand import contrast
from tests.integration.api.conftest import Api, api_in
from tests.integration.dashboard.conftest import furnish
from tests.journey.browser.conftest import People
from tests.journey.browser.test_axe import findings
from tests.outside._npm import installed
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio
# A colour that can't be read on white, and a logo that would run script if anything let it.
COLOUR = "#ffe600"
LOGO = """<svg xmlns="http://www.w3.org/2000/svg" width="90" height="28" onload="document.title='ran'">
<script>document.documentElement.setAttribute('data-ran', '1'); fetch('/stolen')</script>
<rect width="90" height="28" style="fill:#333"/></svg>"""


@pytest.fixture(scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    folder = tmp_path_factory.mktemp("branded")
    (folder / "logo").write_text(LOGO)
    brand = {"brand_name": "Harbor", "brand_logo": str(folder / "logo"), "brand_colour": COLOUR}
    async with api_in(folder, **brand) as one:
        yield one


async def test_a_portal_in_the_operator_s_colours(api: Api, people: People, receiver: Receiver) -> None:
    """axe finds nothing in either scheme though the colour is too bright; the policy blocks nothing that is needed."""
    there = await furnish(api, receiver.url)
    made = await api("POST", f"/v1/applications/{there.application}/portal-sessions", {"role": "admin"}, status=201)
    customer = await people.stranger()
    axe = (installed() / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    found = []
    for path in ("", f"/webhooks/{there.webhook}", f"/webhooks/{there.webhook}/edit", "/deliveries", "/help"):
        await customer.page.goto(made["url"] + path)
        found += await findings(customer.page, axe)
        assert await customer.is_without_sideways_scrolling()
    assert found == []
    logo = customer.page.locator(".brand img")
    assert await logo.evaluate("(one) => one.complete && one.naturalWidth > 0")
    assert "Harbor" in await customer.page.title()
    top = await customer.page.locator(".top").evaluate("(one) => getComputedStyle(one).borderTopColor")
    assert top == "rgb(255, 230, 0)"
    accent = await customer.page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--accent')")
    light = accent.split("(")[1].split(",")[0].strip()
    assert contrast(light, "#ffffff") > contrast(COLOUR, "#ffffff")


async def test_nothing_in_the_logo_runs(api: Api, people: People, receiver: Receiver) -> None:
    """Neither on the page nor opened by itself: there it is a picture in a sandbox."""
    there = await furnish(api, receiver.url)
    made = await api("POST", f"/v1/applications/{there.application}/portal-sessions", {"role": "member"}, status=201)
    customer = await people.stranger()
    await customer.page.goto(made["url"])
    address = await customer.page.locator(".brand img").get_attribute("src")
    assert address is not None
    asked: list[str] = []
    customer.page.on("request", lambda request: asked.append(request.url))
    await customer.page.goto(address)
    assert await customer.page.evaluate("document.documentElement.getAttribute('data-ran')") is None
    assert [one for one in asked if "stolen" in one] == []
    customer.meant = {"sandboxed", "script"}
