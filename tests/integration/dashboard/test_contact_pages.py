"""Whom customers write to, at the foot of their pages; and forms that offer no role that would be refused."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.api.conftest import api_in
from tests.integration.dashboard.conftest import House, Page

pytestmark = pytest.mark.anyio
CONTACT = "https://help.example.com/webhooks"


@pytest.fixture(scope="module")
async def helped(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A node whose operator has named a page for help."""
    async with api_in(tmp_path_factory.mktemp("node"), support_contact=CONTACT) as api:
        one = House(api)
        yield one
        await one.close()


async def test_customers_see_whom_to_write_to(helped: House) -> None:
    """On every page of theirs, on refusals, where a link is over; the operator's own pages have it not."""
    application = await helped.api.application()
    portal = await helped.portal(application)
    for path, status in (("", 200), ("/webhooks/new", 200), ("/webhooks/whk_1", 404), ("/catalog", 200)):
        assert CONTACT in (await portal.get(portal.root + path, status)).links()
    assert CONTACT in (await portal.get("/portal/hk_portal_over", 401)).links()
    assert CONTACT in (await portal.get("/enter/app_1/whk_1/token/hk_enter_x", 401)).links()
    customer = await helped.browser("admin", application)
    assert CONTACT in (await customer.get(customer.root)).links()
    operator = await helped.browser("operator_admin", application)
    assert CONTACT not in (await operator.get(operator.root)).links()
    assert CONTACT in (await operator.get("/dashboard/settings")).text


async def test_without_a_contact_there_is_no_foot(house: House) -> None:
    """Nothing is said of nobody."""
    portal = await house.portal(await house.api.application())
    assert "Questions?" not in (await portal.get(portal.root)).text


def roles_in(page: Page) -> list[str]:
    return [one["value"] for one in page.all("option") if one["value"] in {"admin", "support", "member"}]


@pytest.mark.parametrize(
    ("profile", "who", "keys", "people"),
    [
        ("bridge-lms", "admin", ["admin", "member"], ["admin", "member"]),
        ("bridge-lms", "operator_admin", ["admin", "support", "member"], ["admin", "support", "member"]),
        ("bridge-api", "admin", ["admin", "support", "member"], ["admin", "support", "member"]),
        ("bridge-lms", "portal", ["member"], None),
        ("standard", "portal", ["support", "member"], None),
    ],
)
async def test_only_roles_that_may_be_given_are_offered(house: House, profile, who, keys, people) -> None:
    """Each that is offered is taken; what is not offered is refused."""
    application = await house.api.application(profile=profile)
    browser = await (house.portal(application) if who == "portal" else house.browser(who, application))
    assert roles_in(await browser.get(f"{browser.root}/keys/new")) == keys
    for role in ("admin", "support", "member"):
        status = 201 if role in keys else 403
        await browser.post(f"{browser.root}/keys", {"name": role, "role": role}, status=status)
        if people is not None:
            status = 201 if role in people else 403
            await browser.post(f"{browser.root}/members", {"name": role, "role": role}, status=status)
    if people is not None:
        assert roles_in(await browser.get(f"{browser.root}/members/new")) == people


async def test_a_person_s_own_role_stays_in_their_form(house: House) -> None:
    """Who may not give a role sees it where somebody has it, so that saving a name takes it from nobody; and makes no
    link to come in by it.
    """
    application = await house.api.application(profile="bridge-lms")
    person = {"name": "Sue", "role": "support", "application_id": application}
    made = await house.api("POST", "/v1/people", person, status=201)
    admin = await house.browser("admin", application)
    path = f"{admin.root}/members/{made['id']}"
    page = await admin.get(path)
    assert roles_in(page) == ["admin", "support", "member"]
    assert f"{path}/link" not in page.actions()
    await admin.post(path, {"name": "Susan", "role": "support"})
    assert "Susan" in (await admin.get(path)).text
    await admin.post(f"{path}/link", {}, status=403)
