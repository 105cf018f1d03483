"""The audit log as admins read it: a line for each change, and never a secret."""

import base64
import json
import re

import apsw
import msgspec
import pytest

from hookspan.domain.audit import Verifier
from hookspan.manage import _fitting, views
from hookspan.manage.audit import read_line
from tests.integration.api.conftest import Api, api_in

pytestmark = pytest.mark.anyio


async def log(api: Api, **query) -> list[dict]:
    """All lines, newest first."""
    found, cursor = [], None
    while True:
        more = {"limit": 500} | ({"cursor": cursor} if cursor else {})
        page = await api("GET", "/v1/audit", params=query | more)
        found += page["data"]
        cursor = page["next"]
        if cursor is None:
            return found


async def actions(api: Api, application: str) -> list[str]:
    """Oldest first."""
    return [one["action"] for one in await log(api, application_id=application)][::-1]


async def test_every_change_leaves_a_line(api, receiver):
    """Of applications, webhooks, secrets, tests, sendings, samples and deliveries, in their order."""
    app = await api.application()
    path = f"/v1/applications/{app}"
    await api("PATCH", path, {"name": "Other"})
    webhook = (await api.webhook(app, receiver.url))["id"]
    await api("PATCH", f"{path}/webhooks/{webhook}", {"name": "x", "rate": 5})
    await api("POST", f"{path}/webhooks/{webhook}/secret", status=201)
    await api("POST", f"{path}/webhooks/{webhook}/test")
    sample = await api("POST", f"{path}/events/sample", {"type": "order.paid"}, status=202)
    delivery = (await api.delivery_of(app, sample["id"], "succeeded"))["delivery_id"]
    await api("POST", f"{path}/webhooks/{webhook}/send", {"event_id": sample["id"]}, status=202)
    await api("POST", f"{path}/deliveries/{delivery}/retry")
    await api("DELETE", f"{path}/webhooks/{webhook}")
    await api("DELETE", path, status=204)
    assert await actions(api, app) == [
        "application.created", "application.changed", "webhook.created", "webhook.changed", "secret.rotated",
        "webhook.tested", "sample.published", "event.sent", "delivery.retried", "webhook.deleted",
        "application.deleted",
    ]  # fmt: skip


async def test_what_a_line_says(api, receiver):
    """Who, from where, by which request, and what changed from what to what."""
    app = await api.application()
    webhook = (await api.webhook(app, receiver.url, name="old", events=["a.*"]))["id"]
    path = f"/v1/applications/{app}/webhooks/{webhook}"
    response = await api.client.patch(path, json={"name": "new", "events": None, "status": "disabled", "rate": 2.5})
    [line, *_] = await log(api, application_id=app)
    assert line["actor"] == {"kind": "operator", "id": None, "name": "operator key", "role": "admin"}
    assert (line["action"], line["object"]) == ("webhook.changed", {"kind": "webhook", "id": webhook})
    assert (line["address"], line["application_id"]) == ("127.0.0.1", app)
    assert line["request_id"] == response.headers["x-request-id"]
    assert line["sequence"] == 3
    assert line["detail"] == {
        "events": {"from": ["a.*"], "to": None},
        "name": {"from": "old", "to": "new"},
        "rate": {"from": None, "to": 2.5},
        "resume": "keep",
        "status": {"from": "active", "to": "disabled"},
    }


async def test_what_changes_nothing_leaves_none(api, receiver):
    """Refusals, changes to what is there already, and reads."""
    app = await api.application(name="Same")
    webhook = (await api.webhook(app, receiver.url))["id"]
    path = f"/v1/applications/{app}"
    before = await actions(api, app)
    await api("PATCH", path, {"name": "Same"})
    await api("PATCH", path, {})
    await api("PATCH", f"{path}/webhooks/{webhook}", {"status": "active", "url": receiver.url})
    await api.refused("PATCH", f"{path}/webhooks/{webhook}", {"name": 7}, status=400, code="invalid_request")
    await api.refused(
        "DELETE", f"{path}/webhooks/{webhook}", headers={"if-match": '"9"'}, status=412, code="changed_meanwhile"
    )
    await api.refused("POST", "/v1/applications", {"name": "x", "id": app}, status=409, code="state_forbidden")
    await api("GET", path)
    assert await actions(api, app) == before


