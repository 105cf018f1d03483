"""Keys over HTTP: what each lets in, who may make them, and that a revoked one is dead at once."""

import asyncio
import base64
import contextlib
import io
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import structlog

from hookspan.manage import keys as room
from hookspan.telemetry import hide_secrets

from .conftest import Api, api_in

pytestmark = pytest.mark.anyio

EVENT = {"type": "order.paid", "content": {"number": 1}}
UNKNOWN = "key_" + "1" * 23


async def make_key(
    api: Api, scope: str = "application", app: str | None = None, role: str = "admin", **more: Any
) -> dict:
    given = {"name": "a key", "scope": scope, "role": role, **({"application_id": app} if app else {}), **more}
    return await api("POST", "/v1/keys", given, status=201)


@contextlib.asynccontextmanager
async def by(api: Api, key: str) -> AsyncIterator[Api]:
    """The API as who has `key` uses it."""
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=api.node.base_url, headers=headers, timeout=20) as client:
        yield Api(api.node, client)


async def listed(api: Api) -> list[str]:
    return [one["id"] for one in (await api("GET", "/v1/keys", params={"limit": 500}))["data"]]


# --- shapes


async def test_a_key_is_shown_once(api):
    """With all it is; lists show its last four characters and never the rest."""
    app = await api.application()
    made = await make_key(api, "application", app, "support", name="<b>Shop</b>\r\n\u202eX")
    key = made.pop("key")
    assert re.fullmatch(r"hk_app_[1-9A-HJ-NP-Za-km-z]{44}", key)
    assert made == {
        "id": made["id"],
        "name": "<b>Shop</b>\r\n\u202eX",
        "scope": "application",
        "application_id": app,
        "role": "support",
        "hint": key[-4:],
        "created_at": made["created_at"],
        "last_used_at": None,
    }
    assert made["id"].startswith("key_")
    response = await api.client.get("/v1/keys")
    assert response.json()["data"][0] == made
    assert key not in response.text


@pytest.mark.parametrize(("scope", "start"), [("operator", "hk_op_"), ("publisher", "hk_pub_")])
async def test_each_scope_has_its_prefix(api, scope, start):
    """So that people and secret scanners know what they hold; these reach all. A publisher's has no role."""
    made = await make_key(api, scope)
    assert made["key"].startswith(start)
    assert (made["scope"], made["application_id"], made["role"]) == (
        scope,
        None,
        "admin" if scope == "operator" else None,
    )


async def test_keys_are_listed_in_pages(api):
    """Newest first, by cursor; a changed cursor is refused."""
    made = [(await make_key(api, "publisher"))["id"] for _ in range(3)]
    first = await api("GET", "/v1/keys", params={"limit": 2})
    assert [one["id"] for one in first["data"]] == [made[2], made[1]]
    second = await api("GET", "/v1/keys", params={"limit": 2, "cursor": first["next"]})
    assert second["data"][0]["id"] == made[0]
    await api.refused("GET", "/v1/keys?cursor=AAAA", status=400, code="invalid_cursor")
    await api.refused("GET", "/v1/keys?scope=operator", status=400, code="unknown_field")


# --- refusals

GOOD = {"name": "x", "scope": "operator"}
ABSENT = object()
OWNED = {"scope": "application"}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"name": ABSENT}, "/name"),
    "a null name": ({"name": None}, "/name"),
    "a number as name": ({"name": 1}, "/name"),
    "an empty name": ({"name": ""}, "/name"),
    "a NUL in the name": ({"name": "a\0b"}, "/name"),
    "a name too long": ({"name": "x" * 10_001}, "/name"),
    "no scope": ({"scope": ABSENT}, "/scope"),
    "a null scope": ({"scope": None}, "/scope"),
    "an unknown scope": ({"scope": "root"}, "/scope"),
    "an unknown role": ({"role": "owner"}, "/role"),
    "a null role": ({"role": None}, "/role"),
    "an application that is a number": ({**OWNED, "application_id": 1}, "/application_id"),
    "an application that is hostile": ({**OWNED, "application_id": "a/../b\r\n"}, "/application_id"),
    "an application too long": ({**OWNED, "application_id": "a" * 65}, "/application_id"),
    "no application": (OWNED, "/application_id"),
    "a null application": ({**OWNED, "application_id": None}, "/application_id"),
}


