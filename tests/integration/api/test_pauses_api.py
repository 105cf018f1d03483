"""Pauses over the API: who may, what is refused, what is told, and that nothing leaves meanwhile."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from hookspan.cli._root import run
from tests.support.receiver import Receiver
from tests.support.walk import unknown

from .conftest import ARRIVAL_S, OPERATOR_KEY, Api

pytestmark = pytest.mark.anyio
MANY = 3  # pages of one each


@contextlib.asynccontextmanager
async def paused(api: Api, **members) -> AsyncIterator[dict]:
    """A pause that is there for a block of the test."""
    made = await api("POST", "/v1/pauses", members, status=201)
    try:
        yield made
    finally:
        await api("DELETE", f"/v1/pauses/{made['id']}")


async def in_force(api: Api, **params) -> dict[str, dict]:
    return {one["id"]: one for one in (await api("GET", "/v1/pauses", params=params))["data"]}


async def audit(api: Api, action: str) -> list[dict]:
    return (await api("GET", "/v1/audit", params={"action": action}))["data"]


async def key_of(api: Api, application: str, **members) -> dict[str, str]:
    given = {"name": "K", "scope": "application", "application_id": application, **members}
    return {"authorization": f"Bearer {(await api('POST', '/v1/keys', given, status=201))['key']}"}


async def test_a_pause_is_kept_listed_and_ended(api: Api) -> None:
    """Created, in the list while it is in force, shown as it ended; ending it again changes nothing."""
    app = await api.application()
    made = await api(
        "POST", "/v1/pauses", {"scope": "application", "application_id": app, "reason": " Moving. "}, status=201
    )
    expected = {"scope": "application", "profile": None, "application_id": app, "reason": "Moving.", "ended_at": None}
    assert {name: made[name] for name in expected} == expected
    assert made["id"].startswith("pau_")
    assert (await in_force(api))[made["id"]] == made
    ended = await api("DELETE", f"/v1/pauses/{made['id']}")
    assert ended["ended_at"] >= made["paused_at"]
    assert {**ended, "ended_at": None} == made
    assert made["id"] not in await in_force(api)
    assert await api("DELETE", f"/v1/pauses/{made['id']}") == ended
    await api.refused("DELETE", f"/v1/pauses/{unknown(made['id'])}", status=404, code="not_found")


async def test_what_is_paused_already_stays_so(api: Api) -> None:
    """The same scope again is the pause that is there, with its own reason; another scope is another pause."""
    app = await api.application()
    async with paused(api, scope="application", application_id=app, reason="first") as made:
        again = {"scope": "application", "application_id": app, "reason": "second"}
        assert await api("POST", "/v1/pauses", again, status=200) == made
        async with paused(api, scope="profile", profile="bridge-api") as other:
            assert {made["id"], other["id"]} <= set(await in_force(api))
        lines = [one for one in await audit(api, "sending.paused") if one["application_id"] == app]
        assert len(lines) == 1


async def test_the_list_goes_by_pages(api: Api) -> None:
    """Newest first, each once."""
    apps = [await api.application() for _ in range(MANY)]
    async with contextlib.AsyncExitStack() as stack:
        made = [await stack.enter_async_context(paused(api, scope="application", application_id=one)) for one in apps]
        wanted = [one["id"] for one in reversed(made)]
        page = await api("GET", "/v1/pauses", params={"limit": 1})
        found = [page["data"][0]["id"]]
        while page["next"] is not None and len(found) < MANY:
            page = await api("GET", "/v1/pauses", params={"limit": 1, "cursor": page["next"]})
            found.append(page["data"][0]["id"])
        assert found == wanted
        first = made[0]["paused_at"]
        assert made[0]["id"] not in await in_force(api, until=first)
        assert set(wanted) <= set(await in_force(api, since=first))


@pytest.mark.parametrize(
    ("members", "code", "pointer"),
    [
        ({}, "invalid_request", "/scope"),
        ({"scope": "everything"}, "invalid_request", "/scope"),
        ({"scope": "all", "profile": "standard"}, "invalid_request", "/profile"),
        ({"scope": "all", "application_id": "app_1"}, "invalid_request", "/application_id"),
        ({"scope": "profile"}, "invalid_request", "/profile"),
        ({"scope": "profile", "profile": "standard", "application_id": "a"}, "invalid_request", "/application_id"),
        ({"scope": "profile", "profile": "no-such"}, "unknown_profile", "/profile"),
        ({"scope": "application"}, "invalid_request", "/application_id"),
        ({"scope": "application", "application_id": "app_none", "profile": "standard"}, "invalid_request", "/profile"),
        ({"scope": "all", "reason": "x" * 501}, "invalid_request", "/reason"),
        ({"scope": "all", "reason": "a\0b"}, "invalid_request", "/reason"),
        ({"scope": "all", "until": "tomorrow"}, "unknown_field", "/until"),
    ],
)
async def test_what_is_wrong_is_named(api: Api, members: dict, code: str, pointer: str) -> None:
    """Each with its place; nothing is paused."""
    problem = await api.refused("POST", "/v1/pauses", members, status=400, code=code)
    assert problem["errors"][0]["pointer"] == pointer
    assert all(one["scope"] != "all" for one in (await in_force(api)).values())


async def test_an_application_that_is_not_there(api: Api) -> None:
    """404, with the member that names it."""
    asked = {"scope": "application", "application_id": "app_none"}
    problem = await api.refused("POST", "/v1/pauses", asked, status=404, code="not_found")
    assert problem["errors"][0]["pointer"] == "/application_id"


async def test_an_application_sees_that_it_is_paused_and_may_not_change_it(api: Api) -> None:
    """What scope, since when, the reason; of others' pauses nothing. It pauses and resumes nothing itself."""
    app, other = await api.application(), await api.application(profile="bridge-api")
    own = await key_of(api, app, role="admin")
    path = f"/v1/applications/{app}"
    assert (await api("GET", path, headers=own))["paused"] is None
    async with paused(api, scope="application", application_id=other):
        assert await api("GET", "/v1/pauses", headers=own) == {"data": [], "next": None}
        async with paused(api, scope="profile", profile="standard", reason="Keys are being replaced.") as made:
            told = {"scope": "profile", "since": made["paused_at"], "reason": "Keys are being replaced."}
            assert (await api("GET", path, headers=own))["paused"] == told
            assert (await api("GET", "/v1/applications", headers=own))["data"][0]["paused"] == told
            assert (await api("GET", "/v1/pauses", headers=own))["data"] == [made]
            for method, where in (("POST", "/v1/pauses"), ("DELETE", f"/v1/pauses/{made['id']}")):
                body = {"scope": "application", "application_id": app} if method == "POST" else None
                problem = await api.refused(method, where, body, status=403, code="not_allowed", headers=own)
                assert "operator's admins may pause and resume sending" in problem["detail"]
    assert (await api("GET", path, headers=own))["paused"] is None