async def test_the_chains_are_whole(api, receiver):
    """As whoever reads them over the API can prove."""
    app = await api.application()
    for number in range(5):
        await api.webhook(app, receiver.url, name=f"n{number} ü\u2028")
    verifier = Verifier()
    for one in await log(api):
        line = read_line(msgspec.convert(one, views.AuditLine))
        assert line is not None
        verifier.take(line)
    chains = verifier.end()
    assert all(one.broken is None for one in chains)
    assert 6 in [one.head_sequence for one in chains if one.application == app]


async def test_a_chain_stays_when_its_application_goes(api):
    """Readable by the operator; the next application of that id begins a chain of its own."""
    for _ in range(2):
        await api("POST", "/v1/applications", {"name": "x", "id": "twice"}, status=201)
        await api("DELETE", "/v1/applications/twice", status=204)
    found = await log(api, application_id="twice")
    assert [one["sequence"] for one in found] == [2, 1, 2, 1]
    assert len({one["chain"] for one in found}) == 2


async def test_an_application_reads_nothing_of_its_predecessor(api):
    """Of the same id: its lines are somebody else's."""
    await api("POST", "/v1/applications", {"name": "first", "id": "heir"}, status=201)
    await api("DELETE", "/v1/applications/heir", status=204)
    await api("POST", "/v1/applications", {"name": "second", "id": "heir"}, status=201)
    body = {"name": "k", "scope": "application", "application_id": "heir"}
    asker = {"headers": {"authorization": f"Bearer {(await api('POST', '/v1/keys', body, status=201))['key']}"}}
    for query in ({}, {"application_id": "heir"}, {"action": "application.created"}):
        seen = (await api("GET", "/v1/audit", params=query, **asker))["data"]
        assert seen
        assert len({one["chain"] for one in seen}) == 1
        assert seen[-1]["detail"]["name"] == "second"


async def test_who_may_read(api):
    """Admins: an application's own its chain, the operator's all; nobody else."""
    app, other = await api.application(), await api.application()

    async def key(**members) -> dict:
        made = await api("POST", "/v1/keys", {"name": "k", **members}, status=201)
        return {"headers": {"authorization": f"Bearer {made['key']}"}}

    admin = await key(scope="application", application_id=app, role="admin")
    member = await key(scope="application", application_id=app, role="member")
    publisher = await key(scope="publisher")
    seen = (await api("GET", "/v1/audit", **admin))["data"]
    assert {one["application_id"] for one in seen} == {app}
    assert seen == (await api("GET", "/v1/audit", params={"application_id": app}, **admin))["data"]
    await api.refused("GET", "/v1/audit", params={"application_id": other}, status=404, code="not_found", **admin)
    await api.refused("GET", "/v1/audit", status=403, code="not_allowed", **member)
    await api.refused("GET", "/v1/audit", status=403, code="not_allowed", **publisher)
    assert {other, app} <= {one["application_id"] for one in await log(api)}


async def key(api: Api, **members) -> dict:
    made = await api("POST", "/v1/keys", {"name": "k", **members}, status=201)
    return {"headers": {"authorization": f"Bearer {made['key']}"}}


async def test_an_application_is_not_told_who_of_the_operator_s_did_it(api, receiver):
    """Neither name, id nor address; of its own people it is, and of what they did. Nor can it ask by an id."""
    app = await api.application()
    staff = await api("POST", "/v1/keys", {"name": "Olga's own", "scope": "operator"}, status=201)
    await api("PATCH", f"/v1/applications/{app}", {"name": "x"}, headers={"authorization": f"Bearer {staff['key']}"})
    own = await key(api, scope="application", application_id=app, role="admin")
    await api("POST", f"/v1/applications/{app}/webhooks", {"url": receiver.url}, status=201, **own)
    seen = (await api("GET", "/v1/audit", **own))["data"]
    assert [(one["action"], one["actor"]["kind"], one["actor"]["name"], one["address"]) for one in seen] == [
        ("webhook.created", "key", "k", "127.0.0.1"),
        ("key.created", "operator", "operator", None),
        ("application.changed", "operator", "operator", None),
        ("application.created", "operator", "operator", None),
    ]
    assert {one["actor"]["id"] for one in seen[1:]} == {None}
    whole = await log(api, application_id=app)
    assert [one["hash"] for one in whole] == [one["hash"] for one in seen]
    assert (whole[2]["actor"]["name"], whole[2]["address"]) == ("Olga's own", "127.0.0.1")
    query = {"actor": staff["id"]}
    assert len(await log(api, application_id=app, **query)) == 1
    assert (await api("GET", "/v1/audit", params=query, **own))["data"] == []