@pytest.mark.parametrize("case", WRONG)
async def test_wrong_members_are_refused_with_their_place(api, case):
    """Nothing is made."""
    changes, pointer = WRONG[case]
    given = {name: value for name, value in {**GOOD, **changes}.items() if value is not ABSENT}
    before = await listed(api)
    problem = await api.refused("POST", "/v1/keys", given, status=400, code="invalid_request")
    assert problem["errors"][0]["pointer"] == pointer
    assert await listed(api) == before


async def test_a_key_of_one_s_own_is_not_taken(api):
    """Unknown members are refused: the key would not be what its maker thinks."""
    problem = await api.refused("POST", "/v1/keys", {**GOOD, "key": "mine"}, status=400, code="unknown_field")
    assert problem["errors"][0]["pointer"] == "/key"


async def test_an_operator_s_key_is_of_no_application(api):
    """Naming one would promise a limit that is none."""
    app = await api.application()
    given = {"name": "x", "scope": "operator", "application_id": app}
    problem = await api.refused("POST", "/v1/keys", given, status=400, code="invalid_request")
    assert problem["errors"][0]["pointer"] == "/application_id"


@pytest.mark.parametrize("key", [UNKNOWN, "key_x", "app_x", "x" * 300, "key_%00", "%0d%0a"])
async def test_an_unknown_key_can_t_be_revoked(api, key):
    """Whatever stands in its place."""
    await api.refused("DELETE", f"/v1/keys/{key}", status=404, code="not_found")


async def test_keys_are_bounded(api, monkeypatch):
    """With the limit in the refusal; revoking one makes room."""
    monkeypatch.setattr(room, "APPLICATION_KEYS_MAX", 2)
    app = await api.application()
    first = await make_key(api, "application", app)
    await make_key(api, "application", app)
    given = {"name": "x", "scope": "application", "application_id": app}
    problem = await api.refused("POST", "/v1/keys", given, status=409, code="access_limit")
    assert problem["limit"] == 2
    await api("DELETE", f"/v1/keys/{first['id']}", status=204)
    await make_key(api, "application", app)


# --- what a key lets in


async def test_a_publisher_publishes_and_nothing_else(api):
    """To all applications, or to the one it is for; the other is as one that is not there."""
    app, other = await api.application(), await api.application()
    everywhere, here = await make_key(api, "publisher"), await make_key(api, "publisher", app)
    async with by(api, everywhere["key"]) as publisher:
        for one in (app, other, app, other):
            await publisher("POST", f"/v1/applications/{one}/events", EVENT, status=202)
        await publisher.refused("GET", "/v1/applications", status=403, code="not_allowed")
        await publisher.refused("GET", f"/v1/applications/{app}/events", status=403, code="not_allowed")
        await publisher.refused("GET", "/v1/keys", status=403, code="not_allowed")
        await publisher.refused("GET", "/v1/sessions", status=403, code="not_allowed")
        missing = await publisher.refused(
            "POST", "/v1/applications/app_nobody/events", EVENT, status=404, code="not_found"
        )
    async with by(api, here["key"]) as publisher:
        for _ in range(2):
            await publisher("POST", f"/v1/applications/{app}/events", EVENT, status=202)
            problem = await publisher.refused(
                "POST", f"/v1/applications/{other}/events", EVENT, status=404, code="not_found"
            )
            assert problem["detail"] == missing["detail"].replace("app_nobody", other)
        await publisher.refused("GET", f"/v1/applications/{other}", status=404, code="not_found")


