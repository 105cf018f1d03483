"""Idempotency-Key: one effect, the first answer again, and never a secret in what is kept."""

import asyncio
import re

import pytest

from hookspan.api._idempotency import SECRETS
from hookspan.cli import node
from hookspan.errors import Overloaded, StoreUnavailable
from hookspan.manage.idempotency import ANSWER_BYTES_MAX
from hookspan.store.sqlite import SqliteOptions, SqliteStore
from tests.integration.api.conftest import Api, api_in

pytestmark = pytest.mark.anyio


def under(key: str) -> dict:
    return {"headers": {"idempotency-key": key}}


async def count(api: Api, app: str, what: str = "webhooks") -> int:
    return len((await api("GET", f"/v1/applications/{app}/{what}", params={"limit": 500}))["data"])


async def test_the_first_answer_again(api, receiver):
    """Status, body and version; secrets are null, and the header says that it is a repetition."""
    app = await api.application()
    path, body = f"/v1/applications/{app}/webhooks", {"url": receiver.url, "also_sign": {"profile": "bridge-api"}}
    first = await api.client.post(path, json=body, **under("k1"))
    again = await api.client.post(path, json=body, **under("k1"))
    assert (first.status_code, again.status_code) == (201, 201)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    expected = first.json() | {"secret": None, "also_sign": first.json()["also_sign"] | {"secret": None}}
    assert first.json()["secret"]
    assert first.json()["also_sign"]["secret"]
    assert again.json() == expected
    assert await count(api, app) == 1
    lines = await api("GET", "/v1/audit", params={"application_id": app, "action": "webhook.created"})
    assert len(lines["data"]) == 1


async def test_another_request_is_refused(api, receiver):
    """Another body, by a byte; another path of the application; nothing is done."""
    app = await api.application()
    await api("POST", f"/v1/applications/{app}/webhooks", {"url": receiver.url}, status=201, **under("k2"))
    refused = {"status": 409, "code": "idempotency_conflict"}
    await api.refused(
        "POST", f"/v1/applications/{app}/webhooks", {"url": receiver.url, "name": "x"}, **refused, **under("k2")
    )
    await api.refused(
        "POST", f"/v1/applications/{app}/portal-sessions", {"url": receiver.url}, **refused, **under("k2")
    )
    await api.refused(
        "POST", f"/v1/applications/{app}/events", {"type": "a.b", "content": {}}, **refused, **under("k2")
    )
    assert (await count(api, app), await count(api, app, "events")) == (1, 0)


async def test_many_at_once_have_one_effect(api, receiver):
    """Fifty identical ones: one is done; the others get its answer, or hear that it is being done."""
    app = await api.application()
    path = f"/v1/applications/{app}/webhooks"
    answers = await asyncio.gather(
        *(api.client.post(path, json={"url": receiver.url}, **under("k3")) for _ in range(50))
    )
    fresh = [one for one in answers if one.status_code == 201 and "idempotency-replayed" not in one.headers]
    assert len(fresh) == 1
    for one in answers:
        if one.status_code == 201:
            assert one.json()["id"] == fresh[0].json()["id"]
        else:
            assert (one.status_code, one.json()["code"]) == (409, "idempotency_running")
            assert one.headers["retry-after"] == "1"
    assert await count(api, app) == 1


async def test_a_refusal_leaves_the_key_free(api, receiver):
    """It had no effect: what was wrong can be put right under the same key."""
    path = f"/v1/applications/{await api.application()}/webhooks"
    await api.refused("POST", path, {"url": "nonsense"}, status=400, code="invalid_url", **under("k4"))
    await api.refused("POST", path, {"nope": 1}, status=400, code="unknown_field", **under("k4"))
    await api("POST", path, {"url": receiver.url}, status=201, **under("k4"))


@pytest.mark.parametrize("key", [b"", b"x" * 256, b"\xc3\xbc", b"a\tb"])
async def test_a_wrong_key_is_refused(api, key):
    """1 to 255 printable ASCII characters, on every POST."""
    app = await api.application()
    for path, body in (("/v1/applications", {"name": "x"}), (f"/v1/applications/{app}/events", {"type": "a.b"})):
        response = await api.client.post(path, json=body, headers=[(b"idempotency-key", key)])
        assert (response.status_code, response.json()["code"]) == (400, "invalid_request")
        assert response.json()["errors"][0]["pointer"] == "/Idempotency-Key"


