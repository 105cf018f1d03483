"""People over HTTP: invited by a link that works once, signed in by a session that ends, removed at once."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from hookspan.manage import _attempts
from hookspan.manage import people as room
from hookspan.manage import sessions as session_room
from hookspan.store.sqlite import SqliteStore

from .conftest import Api, api_in

pytestmark = pytest.mark.anyio

UNKNOWN = "per_" + "1" * 23
LINK = r"http://127\.0\.0\.1:\d+/sign-in/hk_link_[1-9A-HJ-NP-Za-km-z]{44}"


@pytest.fixture(autouse=True)
def _many_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tests come from one address."""
    monkeypatch.setattr(_attempts, "ATTEMPTS_MAX", 10_000)


async def invite(api: Api, app: str | None = None, role: str = "admin", **more: object) -> dict:
    given = {"name": "Ada", "role": role, **({"application_id": app} if app else {}), **more}
    return await api("POST", "/v1/people", given, status=201)


async def sign_in(api: Api, person: dict) -> dict:
    async with httpx.AsyncClient(base_url=api.node.base_url) as client:
        response = await client.post("/v1/sessions", json={"link": person["link"]})
    assert response.status_code == 201, response.text
    return response.json()


@contextlib.asynccontextmanager
async def as_token(api: Api, token: str) -> AsyncIterator[Api]:
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=api.node.base_url, headers=headers, timeout=20) as client:
        yield Api(api.node, client)


@contextlib.asynccontextmanager
async def someone(api: Api, app: str | None = None, role: str = "admin") -> AsyncIterator[Api]:
    """The API as somebody uses it who is signed in."""
    session = await sign_in(api, await invite(api, app, role))
    async with as_token(api, session["token"]) as one:
        yield one


# --- shapes


async def test_somebody_is_invited_and_signs_in(api):
    """The link is shown once, and so is the token; the person was seen by then."""
    app = await api.application()
    invited = await invite(api, app, "support", name="Ada <i>&\r\n")
    assert re.fullmatch(LINK, invited["link"])
    assert {name: invited[name] for name in ("name", "role", "application_id", "last_seen_at")} == {
        "name": "Ada <i>&\r\n",
        "role": "support",
        "application_id": app,
        "last_seen_at": None,
    }
    session = await sign_in(api, invited)
    assert re.fullmatch(r"hk_session_[1-9A-HJ-NP-Za-km-z]{44}", session["token"])
    assert set(session) == {"id", "person", "address", "created_at", "last_seen_at", "expires_at", "token"}
    assert session["person"]["id"] == invited["id"]
    assert session["person"]["last_seen_at"] is not None
    assert session["address"] == "127.0.0.1"
    listed = (await api("GET", "/v1/people"))["data"][0]
    assert set(listed) == {"id", "name", "role", "application_id", "created_at", "last_seen_at"}
    assert listed["id"] == invited["id"]
    shown = (await api("GET", "/v1/sessions"))["data"][0]
    assert shown == {name: value for name, value in session.items() if name != "token"}
    async with as_token(api, session["token"]) as own:
        assert [one["id"] for one in (await own("GET", "/v1/applications"))["data"]] == [app]


async def test_a_link_is_taken_whole_or_in_part(api):
    """As an address, or its last part alone."""
    whole, part = await invite(api), await invite(api)
    part["link"] = part["link"].rpartition("/")[2]
    assert (await sign_in(api, whole))["person"]["id"] == whole["id"]
    assert (await sign_in(api, part))["person"]["id"] == part["id"]


async def test_links_carry_the_public_address(tmp_path):
    """As a setting has it, for servers behind others."""
    async with api_in(tmp_path, public_url="https://hooks.example.com/base") as api:
        assert (await invite(api))["link"].startswith("https://hooks.example.com/base/sign-in/hk_link_")


# --- links


