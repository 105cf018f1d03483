"""Webhooks over HTTP: their life, their rules, and what must be sent again."""

import base64
import hashlib
import hmac

import pytest

from tests.integration.api.conftest import api_in

pytestmark = pytest.mark.anyio

WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def test_an_event_reaches_the_webhook(api, receiver):
    """Create, publish, delivered: the whole way over real sockets."""
    app = await api.application()
    await api.webhook(app, receiver.url, concurrency=128)
    event = await api.publish(app, 17)
    assert await receiver.wait_until(lambda: receiver.numbers[17], 10)
    assert (await api.delivery_of(app, event, "succeeded"))["sentence"].startswith("Delivered at ")


async def test_what_is_given_is_kept(api, receiver):
    """Every member, and the secret that was given is not shown."""
    app = await api.application()
    given = {
        "url": receiver.url,
        "name": "Täst <script>",
        "events": ["order.*", "item.created"],
        "status": "disabled",
        "order": "fifo",
        "rate": 12.5,
        "concurrency": 3,
        "event_epoch": "beginning_of_time",
    }
    webhook = await api(
        "POST",
        f"/v1/applications/{app}/webhooks",
        {**given, "credentials": {"secret": WHSEC}, "headers": {"X-Tenant": "acme"}},
        status=201,
    )
    assert {name: webhook[name] for name in given} == given
    assert "secret" not in webhook
    assert webhook["headers"] == {"X-Tenant": None}
    assert webhook["status_reason"] == "created"
    assert (webhook["version"], webhook["position"], webhook["public_key"]) == (1, 0, None)
    assert WHSEC not in str(await api("GET", f"/v1/applications/{app}/webhooks"))


async def test_custom_headers_are_sent(api, receiver):
    """With every request, and masked where requests are shown."""
    receiver.keeps_requests = True
    app = await api.application()
    webhook = await api.webhook(app, receiver.url, headers={"X-Tenant": "s3cret-value"})
    event = await api.publish(app, 1)
    await api.delivery_of(app, event, "succeeded")
    assert receiver.requests[0][0][b"x-tenant"] == b"s3cret-value"
    logs = await api("GET", f"/v1/applications/{app}/webhooks/{webhook['id']}/logs")
    assert "s3cret-value" not in str(logs)