async def test_an_application_s_key_sees_only_its_own(api, receiver):
    """Others' ids are as ones that are not there, in the same words; it publishes nothing."""
    app, other = await api.application(), await api.application()
    webhook = await api.webhook(other, receiver.url)
    made = await make_key(api, "application", app)
    async with by(api, made["key"]) as own:
        assert [one["id"] for one in (await own("GET", "/v1/applications"))["data"]] == [app]
        assert (await own("GET", f"/v1/applications/{app}"))["id"] == app
        for path in ("", "/webhooks", f"/webhooks/{webhook['id']}", "/events", "/portal-sessions"):
            theirs = await own.refused("GET", f"/v1/applications/{other}{path}", status=404, code="not_found")
            missing = await own.refused("GET", f"/v1/applications/app_none{path}", status=404, code="not_found")
            assert theirs["detail"].replace(other, "app_none") == missing["detail"]
        for _ in range(2):  # looked for, then known
            path = f"/v1/applications/{app}/events"
            await own.refused("POST", path, EVENT, status=403, code="not_allowed")
            theirs = await own.refused("POST", f"/v1/applications/{other}/events", EVENT, status=404, code="not_found")
            missing = await own.refused("POST", "/v1/applications/app_none/events", EVENT, status=404, code="not_found")
            assert theirs["detail"].replace(other, "app_none") == missing["detail"]
        await own.refused("POST", "/v1/applications", {"name": "x"}, status=403, code="not_allowed")
        await own.refused("DELETE", f"/v1/applications/{app}", status=403, code="not_allowed")


@pytest.mark.parametrize("role", ["support", "member"])
async def test_a_role_below_admin_manages_no_keys(api, role):
    """Of the operator and of an application alike."""
    app = await api.application()
    victim = await make_key(api, "application", app)
    for scope, owner in (("application", app), ("operator", None)):
        made = await make_key(api, scope, owner, role)
        async with by(api, made["key"]) as own:
            await own("GET", f"/v1/applications/{app}")
            given = {"name": "x", "scope": "application", "application_id": app}
            await own.refused("POST", "/v1/keys", given, status=403, code="not_allowed")
            await own.refused("GET", "/v1/keys", status=403, code="not_allowed")
            await own.refused("DELETE", f"/v1/keys/{victim['id']}", status=403, code="not_allowed")
            await own.refused("DELETE", f"/v1/keys/{UNKNOWN}", status=403, code="not_allowed")


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("POST", "/v1/keys", {"name": "x", "scope": "application"}, "Admins may make keys;"),
        ("GET", "/v1/keys", None, "Admins may list keys;"),
        ("DELETE", f"/v1/keys/{UNKNOWN}", None, "Admins may revoke keys;"),
        ("GET", "/v1/people", None, "Admins may list people;"),
        ("POST", "/v1/people", {"name": "x", "role": "member"}, "Admins, by a key or as people, may invite people;"),
        ("GET", "/v1/sessions", None, "Admins may list sessions of people;"),
        ("DELETE", "/v1/sessions/ses_1", None, "Admins may end sessions of others;"),
        ("GET", "/v1/audit", None, "Admins may read the audit log;"),
        ("GET", "/v1/applications/{app}/notify", None, "Admins may see its notices and their secret;"),
        ("POST", "/v1/applications/{app}/notify/test", None, "Admins may try its notices;"),
        ("GET", "/v1/applications/{app}/portal-sessions", None, "Admins may list portal sessions;"),
        ("POST", "/v1/applications/{app}/portal-sessions", None, "as people, may open portal sessions;"),
        ("DELETE", "/v1/applications/{app}/portal-sessions/ses_1", None, "Admins may end portal sessions;"),
        ("DELETE", "/v1/applications/{app}", None, "The operator's admins may delete applications;"),
        ("POST", "/v1/applications/{app}/webhooks", {"url": "https://x.example"}, "in the role admin or support may"),
    ],
)
async def test_a_refusal_says_what_was_asked_for(api, method, path, body, said):
    """And not all that the same people may."""
    app = await api.application()
    key = (await make_key(api, "application", app, "member"))["key"]
    sent = {"headers": {"authorization": f"Bearer {key}"}}
    problem = await api.refused(method, path.format(app=app), body, status=403, code="not_allowed", **sent)
    assert said in problem["detail"]
    assert problem["detail"].endswith("this is a key of the application in the role member.")


