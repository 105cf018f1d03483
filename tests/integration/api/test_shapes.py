"""Each public shape has exactly the members that are documented: nothing missing, nothing more."""

import re

import pytest

pytestmark = pytest.mark.anyio

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
APPLICATION = {
    "id", "name", "profile", "uuid", "settings", "metadata", "notify", "last_position", "paused", "created_at",
    "updated_at",
}  # fmt: skip
WEBHOOK = {
    "id", "application_id", "name", "url", "status", "status_reason", "events", "secret_previous_until", "public_key",
    "credentials", "order", "rate", "concurrency", "headers", "also_sign", "event_epoch", "position", "version",
    "created_at", "updated_at", "health",
}  # fmt: skip
HEALTH = {"state", "since", "success_rate_24h", "last_delivery_at", "waiting", "oldest_waiting_at"}
EVENT = {
    "id", "publisher_id", "application_id", "type", "category", "position", "occurred_at", "accepted_at", "content",
    "context", "body", "webhooks",
}  # fmt: skip
EVENT_WEBHOOK = {"webhook_id", "delivery_id", "state", "reason", "next_attempt_at", "sentence"}
DELIVERY = {
    "id", "application_id", "webhook_id", "event_id", "type", "state", "reason", "sentence", "run", "round",
    "attempt_count", "last_response_status", "created_at", "next_attempt_at", "gives_up_at", "finished_at",
}  # fmt: skip
ATTEMPT = {
    "id", "delivery_id", "webhook_id", "event_id", "number", "round", "cause", "started_at", "duration_ms", "verdict",
    "retry_at", "error", "remote_address", "request", "response",
}  # fmt: skip
REQUEST = {"method", "url", "headers", "body", "body_bytes"}
RESPONSE = {"status", "headers", "body", "body_base64", "body_bytes", "is_truncated"}
ALSO_SIGN = {"profile", "until", "public_key", "credentials"}
ROTATED = {"secret", "public_key", "previous_until"}
PROFILE = {
    "name", "title", "hash", "webhooks_max", "webhook_name", "https", "checks_certificate", "new_status", "url_change",
    "configure", "subscription", "credentials", "headers", "has_test", "order", "retry_window_ms", "epochs",
    "epoch_default", "settable", "management_api",
}  # fmt: skip
CREDENTIAL = {"name", "kind", "is_required", "one_of", "given_by", "is_made", "shown", "rotation"}
ENTRY = {"type", "category", "title", "description", "since", "schema", "sample", "context"}


async def test_application(api):
    """As it is made, listed and read."""
    app = await api("POST", "/v1/applications", {"name": "Acme"}, status=201)
    assert set(app) == APPLICATION
    assert re.fullmatch("app_[1-9A-HJ-NP-Za-km-z]{23}", app["id"])
    assert TIME.fullmatch(app["created_at"])
    assert await api("GET", f"/v1/applications/{app['id']}") == app
    listed = await api("GET", "/v1/applications")
    assert set(listed) == {"data", "next"}
    assert listed["data"][0] == app


async def test_webhook(api, receiver):
    """The secret is in the answer that made it and nowhere else."""
    app = await api.application()
    made = await api.webhook(app, receiver.url)
    assert set(made) == WEBHOOK | {"secret"}
    assert made["secret"].startswith("whsec_")
    assert re.fullmatch("whk_[1-9A-HJ-NP-Za-km-z]{23}", made["id"])
    assert set(made["health"]) == HEALTH
    assert set(made["credentials"]["secret"]) == {"is_set", "set_at"}
    read = await api("GET", f"/v1/applications/{app}/webhooks/{made['id']}")
    assert set(read) == WEBHOOK
    assert {**read, "secret": made["secret"]} == made
    listed = await api("GET", f"/v1/applications/{app}/webhooks")
    assert listed == {"data": [read], "next": None}


