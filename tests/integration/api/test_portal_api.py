"""Portal sessions over HTTP: an address for a time that opens one application."""

import contextlib
import re
from collections.abc import AsyncIterator
from datetime import datetime

import httpx
import pytest

from hookspan.manage import portal as room

from .conftest import Api

pytestmark = pytest.mark.anyio


def path_of(app: str) -> str:
    return f"/v1/applications/{app}/portal-sessions"


@contextlib.asynccontextmanager
async def inside(api: Api, session: dict) -> AsyncIterator[Api]:
    """The API as the portal's pages will use it."""
    headers = {"authorization": f"Bearer {session['url'].rpartition('/')[2]}"}
    async with httpx.AsyncClient(base_url=api.node.base_url, headers=headers, timeout=20) as client:
        yield Api(api.node, client)


async def test_a_portal_session_is_made_for_an_hour(api):
    """Without a body, as an admin of its application; its address is shown once."""
    app = await api.application()
    made = await api("POST", path_of(app), status=201)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/portal/hk_portal_[1-9A-HJ-NP-Za-km-z]{44}", made["url"])
    assert made["id"].startswith("ses_")
    assert (made["application_id"], made["role"], made["origin"], made["last_seen_at"]) == (app, "admin", None, None)
    lives = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created_at"])
    assert lives.total_seconds() == 3_600
    url = made.pop("url")
    response = await api.client.get(path_of(app))
    assert response.json() == {"data": [made], "next": None}
    assert url.rpartition("_")[2] not in response.text


async def test_it_opens_its_application_and_no_other(api, receiver):
    """With the rights of its role, as the profile leaves them; it publishes nothing."""
    app, other = await api.application(), await api.application()
    made = await api("POST", path_of(app), {"role": "admin"}, status=201)
    async with inside(api, made) as portal:
        assert [one["id"] for one in (await portal("GET", "/v1/applications"))["data"]] == [app]
        await portal("POST", f"/v1/applications/{app}/webhooks", {"url": receiver.url}, status=201)
        theirs = await portal.refused("GET", f"/v1/applications/{other}", status=404, code="not_found")
        missing = await portal.refused("GET", "/v1/applications/app_none", status=404, code="not_found")
        assert theirs["detail"].replace(other, "app_none") == missing["detail"]
        event = {"type": "order.paid", "content": {}}
        await portal.refused("POST", f"/v1/applications/{app}/events", event, status=403, code="not_allowed")
    made = await api("POST", path_of(app), {"role": "member"}, status=201)
    async with inside(api, made) as portal:
        await portal("GET", f"/v1/applications/{app}/webhooks")
        await portal.refused(
            "POST", f"/v1/applications/{app}/webhooks", {"url": receiver.url}, status=403, code="not_allowed"
        )
        await portal.refused("GET", path_of(app), status=403, code="not_allowed")


async def test_a_portal_does_not_end_or_learn_what_outlives_it(api):
    """An admin's key stays, and the secret of notices, which can't be rotated, is not shown; lesser keys may go."""
    app = await api.application(notify="http://127.0.0.1:9/")
    keys = {
        role: await api(
            "POST", "/v1/keys", {"name": "K", "scope": "application", "application_id": app, "role": role}, status=201
        )
        for role in ("admin", "member")
    }
    made = await api("POST", path_of(app), {"role": "admin"}, status=201)
    async with inside(api, made) as portal:
        await portal.refused("DELETE", f"/v1/keys/{keys['admin']['id']}", status=403, code="not_allowed")
        await portal("DELETE", f"/v1/keys/{keys['member']['id']}", status=204)
        assert (await portal("GET", f"/v1/applications/{app}/notify"))["secret"] is None
    assert (await api("GET", f"/v1/applications/{app}/notify"))["secret"].startswith("whsec_")