async def test_nobody_gives_more_than_they_have(api):
    """An application's admin makes keys of that application, with any role, and no others."""
    app, other = await api.application(), await api.application()
    made = await make_key(api, "application", app)
    theirs = await make_key(api, "application", other)
    operators = await make_key(api, "operator")
    publisher = await make_key(api, "publisher", app)
    async with by(api, made["key"]) as own:
        for role in ("admin", "support", "member"):
            assert (await make_key(own, "application", app, role))["application_id"] == app
        assert (await make_key(own, "application"))["application_id"] == app
        for scope in ("operator", "publisher"):
            for named in ({}, {"application_id": app}):
                given = {"name": "x", "scope": scope, **named}
                await own.refused("POST", "/v1/keys", given, status=403, code="not_allowed")
        given = {"name": "x", "scope": "application", "application_id": other}
        problem = await own.refused("POST", "/v1/keys", given, status=404, code="not_found")
        given["application_id"] = "app_none"
        missing = await own.refused("POST", "/v1/keys", given, status=404, code="not_found")
        assert problem["detail"].replace(other, "app_none") == missing["detail"]
        shown = (await own("GET", "/v1/keys"))["data"]
        assert {one["application_id"] for one in shown} == {app}
        assert {one["scope"] for one in shown} == {"application"}
        missing = await own.refused("DELETE", f"/v1/keys/{UNKNOWN}", status=404, code="not_found")
        for one in (theirs, operators, publisher):
            problem = await own.refused("DELETE", f"/v1/keys/{one['id']}", status=404, code="not_found")
            assert problem["detail"].replace(one["id"], UNKNOWN) == missing["detail"]
    assert {theirs["id"], operators["id"], publisher["id"]} <= set(await listed(api))


@pytest.mark.parametrize("maker", ["key", "person"])
async def test_an_admin_who_may_not_configure_makes_nobody_who_may(api, maker):
    """With bridge-lms support users configure: an application's admin can't get there by a key, a person, a link of
    somebody's, another role, or a portal session. The operator's admins give it.
    """
    app = await api.application(profile="bridge-lms")
    person = {"name": "S", "role": "support", "application_id": app}
    support = await api("POST", "/v1/people", person, status=201)
    member = await api("POST", "/v1/people", {**person, "role": "member"}, status=201)
    if maker == "key":
        token = (await make_key(api, "application", app))["key"]
    else:
        link = (await api("POST", "/v1/people", {**person, "role": "admin"}, status=201))["link"]
        token = (await api("POST", "/v1/sessions", {"link": link}, status=201))["token"]
    async with by(api, token) as own:
        for method, path, body in (
            ("POST", "/v1/keys", {"name": "x", "scope": "application", "role": "support"}),
            ("POST", "/v1/people", {"name": "x", "role": "support"}),
            ("PATCH", f"/v1/people/{member['id']}", {"role": "support"}),
            ("POST", f"/v1/people/{support['id']}/link", {}),
            ("POST", f"/v1/applications/{app}/portal-sessions", {"role": "support"}),
        ):
            problem = await own.refused(method, path, body, status=403, code="not_allowed")
            assert "nobody gives more than they have" in problem["detail"]
            assert "which may give the role admin or member;" in problem["detail"]
        await own("PATCH", f"/v1/people/{support['id']}", {"name": "T", "role": "support"})
        await own("PATCH", f"/v1/people/{support['id']}", {"role": "member"})
        await own("DELETE", f"/v1/people/{support['id']}", status=204)
        for role in ("admin", "member"):
            await make_key(own, "application", app, role)
            await own("POST", "/v1/people", {"name": "x", "role": role}, status=201)