async def test_event_delivery_and_attempt(api, receiver):
    """What was published, what became of it, and what was said on the wire."""
    receiver.keeps_requests = True
    app = await api.application()
    webhook = await api.webhook(app, receiver.url)
    ident = await api.publish(app, 5, publisher_id="p-5")
    line = await api.delivery_of(app, ident, "succeeded")
    assert set(line) == EVENT_WEBHOOK
    event = await api("GET", f"/v1/applications/{app}/events/{ident}")
    assert set(event) == EVENT
    assert (event["publisher_id"], event["content"], event["context"]) == ("p-5", {"number": 5}, None)
    (headers, body), = receiver.requests  # fmt: skip
    assert event["body"].encode() == body
    delivery = await api("GET", f"/v1/applications/{app}/deliveries/{line['delivery_id']}")
    assert set(delivery) == DELIVERY | {"attempts"}
    assert re.fullmatch("dlv_[1-9A-HJ-NP-Za-km-z]{23}", delivery["id"])
    listed = await api("GET", f"/v1/applications/{app}/deliveries")
    assert set(listed["data"][0]) == DELIVERY
    attempt = delivery["attempts"][0]
    assert set(attempt) == ATTEMPT
    assert set(attempt["request"]) == REQUEST
    assert set(attempt["response"]) == RESPONSE
    assert attempt["request"]["url"] == webhook["url"]
    assert attempt["request"]["body"].encode() == body
    sent = dict(attempt["request"]["headers"])
    assert sent["webhook-id"].encode() == headers[b"webhook-id"] == ident.encode()
    assert (attempt["response"]["status"], attempt["response"]["body"]) == (200, "ok")
    logs = await api("GET", f"/v1/applications/{app}/webhooks/{webhook['id']}/logs")
    assert logs == {"data": [attempt], "next": None}
    inside = await api("GET", f"/v1/applications/{app}/webhooks/{webhook['id']}/deliveries")
    assert inside == listed


async def test_profiles_and_catalog(api):
    """Every loaded profile, and every event type of one."""
    profiles = await api("GET", "/v1/profiles")
    assert [one["name"] for one in profiles["data"]] == ["bridge-api", "bridge-lms", "bridge-xyz", "standard"]
    assert all(set(one) == PROFILE for one in profiles["data"])
    assert all(set(rule) == CREDENTIAL for one in profiles["data"] for rule in one["credentials"])
    catalog = await api("GET", "/v1/profiles/bridge-api/events")
    assert all(set(one) == ENTRY for one in catalog["data"])
    assert "item.created" in {one["type"] for one in catalog["data"]}


async def test_second_signature_and_rotation(api, receiver):
    """A secret that was made is in the answer that made it and nowhere else."""
    app = await api.application()
    made = await api.webhook(app, receiver.url, also_sign={"profile": "bridge-api"})
    assert set(made["also_sign"]) == ALSO_SIGN | {"secret"}
    path = f"/v1/applications/{app}/webhooks/{made['id']}"
    assert set((await api("GET", path))["also_sign"]) == ALSO_SIGN
    assert set(await api("POST", f"{path}/secret", status=201)) == ROTATED


async def test_tests_and_sends(api, receiver):
    """The same shapes as attempts and deliveries have elsewhere."""
    app = await api.application()
    webhook = await api.webhook(app, receiver.url)
    path = f"/v1/applications/{app}/webhooks/{webhook['id']}"
    event = await api.publish(app, 1)
    assert set(await api("POST", f"{path}/send", {"event_id": event}, status=202)) == DELIVERY
    assert set(await api("POST", f"{path}/test")) == ATTEMPT


async def test_problem(api):
    """With a place for each fault."""
    problem = await api.refused("POST", "/v1/applications", {"name": 1}, status=400, code="invalid_request")
    assert set(problem) == {"type", "title", "status", "code", "detail", "request_id", "errors"}
    assert [set(one) for one in problem["errors"]] == [{"pointer", "code", "detail"}]
