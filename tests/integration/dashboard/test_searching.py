"""The one search field and the list of applications: everything is found by a part of its name, whoever may see it."""

import pytest

from hookspan.manage import searching
from hookspan.manage.finding import LOOKED_MAX
from hookspan.manage.searching import FINDS_MAX
from tests.integration.dashboard.conftest import House, Page, furnish
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio


async def test_names_are_found_however_many_are_newer(house: House) -> None:
    """Among more than 200 applications the oldest is found by its name, its id, its webhook's name and host."""
    oldest = await house.api.application(name="Zephyr the oldest", id="cust-0001")
    await house.api.webhook(oldest, "http://127.0.0.1:1/zephyrs-hook", name="Ledger of Zephyr")
    for number in range(LOOKED_MAX):
        await house.api.application(name=f"Later {number}")
    browser = await house.browser("operator_member", oldest)
    for text in ("zephyr", "ST-0001", "LEDGER of", "zephyrs-hook"):
        page = await browser.get(f"/dashboard/search?q={text}")
        assert any(link.startswith(browser.root) for link in page.links()), text
    page = await browser.get("/dashboard/applications?q=zephyr")
    assert browser.root in page.links()
    assert "Later 1" not in page.text
    assert "No application has “nobody”" in (await browser.get("/dashboard/applications?q=nobody")).text
    page = await browser.get("/dashboard/search?q=later")
    assert len([link for link in page.links() if link.startswith("/dashboard/applications/")]) == FINDS_MAX
    assert "There are more: type more of the name." in page.text


async def test_all_applications_come_by_the_page(house: House) -> None:
    """With a text too: each once, and the text stays in the links."""
    made = {await house.api.application(name=f"Paged {number}") for number in range(60)}
    browser = await house.browser("operator_support", next(iter(made)))
    seen: list[str] = []
    path = "/dashboard/applications?q=paged"
    for _ in range(3):
        page = await browser.get(path)
        seen += [link for link in page.links() if link.rpartition("/")[2] in made]
        older = [one["href"] for one in page.all("a") if one.get("rel") == "next"]
        if not older:
            break
        path = older[0]
        assert "q=paged" in path
    assert sorted(one.rpartition("/")[2] for one in seen) == sorted(made)


async def test_jobs_people_and_keys_for_those_who_may_see_them(house: House, receiver: Receiver) -> None:
    """Ids lead to their pages, names to lists of finds; nobody finds what their navigation does not have."""
    there = await furnish(house.api, receiver.url)
    operator = (await house.api("POST", "/v1/people", {"name": "Grace Hopper", "role": "member"}, status=201))["id"]
    admin, own = (
        await house.browser("operator_admin", there.application),
        await house.browser("admin", there.application),
    )
    root = own.root
    for start in ("/dashboard", root):
        for browser in (admin, own):
            for text, place in (
                (there.job, f"/jobs/{there.job}"),
                (there.person, f"/members/{there.person}"),
                (there.key, "/keys"),
            ):
                response = await browser.client.get(f"{start}/search", params={"q": text})
                assert response.headers.get("location") == root + place, (start, text)
    response = await admin.client.get("/dashboard/search", params={"q": operator})
    assert response.headers["location"] == f"/dashboard/members/{operator}"
    page = await admin.get("/dashboard/search?q=GRACE")
    assert {f"/dashboard/members/{operator}", f"{root}/members/{there.person}"} <= page.links()
    page = await own.get(f"{root}/search?q=grace")
    assert f"{root}/members/{there.person}" in page.links()
    assert "Hopper" not in page.text
    assert f"{root}/keys" in (await own.get(f"{root}/search?q=bot")).links()
    member = await house.browser("member", there.application)
    portal = await house.portal(there.application, role="admin")
    for browser in (member, portal):
        for text in ("grace", there.person):
            page = await browser.get(f"{browser.root}/search?q={text}")
            assert "Nothing here has" in page.text
    assert "Nothing here has" in (await member.get(f"{root}/search?q=bot")).text


async def test_nobody_finds_another_s(house: House, receiver: Receiver) -> None:
    """Neither by a name nor by an id, at large or within."""
    there, other = await furnish(house.api, receiver.url), await furnish(house.api, receiver.url, name="Hidden gem")
    own = await house.browser("admin", there.application)
    for start in ("/dashboard", own.root):
        for text in ("hidden gem", other.job, other.key, other.person, other.webhook):
            response = await own.client.get(f"{start}/search", params={"q": text})
            assert response.status_code == 200
            assert other.application not in response.text
    response = await own.client.get("/dashboard/applications?q=acme")
    assert response.headers["location"] == own.root
    operator = await house.browser("operator_member", there.application)
    page = await operator.get(f"{own.root}/search?q=hidden")
    assert "Nothing here has" in page.text


@pytest.mark.parametrize("text", ["%", "__", "\\", "'", '"', "\0", "é" * 400, "<b>", "x' or 1=1 --"])
async def test_odd_texts(house: House, text: str) -> None:
    """They are found as they are, or not at all."""
    application = await house.api.application(name="Plain name")
    browser = await house.browser("operator_admin", application)
    for path in ("/dashboard/search", "/dashboard/applications", f"{browser.root}/search"):
        response = await browser.client.get(path, params={"q": text})
        assert response.status_code == 200, path
        page = Page(response.text)
        assert page.all("b") == []
        assert "Plain name" not in page.text.partition("Search")[2] or path == f"{browser.root}/search"


async def test_people_and_keys_are_looked_for_among_the_newest(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to a bound; an id leads to everybody."""
    monkeypatch.setattr(searching, "ACCESS_LOOKED_MAX", 1)
    application = await house.api.application()
    made = []
    for name in ("Bounded first", "Bounded second"):
        body = {"name": name, "role": "member", "application_id": application}
        made.append((await house.api("POST", "/v1/people", body, status=201))["id"])
    admin = await house.browser("operator_admin", application)
    page = await admin.get(f"{admin.root}/search?q=bounded")
    assert "Bounded second" in page.text
    assert "Bounded first" not in page.text
    response = await admin.client.get(f"{admin.root}/search", params={"q": made[0]})
    assert response.headers["location"] == f"{admin.root}/members/{made[0]}"