async def test_a_given_secret_signs(api, receiver):
    """A platform that moves to Hookspan keeps its receivers' secrets."""
    receiver.keeps_requests = True
    app = await api.application()
    await api.webhook(app, receiver.url, credentials={"secret": WHSEC})
    await api.delivery_of(app, await api.publish(app, 1), "succeeded")
    headers, body = receiver.requests[0]
    signed = headers[b"webhook-id"] + b"." + headers[b"webhook-timestamp"] + b"." + body
    key = base64.b64decode(WHSEC.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
    assert b"v1," + expected in headers[b"webhook-signature"].split(b" ")


async def test_off_and_on_again_keeps_what_came(api, receiver):
    """While it is off events wait; `keep` is the default."""
    app = await api.application()
    webhook = await api.webhook(app, receiver.url)
    path = f"/v1/applications/{app}/webhooks/{webhook['id']}"
    off = await api("PATCH", path, {"status": "disabled"})
    assert (off["status"], off["status_reason"]) == ("disabled", "person")
    event = await api.publish(app, 1)
    line = (await api("GET", f"/v1/applications/{app}/events/{event}"))["webhooks"][0]
    assert (line["delivery_id"], line["state"], line["reason"]) == (None, None, "webhook_disabled")
    on = await api("PATCH", path, {"status": "active"})
    assert (on["status"], on["status_reason"]) == ("active", None)
    assert await receiver.wait_until(lambda: receiver.numbers[1] == 1, 10)
    assert (await api("GET", path))["version"] > off["version"]


async def test_off_and_on_again_can_skip_what_came(api, receiver):
    """What came meanwhile is left out, and says so."""
    app = await api.application()
    webhook = await api.webhook(app, receiver.url)
    path = f"/v1/applications/{app}/webhooks/{webhook['id']}"
    await api("PATCH", path, {"status": "disabled"})
    skipped = await api.publish(app, 1)
    await api("PATCH", path, {"status": "active", "resume": "skip"})
    await api.delivery_of(app, await api.publish(app, 2), "succeeded")
    assert receiver.numbers == {2: 1}
    line = (await api("GET", f"/v1/applications/{app}/events/{skipped}"))["webhooks"][0]
    assert line["delivery_id"] is None
    assert "without what had waited" in line["sentence"]


async def test_a_webhook_may_begin_at_the_beginning(api, receiver):
    """Or after a position; events from before now are delivered in order."""
    app = await api.application()
    for number in range(4):
        await api.publish(app, number)
    await api.webhook(app, receiver.url, event_epoch={"position": 2}, order="fifo")
    assert await receiver.wait_until(lambda: receiver.numbers.total() == 2, 10)
    assert list(receiver.numbers) == [2, 3]
    await api.webhook(app, receiver.url, event_epoch="beginning_of_time")
    assert await receiver.wait_until(lambda: receiver.numbers.total() == 6, 10)


async def test_members_change_and_the_version_grows(api, receiver):
    """Null gives back the default where a member may be null."""
    app = await api.application()
    webhook = await api.webhook(app, receiver.url, name="a", rate=5, events=["a.b"])
    path = f"/v1/applications/{app}/webhooks/{webhook['id']}"
    change = {"name": None, "rate": None, "events": None, "concurrency": 2, "order": "fifo", "headers": {"X-A": "1"}}
    changed = await api("PATCH", path, change)
    assert {name: changed[name] for name in change} == {**change, "headers": {"X-A": None}}
    assert changed["version"] == webhook["version"] + 1
    assert (await api("PATCH", path, {"headers": {}}))["headers"] == {}


async def test_concurrent_edits_are_noticed(api, receiver):
    """If-Match with an old version is 412 and changes nothing; with the present one it passes."""
    app = await api.application()
    webhook = await api.webhook(app, receiver.url)
    path = f"/v1/applications/{app}/webhooks/{webhook['id']}"
    read = await api.client.get(path)
    assert read.headers["etag"] == '"1"'
    await api("PATCH", path, {"name": "first"}, headers={"if-match": read.headers["etag"]})
    for body in ({"name": "second"}, {"status": "disabled"}, {"name": "x", "status": "disabled"}, {}):
        problem = await api.refused(
            "PATCH", path, body, status=412, code="changed_meanwhile", headers={"if-match": '"1"'}
        )
        assert problem["version"] == 2
    await api.refused("DELETE", path, status=412, code="changed_meanwhile", headers={"if-match": '"1"'})
    now = await api("GET", path)
    assert (now["name"], now["status"], now["version"]) == ("first", "active", 2)
    await api("PATCH", path, {"name": "x", "status": "disabled"}, headers={"if-match": "2"})
    await api("DELETE", path, headers={"if-match": "*"})


@pytest.mark.parametrize("version", ["", '"', "abc", '"1", "2"', "-1", "1.0"])
async def test_a_wrong_if_match_is_refused(api, receiver, version):
    """It is never taken for "any version"."""
    app = await api.application()
    webhook = await api.webhook(app, receiver.url)
    path = f"/v1/applications/{app}/webhooks/{webhook['id']}"
    await api.refused("PATCH", path, {}, status=400, code="invalid_request", headers={"if-match": version})


async def test_deleted_is_shown_once(api, receiver):
    """With status deleted, then it is not found; nothing is sent to it any more."""
    app = await api.application()
    webhook = await api.webhook(app, receiver.url)
    path = f"/v1/applications/{app}/webhooks/{webhook['id']}"
    deleted = await api("DELETE", path)
    assert deleted["status"] == "deleted"
    assert deleted["id"] == webhook["id"]
    for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
        await api.refused(method, path, body, status=404, code="not_found")
    await api.publish(app, 1)
    assert (await api("GET", f"/v1/applications/{app}/deliveries"))["data"] == []
    assert (await api("GET", f"/v1/applications/{app}/webhooks"))["data"] == []


async def test_ids_of_another_application_are_not_found(api, receiver):
    """In the same words as ids that never were."""
    mine, other = await api.application(), await api.application()
    webhook = await api.webhook(other, receiver.url)
    path = f"/v1/applications/{mine}/webhooks/"
    wrong = webhook["id"][:-1] + ("a" if webhook["id"][-1] != "a" else "b")
    texts = set()
    for ident in (webhook["id"], wrong, "whk_", "x", "wh%00", "whk_" + "1" * 23, "é" * 27, "%F0%9F%98%80"):
        for tail in ("", "/logs", "/deliveries"):
            problem = await api.refused("GET", path + ident + tail, status=404, code="not_found")
            texts.add(problem["detail"].partition("'")[0])
    assert texts == {"There is no webhook "}


async def test_credentials_must_come_again_with_a_new_origin(api, receiver):
    """Custom headers may hold secrets: they don't follow the URL to another host by themselves. Signing keys do."""
    app = await api.application()
    webhook = await api.webhook(app, receiver.url, headers={"X-Token": "t"})
    path = f"/v1/applications/{app}/webhooks/{webhook['id']}"
    elsewhere = "http://127.0.0.2:9000/hook"
    problem = await api.refused("PATCH", path, {"url": elsewhere}, status=400, code="credentials_needed_again")
    assert problem["errors"][0]["pointer"] == "/headers"
    await api("PATCH", path, {"url": receiver.url + "/other-path"})
    moved = await api("PATCH", path, {"url": elsewhere, "headers": {"X-Token": "t"}})
    assert moved["url"] == elsewhere
    plain = await api.webhook(app, receiver.url)
    await api("PATCH", f"/v1/applications/{app}/webhooks/{plain['id']}", {"url": elsewhere})


async def test_a_secret_can_be_replaced_but_not_removed(api, receiver):
    """Without one nothing could be signed."""
    app = await api.application()
    webhook = await api.webhook(app, receiver.url)
    path = f"/v1/applications/{app}/webhooks/{webhook['id']}"
    changed = await api("PATCH", path, {"credentials": {"secret": WHSEC}})
    assert list(changed["credentials"]) == ["secret"]
    problem = await api.refused("PATCH", path, {"credentials": {"secret": None}}, status=400, code="invalid_credential")
    assert problem["errors"][0]["pointer"] == "/credentials/secret"


async def test_the_profile_has_its_say(api, receiver):
    """bridge-api: ten webhooks, types must be named, the secret is a UUID and shown once."""
    app = await api.application(profile="bridge-api")
    path = f"/v1/applications/{app}/webhooks"
    problem = await api.refused("POST", path, {"url": receiver.url}, status=400, code="invalid_request")
    assert problem["errors"][0]["pointer"] == "/events"
    for _ in range(10):
        made = await api.webhook(app, receiver.url, events=["item.created"])
        assert len(made["secret"]) == 36
    problem = await api.refused("POST", path, {"url": receiver.url, "events": []}, status=409, code="webhook_limit")
    assert problem["limit"] == 10


async def test_pages_of_webhooks(api, receiver):
    """Newest first, each once."""
    app = await api.application()
    ids = [(await api.webhook(app, receiver.url))["id"] for _ in range(5)]
    path = f"/v1/applications/{app}/webhooks"
    first = await api("GET", path, params={"limit": 3})
    second = await api("GET", path, params={"limit": 3, "cursor": first["next"]})
    assert [one["id"] for one in first["data"] + second["data"]] == ids[::-1]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"url": None}, "invalid_request", "/url"),
        ({"url": 17}, "invalid_request", "/url"),
        ({"url": ""}, "invalid_request", "/url"),
        ({"url": "not a url"}, "invalid_url", "/url"),
        ({"url": "https://user:pass@example.com/"}, "invalid_url", "/url"),
        ({"url": "https://example.com/#fragment"}, "invalid_url", "/url"),
        ({"url": "https://localhost/"}, None, "/url"),
        ({"url": "http://10.0.0.1/hook"}, "blocked_destination", "/url"),
        ({"url": "https://169.254.169.254/latest"}, "blocked_destination", "/url"),
        ({"url": "https://[::1]/"}, "blocked_destination", "/url"),
        ({"url": "https://example.com/" + "x" * 2_048}, "invalid_request", "/url"),
        ({"name": ""}, "invalid_request", "/name"),
        ({"name": "a\x00"}, "invalid_request", "/name"),
        ({"events": "order.paid"}, "invalid_request", "/events"),
        ({"events": ["order.paid", 1]}, "invalid_request", "/events/1"),
        ({"events": ["order.paid", "no spaces"]}, "unknown_event_type", "/events/1"),
        ({"events": ["a.b"] * 1_001}, "invalid_request", "/events"),
        ({"status": "deleted"}, "invalid_request", "/status"),
        ({"status": None}, "invalid_request", "/status"),
        ({"order": "lifo"}, "invalid_request", "/order"),
        ({"rate": 0}, "invalid_request", "/rate"),
        ({"rate": -1}, "invalid_request", "/rate"),
        ({"rate": "5"}, "invalid_request", "/rate"),
        ({"concurrency": 0}, "invalid_request", "/concurrency"),
        ({"concurrency": 1_001}, "invalid_request", "/concurrency"),
        ({"concurrency": 1.5}, "invalid_request", "/concurrency"),
        ({"concurrency": None}, "invalid_request", "/concurrency"),
        ({"headers": {"Host": "x"}}, "invalid_request", "/headers/Host"),
        ({"headers": {"X-A": "a\r\nX-B: c"}}, "invalid_request", "/headers/X-A"),
        ({"headers": {"X-A": "a\n"}}, "invalid_request", "/headers/X-A"),
        ({"headers": {"X A": "a"}}, "invalid_request", "/headers/X A"),
        ({"headers": {f"X-{n}": "a" for n in range(21)}}, "invalid_request", "/headers"),
        ({"credentials": {"password": "x"}}, "unknown_field", "/credentials/password"),
        ({"credentials": {"secret": "short"}}, "invalid_credential", "/credentials/secret"),
        ({"credentials": {"token": "t"}}, "unknown_field", "/credentials/token"),
        ({"secret": "x"}, "unknown_field", "/secret"),
        ({"evnets": []}, "unknown_field", "/evnets"),
    ],
)
async def test_a_wrong_member_is_refused_with_its_place(api, receiver, change, code, pointer):
    """At creation and at change alike; nothing is made, nothing is changed."""
    app = await api.application()
    path = f"/v1/applications/{app}/webhooks"
    kept = await api.webhook(app, receiver.url)
    before = await api("GET", f"{path}/{kept['id']}")
    for method, where, body in (
        ("POST", path, {"url": receiver.url, **change}),
        ("PATCH", f"{path}/{kept['id']}", {"name": "changed", **change}),
    ):
        response = await api.client.request(method, where, json=body)
        problem = response.json()
        assert response.status_code == 400, response.text
        assert code is None or problem["code"] == code
        assert problem["errors"][0]["pointer"] == pointer
    assert (await api("GET", path))["data"] == [before]


