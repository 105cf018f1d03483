"""Every page for everybody: it is there, it is sealed, it runs nothing of its own, it shows what a role may not do."""

import re

import httpx
import pytest

from hookspan.dashboard import PLACES
from hookspan.dashboard._app import build
from tests.integration.dashboard.conftest import PEOPLE, SAME, Browser, Furnished, House, Page, furnish
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ENTER = "/enter/{app:str}/{webhook_id:str}/{names:str}/{token:str}"  # a link is its own session
ADMINS = ("operator_admin", "admin", "portal_admin")
PORTALS = ("portal_admin", "portal_support", "portal_member")
SOURCES = ("src", "href", "action", "formaction", "hx-get", "hx-post")


async def visitor(house: House, who: str, application: str) -> Browser:
    if who in PORTALS:
        return await house.portal(application, role=who.removeprefix("portal_"))
    return await house.browser(who, application)


def check_sealed(response: httpx.Response) -> None:
    """The answer carries all headers, and its page neither runs nor styles anything by itself."""
    headers = response.headers
    assert headers["content-security-policy"] == POLICY
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert headers["x-frame-options"] == "DENY"
    page = Page(response.text)
    for tag, attributes in page.tags:
        assert tag not in {"style", "iframe", "object", "embed", "base", "form" if not attributes.get("action") else ""}
        assert not [name for name in attributes if name.startswith(("on", "hx-on")) or name in {"style", "hx-vals"}]
        for name in SOURCES:
            target = attributes.get(name)
            assert target is None or target.startswith(("/", "#")), (tag, name, target)
            assert target is None or not target.startswith("//")
    assert all(one.get("src", "").startswith("/assets/") for one in page.all("script"))
    assert len(page.all("h1")) == 1
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    fields = [one for one in page.all("input") + page.all("select") + page.all("textarea") if one.get("id")]
    labels = {one.get("for") for one in page.all("label")}
    assert all(one["id"] in labels for one in fields)


@pytest.mark.parametrize("who", [*PEOPLE, *PORTALS])
async def test_everybody_may_look(house: House, receiver: Receiver, who: str) -> None:
    """Each page of an application answers 200, sealed, to whoever may look; forms only to who configures."""
    there = await furnish(house.api, receiver.url)
    browser = await visitor(house, who, there.application)
    for path in there.paths():
        response = await browser.client.get(browser.root + path)
        assert response.status_code == 200, (path, Page(response.text).text)
        check_sealed(response)
        if who in PORTALS:
            assert "/dashboard" not in response.text
            assert all(link.startswith((browser.root, "#")) for link in Page(response.text).links())
    configures = who in ADMINS
    for path in there.forms():
        response = await browser.client.get(browser.root + path)
        assert response.status_code == (200 if configures else 403)
        check_sealed(response)
    for path in there.of_admins() + there.of_members():
        response = await browser.client.get(browser.root + path)
        is_absent = who in PORTALS and path in there.of_members()
        assert response.status_code == (404 if is_absent else 200 if who in ADMINS else 403), path
        check_sealed(response)


@pytest.mark.parametrize("who", list(PEOPLE))
async def test_what_lies_beyond_one_application(house: House, receiver: Receiver, who: str) -> None:
    """The operator's people see all applications, others are led to theirs; new ones are the operator's admins'."""
    there = await furnish(house.api, receiver.url)
    browser = await visitor(house, who, there.application)
    sees_all = not PEOPLE[who][1]
    for path in ("/dashboard", "/dashboard/applications"):
        response = await browser.client.get(path)
        if sees_all:
            assert response.status_code == 200
            check_sealed(response)
        else:
            assert (response.status_code, response.headers["location"]) == (303, browser.root)
    for name in ("members", "keys", "audit", "jobs"):
        response = await browser.client.get(f"/dashboard/{name}")
        if not sees_all:
            assert (response.status_code, response.headers["location"]) == (303, f"{browser.root}/{name}")
        else:
            assert response.status_code == (200 if who == "operator_admin" or name == "jobs" else 403)
            check_sealed(response)
    for path in ("/dashboard/members/new", "/dashboard/keys/new", f"/dashboard/members/{there.person}"):
        response = await browser.client.get(path)
        assert response.status_code == (200 if who in ADMINS else 403), path
        check_sealed(response)
    response = await browser.client.get("/dashboard/settings")
    assert response.status_code == (200 if who == "operator_admin" else 403)
    check_sealed(response)
    for path in ("/dashboard/search", "/dashboard/search?q=Acme", "/dashboard/sessions"):
        response = await browser.client.get(path)
        assert response.status_code == 200
        check_sealed(response)
    response = await browser.client.get("/dashboard/applications/new")
    assert response.status_code == (200 if who == "operator_admin" else 403)
    other = await house.api.application(name="Other")
    assert (await browser.client.get(f"/dashboard/applications/{other}")).status_code == (200 if sees_all else 404)