async def test_two_keys_are_refused(api):
    """Nobody knows which is meant."""
    headers = [(b"idempotency-key", b"a"), (b"idempotency-key", b"a")]
    response = await api.client.post("/v1/applications", json={"name": "x"}, headers=headers)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")


async def test_keys_are_their_callers_own(api):
    """Two callers use the same text for two things."""
    made = await api("POST", "/v1/keys", {"name": "k", "scope": "operator"}, status=201)
    theirs = {"authorization": f"Bearer {made['key']}", "idempotency-key": "k5"}
    one = await api("POST", "/v1/applications", {"name": "mine"}, status=201, **under("k5"))
    two = await api("POST", "/v1/applications", {"name": "theirs"}, status=201, headers=theirs)
    assert one["id"] != two["id"]


async def test_a_sign_in_takes_no_key(api):
    """Who has no name yet has none: it is as if it were not there."""
    for _ in range(2):
        await api.refused("POST", "/v1/sessions", {"link": "x"}, status=401, code="unauthenticated", **under("k"))


async def test_a_call_without_body_and_a_call_with_a_query(api, receiver):
    """The fingerprint has all of the request."""
    app = await api.application()
    webhook = (await api.webhook(app, receiver.url))["id"]
    path = f"/v1/applications/{app}/webhooks/{webhook}/secret"
    first = await api("POST", path, status=201, **under("k6"))
    again = await api("POST", path, status=201, **under("k6"))
    assert again == first | {"secret": None}
    await api.refused("POST", f"{path}?x=1", status=400, code="unknown_field", **under("k6"))


async def test_an_answer_in_doubt_leaves_the_key_taken(api, receiver, monkeypatch):
    """After a store that failed amid the work nobody knows: look, and use a new key."""
    path = f"/v1/applications/{await api.application()}/webhooks"
    kept = SqliteStore.create_webhook

    async def doubtful(self, *given):
        await kept(self, *given)
        raise StoreUnavailable("The disk does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "create_webhook", doubtful)
        await api.refused("POST", path, {"url": receiver.url}, status=503, code="store_unavailable", **under("k7"))
    problem = await api.refused(
        "POST", path, {"url": receiver.url}, status=409, code="idempotency_running", **under("k7")
    )
    assert "not known" in problem["detail"]
    assert "new key" in problem["detail"]


async def test_an_unforeseen_failure_leaves_the_key_taken(api, receiver, monkeypatch):
    """It may have come anywhere."""
    path = f"/v1/applications/{await api.application()}/webhooks"

    async def broken(_self, *_given):
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "create_webhook", broken)
        await api.refused("POST", path, {"url": receiver.url}, status=500, code="internal", **under("k8"))
    await api.refused("POST", path, {"url": receiver.url}, status=409, code="idempotency_running", **under("k8"))


async def test_no_room_leaves_the_key_free(api, receiver, monkeypatch):
    """503 overloaded says that nothing was done, so the same may be asked again."""
    path = f"/v1/applications/{await api.application()}/webhooks"

    async def full(_self, *_given):
        raise Overloaded("Too much waits to be stored.")

    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "create_webhook", full)
        await api.refused("POST", path, {"url": receiver.url}, status=503, code="overloaded", **under("k9"))
    await api("POST", path, {"url": receiver.url}, status=201, **under("k9"))


async def test_a_key_that_can_not_be_settled_does_not_cost_the_answer(api, monkeypatch):
    """What is done is answered; sent again, it is in doubt."""

    async def failing(_self, *_given, **_named):
        raise StoreUnavailable("The disk does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "finish_key", failing)
        await api("POST", "/v1/applications", {"name": "x"}, status=201, **under("k10"))
    await api.refused("POST", "/v1/applications", {"name": "x"}, status=409, code="idempotency_running", **under("k10"))


async def test_what_is_done_and_can_not_be_shown_is_in_doubt(api, receiver, monkeypatch):
    """A delivery that was sent is not told to be overloaded: that would ask for a second one."""
    app = await api.application()
    webhook = (await api.webhook(app, receiver.url, status="disabled"))["id"]
    event = await api.publish(app, 1)
    calls = 0
    read = SqliteStore.get_webhook

    async def full(self, webhook_id):
        nonlocal calls
        calls += 1
        if calls > 1:
            raise Overloaded("Too many queries wait for the store.")
        return await read(self, webhook_id)

    path = f"/v1/applications/{app}/webhooks/{webhook}/send"
    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "get_webhook", full)
        await api.refused("POST", path, {"event_id": event}, status=503, code="store_unavailable", **under("k11"))
    await api.refused("POST", path, {"event_id": event}, status=409, code="idempotency_running", **under("k11"))


