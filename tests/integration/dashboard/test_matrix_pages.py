"""Every route of the room, asked by everybody, for their own things and another's: one table with a line for each.

A page that is added without a line fails here, before anybody can come to it.
"""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.integration.dashboard.conftest import FORM, PEOPLE, SAME, Browser, Furnished, House, Page, furnish
from tests.integration.dashboard.test_pages import ADMINS, PORTALS, _framework_of, visitor
from tests.support.receiver import Receiver

pytestmark = pytest.mark.anyio
EVERYBODY = (*PEOPLE, *PORTALS)
OPERATORS = ("operator_admin", "operator_support", "operator_member")
NOBODY: tuple[str, ...] = ()
# Method and path below an application → who may.
ROOM = {
    "GET ": EVERYBODY,
    "GET /audit": ADMINS,
    "GET /catalog": EVERYBODY,
    "GET /catalog/{event_type:str}": EVERYBODY,
    "POST /catalog/{event_type:str}/publish": ADMINS,
    "GET /deliveries": EVERYBODY,
    "GET /deliveries/{delivery_id:str}": EVERYBODY,
    "POST /deliveries/{delivery_id:str}/cancel": ADMINS,
    "POST /deliveries/{delivery_id:str}/retry": ADMINS,
    "GET /events": EVERYBODY,
    "GET /events/{event_id:str}": EVERYBODY,
    "GET /failures": EVERYBODY,
    "GET /jobs": EVERYBODY,
    "GET /jobs/{job_id:str}": EVERYBODY,
    "POST /jobs/{job_id:str}/cancel": ADMINS,
    "GET /keys": ADMINS,
    "POST /keys": ADMINS,
    "GET /keys/new": ADMINS,
    "POST /keys/{key_id:str}/revoke": ADMINS,
    "GET /notices": ADMINS,
    "POST /notices": ADMINS,
    "GET /notices/test": EVERYBODY,
    "POST /notices/test": ADMINS,
    "GET /search": EVERYBODY,
    "GET /tail": EVERYBODY,
    "GET /tail/stream": EVERYBODY,
    "GET /webhooks": EVERYBODY,
    "POST /webhooks": ADMINS,
    "GET /webhooks/new": ADMINS,
    "GET /webhooks/sample": EVERYBODY,
    "POST /webhooks/sample": ADMINS,
    "GET /webhooks/{webhook_id:str}": EVERYBODY,
    "POST /webhooks/{webhook_id:str}/activate": ADMINS,
    "GET /webhooks/{webhook_id:str}/credential-link": NOBODY,  # this profile has nothing that a customer enters
    "POST /webhooks/{webhook_id:str}/credential-link": ADMINS,
    "GET /webhooks/{webhook_id:str}/delete": EVERYBODY,
    "POST /webhooks/{webhook_id:str}/delete": ADMINS,
    "POST /webhooks/{webhook_id:str}/disable": ADMINS,
    "GET /webhooks/{webhook_id:str}/edit": ADMINS,
    "POST /webhooks/{webhook_id:str}/edit": ADMINS,
    "GET /webhooks/{webhook_id:str}/edit/sample": EVERYBODY,
    "POST /webhooks/{webhook_id:str}/edit/sample": ADMINS,
    "GET /webhooks/{webhook_id:str}/move": ADMINS,
    "POST /webhooks/{webhook_id:str}/move": ADMINS,
    "GET /webhooks/{webhook_id:str}/replay": ADMINS,
    "POST /webhooks/{webhook_id:str}/replay": ADMINS,
    "GET /webhooks/{webhook_id:str}/secret": EVERYBODY,
    "POST /webhooks/{webhook_id:str}/secret": ADMINS,
    "POST /webhooks/{webhook_id:str}/send": ADMINS,
    "POST /webhooks/{webhook_id:str}/send-sample": ADMINS,
    "GET /webhooks/{webhook_id:str}/test": EVERYBODY,
    "POST /webhooks/{webhook_id:str}/test": ADMINS,
    "GET /webhooks/{webhook_id:str}/upcoming": EVERYBODY,
    "GET /webhooks/{webhook_id:str}/verify": EVERYBODY,
}
MEMBERS = {
    "GET /members": ADMINS,
    "POST /members": ADMINS,
    "GET /members/new": ADMINS,
    "GET /members/{person_id:str}": ADMINS,
    "POST /members/{person_id:str}": ADMINS,
    "GET /members/{person_id:str}/link": EVERYBODY,
    "POST /members/{person_id:str}/link": ADMINS,
    "POST /members/{person_id:str}/remove": ADMINS,
}
PORTAL_ONLY = {"GET /help": EVERYBODY}
AT_LARGE = {
    "GET ": EVERYBODY,
    "GET /applications": EVERYBODY,
    "POST /applications": ("operator_admin",),
    "GET /applications/new": ("operator_admin",),
    "GET /audit": (*ADMINS, "support", "member"),  # who has one application is led to its page, and refused there
    "GET /failures": EVERYBODY,
    "GET /help": EVERYBODY,
    "GET /jobs": EVERYBODY,
    "GET /keys": (*ADMINS, "support", "member"),
    "POST /keys": ADMINS,
    "GET /keys/new": ADMINS,
    "POST /keys/{key_id:str}/revoke": ADMINS,
    "GET /pauses": EVERYBODY,
    "POST /pauses": ("operator_admin",),
    "GET /pauses/new": ("operator_admin",),
    "POST /pauses/{pause_id:str}/resume": ("operator_admin",),
    "GET /search": EVERYBODY,
    "GET /sessions": EVERYBODY,
    "POST /sessions/{session_id:str}/end": EVERYBODY,  # one's own; of others see below
    "GET /settings": ("operator_admin",),
    "GET /tail": EVERYBODY,
    "GET /tail/stream": EVERYBODY,
    **{key: who for key, who in MEMBERS.items() if key != "GET /members"},
    "GET /members": (*ADMINS, "support", "member"),
}
# Without a session: what it is there for.
OPEN = {
    "GET /", "GET /assets/{version:str}/{name:str}", "GET /sign-in", "POST /sign-in", "GET /sign-in/{link:str}",
    "POST /sign-in/{link:str}", "GET /enter/{app:str}/{webhook_id:str}/{names:str}/{token:str}",
    "POST /enter/{app:str}/{webhook_id:str}/{names:str}/{token:str}",
}  # fmt: skip
NOTHING = {
    "webhook_id": "whk_1SkteX1NopQGjzgYJfJQkM", "delivery_id": "dlv_1SkteX1NopQGjzgYJfJQkM", "event_type": "no.such",
    "event_id": "evt_1SkteX1NopQGjzgYJfJQkM", "job_id": "job_1SkteX1NopQGjzgYJfJQkM", "session_id": "ses_1SkteX1N",
    "key_id": "key_1SkteX1NopQGjzgYJfJQkM", "person_id": "per_1SkteX1NopQGjzgYJfJQkM",
    "pause_id": "pau_1SkteX1NopQGjzgYJfJQkM",
}  # fmt: skip
# Of a page that says what will be done nothing is to be looked up.
LEADS_BACK = ("/edit/sample", "/test", "/sample")


