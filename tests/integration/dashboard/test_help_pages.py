"""Help: a page for everybody, with what they can come to and nothing else."""

import pytest

from tests.integration.dashboard.conftest import PEOPLE, House

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("who", list(PEOPLE))
async def test_everybody_has_help(house: House, who: str) -> None:
    """One link away on every page; its own links lead to pages that this person may see."""
    application = await house.api.application()
    browser = await house.browser(who, application)
    page = await browser.get(browser.root)
    assert "/dashboard/help" in page.links()
    page = await browser.get("/dashboard/help")
    assert "Where to find what" in page.text
    assert {"/docs", "/openapi.json"} <= page.links()
    for link in page.links():
        if link.startswith("/dashboard"):
            response = await browser.client.get(link)
            assert response.status_code in {200, 303}, link
    is_admin = PEOPLE[who][0] == "admin"
    assert ("Members and Keys" in page.text) == is_admin


@pytest.mark.parametrize("role", ["admin", "support", "member"])
async def test_a_portal_s_help_says_nothing_of_the_operator_s(house: House, role: str) -> None:
    """No members, no overview, no other applications; its links stay inside, but for the API's document."""
    portal = await house.portal(await house.api.application(), role=role)
    page = await portal.get(f"{portal.root}/help")
    assert f"{portal.root}/help" in (await portal.get(portal.root)).links()
    for word in ("Members", "Overview", "Applications"):
        assert word not in page.text
    assert all(link.startswith((portal.root, "/docs", "/openapi.json", "#main")) for link in page.links())
    for link in page.links():
        if link.startswith(portal.root):
            await portal.get(link)