async def test_of_a_url_the_origin_is_kept(api, receiver):
    """The rest may be a secret, and a line stays for ever; that it is another one can be seen."""
    app = await api.application(notify=f"{receiver.url}/notify/SECRET")
    webhook = (await api.webhook(app, f"{receiver.url}/hook?token=SECRET1"))["id"]
    path = f"/v1/applications/{app}/webhooks/{webhook}"
    await api("PATCH", path, {"url": f"{receiver.url}/hook?token=SECRET2"})
    await api("PATCH", path, {"url": f"{receiver.url}/hook?token=SECRET1"})
    await api("PATCH", f"/v1/applications/{app}", {"notify": None})
    await api("DELETE", path)
    lines = await log(api, application_id=app)
    assert "SECRET" not in json.dumps(lines)
    deleted, silent, back, changed, created, _ = lines
    first, second = created["detail"]["url"], changed["detail"]["url"]["to"]
    for shown in (first, second, silent["detail"]["notify"]["from"]):
        assert re.fullmatch(rf"http://127\.0\.0\.1:{receiver.port} \([0-9a-f]{{12}}\)", shown)
    assert first != second
    assert silent["detail"]["notify"]["to"] is None
    assert changed["detail"]["url"] == {"from": first, "to": second}
    assert back["detail"]["url"] == {"from": second, "to": first}
    assert deleted["detail"]["url"] == first


async def test_a_line_is_bounded(api):
    """However long a name is: of the actor's the beginning is kept, of the key's its size and digest."""
    app = await api.application()
    long = "\U0001f600" * 10_000
    asker = await key(api, name=long, scope="application", application_id=app)
    await api("POST", "/v1/keys", {"name": "k", "scope": "application"}, status=201, **asker)
    [second, first, *_] = await log(api, application_id=app)
    assert second["actor"]["name"] == long[:200]
    assert set(first["detail"]["name"]) == {"bytes", "sha256"}


async def test_a_person_who_stays_the_same_leaves_no_line(api):
    """And a notice that was tried does."""
    app = await api.application(notify="http://127.0.0.1:9/x")
    ada = await api("POST", "/v1/people", {"name": "Ada", "role": "admin", "application_id": app}, status=201)
    await api("PATCH", f"/v1/people/{ada['id']}", {})
    await api("PATCH", f"/v1/people/{ada['id']}", {"name": "Ada", "role": "admin"})
    await api("POST", f"/v1/applications/{app}/notify/test")
    assert await actions(api, app) == ["application.created", "person.invited", "notify.tested"]


async def test_lists_have_so_many_bytes(api, monkeypatch):
    """Of large members fewer come in a page; none is lost."""
    monkeypatch.setattr(_fitting, "PAGE_BYTES_MAX", 2_000)
    app = await api.application()
    asker = await key(api, scope="application", application_id=app)
    for _ in range(4):
        await api("POST", "/v1/people", {"name": "p" * 900, "role": "member"}, status=201, **asker)
        await api("POST", "/v1/keys", {"name": "k" * 900, "scope": "application"}, status=201, **asker)
        await api.webhook(
            app, "https://example.com/", name="w" * 200, events=["x" * 100 + ".*"] * 1 + ["y" * 240 + ".z"]
        )
    for path, count in (("/v1/people", 4), ("/v1/keys", 5), (f"/v1/applications/{app}/webhooks", 4)):
        first = await api("GET", path, **asker)
        assert 0 < len(first["data"]) < count, path
        found, cursor = first["data"], first["next"]
        while cursor is not None:
            page = await api("GET", path, params={"cursor": cursor}, **asker)
            found, cursor = found + page["data"], page["next"]
        assert len({one["id"] for one in found}) == len(found) == count