async def test_a_link_works_once(api):
    """The second time it says no more than that it does not."""
    invited = await invite(api)
    await sign_in(api, invited)
    again = await api.refused("POST", "/v1/sessions", {"link": invited["link"]}, status=401, code="unauthenticated")
    never = await api.refused(
        "POST", "/v1/sessions", {"link": "hk_link_" + "A" * 44}, status=401, code="unauthenticated"
    )
    noise = await api.refused("POST", "/v1/sessions", {"link": "x"}, status=401, code="unauthenticated")
    assert again["detail"] == never["detail"] == noise["detail"]


async def test_of_ten_at_once_one_gets_in(api):
    """Also when they race."""
    invited = await invite(api)
    async with httpx.AsyncClient(base_url=api.node.base_url) as client:
        tries = [client.post("/v1/sessions", json={"link": invited["link"]}) for _ in range(10)]
        statuses = sorted(response.status_code for response in await asyncio.gather(*tries))
    assert statuses == [201] + [401] * 9


async def test_a_new_link_ends_the_one_before(api):
    """Sessions stay: somebody who lost a link is not thrown out."""
    invited = await invite(api)
    session = await sign_in(api, invited)
    second = await api("POST", f"/v1/people/{invited['id']}/link", status=201)
    third = await api("POST", f"/v1/people/{invited['id']}/link", {"expires_in": 604_800}, status=201)
    assert third["link_expires_at"] > second["link_expires_at"]
    await api.refused("POST", "/v1/sessions", {"link": second["link"]}, status=401, code="unauthenticated")
    await sign_in(api, third)
    async with as_token(api, session["token"]) as own:
        await own("GET", "/v1/sessions")


async def test_a_link_is_no_key(api):
    """Nor is a key a link."""
    invited = await invite(api)
    async with as_token(api, invited["link"].rpartition("/")[2]) as own:
        await own.refused("GET", "/v1/people", status=401, code="unauthenticated")
    key = (await api("POST", "/v1/keys", {"name": "x", "scope": "operator"}, status=201))["key"]
    await api.refused("POST", "/v1/sessions", {"link": key}, status=401, code="unauthenticated")
    await sign_in(api, invited)


async def test_attempts_are_limited(tmp_path, monkeypatch):
    """Wrong ones in a row; who signs in well spends none. With whole seconds to wait."""
    monkeypatch.setattr(_attempts, "ATTEMPTS_MAX", 3)
    monkeypatch.setattr(_attempts, "INTERVAL_S", 600.0)  # none comes back while the test looks
    async with api_in(tmp_path) as api:
        for _ in range(5):
            await sign_in(api, await invite(api))
        for _ in range(3):
            await api.refused("POST", "/v1/sessions", {"link": "x"}, status=401, code="unauthenticated")
        invited = await invite(api)
        response = await api.client.post("/v1/sessions", json={"link": invited["link"]})
        assert (response.status_code, response.json()["code"]) == (429, "rate_limited")
        assert f"try again in {response.headers['retry-after']} s" in response.json()["detail"]
        assert 1 <= int(response.headers["retry-after"]) <= 600


# --- refusals

ABSENT = object()
GOOD = {"name": "Ada", "role": "admin"}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"name": ABSENT}, "/name"),
    "a null name": ({"name": None}, "/name"),
    "an empty name": ({"name": ""}, "/name"),
    "a NUL in the name": ({"name": "a\0"}, "/name"),
    "a name too long": ({"name": "x" * 10_001}, "/name"),
    "no role": ({"role": ABSENT}, "/role"),
    "a null role": ({"role": None}, "/role"),
    "an unknown role": ({"role": "root"}, "/role"),
    "a number as application": ({"application_id": 1}, "/application_id"),
    "hostile text as application": ({"application_id": "<script>"}, "/application_id"),
    "a time too short": ({"expires_in": 59}, "/expires_in"),
    "a time too long": ({"expires_in": 604_801}, "/expires_in"),
    "a null time": ({"expires_in": None}, "/expires_in"),
    "a text as time": ({"expires_in": "900"}, "/expires_in"),
}


