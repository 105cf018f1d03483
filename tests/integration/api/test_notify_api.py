"""Notices over HTTP: tried, signed, shown; the secret is for admins."""

import asyncio

import pytest
from standardwebhooks import Webhook as Verifier

pytestmark = pytest.mark.anyio

NOTIFY = {"url", "secret", "notices"}
TEST = {"id", "url", "is_accepted", "started_at", "duration_ms", "error", "response"}
NOTICE = {
    "id", "type", "created_at", "attempts", "next_attempt_at", "finished_at", "outcome", "problem", "data",
}  # fmt: skip
DATA = {"application_id", "webhook", "status", "status_reason", "failing_since", "last_attempt", "sentence"}


async def test_a_try_arrives_and_is_verified(api, receiver):
    """By the official library, with the secret that is shown; what came back is the answer."""
    receiver.keeps_requests = True
    app = await api.application(notify=receiver.url)
    shown = await api("GET", f"/v1/applications/{app}/notify")
    assert set(shown) == NOTIFY
    assert (shown["url"], shown["notices"]) == (receiver.url, [])
    tried = await api("POST", f"/v1/applications/{app}/notify/test")
    assert set(tried) == TEST
    assert (tried["is_accepted"], tried["error"], tried["response"]["status"]) == (True, None, 200)
    [(headers, body)] = receiver.requests
    verified = Verifier(shown["secret"]).verify(body, {name.decode(): one.decode() for name, one in headers.items()})
    assert verified["type"] == "notify.test"
    assert verified["data"]["application_id"] == app
    assert headers[b"webhook-id"].decode() == tried["id"]


async def test_what_went_wrong_is_shown(api, receiver):
    """A refusal, and nobody there."""
    receiver.status = 500
    app = await api.application(notify=receiver.url)
    tried = await api("POST", f"/v1/applications/{app}/notify/test", {})
    assert (tried["is_accepted"], tried["response"]["status"]) == (False, 500)
    nobody = await api.application(notify="http://127.0.0.1:9/notify")
    tried = await api("POST", f"/v1/applications/{nobody}/notify/test")
    assert (tried["response"], tried["error"]["code"]) == (None, "connect_refused")


async def test_where_the_profile_asks_for_https_nothing_goes_without(api, receiver):
    """Also to a URL that was saved while another profile was in force."""
    app = await api.application(notify=receiver.url)
    await api("PATCH", f"/v1/applications/{app}", {"profile": "bridge-xyz"})
    tried = await api("POST", f"/v1/applications/{app}/notify/test")
    assert (tried["is_accepted"], tried["response"]) == (False, None)
    assert "https" in tried["error"]["message"].lower()
    assert receiver.requests == []


async def test_without_a_url_there_is_nothing_to_try(api):
    """It says what to do."""
    app = await api.application()
    assert (await api("GET", f"/v1/applications/{app}/notify"))["url"] is None
    problem = await api.refused("POST", f"/v1/applications/{app}/notify/test", status=409, code="state_forbidden")
    assert "PATCH" in problem["detail"]
    await api("PATCH", f"/v1/applications/{app}", {"notify": "http://127.0.0.1:9/x"})
    assert (await api("GET", f"/v1/applications/{app}/notify"))["url"] == "http://127.0.0.1:9/x"


async def test_the_secret_is_each_application_s_own_and_stays(api):
    """It does not depend on the URL, and is the same tomorrow."""
    one, other = await api.application(), await api.application()
    secrets = [(await api("GET", f"/v1/applications/{app}/notify"))["secret"] for app in (one, other, one)]
    assert secrets[0] == secrets[2] != secrets[1]
    assert all(secret.startswith("whsec_") for secret in secrets)


async def test_a_webhook_that_is_gone_is_told(api, receiver):
    """From the 410 to the notice in the list."""
    receiver.keeps_requests = True
    receiver.status = 410
    app = await api.application(notify=f"http://127.0.0.1:{receiver.port}/people")
    webhook = await api.webhook(app, receiver.url, name="Orders")
    await api.delivery_of(app, await api.publish(app, 1), "failed")
    await api.node.engine.disabler.turn()
    async with asyncio.timeout(10):
        while not (found := (await api("GET", f"/v1/applications/{app}/notify"))["notices"]):
            api.node.engine.notice_finder.wake.set()
    assert set(found[0]) == NOTICE
    assert found[0]["type"] == "webhook.disabled"
    assert set(found[0]["data"]) == DATA
    assert found[0]["data"]["webhook"] == {
        "id": webhook["id"],
        "name": "Orders",
        "url": f"http://127.0.0.1:{receiver.port}",
    }
    assert found[0]["data"]["status_reason"] == "gone"
    assert await receiver.wait_until(lambda: len(receiver.requests) == 2, 10)
    secret = (await api("GET", f"/v1/applications/{app}/notify"))["secret"]
    headers, body = receiver.requests[-1]
    told = Verifier(secret).verify(body, {name.decode(): one.decode() for name, one in headers.items()})
    assert told["data"] == found[0]["data"]


async def test_an_address_that_is_never_sent_to_is_refused_when_it_is_saved(api):
    """A notice is no way into a private network."""
    problem = await api.refused(
        "POST",
        "/v1/applications",
        {"name": "Acme", "notify": "http://10.0.0.1/x"},
        status=400,
        code="blocked_destination",
    )
    assert problem["errors"][0]["pointer"] == "/notify"


async def test_what_is_not_there(api):
    """No application."""
    await api.refused("GET", "/v1/applications/app_x/notify", status=404, code="not_found")
    await api.refused("POST", "/v1/applications/app_x/notify/test", status=404, code="not_found")


@pytest.mark.parametrize("who", ["key", "portal"])
async def test_an_application_s_admin_says_where_notices_go(api, receiver, who):
    """By PATCH of the application with `notify` alone: they are told by this that it is their own to mend. Anything
    beside it is the operator's, and so are mail addresses.
    """
    app = await api.application()
    path = f"/v1/applications/{app}"
    if who == "key":
        key = {"name": "k", "scope": "application", "application_id": app}
        token = (await api("POST", "/v1/keys", key, status=201))["key"]
    else:
        token = (await api("POST", f"{path}/portal-sessions", status=201))["url"].rpartition("/")[2]
    sent = {"headers": {"authorization": f"Bearer {token}"}}
    problem = await api.refused("POST", f"{path}/notify/test", status=409, code="state_forbidden", **sent)
    assert "as its admin may too" in problem["detail"]
    assert (await api("PATCH", path, {"notify": receiver.url}, **sent))["notify"] == receiver.url
    assert (await api("POST", f"{path}/notify/test", **sent))["is_accepted"]
    assert (await api("PATCH", path, {"notify": None}, **sent))["notify"] is None
    for body in ({"notify": receiver.url, "name": "x"}, {"name": "x"}, {}, {"notify": "mailto:a@example.com"}):
        problem = await api.refused("PATCH", path, body, status=403, code="not_allowed", **sent)
        assert "The operator's admins may" in problem["detail"]
    support = {"name": "k", "scope": "application", "application_id": app, "role": "support"}
    sent = {"headers": {"authorization": f"Bearer {(await api('POST', '/v1/keys', support, status=201))['key']}"}}
    for body in ({"notify": None}, {"notify": receiver.url}):
        problem = await api.refused("PATCH", path, body, status=403, code="not_allowed", **sent)
        assert "Admins may change where notices go" in problem["detail"]
    assert (await api("GET", path))["notify"] is None