async def test_the_widest_pause_is_told(api: Api) -> None:
    """Ending it leaves the narrower one in force."""
    app = await api.application()
    path = f"/v1/applications/{app}"
    async with paused(api, scope="application", application_id=app):
        async with paused(api, scope="all", reason="Everything"):
            assert (await api("GET", path))["paused"]["scope"] == "all"
        assert (await api("GET", path))["paused"]["scope"] == "application"


async def test_the_audit_log_has_both_ends(api: Api) -> None:
    """On the application's chain where it is one application's, else on the installation's; an application's admins
    see the line without who of the operator's it was.
    """
    app = await api.application()
    own = await key_of(api, app, role="admin")
    async with paused(api, scope="application", application_id=app, reason="R1") as one:
        pass
    async with paused(api, scope="profile", profile="bridge-api", reason="R2") as other:
        pass
    for action in ("sending.paused", "sending.resumed"):
        lines = {line["object"]["id"]: line for line in await audit(api, action)}
        assert lines[one["id"]]["application_id"] == app
        assert lines[one["id"]]["detail"] == {"scope": "application", "reason": "R1"}
        assert lines[other["id"]]["chain"] == "installation"
        assert lines[other["id"]]["detail"] == {"scope": "profile", "profile": "bridge-api", "reason": "R2"}
        seen = (await api("GET", "/v1/audit", params={"action": action}, headers=own))["data"]
        assert [line["object"]["id"] for line in seen] == [one["id"]]
        assert seen[0]["actor"]["kind"] == "operator"
        assert seen[0]["actor"]["id"] is None