def routes_of(house: House) -> set[str]:
    """Method and path of every route of the room."""
    app = _framework_of(house)
    return {
        f"{method} {route.path}"
        for route in app.routes
        for handler in route.route_handlers
        for method in handler.http_methods
        if method != "OPTIONS"
    }


def below(root: str, table: dict[str, tuple[str, ...]]) -> Iterator[str]:
    for key in table:
        method, _, path = key.partition(" ")
        yield f"{method} {root}{path}"


def test_every_route_has_a_line(house: House) -> None:
    """And every line a route: what is added is looked at by all of the below."""
    lines = {
        *OPEN,
        "POST /sign-out",
        *below("/dashboard", AT_LARGE),
        *below("/dashboard/applications/{app:str}", {**ROOM, **MEMBERS}),
        *below("/portal/{token:str}", {**ROOM, **PORTAL_ONLY}),
    }
    assert routes_of(house) == lines


def filled(path: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        path = path.replace(f"{{{name}:str}}", value)
    assert "{" not in path
    return path


def ids_of(there: Furnished) -> dict[str, str]:
    return {
        **NOTHING,
        "webhook_id": there.webhook,
        "delivery_id": there.delivery,
        "event_id": there.event,
        "job_id": there.job,
        "key_id": there.key,
        "person_id": there.person,
        "event_type": "webhook.test",
    }


class Asking:
    """One person's requests, with the right token in each form."""

    def __init__(self, browser: Browser, csrf: str) -> None:
        self._client = browser.client
        self._csrf = csrf

    async def status(self, method: str, path: str) -> int:
        if path.endswith("/tail/stream"):
            async with self._client.stream("GET", path) as response:
                return response.status_code
        if method == "GET":
            return (await self._client.get(path)).status_code
        content = urlencode({"csrf": self._csrf, "name": "", "role": "member"})
        return (await self._client.post(path, content=content, headers=SAME | {"content-type": FORM})).status_code


async def somebody(house: House, who: str, application: str) -> tuple[Browser, Asking]:
    browser = await visitor(house, who, application)
    csrf = await browser.csrf()
    if not csrf:
        csrf = Page((await browser.client.get("/dashboard/help")).text).field("csrf")
    return browser, Asking(browser, csrf)


@pytest.mark.parametrize("who", EVERYBODY)
async def test_each_in_their_own_application(house: House, receiver: Receiver, who: str) -> None:
    """Pages are for who may; what changes something is refused by role, and before anything is looked for."""
    there = await furnish(house.api, receiver.url)
    browser, asking = await somebody(house, who, there.application)
    table = {**ROOM, **(PORTAL_ONLY if who in PORTALS else MEMBERS)}
    for key, may in table.items():
        method, _, path = key.partition(" ")
        # Who may not is refused things that are there; who may changes things that are not, so that none is gone.
        ids = ids_of(there) if method == "GET" or who not in may else NOTHING
        status = await asking.status(method, browser.root + filled(path, ids))
        if who not in may:
            assert status == 403, (who, key)
        elif method == "GET":
            assert status in (200, 303), (who, key)
        else:
            assert status in (200, 303, 400, 404, 409, 412), (who, key)
    if who in PORTALS:
        for key in MEMBERS:
            method, _, path = key.partition(" ")
            assert await asking.status(method, browser.root + filled(path, ids_of(there))) == 404, (who, key)


@pytest.mark.parametrize("who", list(PEOPLE))
async def test_beyond_one_application(house: House, receiver: Receiver, who: str) -> None:
    """Likewise of what lies above all of them."""
    there = await furnish(house.api, receiver.url)
    _, asking = await somebody(house, who, there.application)
    for key, may in AT_LARGE.items():
        method, _, path = key.partition(" ")
        ids = ids_of(there) if method == "GET" or who not in may else NOTHING
        status = await asking.status(method, "/dashboard" + filled(path, ids))
        allowed = (200, 303) if method == "GET" else (200, 303, 400, 404)
        assert status in (allowed if who in may else (403,)), (who, key, status)


@pytest.mark.parametrize("who", ["admin", "support", "member", *PORTALS])
async def test_nothing_of_another_s(house: House, receiver: Receiver, who: str) -> None:
    """Another application's things are not there: below its own path or below one's own; nothing of it changes."""
    there, other = await furnish(house.api, receiver.url), await furnish(house.api, receiver.url)
    browser, asking = await somebody(house, who, there.application)
    strange = {**ids_of(other), "event_type": "no.such"}
    before = await state_of(house, other)
    roots = [browser.root]
    if who not in PORTALS:
        roots.append(f"/dashboard/applications/{other.application}")
    for root in roots:
        for key, may in {**ROOM, **MEMBERS}.items():
            method, _, path = key.partition(" ")
            if root == browser.root and (
                "{event_type" in path or "{" not in path or path.endswith(LEADS_BACK) or path.endswith("/link")
            ):
                continue
            status = await asking.status(method, root + filled(path, strange))
            if root != browser.root:  # as if it were not there at all
                nowhere = root.replace(other.application, "app_1SkteX1NopQGjzgYJfJQkM")
                assert await asking.status(method, nowhere + filled(path, strange)) == status
            elif who in may:
                assert status == 404, (who, key, status)
            assert status in (403, 404) or (method == "GET" and path.endswith("/link")), (who, root, key, status)
    if who not in PORTALS:
        for key, may in AT_LARGE.items():
            method, _, path = key.partition(" ")
            if "{" in path and not (method == "GET" and path.endswith("/link")):
                status = await asking.status(method, "/dashboard" + filled(path, {**strange, "session_id": "ses_1"}))
                assert status == 404 or (status == 403 and who not in may), (who, key, status)
    assert await state_of(house, other) == before


async def state_of(house: House, there: Furnished) -> list[object]:
    """What of an application could have been changed."""
    path = f"/v1/applications/{there.application}"
    found = [await house.api("GET", f"{path}/webhooks"), await house.api("GET", f"{path}/events")]
    people = (await house.api("GET", "/v1/people", params={"limit": 500}))["data"]
    keys = (await house.api("GET", "/v1/keys", params={"limit": 500}))["data"]
    mine = [[one["id"], one["role"]] for one in [*people, *keys] if one["application_id"] == there.application]
    return [[[one["id"], one.get("version")] for one in page["data"]] for page in found] + [mine]


@pytest.mark.parametrize("who", list(PEOPLE))
async def test_sessions_of_others(house: House, receiver: Receiver, who: str) -> None:
    """Nobody ends another's session but admins within their reach; of another application it is not there."""
    there = await furnish(house.api, receiver.url)
    other = await furnish(house.api, receiver.url)
    _, asking = await somebody(house, who, there.application)
    for application in (there.application, other.application):
        victim = await house.browser("support", application)
        sessions = (await house.api("GET", "/v1/sessions", params={"limit": 500}))["data"]
        [theirs] = [
            one["id"] for one in sessions
            if one["person"]["application_id"] == application and one["person"]["role"] == "support"
            and one["person"]["name"] == "support" and one["id"] == max(
                it["id"] for it in sessions if it["person"]["application_id"] == application
                and it["person"]["name"] == "support"
            )
        ]  # fmt: skip
        status = await asking.status("POST", f"/dashboard/sessions/{theirs}/end")
        is_near = application == there.application or who in OPERATORS
        is_ended = is_near and who in ("operator_admin", "admin")
        assert status == (303 if is_ended else 403 if is_near else 404), (who, application)
        assert (await victim.client.get("/dashboard/help")).status_code == (401 if is_ended else 200)


async def test_without_a_session_nothing(house: House, receiver: Receiver) -> None:
    """No route but those that are open answers anything but the page that says so, whatever the method."""
    there = await furnish(house.api, receiver.url)
    async with house.client() as client:
        for key in sorted(routes_of(house) - OPEN):
            method, _, path = key.partition(" ")
            path = path.replace("{app:str}", there.application).replace("{token:str}", "hk_portal_" + "1" * 44)
            path = filled(path, ids_of(there))
            response = await client.request(method, path, headers=SAME)
            assert response.status_code == 401, (key, response.status_code)
            assert "Acme" not in response.text