async def test_an_operator_s_admin_makes_any(api):
    """By a key as by the installation's own."""
    app = await api.application()
    made = await make_key(api, "operator")
    async with by(api, made["key"]) as own:
        for scope, owner in (("operator", None), ("publisher", app), ("publisher", None), ("application", app)):
            await make_key(own, scope, owner)
        await own("DELETE", f"/v1/keys/{made['id']}", status=204)
        await own.refused("GET", "/v1/keys", status=401, code="unauthenticated")


# --- the end of a key


async def test_a_revoked_key_is_dead_at_once(api):
    """For management, and amid publishing on connections that stay open: after the answer to DELETE nothing more is
    taken in.
    """
    app = await api.application()
    made = await make_key(api, "publisher")
    taken: list[int] = []
    async with contextlib.AsyncExitStack() as stack:
        publishers = [await stack.enter_async_context(by(api, made["key"])) for _ in range(3)]
        revoked = asyncio.Event()

        async def publish(one: Api) -> None:
            while True:
                was_revoked = revoked.is_set()
                response = await one.client.post(f"/v1/applications/{app}/events", json=EVENT)
                taken.append(response.status_code)
                if was_revoked:
                    assert response.status_code == 401
                    assert response.json()["code"] == "unauthenticated"
                    return
                assert response.status_code in {202, 401}

        async with asyncio.TaskGroup() as group, asyncio.timeout(20):
            for one in publishers:
                group.create_task(publish(one))
            while len(taken) < 20:
                await asyncio.sleep(0)
            await api("DELETE", f"/v1/keys/{made['id']}", status=204)
            revoked.set()
    assert 202 in taken
    await api.refused("DELETE", f"/v1/keys/{made['id']}", status=404, code="not_found")


async def test_with_an_application_its_keys_are_dead(api):
    """At once, and also when its id is used again."""
    app = await api.application(id="comes-back")
    keys = [await make_key(api, scope, app) for scope in ("application", "publisher")]
    portal = await api("POST", f"/v1/applications/{app}/portal-sessions", status=201)
    tokens = [one["key"] for one in keys] + [portal["url"].rpartition("/")[2]]
    for token in tokens:
        async with by(api, token) as own:
            response = await own.client.get(f"/v1/applications/{app}")
            assert response.status_code in {200, 403}
    await api("DELETE", f"/v1/applications/{app}", status=204)
    await api.application(id="comes-back")
    for token in tokens:
        async with by(api, token) as own:
            await own.refused("GET", f"/v1/applications/{app}", status=401, code="unauthenticated")
            await own.refused("POST", f"/v1/applications/{app}/events", EVENT, status=401, code="unauthenticated")


# --- how a key is sent


async def test_two_keys_in_one_request_must_be_the_same(api):
    """Else nobody could say by which it was let in."""
    app = await api.application()
    one, two = (await make_key(api, "publisher"))["key"], (await make_key(api, "operator"))["key"]
    path = f"/v1/applications/{app}/events"
    async with httpx.AsyncClient(base_url=api.node.base_url) as client:
        for headers in (
            [("authorization", f"Bearer {one}"), ("api-key", two)],
            [("api-key", two), ("authorization", f"Bearer {one}")],
            [("authorization", f"Bearer {two}"), ("authorization", f"Bearer {one}")],
            [("api-key", two), ("api-key", "")],
        ):
            for method, target in (("POST", path), ("GET", "/v1/applications")):
                response = await client.request(
                    method, target, headers=headers, json=EVENT if method == "POST" else None
                )
                assert response.status_code == 401
                assert response.json()["detail"] == "The request brings two different keys: send one, in one header."
        headers = [("authorization", f"Bearer {two}"), ("api-key", two)]
        assert (await client.post(path, headers=headers, json=EVENT)).status_code == 202
        headers = [("authorization", "Basic eDp5"), ("api-key", two)]
        assert (await client.get("/v1/applications", headers=headers)).status_code == 200