async def test_a_portal_makes_keys_of_its_application_but_no_ways_in_for_people(api):
    """A customer's developer gets a key there; a session that made sessions would never end."""
    app = await api.application()
    made = await api("POST", path_of(app), status=201)
    person = await api("POST", "/v1/people", {"name": "A", "role": "member", "application_id": app}, status=201)
    async with inside(api, made) as portal:
        wanted = {"name": "k", "scope": "application", "role": "support"}
        key = await portal("POST", "/v1/keys", wanted, status=201)
        assert key["application_id"] == app
        admins = {"name": "k", "scope": "application"}
        problem = await portal.refused("POST", "/v1/keys", admins, status=403, code="not_allowed")
        assert problem["detail"] == (
            "A key in the role admin may invite people and open portal sessions, and nobody gives more than they have. "
            "This is a portal session of the application in the role admin, which may give the role support or member; "
            "the operator's admins may give any."
        )
        await portal("GET", "/v1/people")
        for method, path, body in (
            ("POST", path_of(app), None),
            ("POST", "/v1/people", {"name": "A", "role": "admin"}),
            ("PATCH", f"/v1/people/{person['id']}", {"role": "admin"}),
            ("DELETE", f"/v1/people/{person['id']}", None),
            ("POST", f"/v1/people/{person['id']}/link", None),
        ):
            problem = await portal.refused(method, path, body, status=403, code="not_allowed")
            assert "portal session" in problem["detail"]


async def test_it_ends_when_it_is_ended(api):
    """At once, also by itself; then it is not there."""
    app = await api.application()
    for by_itself in (False, True):
        made = await api("POST", path_of(app), status=201)
        async with inside(api, made) as portal:
            await portal("GET", f"/v1/applications/{app}")
            await (portal if by_itself else api)("DELETE", f"{path_of(app)}/{made['id']}", status=204)
            await portal.refused("GET", f"/v1/applications/{app}", status=401, code="unauthenticated")
        await api.refused("DELETE", f"{path_of(app)}/{made['id']}", status=404, code="not_found")
    assert (await api("GET", path_of(app)))["data"] == []


async def test_who_may_make_one(api):
    """Admins of the application and the operator's; another's application is not found."""
    app, other = await api.application(), await api.application()
    session = await api("POST", path_of(other), status=201)
    for scope, owner, role, status in (
        ("application", app, "admin", 201),
        ("application", app, "support", 403),
        ("application", app, "member", 403),
        ("operator", None, "admin", 201),
        ("operator", None, "support", 403),
        ("publisher", None, "admin", 403),
    ):
        given = {"name": "x", "scope": scope, "role": role, **({"application_id": owner} if owner else {})}
        key = (await api("POST", "/v1/keys", given, status=201))["key"]
        headers = {"api-key": key}
        async with httpx.AsyncClient(base_url=api.node.base_url, headers=headers) as client:
            assert (await client.post(path_of(app))).status_code == status
            assert (await client.get(path_of(app))).status_code == (200 if status == 201 else 403)
            theirs = await client.delete(f"{path_of(other)}/{session['id']}")
            if owner:
                assert theirs.status_code == 404
                assert (await client.post(path_of(other))).status_code == 404
                missing = await client.delete(f"{path_of(app)}/{session['id']}")
                assert missing.status_code == (404 if role == "admin" else 403)
            else:
                assert theirs.status_code == (204 if role == "admin" and scope == "operator" else 403)


async def test_it_is_ended_in_its_own_application(api):
    """The operator reaches both; by the other's path there is none, and it lives on."""
    app, other = await api.application(), await api.application()
    session = await api("POST", path_of(app), status=201)
    await api.refused("DELETE", f"{path_of(other)}/{session['id']}", status=404, code="not_found")
    assert session["id"] in [one["id"] for one in (await api("GET", path_of(app)))["data"]]


async def test_a_person_s_session_is_no_portal_session(api):
    """Each is ended where it was made."""
    app = await api.application()
    person = await api("POST", "/v1/people", {"name": "A", "role": "admin", "application_id": app}, status=201)
    session = await api("POST", "/v1/sessions", {"link": person["link"]}, status=201)
    await api.refused("DELETE", f"{path_of(app)}/{session['id']}", status=404, code="not_found")
    portal = await api("POST", path_of(app), status=201)
    await api.refused("DELETE", f"/v1/sessions/{portal['id']}", status=404, code="not_found")


