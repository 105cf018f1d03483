"""In and out: links that are spent by a button, sessions that end, forms that are not lost by it."""

import base64
import secrets
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from hookspan.cli import _first_link
from hookspan.cli._first_link import NAME, first_link, has_nobody
from hookspan.cli.node import bind, running
from hookspan.manage import _attempts
from hookspan.settings import Settings
from tests.integration.dashboard.conftest import FORM, SAME, Browser, House, Page, furnish
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio


async def invited(house: House, **members) -> str:
    person = {"name": "Ada", "role": "admin", **members}
    return (await house.api("POST", "/v1/people", person, status=201))["link"]


def filled(page: Page) -> dict[str, str]:
    """The sign-in form as the page has it."""
    return {name: page.field(name) for name in ("csrf", "link", "next")}


async def test_looking_at_a_link_spends_nothing(house: House) -> None:
    """Chats and mail look at links beforehand: only the button spends one, and only once."""
    link = await invited(house)
    for _ in range(3):
        async with house.client() as preview:
            assert (await preview.get(link)).status_code == 200
            assert (await preview.head(link)).status_code in (200, 405)
    async with house.client() as client, house.client() as second:
        form = filled(Page((await client.get(link)).text))
        late = filled(Page((await second.get(link)).text))
        response = await client.post("/sign-in", data=form, headers=SAME)
        assert response.status_code == 303
        assert (await client.get("/dashboard")).status_code == 200
        response = await second.post("/sign-in", data=late, headers=SAME)
        assert response.status_code == 401
        assert "was used already" in Page(response.text).text
        assert (await second.get("/dashboard")).status_code == 401


async def test_a_link_may_be_pasted_and_leads_where_one_wanted_to_go(house: House) -> None:
    """Without a session a page leads to sign-in and back; the whole link or its last part may be pasted."""
    async with house.client() as client:
        page = Page((await client.get("/dashboard/applications?cursor=")).text)
        assert "/sign-in?next=%2Fdashboard%2Fapplications" in page.links()
        page = Page((await client.get("/sign-in?next=%2Fdashboard%2Fapplications")).text)
        form = {"csrf": page.field("csrf"), "link": f"  {await invited(house)} ", "next": page.field("next")}
        response = await client.post("/sign-in", data=form, headers=SAME)
        assert response.headers["location"] == "/dashboard/applications"


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil",
        "/dashboardevil",
        "javascript:alert(1)",
        "/dashboard/\r\nx: y",
    ],
)
async def test_sign_in_leads_to_the_dashboard_only(house: House, place: str) -> None:
    """`next` is a page of the dashboard's or nothing."""
    async with house.client() as client:
        page = Page((await client.get("/sign-in", params={"next": place})).text)
        assert page.field("next") == "/dashboard"
        form = {"csrf": page.field("csrf"), "link": await invited(house), "next": place}
        response = await client.post("/sign-in", data=form, headers=SAME)
        assert (response.status_code, response.headers["location"]) == (303, "/dashboard")


@pytest.mark.parametrize(
    ("place", "location"),
    [
        ("/dashboard/applications/app_1/catalog/bestellt.\N{CJK UNIFIED IDEOGRAPH-6F22}", "catalog/bestellt.%E6%BC%A2"),
        ("/dashboard/applications/app_1/catalog/a%2Fb?x=1&y=%20", "catalog/a%2Fb?x=1&y=%20"),
        ("/dashboard/" + "x" * 3_000, "/dashboard"),
        ("/dashboard/" + "\N{CJK UNIFIED IDEOGRAPH-6F22}" * 1_000, "/dashboard"),
    ],
)
async def test_signing_in_leads_to_pages_of_any_name(house: House, place: str, location: str) -> None:
    """A header has ASCII only, and not without end: the link is not spent for nothing."""
    async with house.client() as client:
        page = Page((await client.get(await invited(house))).text)
        response = await client.post("/sign-in", data=filled(page) | {"next": place}, headers=SAME)
        assert response.status_code == 303
        assert response.headers["location"].endswith(location)
        assert (await client.get("/dashboard")).status_code == 200