@pytest.mark.parametrize("who", ["operator_support", "support", "member", "portal_member"])
async def test_what_a_role_may_not_do_is_disabled_with_the_reason(house: House, receiver: Receiver, who: str) -> None:
    """No form of a page leads to a refusal: buttons are disabled and say who may."""
    there = await furnish(house.api, receiver.url)
    browser = await visitor(house, who, there.application)
    for path in there.paths():
        page = await browser.get(browser.root + path)
        assert page.actions() <= {"/sign-out"}
    page = await browser.get(f"{browser.root}/webhooks/{there.webhook}")
    disabled = [one for one in page.all("button") if "disabled" in one]
    assert len(disabled) >= 4
    assert all(one["title"] == "Only admins manage webhooks." for one in disabled)
    assert "Only admins manage webhooks." in page.text
    for path in there.unsafe():
        response = await browser.post(browser.root + path, status=403)
        assert "may configure webhooks" in Page(response.text).text or "Only admins" in Page(response.text).text
    is_portal = browser.root.startswith("/portal/")
    for path in there.unsafe_of_admins() + ([] if is_portal else there.unsafe_of_members()):
        response = await browser.post(browser.root + path, {"name": "x", "role": "member"}, status=403)
        assert "dmins" in Page(response.text).text


async def test_a_profile_names_who_may_in_its_own_words(house: House, receiver: Receiver) -> None:
    """Bridge LMS leaves webhooks to its support users, and says so."""
    application = await house.api.application(name="School", profile="bridge-lms")
    support, admin = await house.browser("support", application), await house.browser("admin", application)
    assert f"{support.root}/webhooks/new" in (await support.get(support.root)).links()
    page = await admin.get(admin.root)
    assert "A webhook must be configured by a Support user." in page.text
    assert f"{admin.root}/webhooks/new" not in page.links()


async def test_an_operator_s_frame_is_the_portal_s_only(house: House, receiver: Receiver) -> None:
    """The session's origin may show the portal within its page; nobody else may, and nobody the dashboard."""
    there = await furnish(house.api, receiver.url)
    portal = await house.portal(there.application, origin="https://app.example.com")
    response = await portal.client.get(portal.root)
    assert response.headers["content-security-policy"].endswith("frame-ancestors https://app.example.com")
    assert "x-frame-options" not in response.headers


async def test_a_portal_reaches_its_application_only(house: House, receiver: Receiver) -> None:
    """Another application's things are not found, and the token is no cookie and no key of the dashboard."""
    there, other = await furnish(house.api, receiver.url), await furnish(house.api, receiver.url)
    portal = await house.portal(there.application)
    for path in (f"/webhooks/{other.webhook}", f"/deliveries/{other.delivery}", f"/events/{other.event}"):
        page = await portal.get(portal.root + path, 404)
        assert other.application not in page.text
    found = await portal.client.get(f"{portal.root}/search?q={other.event}")
    assert found.status_code == 200
    assert other.application not in found.text
    token = portal.root.rpartition("/")[2]
    for headers in ({"cookie": f"hookspan_session={token}"}, {"authorization": f"Bearer {token}"}):
        response = await portal.client.get(f"/dashboard/applications/{there.application}", headers=headers)
        assert response.status_code == 401
    assert (await portal.client.get("/portal/hk_portal_" + "1" * 44)).status_code == 401
    assert (await portal.client.get("/portal/nonsense/webhooks")).status_code == 401


async def test_no_link_is_broken(house: House, receiver: Receiver) -> None:
    """Every link of every page of an application leads to a page."""
    there = await furnish(house.api, receiver.url)
    browser = await house.browser("operator_admin", there.application)
    to_look, seen = {browser.root, "/dashboard"}, set()
    while to_look:
        path = to_look.pop()
        seen.add(path)
        response = await browser.client.get(path, follow_redirects=True)
        assert response.status_code == 200, path
        if path.startswith(browser.root) or path == "/dashboard":
            links = {link.partition("#")[0] for link in Page(response.text).links()} - {""}
            to_look |= {link for link in links if link.startswith(browser.root)} - seen
    assert len(seen) > 10


async def test_what_is_not_there_is_a_page_too(house: House, receiver: Receiver) -> None:
    """404, 405 and wrong filters are pages of the same house, for people with and without a session."""
    there = await furnish(house.api, receiver.url)
    browser = await house.browser("member", there.application)
    for path, status in (
        ("/dashboard/nothing", 404),
        (f"{browser.root}/webhooks/whk_nope", 404),
        (f"{browser.root}/deliveries?state=odd", 400),
        (f"{browser.root}/deliveries?cursor=odd", 400),
        (f"{browser.root}/webhooks/{there.webhook}/disable", 405),
        ("/assets/0000/hookspan.css", 404),
        ("/sign-in/a/b", 404),
    ):
        response = await browser.client.get(path)
        assert response.status_code == status, path
        check_sealed(response)