@pytest.mark.parametrize("case", WRONG)
async def test_wrong_members_are_refused_with_their_place(api, case):
    """When inviting, and as far as it has them when changing."""
    changes, pointer = WRONG[case]
    given = {name: value for name, value in {**GOOD, **changes}.items() if value is not ABSENT}
    problem = await api.refused("POST", "/v1/people", given, status=400, code="invalid_request")
    assert problem["errors"][0]["pointer"] == pointer
    person = await invite(api)
    if pointer in {"/name", "/role"} and ABSENT not in changes.values():
        path = f"/v1/people/{person['id']}"
        problem = await api.refused("PATCH", path, changes, status=400, code="invalid_request")
        assert problem["errors"][0]["pointer"] == pointer
    if pointer == "/expires_in":
        path = f"/v1/people/{person['id']}/link"
        problem = await api.refused("POST", path, changes, status=400, code="invalid_request")
        assert problem["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("link", [None, 1, "", "x" * 2_049, ["x"]])
async def test_a_wrong_link_is_refused(api, link):
    """By its form."""
    problem = await api.refused("POST", "/v1/sessions", {"link": link}, status=400, code="invalid_request")
    assert problem["errors"][0]["pointer"] == "/link"


async def test_unknown_members_and_parameters_are_refused(api):
    """Everywhere."""
    person = await invite(api)
    await api.refused("POST", "/v1/people", {**GOOD, "mail": "a@b"}, status=400, code="unknown_field")
    await api.refused("PATCH", f"/v1/people/{person['id']}", {"application_id": "x"}, status=400, code="unknown_field")
    await api.refused("POST", f"/v1/people/{person['id']}/link", {"mail": 1}, status=400, code="unknown_field")
    await api.refused("POST", "/v1/sessions", {"link": "x", "mail": 1}, status=400, code="unknown_field")
    await api.refused("POST", "/v1/sessions", {}, status=400, code="invalid_request")
    await api.refused("POST", "/v1/sessions?link=x", {"link": "x"}, status=400, code="unknown_field")
    await api.refused("GET", "/v1/sessions?person=x", status=400, code="unknown_field")


@pytest.mark.parametrize("person", [UNKNOWN, "per_x", "key_1", "%00", "%0d%0a", "x" * 300])
async def test_who_is_not_there_is_not_found(api, person):
    """Whatever stands in the place of the id."""
    await api.refused("PATCH", f"/v1/people/{person}", {"name": "x"}, status=404, code="not_found")
    await api.refused("DELETE", f"/v1/people/{person}", status=404, code="not_found")
    await api.refused("POST", f"/v1/people/{person}/link", status=404, code="not_found")
    await api.refused("DELETE", f"/v1/sessions/{person}", status=404, code="not_found")


async def test_people_are_bounded(api, monkeypatch):
    """With the limit."""
    monkeypatch.setattr(room, "PEOPLE_MAX", 1)
    app = await api.application()
    await invite(api, app)
    problem = await api.refused("POST", "/v1/people", {**GOOD, "application_id": app}, status=409, code="access_limit")
    assert problem["limit"] == 1


async def test_somebody_s_sessions_are_bounded(api, monkeypatch):
    """The oldest unused one ends."""
    monkeypatch.setattr(session_room, "SESSIONS_MAX", 2)
    invited = await invite(api)
    tokens = [(await sign_in(api, invited))["token"]]
    again = f"/v1/people/{invited['id']}/link"
    tokens += [(await sign_in(api, await api("POST", again, status=201)))["token"] for _ in range(2)]
    async with as_token(api, tokens[0]) as first, as_token(api, tokens[2]) as last:
        await first.refused("GET", "/v1/sessions", status=401, code="unauthenticated")
        await last("GET", "/v1/sessions")


# --- who may


async def test_an_application_s_admin_has_its_people_only(api):
    """Others' are as those who are not there, in the same words."""
    app, other = await api.application(), await api.application()
    theirs, operators = await invite(api, other), await invite(api)
    sessions = [(await sign_in(api, one))["id"] for one in (theirs, operators)]
    async with someone(api, app) as own:
        for named in (app, None):
            assert (await invite(own, named))["application_id"] == app
        problem = await own.refused(
            "POST", "/v1/people", {**GOOD, "application_id": other}, status=404, code="not_found"
        )
        missing = await own.refused(
            "POST", "/v1/people", {**GOOD, "application_id": "app_none"}, status=404, code="not_found"
        )
        assert problem["detail"].replace(other, "app_none") == missing["detail"]
        assert {one["application_id"] for one in (await own("GET", "/v1/people"))["data"]} == {app}
        assert {one["person"]["application_id"] for one in (await own("GET", "/v1/sessions"))["data"]} == {app}
        calls = (("PATCH", "", {"role": "member"}), ("DELETE", "", None), ("POST", "/link", None))
        for method, tail, body in calls:
            missing = await own.refused(method, f"/v1/people/{UNKNOWN}{tail}", body, status=404, code="not_found")
            for one in (theirs, operators):
                path = f"/v1/people/{one['id']}{tail}"
                problem = await own.refused(method, path, body, status=404, code="not_found")
                assert problem["detail"].replace(one["id"], UNKNOWN) == missing["detail"]
        for one in sessions:
            await own.refused("DELETE", f"/v1/sessions/{one}", status=404, code="not_found")


@pytest.mark.parametrize("role", ["support", "member"])
async def test_below_admin_one_has_one_s_own_sessions_only(api, role):
    """Listed, and ended; people are not for them."""
    app = await api.application()
    other = await sign_in(api, await invite(api, app))
    for owner in (app, None):
        session = await sign_in(api, await invite(api, owner, role))
        async with as_token(api, session["token"]) as own:
            assert [one["id"] for one in (await own("GET", "/v1/sessions"))["data"]] == [session["id"]]
            await own.refused("GET", "/v1/people", status=403, code="not_allowed")
            await own.refused("POST", "/v1/people", GOOD, status=403, code="not_allowed")
            path = f"/v1/people/{other['person']['id']}"
            await own.refused("PATCH", path, {"role": "member"}, status=403, code="not_allowed")
            await own.refused("DELETE", path, status=403, code="not_allowed")
            await own.refused("POST", f"{path}/link", status=403, code="not_allowed")
            await own.refused("DELETE", f"/v1/sessions/{other['id']}", status=403, code="not_allowed")
            await own("DELETE", f"/v1/sessions/{session['id']}", status=204)
            await own.refused("GET", "/v1/sessions", status=401, code="unauthenticated")


async def test_keys_below_admin_see_no_sessions(api):
    """They have none of their own."""
    key = await api("POST", "/v1/keys", {"name": "x", "scope": "operator", "role": "member"}, status=201)
    async with as_token(api, key["key"]) as own:
        await own.refused("GET", "/v1/sessions", status=403, code="not_allowed")
        await own.refused("DELETE", "/v1/sessions/ses_x", status=403, code="not_allowed")


# --- at once


async def test_another_role_is_in_force_at_once(api):
    """Also in sessions that are open."""
    invited = await invite(api, role="member")
    session = await sign_in(api, invited)
    async with as_token(api, session["token"]) as own:
        await own.refused("GET", "/v1/people", status=403, code="not_allowed")
        changed = await api("PATCH", f"/v1/people/{invited['id']}", {"role": "admin", "name": "Ada L."})
        assert (changed["role"], changed["name"]) == ("admin", "Ada L.")
        await own("GET", "/v1/people")
        await api("PATCH", f"/v1/people/{invited['id']}", {"role": "support"})
        await own.refused("GET", "/v1/people", status=403, code="not_allowed")


async def test_who_is_removed_is_out_at_once(api):
    """With session and link; even the last admin, for there is the operator key."""
    invited = await invite(api)
    session = await sign_in(api, invited)
    link = await api("POST", f"/v1/people/{invited['id']}/link", status=201)
    async with as_token(api, session["token"]) as own:
        await own("GET", "/v1/people")
        await own("DELETE", f"/v1/people/{invited['id']}", status=204)
        await own.refused("GET", "/v1/people", status=401, code="unauthenticated")
    await api.refused("POST", "/v1/sessions", {"link": link["link"]}, status=401, code="unauthenticated")
    await api.refused("DELETE", f"/v1/people/{invited['id']}", status=404, code="not_found")


async def test_an_ended_session_is_out_at_once(api):
    """An admin ends another's."""
    session = await sign_in(api, await invite(api))
    async with as_token(api, session["token"]) as own:
        await own("GET", "/v1/sessions")
        await api("DELETE", f"/v1/sessions/{session['id']}", status=204)
        await own.refused("GET", "/v1/sessions", status=401, code="unauthenticated")
    await api.refused("DELETE", f"/v1/sessions/{session['id']}", status=404, code="not_found")


async def test_who_did_it_is_in_the_audit_log(api):
    """By name and id of the person, with the session that was opened and from where."""
    app = await api.application()
    invited = await invite(api, app)
    session = await sign_in(api, invited)
    async with as_token(api, session["token"]) as own:
        key = await own("POST", "/v1/keys", {"name": "k", "scope": "application"}, status=201)
        await own("DELETE", f"/v1/keys/{key['id']}", status=204)
    lines = (await api("GET", "/v1/audit", params={"limit": 100}))["data"]
    mine = [line for line in lines if line["actor"]["id"] == invited["id"]]
    assert [(line["action"], line["object"]["id"]) for line in reversed(mine)] == [
        ("session.opened", session["id"]),
        ("key.created", key["id"]),
        ("key.revoked", key["id"]),
    ]
    assert {line["address"] for line in mine} == {"127.0.0.1"}


async def test_the_store_is_not_asked_about_noise(api, monkeypatch):
    """What is no link costs nothing but the refusal."""

    async def never(*_arguments):
        raise AssertionError("nobody asks the store for this")

    monkeypatch.setattr(SqliteStore, "find_link", never)
    for link in ("x", "hk_link_", "hk_session_" + "A" * 44, "hk_link_" + "0" * 44):
        await api.refused("POST", "/v1/sessions", {"link": link}, status=401, code="unauthenticated")


async def test_behind_a_trusted_proxy_attempts_are_everybodys_own(tmp_path, monkeypatch):
    """One who guesses locks nobody else out, and writing other addresses in front helps them nothing; sessions and the
    audit log have the address that the proxy saw.
    """
    monkeypatch.setattr(_attempts, "ATTEMPTS_MAX", 3)
    monkeypatch.setattr(_attempts, "INTERVAL_S", 600.0)  # none comes back while the test looks
    async with api_in(tmp_path, trusted_proxies=("127.0.0.0/8",)) as api:
        for number in range(4):
            headers = {"x-forwarded-for": f"198.51.100.{number}, 203.0.113.5"}
            response = await api.client.post("/v1/sessions", json={"link": "x"}, headers=headers)
        assert response.status_code == 429
        link = {"link": (await invite(api))["link"]}
        other = {"x-forwarded-for": "203.0.113.6"}
        assert (await api("POST", "/v1/sessions", link, status=201, headers=other))["address"] == "203.0.113.6"
        (line,) = (await api("GET", "/v1/audit", params={"action": "session.opened"}))["data"]
        assert line["address"] == "203.0.113.6"


async def test_who_is_no_trusted_proxy_spoofs_no_address(tmp_path, monkeypatch):
    """Without the setting, and from elsewhere than it names."""
    monkeypatch.setattr(_attempts, "ATTEMPTS_MAX", 3)
    monkeypatch.setattr(_attempts, "INTERVAL_S", 600.0)  # none comes back while the test looks
    for number, trusted in enumerate(((), ("203.0.113.0/24",))):
        (tmp_path / str(number)).mkdir()
        async with api_in(tmp_path / str(number), trusted_proxies=trusted) as api:
            for last in range(4):
                headers = {"x-forwarded-for": f"198.51.100.{last}"}
                response = await api.client.post("/v1/sessions", json={"link": "x"}, headers=headers)
            assert response.status_code == 429
            made = await api("POST", "/v1/applications", {"name": "A"}, status=201, headers=headers)
            (line,) = (await api("GET", "/v1/audit", params={"object": made["id"]}))["data"]
            assert line["address"] == "127.0.0.1"