async def test_resume_goes_with_active_only(api, receiver):
    """Alone it would do nothing, silently."""
    app = await api.application()
    webhook = await api.webhook(app, receiver.url)
    path = f"/v1/applications/{app}/webhooks/{webhook['id']}"
    for body in ({"resume": "skip"}, {"resume": "keep", "status": "disabled"}):
        problem = await api.refused("PATCH", path, body, status=400, code="invalid_request")
        assert problem["errors"][0]["pointer"] == "/resume"


@pytest.mark.parametrize("epoch", ["yesterday", {"position": -1}, {"position": 1}, {"at": 1}, {}, None, 0])
async def test_a_wrong_epoch_is_refused(api, receiver, epoch):
    """Also a position that no event has yet."""
    app = await api.application()
    response = await api.client.post(
        f"/v1/applications/{app}/webhooks", json={"url": receiver.url, "event_epoch": epoch}
    )
    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"].startswith("/event_epoch")


async def test_http_needs_the_operators_word(tmp_path, receiver):
    """Without HOOKSPAN_EGRESS_ALLOW_HTTP a plain URL is refused by name."""
    async with api_in(tmp_path, egress_allow_http=False) as api:
        app = await api.application()
        path = f"/v1/applications/{app}/webhooks"
        problem = await api.refused("POST", path, {"url": receiver.url}, status=400, code="https_required")
        assert problem["errors"][0]["pointer"] == "/url"


async def test_our_own_address_is_never_a_receiver(api):
    """Even when the operator allows loopback: events must not go round in circles."""
    app = await api.application()
    body = {"url": f"{api.node.base_url}/v1/applications/{app}/events"}
    await api.refused("POST", f"/v1/applications/{app}/webhooks", body, status=400, code="blocked_destination")