@pytest.mark.parametrize("scope", ["all", "profile", "application"])
async def test_nothing_leaves_while_it_is_paused(api: Api, receiver: Receiver, scope: str) -> None:
    """An event is taken in, explained as paused by what, and arrives after the resume; what is not covered goes on."""
    receiver.keeps_requests = True
    app, other = await api.application(), await api.application(profile="bridge-api")
    await api.webhook(app, receiver.url, name="W")
    members = {"profile": {"profile": "standard"}, "application": {"application_id": app}}.get(scope, {})
    async with paused(api, scope=scope, reason="A drill.", **members):
        event = await api.publish(app, 1)
        line = await api.delivery_of(app, event, "pending")
        assert line["reason"] == "paused"
        words = {"all": "all sending", "profile": "by this profile", "application": "for this application"}[scope]
        assert words in line["sentence"]
        assert "A drill." in line["sentence"]
        deliveries = (await api("GET", f"/v1/applications/{app}/deliveries"))["data"]
        assert [one["reason"] for one in deliveries] == ["paused"]
        assert deliveries[0]["gives_up_at"] is None
        if scope != "all":
            async with Receiver() as elsewhere:
                elsewhere.keeps_requests = True
                webhook = await api.webhook(other, elsewhere.url, name="W", events=["item.created"], status="active")
                sample = f"/v1/applications/{other}/events/sample"
                await api("POST", sample, {"type": "item.created"}, status=202)
                assert webhook["status"] == "active"
                assert await elsewhere.wait_until(lambda: elsewhere.requests, ARRIVAL_S)
        assert receiver.requests == []
    await api.delivery_of(app, event, "succeeded")
    assert len(receiver.requests) == 1


async def test_a_round_that_had_begun_begins_anew(api: Api, receiver: Receiver) -> None:
    """What had failed once waits as paused, without an end; afterwards for its next attempt, with a whole window."""
    receiver.status = 500
    app = await api.application()
    await api.webhook(app, receiver.url)
    event = await api.publish(app, 1)
    delivery = (await api.delivery_of(app, event, "pending"))["delivery_id"]
    path = f"/v1/applications/{app}/deliveries/{delivery}"
    async with asyncio.timeout(ARRIVAL_S):
        while (await api("GET", path))["attempt_count"] == 0:
            await asyncio.sleep(0.01)
    before = await api("GET", path)
    assert before["gives_up_at"] is not None
    async with paused(api, scope="application", application_id=app):
        shown = await api("GET", path)
        assert (shown["reason"], shown["gives_up_at"]) == ("paused", None)
        assert shown["next_attempt_at"] == before["next_attempt_at"]
    after = await api("GET", path)
    assert (after["state"], after["gives_up_at"]) == ("pending", None)
    assert after["reason"] in ("due", "scheduled")