async def test_assets_are_kept_for_ever_under_their_hash(house: House) -> None:
    """Style, scripts and icons have a path that names their content, and caches may keep them."""
    async with house.client() as client:
        page = Page((await client.get("/sign-in")).text)
        paths = [one["src"] for one in page.all("script")] + [one["href"] for one in page.all("link")]
        assert len(paths) == 4
        for path in paths:
            assert re.fullmatch(r"/assets/[0-9a-f]{16}/[a-z.]+", path)
            response = await client.get(path)
            assert response.status_code == 200
            assert "immutable" in response.headers["cache-control"]
            assert response.headers["x-content-type-options"] == "nosniff"


def test_every_place_of_the_app_is_given_to_it(house: House) -> None:
    """The front sends the room all paths that it has routes for, and no others."""
    assert {route.path.split("/")[1] for route in _framework_of(house).routes} == PLACES


async def test_the_bare_address_leads_to_the_dashboard(house: House) -> None:
    """Who types the host alone comes to the dashboard; the API and its documentation stay where they are."""
    async with house.client() as client:
        assert (await client.get("/")).headers["location"] == "/dashboard"
        assert (await client.get("/docs")).status_code == 200
        assert (await client.get("/v1/applications")).headers["content-type"] == "application/problem+json"


def unsafe_routes(app) -> set[str]:
    """Every route of the app that takes POST."""
    return {route.path for route in app.routes for handler in route.route_handlers if "POST" in handler.http_methods}


async def test_every_unsafe_route_asks_for_the_form_s_token(house: House, receiver: Receiver) -> None:
    """Without the session's token, with another session's, or from another site nothing is done; none is forgotten."""
    there = await furnish(house.api, receiver.url)
    browser = await house.browser("operator_admin", there.application)
    portal = await house.portal(there.application)
    paths = [root + path for root in (browser.root, portal.root) for path in there.unsafe()]
    paths += [root + path for root in (browser.root, portal.root) for path in there.unsafe_of_admins()]
    paths += [root + path for root in (browser.root, "/dashboard") for path in there.unsafe_of_members()]
    paths += ["/dashboard/keys", f"/dashboard/keys/{there.key}/revoke", "/dashboard/sessions/ses_1/end"]
    paths += ["/sign-out", "/dashboard/applications", "/dashboard/pauses", "/dashboard/pauses/pau_1/resume"]
    known = unsafe_routes(_framework_of(house))
    assert {_pattern(path, there, portal) for path in paths} | {"/sign-in", "/sign-in/{link:str}", ENTER} == known
    right = {True: await portal.csrf(), False: await browser.csrf()}
    for path in paths:
        is_portal = path.startswith(portal.root)
        client = portal.client if is_portal else browser.client
        other = right[not is_portal]
        form = {"content-type": "application/x-www-form-urlencoded"}
        for body in ("", "csrf=", f"csrf={other}", "csrf=%C3%A9"):
            for headers in (SAME, {}):
                response = await client.post(path, content=body, headers=form | headers)
                assert response.status_code == 403, (path, body, headers)
        for foreign in ({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://evil"}):
            response = await client.post(path, content=f"csrf={right[is_portal]}", headers=form | foreign)
            assert response.status_code == 403, (path, foreign)
        for method in ("PUT", "PATCH", "DELETE"):
            assert (await client.request(method, path)).status_code in (403, 404, 405)
    webhook = await house.api("GET", f"/v1/applications/{there.application}/webhooks/{there.webhook}")
    assert (webhook["version"], webhook["status"]) == (1, "active")


def _framework_of(house: House):
    """The framework's app inside: found in the closure of the seal."""
    node = house.api.node
    sealed = build(node.manage, node.engine.intake, node.manage._ground.clock, node.settings)
    return next(cell.cell_contents for cell in sealed.__closure__ or () if hasattr(cell.cell_contents, "routes"))


def _pattern(path: str, there: Furnished, portal: Browser) -> str:
    path = path.replace(portal.root, "/portal/{token:str}").replace(there.application, "{app:str}")
    for value, name in (
        (there.webhook, "webhook_id"), (there.delivery, "delivery_id"), (there.job, "job_id"), (there.key, "key_id"),
        (there.person, "person_id"), ("ses_1", "session_id"), ("webhook.test", "event_type"), ("pau_1", "pause_id"),
    ):  # fmt: skip
        path = path.replace(value, f"{{{name}:str}}")
    return path