async def test_uses_are_shown(api):
    """When the duty has turned, and no earlier: nothing is written for each request."""
    made = await make_key(api, "publisher")
    app = await api.application()
    async with by(api, made["key"]) as publisher:
        await publisher("POST", f"/v1/applications/{app}/events", EVENT, status=202)
    await api.node.manage.callers.turn()
    shown = {one["id"]: one["last_used_at"] for one in (await api("GET", "/v1/keys"))["data"]}
    assert shown[made["id"]] is not None


async def test_sessions_and_uses_outlive_a_restart(tmp_path):
    """The last uses are kept when the node stops, and a session lives on by them."""
    kept = {"encryption_key": base64.b64encode(bytes(32)).decode()}
    async with api_in(tmp_path, **kept) as api:
        made = await make_key(api, "operator")
        person = await api("POST", "/v1/people", {"name": "Ada", "role": "admin"}, status=201)
        session = await api("POST", "/v1/sessions", {"link": person["link"]}, status=201)
        for token in (made["key"], session["token"]):
            async with by(api, token) as own:
                await own("GET", "/v1/keys")
    async with api_in(tmp_path, **kept) as api:
        (shown,) = (await api("GET", "/v1/keys"))["data"]
        assert shown["last_used_at"] is not None
        async with by(api, session["token"]) as own:
            (listed_session,) = (await own("GET", "/v1/sessions"))["data"]
        assert listed_session["last_seen_at"] is not None
        assert listed_session["expires_at"] >= session["expires_at"]


# --- secrets


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """All that is logged, as a server writes it."""
    out = io.StringIO()
    structlog.configure(
        processors=[hide_secrets, structlog.processors.JSONRenderer()], logger_factory=structlog.WriteLoggerFactory(out)
    )
    yield out
    structlog.reset_defaults()


async def test_no_token_is_kept_or_logged(tmp_path, lines):
    """Searched for in the bytes of all files, in every list, in the audit log and in all that was logged, also where a
    token was put into an address by mistake.
    """
    async with api_in(tmp_path, log_level="debug") as api:
        app = await api.application()
        tokens = [(await make_key(api, scope, app))["key"] for scope in ("application", "publisher")]
        tokens += [(await make_key(api, "operator"))["key"]]
        portal = await api("POST", f"/v1/applications/{app}/portal-sessions", {"role": "member"}, status=201)
        tokens.append(portal["url"].rpartition("/")[2])
        person = await api("POST", "/v1/people", {"name": "Ada", "role": "admin"}, status=201)
        unused = await api("POST", "/v1/people", {"name": "Bob", "role": "admin"}, status=201)
        session = await api("POST", "/v1/sessions", {"link": person["link"]}, status=201)
        tokens += [one["link"].rpartition("/")[2] for one in (person, unused)] + [session["token"]]
        for token in tokens:
            async with by(api, token) as own:
                await own.client.get(f"/v1/applications/{app}")
                await own.client.post(f"/v1/applications/{app}/events", json=EVENT)
                await own.client.get(f"/v1/keys/{token}")
                await own.client.delete(f"/v1/keys/{token}")
                await own.client.post("/v1/sessions", json={"link": token + "x"})
        paths = ("/v1/keys", "/v1/people", "/v1/sessions", f"/v1/applications/{app}/portal-sessions", "/v1/audit")
        shown = "".join([(await api.client.get(path)).text for path in paths])
        await api.node.manage.callers.turn()
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert len(tokens) == 7
    for token in tokens:
        secret = token.rpartition("_")[2]
        assert secret.encode() not in kept
        assert secret not in shown
        assert secret not in lines.getvalue()
    assert json.dumps("Ada") in shown
    assert "/v1/keys/hk_app_" in lines.getvalue()