async def test_filters_and_pages(api, receiver):
    """Each filter alone; a page at a time, in an order that lines which come meanwhile don't disturb."""
    app = await api.application()
    webhook = (await api.webhook(app, receiver.url))["id"]
    other = (await api.webhook(app, receiver.url))["id"]
    assert [one["action"] for one in await log(api, object=webhook)] == ["webhook.created"]
    assert [one["object"]["id"] for one in await log(api, application_id=app, action="webhook.created")] == [
        other,
        webhook,
    ]
    assert await log(api, application_id=app, actor="key_nobody") == []
    first = await api("GET", "/v1/audit", params={"application_id": app, "limit": 2})
    await api.webhook(app, receiver.url)
    rest = await api("GET", "/v1/audit", params={"application_id": app, "limit": 2, "cursor": first["next"]})
    assert [one["sequence"] for one in (*first["data"], *rest["data"])] == [3, 2, 1]
    assert rest["next"] is None
    at = first["data"][0]["at"]
    assert [one["at"] for one in await log(api, application_id=app, until=at) if one["at"] >= at] == []
    assert at in [one["at"] for one in await log(api, application_id=app, since=at)]
    await api.refused("GET", "/v1/audit", params={"cursor": first["next"]}, status=400, code="invalid_cursor")
    await api.refused("GET", "/v1/audit", params={"who": "x"}, status=400, code="unknown_field")


def canary(number: int) -> str:
    return base64.b64encode(f"canary-{number:04}-canary-canary-32b".encode()).decode()


async def test_no_secret_is_in_the_log(tmp_path, receiver):
    """Everything secret that can be given or made, planted by every call that takes it; neither the log nor what is
    kept of answers under idempotency keys has any of it, by text or by digest.
    """
    planted = [f"whsec_{canary(number)}" for number in range(3)] + [f"c4nary-{number}-header" for number in range(2)]
    async with api_in(tmp_path) as api:
        app = await api.application(metadata={"m": "c4nary-metadata"})
        path = f"/v1/applications/{app}"
        await api("PATCH", path, {"metadata": {"m": "c4nary-metadata-2"}})
        body = {
            "url": receiver.url,
            "credentials": {"secret": planted[0]},
            "headers": {"x-own": planted[3]},
            "also_sign": {"profile": "bridge-api"},
        }
        key = {"headers": {"idempotency-key": "one"}}
        made = await api("POST", f"{path}/webhooks", body, status=201, **key)
        planted.append(made["also_sign"]["secret"])
        plain = await api("POST", f"{path}/webhooks", {"url": receiver.url}, status=201)
        planted.append(plain["secret"])
        one = f"{path}/webhooks/{plain['id']}"
        await api("PATCH", one, {"credentials": {"secret": planted[1]}, "headers": {"x-own": planted[4]}})
        await api("POST", f"{one}/secret", {"secret": planted[2]}, status=201)
        rotated = await api("POST", f"{one}/secret", status=201, headers={"idempotency-key": "two"})
        planted.append(rotated["secret"])
        made = await api("POST", "/v1/keys", {"name": "k", "scope": "operator"}, status=201,
                         headers={"idempotency-key": "three"})  # fmt: skip
        planted.append(made["key"])
        session = await api("POST", f"{path}/portal-sessions", status=201, headers={"idempotency-key": "four"})
        planted.append(session["url"].rpartition("/")[2])
        shown = json.dumps(await log(api))
        planted += ["c4nary-metadata", planted[0].removeprefix("whsec_"), made["key"][-20:]]
        for text in planted:
            assert text not in shown
    database = apsw.Connection(str(tmp_path / "hookspan.db"))
    rows = [row for table in ("audit", "idempotency") for row in database.execute(f"select * from {table}")]
    database.close()
    assert len(rows) > 8
    kept = b"".join(str(one).encode() if not isinstance(one, bytes) else one for row in rows for one in row)
    for text in planted:
        assert text.encode() not in kept
        assert base64.b64encode(text.encode()) not in kept


async def test_an_action_that_there_is_not_is_refused_with_the_list(api):
    """A typo gives no empty answer that reads as "nobody did"."""
    query = {"params": {"action": "webhook.create"}}
    problem = await api.refused("GET", "/v1/audit", status=400, code="invalid_request", **query)
    assert problem["errors"][0]["pointer"] == "/action"
    assert "webhook.created" in problem["detail"]


async def test_a_status_is_told_as_the_api_tells_it(api):
    """A webhook that begins by catching up is active to whoever made it."""
    app = await api.application()
    for number in range(3):
        await api.publish(app, number)
    made = await api.webhook(app, "http://127.0.0.1:9/hook", event_epoch={"position": 0})
    (line,) = (await api("GET", "/v1/audit", params={"object": made["id"]}))["data"]
    assert (made["status"], line["detail"]["status"]) == ("active", "active")