WRONG = [
    ("expires_in", 59),
    ("expires_in", 86_401),
    ("expires_in", None),
    ("expires_in", "3600"),
    ("expires_in", 60.5),
    ("role", "root"),
    ("role", None),
    ("origin", 1),
    ("origin", ""),
    ("origin", "x" * 301),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
async def test_wrong_members_are_refused_with_their_place(api, name, value):
    """Nothing is made."""
    app = await api.application()
    problem = await api.refused("POST", path_of(app), {name: value}, status=400, code="invalid_request")
    assert problem["errors"][0]["pointer"] == f"/{name}"
    assert (await api("GET", path_of(app)))["data"] == []


ORIGINS = {
    "https://app.example.com": "https://app.example.com",
    "HTTPS://App.Example.COM": "https://app.example.com",
    "https://app.example.com:443": "https://app.example.com",
    "http://localhost:3000": "http://localhost:3000",
    "http://127.0.0.1:80": "http://127.0.0.1",
    "http://[::1]:8080": "http://[::1]:8080",
    "https://xn--mnchen-3ya.example": "https://xn--mnchen-3ya.example",
}


@pytest.mark.parametrize("origin", ORIGINS)
async def test_an_origin_is_kept_as_browsers_write_it(api, origin):
    """In small letters, without the scheme's own port."""
    app = await api.application()
    assert (await api("POST", path_of(app), {"origin": origin}, status=201))["origin"] == ORIGINS[origin]


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "app.example.com",
        "//app.example.com",
        "ftp://app.example.com",
        "javascript://x",
        "https://app.example.com/",
        "https://app.example.com/path",
        "https://app.example.com?x",
        "https://app.example.com#x",
        "https://user@app.example.com",
        "https://app.example.com:0",
        "https://app.example.com:65536",
        "https://app.example.com:",
        "https://-a.example",
        "https://a..example",
        "https://a.example.",
        "https://a_b.example",
        "https://a b.example",
        "https://a.example\r\nx: y",
        "https://a.example\n",
        "https://a.example;script-src *",
        "https://münchen.example",
        "https://*.example.com",
        "https://[::1",
        "https://[1::2::3]",
        "https://[12.34]",
        "https://" + "a" * 64 + ".example",
        "https://" + ".".join(["a" * 60] * 4) + ".example.com",
        "https://\u212aelvin.example",
        "https://a.example:٣",
    ],
)
async def test_what_is_no_origin_is_refused(api, origin):
    """It will stand in a header that browsers obey."""
    app = await api.application()
    problem = await api.refused("POST", path_of(app), {"origin": origin}, status=400, code="invalid_request")
    assert problem["errors"][0]["pointer"] == "/origin"


async def test_portal_sessions_are_bounded(api, monkeypatch):
    """Of one application, that live; ending one makes room."""
    monkeypatch.setattr(room, "PORTAL_SESSIONS_MAX", 2)
    app, other = await api.application(), await api.application()
    first = await api("POST", path_of(app), status=201)
    await api("POST", path_of(app), status=201)
    problem = await api.refused("POST", path_of(app), status=409, code="access_limit")
    assert problem["limit"] == 2
    await api("POST", path_of(other), status=201)
    await api("DELETE", f"{path_of(app)}/{first['id']}", status=204)
    await api("POST", path_of(app), status=201)


async def test_they_are_listed_in_pages(api):
    """Newest first; the cursor is of this application's list."""
    app, other = await api.application(), await api.application()
    made = [(await api("POST", path_of(app), status=201))["id"] for _ in range(3)]
    first = await api("GET", path_of(app), params={"limit": 2})
    assert [one["id"] for one in first["data"]] == [made[2], made[1]]
    second = await api("GET", path_of(app), params={"limit": 2, "cursor": first["next"]})
    assert [one["id"] for one in second["data"]] == [made[0]]
    await api.refused("GET", f"{path_of(other)}?cursor={first['next']}", status=400, code="invalid_cursor")