async def test_the_cookie_is_for_this_server_only(house: House, tmp_path) -> None:
    """HttpOnly and Lax; where the public address is https also Secure, and bound to the host by its name."""
    async with house.client() as client:
        form = filled(Page((await client.get(await invited(house))).text))
        response = await client.post("/sign-in", data=form, headers=SAME)
        [cookie] = [one for one in response.headers.get_list("set-cookie") if one.startswith("hookspan_session=")]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Path=/" in cookie
        assert "Secure" not in cookie
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/hookspan.db", operator_key="k" * 32, encryption_key=key,
        public_url="https://hooks.example.com/base", log_level="warning",
    )  # fmt: skip
    async with (
        running(settings, bind("127.0.0.1", 0)) as node,
        httpx.AsyncClient(base_url=node.base_url, headers={"authorization": "Bearer " + "k" * 32}) as client,
    ):
        link = (await client.post("/v1/people", json={"name": "A", "role": "admin"})).json()["link"]
        assert link.startswith("https://hooks.example.com/base/sign-in/")
        response = await client.get("/sign-in/" + link.rpartition("/")[2])
        [mark] = [one for one in response.headers.get_list("set-cookie") if one.startswith("hookspan_form=")]
        page = Page(response.text)
        assert "/base/sign-in" in page.actions()
        assert all(one["src"].startswith("/base/assets/") for one in page.all("script"))
        headers = SAME | {"cookie": mark.partition(";")[0]}
        response = await client.post("/sign-in", data=filled(page), headers=headers)
        assert response.headers["location"] == "/base/dashboard"
        [cookie] = [one for one in response.headers.get_list("set-cookie") if one.startswith("__Host-")]
        assert all(word in cookie for word in ("__Host-hookspan_session=", "Secure", "HttpOnly", "Path=/;"))
        assert "Domain" not in cookie
        response = await client.get("/dashboard", headers={"cookie": cookie.partition(";")[0]})
        assert response.status_code == 200
        assert all(link.startswith(("/base/", "#")) for link in Page(response.text).links())