@pytest.mark.usefixtures("no_settings")
@pytest.mark.parametrize("flag", ["--application", "--profile", None])
async def test_the_commands_pause_and_resume(
    api: Api,
    receiver: Receiver,
    capsys: pytest.CaptureFixture[str],
    flag: str | None,
) -> None:
    """By the real command line, against the real server."""
    app = await api.application()
    await api.webhook(app, receiver.url)
    named = {"--application": ["--application", app], "--profile": ["--profile", "standard"]}.get(flag or "", [])
    server = ["--url", api.node.base_url, "--key", OPERATOR_KEY]

    async def hookspan(*words: str) -> tuple[int, str]:
        code = await asyncio.to_thread(run, [*words, *server])
        return code, capsys.readouterr().out

    code, said = await hookspan("pause", *named, "--reason", "A drill")
    assert (code, "is paused. Events are taken in and wait." in said) == (0, True)
    assert "is paused already, since" in (await hookspan("pause", *named))[1]
    assert "A drill" in (await hookspan("pauses"))[1]
    event = await api.publish(app, 1)
    assert (await api.delivery_of(app, event, "pending"))["reason"] == "paused"
    assert receiver.numbers[1] == 0
    code, said = await hookspan("resume", *named)
    assert (code, "goes on." in said) == (0, True)
    assert await receiver.wait_until(lambda: receiver.numbers[1], ARRIVAL_S)
    assert (await hookspan("resume", *named))[0] == 1
    assert await hookspan("pauses") == (0, "Nothing is paused.\n")


async def test_what_is_sent_by_hand_waits_too(api: Api, receiver: Receiver) -> None:
    """One event once more becomes a delivery that waits; a test can't wait, and is refused."""
    receiver.keeps_requests = True
    app = await api.application()
    webhook = await api.webhook(app, receiver.url)
    event = await api.publish(app, 1)
    await api.delivery_of(app, event, "succeeded")
    path = f"/v1/applications/{app}/webhooks/{webhook['id']}"
    async with paused(api, scope="application", application_id=app, reason="A drill."):
        sent = await api("POST", f"{path}/send", {"event_id": event}, status=202)
        assert sent["reason"] == "paused"
        problem = await api.refused("POST", f"{path}/test", {}, status=409, code="state_forbidden")
        assert "A drill." in problem["detail"]
        assert len(receiver.requests) == 1
    async with asyncio.timeout(ARRIVAL_S):
        delivery = f"/v1/applications/{app}/deliveries/{sent['id']}"
        while (await api("GET", delivery))["state"] != "succeeded":
            await asyncio.sleep(0.01)
    assert len(receiver.requests) == 2


async def test_a_replay_says_what_it_waits_for(api: Api, receiver: Receiver) -> None:
    """And goes on with the sending."""
    receiver.keeps_requests = True
    app = await api.application()
    webhook = await api.webhook(app, receiver.url)
    event = await api.publish(app, 1)
    await api.delivery_of(app, event, "succeeded")
    since = (await api("GET", f"/v1/applications/{app}/events/{event}"))["accepted_at"]
    async with paused(api, scope="application", application_id=app, reason="A drill."):
        path = f"/v1/applications/{app}/webhooks/{webhook['id']}/replay"
        job = await api("POST", path, {"since": since}, status=202)
        async with asyncio.timeout(ARRIVAL_S):
            while job["problem"] is None:
                job = await api("GET", f"/v1/jobs/{job['id']}")
        assert "A drill." in job["problem"]
    async with asyncio.timeout(ARRIVAL_S):
        while job["state"] != "succeeded":
            await asyncio.sleep(0.01)
            job = await api("GET", f"/v1/jobs/{job['id']}")
    assert job["problem"] is None


async def test_a_pause_goes_with_its_application(api: Api) -> None:
    """And is told nowhere any more."""
    app = await api.application()
    made = await api("POST", "/v1/pauses", {"scope": "application", "application_id": app}, status=201)
    await api("DELETE", f"/v1/applications/{app}", status=204)
    assert made["id"] not in await in_force(api)
    assert "hookspan_pauses_in_force 0.0" in (await api.client.get("/metrics")).text


async def test_the_metrics_count_those_in_force(api: Api) -> None:
    """As this node knows them."""
    before = (await api.client.get("/metrics")).text
    assert "hookspan_pauses_in_force 0.0" in before
    async with paused(api, scope="profile", profile="bridge-api"):
        assert "hookspan_pauses_in_force 1.0" in (await api.client.get("/metrics")).text