async def test_an_answer_that_is_too_large_is_not_kept(api):
    """But that it was given is: nothing is done twice."""
    app = await api.application()
    events = [f"{'x' * 240}.n{number}" for number in range(ANSWER_BYTES_MAX // 240)]
    path, body = f"/v1/applications/{app}/webhooks", {"url": "https://example.com/x", "events": events}
    await api("POST", path, body, status=201, **under("k12"))
    problem = await api.refused("POST", path, body, status=409, code="idempotency_answer_gone", **under("k12"))
    assert problem["first_status"] == 201
    assert await count(api, app) == 1


async def key_of(api: Api, app: str, role: str = "admin", scope: str = "application") -> dict[str, str]:
    body = {"name": "k", "scope": scope, "role": role, "application_id": app}
    return {"authorization": f"Bearer {(await api('POST', '/v1/keys', body, status=201))['key']}"}


async def test_keys_die_with_their_application(api, receiver):
    """The next application of the same id is another one: what is asked of it is done, and never taken for done."""
    for turn in range(2):
        await api("POST", "/v1/applications", {"name": "x", "id": "acme"}, status=201)
        answers = [
            await api.client.post(f"/v1/applications/acme{path}", json=body, **under(f"again{path}"))
            for path, body in (
                ("/events", {"type": "a.b", "content": {}}),
                ("/webhooks", {"url": receiver.url}),
                ("/portal-sessions", {}),
            )
        ]
        for path, body in (
            ("/v1/keys", {"name": "k", "scope": "application", "application_id": "acme"}),
            ("/v1/people", {"name": "Ada", "role": "admin", "application_id": "acme"}),
        ):
            answers.append(await api.client.post(path, json=body, **under(f"again{path}")))
        assert [one.status_code for one in answers] == [202, 201, 201, 201, 201], turn
        assert not [one.text for one in answers if "idempotency-replayed" in one.headers], turn
        assert (await count(api, "acme"), await count(api, "acme", "events")) == (1, 1)
        await api("DELETE", "/v1/applications/acme", status=204)


async def test_two_keys_of_one_application_and_of_two(api, receiver):
    """The same text, path and body by two keys are two things, also of one tenant."""
    app, other = await api.application(), await api.application()
    body = {"name": "mine", "scope": "application"}
    made = []
    for asker in (await key_of(api, app), await key_of(api, app), await key_of(api, other)):
        response = await api.client.post("/v1/keys", json=body, headers=asker | {"idempotency-key": "same"})
        assert (response.status_code, "idempotency-replayed" in response.headers) == (201, False)
        made.append((response.json()["id"], response.json()["application_id"]))
    assert len(set(made)) == 3
    assert [one for _, one in made] == [app, app, other]


async def test_who_has_another_role_now_gets_no_answer_of_before(api):
    """An admin who became a member sees no more what admins were told; who is asked for anew is refused as ever."""
    app = await api.application()
    ada = await api("POST", "/v1/people", {"name": "Ada", "role": "admin", "application_id": app}, status=201)
    session = await api("POST", "/v1/sessions", {"link": ada["link"]}, status=201)
    asked = {"headers": {"authorization": f"Bearer {session['token']}", "idempotency-key": "q"}}
    body = {"name": "k", "scope": "application"}
    await api("POST", "/v1/keys", body, status=201, **asked)
    await api("PATCH", f"/v1/people/{ada['id']}", {"role": "member"})
    await api.refused("POST", "/v1/keys", body, status=409, code="idempotency_conflict", **asked)


async def test_what_came_of_a_test_is_kept_without_bodies(api, receiver):
    """What was sent and what came back may be large."""
    app = await api.application()
    path = f"/v1/applications/{app}/webhooks/{(await api.webhook(app, receiver.url))['id']}/test"
    first = await api("POST", path, **under("t1"))
    again = await api("POST", path, **under("t1"))
    assert first["request"]["body"]
    assert first["response"]["body"] is not None
    assert again == first | {
        "request": first["request"] | {"body": None},
        "response": first["response"] | {"body": None},
    }


async def test_full_is_refused(tmp_path, receiver, monkeypatch):
    """Beyond the bound no key is taken, of management's and of publishing's, each by itself; nothing is done; what was
    answered is answered again, and other applications are not touched.
    """
    options = SqliteOptions(keys_max=2, publish_keys_max=2)

    def bounded(settings, clock, ids):
        return SqliteStore(settings.database_path, clock=clock, ids=ids, options=options)

    monkeypatch.setattr(node, "store_of", bounded)
    async with api_in(tmp_path) as api:
        app, other = await api.application(), await api.application()
        webhooks, events = f"/v1/applications/{app}/webhooks", f"/v1/applications/{app}/events"
        event = {"type": "a.b", "content": {}}
        for key in ("a", "b"):
            await api("POST", webhooks, {"url": receiver.url}, status=201, **under(key))
            await api("POST", events, event, status=202, **under(f"p{key}"))
        for path, body, key in ((webhooks, {"url": receiver.url}, "c"), (events, event, "pc")):
            response = await api.client.post(path, json=body, **under(key))
            assert (response.status_code, response.json()["code"]) == (429, "rate_limited")
            assert response.headers["retry-after"] == "60"
        asker = await key_of(api, app)  # another key's are the application's too
        response = await api.client.post(webhooks, json={"url": receiver.url}, headers=asker | {"idempotency-key": "d"})
        assert response.status_code == 429
        assert (await count(api, app), await count(api, app, "events")) == (2, 2)
        await api("POST", webhooks, {"url": receiver.url}, status=201, **under("a"))
        await api("POST", events, event, status=202, **under("pa"))
        await api("POST", f"/v1/applications/{other}/webhooks", {"url": receiver.url}, status=201, **under("c"))
        await api("POST", events, event, status=202)


# --- publishing


async def test_a_publish_again_is_the_same_event(api):
    """Fifty at once and one later: one event, its id in every answer, no publisher_id of ours in sight."""
    app = await api.application()
    path, body = f"/v1/applications/{app}/events", {"type": "order.paid", "content": {"n": 1}}
    answers = await asyncio.gather(*(api.client.post(path, json=body, **under("p1")) for _ in range(50)))
    answers.append(await api.client.post(path, json=body, **under("p1")))
    assert {one.status_code for one in answers} == {202}
    assert {one.text for one in answers} == {answers[0].text}
    assert answers[0].json()["publisher_id"] is None
    assert sum("idempotency-replayed" in one.headers for one in answers) == 50
    [event] = (await api("GET", path))["data"]
    assert (event["id"], event["publisher_id"]) == (answers[0].json()["id"], None)


async def test_a_batch_again_is_the_same(api):
    """Ids, duplicates, conflicts and refusals, each in its place; another batch is kept in no part."""
    app = await api.application()
    path = f"/v1/applications/{app}/events"
    await api("POST", path, {"type": "a.b", "content": {}, "publisher_id": "taken"}, status=202)
    batch = [
        {"type": "a.b", "content": {"n": 1}},
        {"type": "no type", "content": {}},
        {"type": "a.b", "content": {"n": 2}, "publisher_id": "own"},
        {"type": "a.b", "content": {"other": 1}, "publisher_id": "taken"},
        {"type": "a.b", "content": {}, "publisher_id": "taken"},
    ]
    first = (await api("POST", path, batch, status=202, **under("p2")))["data"]
    again = (await api("POST", path, batch, status=202, **under("p2")))["data"]
    assert [one.get("id") for one in again] == [one.get("id") for one in first]
    assert [one.get("error", {}).get("code") for one in again] == [
        None, "unknown_event_type", None, "event_id_conflict", None,
    ]  # fmt: skip
    longer = [*batch, {"type": "a.b", "content": {}, "publisher_id": "more"}]
    await api.refused("POST", path, longer, status=409, code="idempotency_conflict", **under("p2"))
    assert await count(api, app, "events") == 3


async def test_a_publish_that_is_refused_leaves_the_key_free(api):
    """A body that is wrong, a conflict of the publisher's own id, a batch of which nothing is kept."""
    app = await api.application()
    path = f"/v1/applications/{app}/events"
    await api("POST", path, {"type": "a.b", "content": {}, "publisher_id": "taken"}, status=202)
    conflict = {"type": "a.b", "content": {"x": 1}, "publisher_id": "taken"}
    await api.refused("POST", path, "{", status=400, code="invalid_json", **under("p3"))
    await api.refused("POST", path, conflict, status=409, code="event_id_conflict", **under("p3"))
    await api("POST", path, [conflict, {"type": "no type", "content": {}}], status=202, **under("p3"))
    await api("POST", path, [{"type": "no type", "content": {}}], status=202, **under("p3"))
    await api("POST", path, {"type": "a.b", "content": {}}, status=202, **under("p3"))
    await api.refused(
        "POST", path, {"type": "a.b", "content": {"x": 1}}, status=409, code="idempotency_conflict", **under("p3")
    )


async def test_the_longest_batch_is_kept_under_a_key(api):
    """A thousand events, and their thousand ids again."""
    app = await api.application()
    batch = [{"type": "a.b", "content": {"n": number}} for number in range(1_000)]
    path = f"/v1/applications/{app}/events"
    first = await api("POST", path, batch, status=202, **under("p4"))
    assert await api("POST", path, batch, status=202, **under("p4")) == first


async def test_keys_outlive_a_restart(tmp_path, receiver):
    """Management's and publishing's."""
    key = "0" * 43 + "="
    event = {"type": "a.b", "content": {}}
    async with api_in(tmp_path, encryption_key=key) as api:
        app = await api("POST", "/v1/applications", {"name": "x"}, status=201, **under("r1"))
        kept = await api("POST", f"/v1/applications/{app['id']}/events", event, status=202, **under("r2"))
    async with api_in(tmp_path, encryption_key=key) as api:
        assert await api("POST", "/v1/applications", {"name": "x"}, status=201, **under("r1")) == app
        assert await api("POST", f"/v1/applications/{app['id']}/events", event, status=202, **under("r2")) == kept
        assert await api.applications() == {app["id"]}


# --- secrets in answers

_SECRET = re.compile(r"secret|key|token|password|link|url|credential")
# Members whose names sound so, and that may be kept.
_SHOWN = {
    "public_key", "secret_previous_until", "credentials", "link_expires_at", "previous_until",
    "create_webhook:url", "test_webhook:request.url", "test_notify:url", "create_application:notify",
}  # fmt: skip


def members(shapes: dict, schema: dict, at: str = "", depth: int = 0) -> list[str]:
    """The paths of all members of a shape, as deep as it goes."""
    if depth > 4:
        return []
    if "$ref" in schema:
        return members(shapes, shapes[schema["$ref"].rpartition("/")[2]], at, depth)
    found = [path for one in schema.get("anyOf", ()) for path in members(shapes, one, at, depth + 1)]
    for name, inner in schema.get("properties", {}).items():
        path = f"{at}.{name}".lstrip(".")
        found += [path, *members(shapes, inner, path, depth + 1)]
    return found


def answers_of_posts(document: dict) -> list[tuple[str, str]]:
    """Each operation that takes a key, with each member of its answer."""
    shapes = document["components"]["schemas"]
    posts = [item["post"] for path, item in document["paths"].items() if path.startswith("/v1/") and "post" in item]
    return [
        (post["operationId"], member)
        for post in posts
        if any(one["name"] == "Idempotency-Key" for one in post["parameters"])
        for status, response in post["responses"].items()
        if status.startswith("2")
        for member in members(shapes, response.get("content", {}).get("application/json", {}).get("schema", {}))
    ]


async def test_every_secret_in_an_answer_is_known(api):
    """A member of a POST's answer that sounds like a secret is nulled in what is kept, or is named here as none."""
    seen = set()
    for operation, member in answers_of_posts(await api("GET", "/openapi.json")):
        last = member.rpartition(".")[2]
        if _SECRET.search(last) and last not in _SHOWN and f"{operation}:{member}" not in _SHOWN:
            assert member in SECRETS.get(operation, ()), f"{operation}: {member}"
            seen.add((operation, member))
    assert seen == {(operation, member) for operation, paths in SECRETS.items() for member in paths}