async def test_the_sign_in_form_belongs_to_its_browser(house: House) -> None:
    """Nobody is signed in as somebody else by a stranger's page."""
    link = await invited(house)
    async with house.client() as attacker, house.client() as victim:
        form = filled(Page((await attacker.get(link)).text))
        for headers in (SAME, {}, {"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
            response = await victim.post("/sign-in", data=form, headers=headers)
            assert response.status_code == 403
            assert "hookspan_session" not in str(response.headers.get_list("set-cookie"))


async def test_signing_in_again_ends_the_session_before(house: House) -> None:
    """The browser's session is renewed: the token of before opens nothing any more."""
    async with house.client() as client:
        for turn in range(2):
            form = filled(Page((await client.get(await invited(house))).text))
            before = client.cookies.get("hookspan_session")
            assert (await client.post("/sign-in", data=form, headers=SAME)).status_code == 303
            assert client.cookies.get("hookspan_session") != before
            if turn:
                answer = await house.api.client.get("/v1/applications", headers={"authorization": f"Bearer {before}"})
                assert answer.status_code == 401


async def test_signing_out_ends_the_session_everywhere(house: House) -> None:
    """The cookie goes, and so does the session: the token is worth nothing afterwards."""
    browser = await house.browser("member", await house.api.application())
    token = browser.client.cookies["hookspan_session"]
    response = await browser.post("/sign-out")
    assert response.headers["location"] == "/sign-in?done=signed-out"
    assert "hookspan_session" not in browser.client.cookies
    for headers in ({"cookie": f"hookspan_session={token}"}, {}):
        assert (await browser.client.get("/dashboard", headers=headers)).status_code == 401
    page = Page((await browser.client.get("/sign-in?done=signed-out")).text)
    assert "You are signed out." in page.text


async def test_wrong_links_run_into_a_limit(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten in a row, then a page that says so and when to come back; words of the address are never echoed as done."""
    monkeypatch.setattr(_attempts, "INTERVAL_S", 600.0)  # none comes back while the test looks
    async with house.client() as client:
        page = Page((await client.get("/sign-in?done=%3Cscript%3E")).text)
        assert "script>" not in page.text
        statuses = []
        for _ in range(12):
            form = {"csrf": page.field("csrf"), "link": "hk_link_" + "2" * 44}
            response = await client.post("/sign-in", data=form, headers=SAME)
            statuses.append(response.status_code)
        assert statuses[0] == 401
        assert statuses[-1] == 429
        assert int(response.headers["retry-after"]) > 0
        assert "Too many attempts" in Page(response.text).text
    # The address is let in again, for the other tests of this node.
    house.api.node.manage.sign_in._attempts._buckets._full_at_s.clear()


async def expire(house: House, browser: Browser) -> None:
    """End the browser's session from elsewhere."""
    for one in (await house.api("GET", "/v1/sessions"))["data"]:
        await house.api("DELETE", f"/v1/sessions/{one['id']}", status=204)


async def test_a_form_survives_the_end_of_its_session(house: House, receiver: Receiver) -> None:
    """Sent too late it is not done and not lost: it is shown, and after signing in sent again with one press."""
    there = await furnish(house.api, receiver.url)
    browser = await house.browser("admin", there.application)
    await expire(house, browser)
    fields = {"url": receiver.url, "name": 'My "own" <b>webhook</b>', "events": "some", "event": ["a.b", "c.d"]}
    secret = "whsec_" + base64.b64encode(b"s" * 32).decode()
    path = f"{browser.root}/webhooks"
    response = await browser.post(path, fields | {"credential.secret": secret}, csrf="old", status=401)
    page = Page(response.text)
    assert "Your session has ended" in page.text
    assert 'My "own" <b>webhook</b>' in page.text
    assert secret not in page.text
    assert "credential.secret•••" in page.text.replace(" ", "")
    assert path in page.actions()
    kept = [(one["name"], one.get("value", "")) for one in page.all("input") if one.get("type") == "hidden"]
    again = await house.browser("admin", there.application)
    headers = SAME | {"content-type": FORM}
    response = await again.client.post(path, content=urlencode(kept), headers=headers)
    assert response.status_code == 403
    page = Page(response.text)
    assert "Send it again?" in page.text
    kept = [(one["name"], one["value"]) for one in page.all("input") if one.get("type") == "hidden"]
    response = await again.client.post(path, content=urlencode(kept), headers=headers)
    assert response.status_code in (201, 303), Page(response.text).text
    made = (await house.api("GET", f"/v1/applications/{there.application}/webhooks"))["data"][0]
    assert (made["name"], made["events"]) == ('My "own" <b>webhook</b>', ["a.b", "c.d"])


async def test_a_portal_link_that_is_over_says_so(house: House, receiver: Receiver) -> None:
    """Its page is clear, without a way into the dashboard; what was typed is shown."""
    there = await furnish(house.api, receiver.url)
    portal = await house.portal(there.application)
    sessions = f"/v1/applications/{there.application}/portal-sessions"
    [session] = (await house.api("GET", sessions))["data"]
    await house.api("DELETE", f"{sessions}/{session['id']}", status=204)
    page = await portal.get(portal.root, 401)
    assert "This link is over" in page.text
    assert "/sign-in" not in " ".join(page.links())
    response = await portal.post(f"{portal.root}/webhooks", {"name": "typed"}, status=401)
    assert "typed" in Page(response.text).text


async def test_the_end_of_a_portal_is_told_within_its_frame(house: House, receiver: Receiver) -> None:
    """Whose frame it was nobody knows any more, and a page that may not be framed is a blank one. There is nothing to
    be done on it; and what is refused while the portal lives is seen in its own frame only.
    """
    there = await furnish(house.api, receiver.url)
    portal = await house.portal(there.application, origin="https://app.example.com")
    large: Any = {"content": b"a=" + b"x" * 600_000, "headers": SAME | {"content-type": FORM}}
    for response in (
        await portal.client.get(f"{portal.root}/webhooks/whk_1"),
        await portal.client.post(f"{portal.root}/webhooks", **large),
        await portal.client.post(f"{portal.root}/webhooks", content=b"csrf=x", headers={"content-type": FORM}),
    ):
        assert response.status_code >= 400
        assert response.headers["content-security-policy"].endswith("frame-ancestors https://app.example.com")
    sessions = f"/v1/applications/{there.application}/portal-sessions"
    [session] = (await house.api("GET", sessions))["data"]
    await house.api("DELETE", f"{sessions}/{session['id']}", status=204)
    for response in (
        await portal.client.get(portal.root),
        await portal.client.post(f"{portal.root}/webhooks", content=b"name=x", headers=SAME | {"content-type": FORM}),
    ):
        assert response.status_code == 401
        assert response.headers["content-security-policy"].endswith("frame-ancestors *")
        assert "x-frame-options" not in response.headers
        page = Page(response.text)
        assert page.links() <= {"#main"}
        assert page.actions() <= {f"{portal.root}/webhooks"}
    response = await portal.client.get("/dashboard")
    assert response.headers["x-frame-options"] == "DENY"


async def test_what_is_no_form_is_refused(house: House, receiver: Receiver) -> None:
    """Other content types, broken UTF-8, too many fields and too large bodies end in a page, not in a failure."""
    there = await furnish(house.api, receiver.url)
    browser = await house.browser("admin", there.application)
    path = f"{browser.root}/webhooks"
    for content, kind, status in (
        (b"{}", "application/json", 400),
        (b"csrf=%ff", FORM, 400),
        (b"a=b&" * 2_001, FORM, 400),
        ("ä".encode(), FORM, 400),
        (b"a=" + b"x" * 600_000, FORM, 413),
    ):
        response = await browser.client.post(path, content=content, headers=SAME | {"content-type": kind})
        assert response.status_code == status, content[:20]
        assert response.headers["content-type"].startswith("text/html")


async def test_whoever_starts_a_server_gets_a_link(house: House) -> None:
    """`serve --dev` and `demo` print one; a later start makes a new link of the same person, and the old one ends."""
    first, second = await first_link(house.api.node), await first_link(house.api.node)
    people = (await house.api("GET", "/v1/people"))["data"]
    assert [one["role"] for one in people if one["name"] == NAME] == ["admin"]
    async with house.client() as client:
        for link, status in ((first, 401), (second, 303)):
            form = filled(Page((await client.get(link)).text))
            assert (await client.post("/sign-in", data=form, headers=SAME)).status_code == status
        assert (await client.get("/dashboard")).status_code == 200


async def test_an_admin_who_has_signed_in_is_found_among_many(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many were invited since, page by page, up to a bound; and so is the one whose link is made anew."""
    async with house.client() as client:
        form = filled(Page((await client.get(await first_link(house.api.node))).text))
        assert (await client.post("/sign-in", data=form, headers=SAME)).status_code == 303
    for name in ("Ada", "Bo"):
        await house.api("POST", "/v1/people", {"name": name, "role": "admin"}, status=201)
    monkeypatch.setattr(_first_link, "LIMIT_MAX", 1)
    assert not await has_nobody(house.api.node)
    await first_link(house.api.node)
    people = (await house.api("GET", "/v1/people?limit=500"))["data"]
    assert [one["name"] for one in people].count(NAME) == 1
    monkeypatch.setattr(_first_link, "_PAGES_MAX", 2)
    assert await has_nobody(house.api.node), "whom nobody looks as far as"
