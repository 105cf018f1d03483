"""Tests and single events that a person sends: now, and whatever the webhook's status is."""

import msgspec
import pytest

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("certificates")]

URL = "https://127.0.0.1:9/hook"
LEAST: dict[str, dict] = {"standard": {}, "bridge-api": {"events": []}, "bridge-lms": {"name": "a"}}
TEST_EVENT = (
    b'{"content":{"item_id":1234567890,"status":0,"user_uuid":"9a95b38f-f98b-417a-988b-9d0d584893e7"},'
    b'"timestamp":1611681789,"type":"TEST_EVENT"}'
)


async def made(api, receiver, profile: str = "standard", **members) -> tuple[str, str]:
    """(application, path of a webhook)."""
    receiver.keeps_requests = True
    app = await api.application(profile=profile)
    webhook = await api.webhook(app, receiver.url, **LEAST[profile] | members)
    return app, f"/v1/applications/{app}/webhooks/{webhook['id']}"


@pytest.mark.parametrize("status", ["active", "disabled"])
async def test_the_documented_test_event(api, receiver, status):
    """Byte for byte, signed like any other; what came back is the answer."""
    _, path = await made(api, receiver, "bridge-api", status=status)
    attempt = await api("POST", f"{path}/test")
    headers, body = receiver.requests[0]
    assert body == TEST_EVENT
    assert b"bridgeapi-signature" in headers
    assert (attempt["cause"], attempt["verdict"], attempt["response"]["status"]) == ("test", "succeeded", 200)
    assert (attempt["delivery_id"], attempt["event_id"], attempt["number"]) == (None, None, 1)
    assert attempt["request"]["url"] == receiver.url
    assert attempt["request"]["body"].encode() == TEST_EVENT
    assert attempt["request"]["body_bytes"] == len(TEST_EVENT)


async def test_a_test_is_in_the_logs_and_counts_for_nothing(api, receiver):
    """With the body that was sent; a failure leaves the webhook as it was."""
    receiver.status = 500
    app, path = await made(api, receiver)
    before = await api("GET", path)
    attempt = await api("POST", f"{path}/test", {})
    assert (attempt["verdict"], attempt["response"]["status"], attempt["retry_at"]) == ("failed", 500, None)
    assert (await api("GET", f"{path}/logs"))["data"] == [attempt]
    assert await api("GET", path) == before
    assert (await api("GET", f"/v1/applications/{app}/deliveries"))["data"] == []


@pytest.mark.parametrize(
    ("profile", "members", "wanted", "sent"),
    [
        ("standard", {}, None, {"type": "webhook.test"}),
        ("standard", {}, "webhook.test", {"type": "webhook.test"}),
        ("standard", {}, "order.paid", {"type": "order.paid"}),
        ("bridge-api", {}, "TEST_EVENT", {"type": "TEST_EVENT"}),
        ("bridge-api", {}, "user.deleted", {"type": "user.deleted"}),
        ("bridge-lms", {}, None, {"resource": "user", "trigger": "created"}),
        ("bridge-lms", {"events": ["program.deleted"]}, None, {"resource": "program", "trigger": "deleted"}),
        ("bridge-lms", {}, "enrollment.completed", {"resource": "enrollment", "trigger": "completed"}),
    ],
)
async def test_which_test_is_sent(api, receiver, profile, members, wanted, sent):
    """The profile's own; or the sample of a type; of bridge-lms the first that the webhook has subscribed to."""
    _, path = await made(api, receiver, profile, **members)
    await api("POST", f"{path}/test", None if wanted is None else {"type": wanted})
    body = msgspec.json.decode(receiver.requests[0][1])
    assert {name: body[name] for name in sent} == sent


@pytest.mark.parametrize(
    ("profile", "wanted"), [("standard", "no spaces"), ("bridge-api", "item.updated"), ("bridge-lms", "user.completed")]
)
async def test_a_type_that_is_not_in_the_catalog_is_refused(api, receiver, profile, wanted):
    """By its place; nothing is sent."""
    _, path = await made(api, receiver, profile)
    problem = await api.refused("POST", f"{path}/test", {"type": wanted}, status=400, code="unknown_event_type")
    assert problem["errors"][0]["pointer"] == "/type"
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"type": None}, "invalid_request", "/type"),
        ({"type": 1}, "invalid_request", "/type"),
        ({"event_type": "a.b"}, "unknown_field", "/event_type"),
    ],
)
async def test_a_wrong_body_is_refused(api, receiver, body, code, pointer):
    """As everywhere."""
    _, path = await made(api, receiver)
    problem = await api.refused("POST", f"{path}/test", body, status=400, code=code)
    assert problem["errors"][0]["pointer"] == pointer


async def test_bridge_xyz_has_no_test_event(api):
    """It says what to do instead: and that works."""
    app = await api.application(profile="bridge-xyz")
    webhook = await api.webhook(app, URL)
    path = f"/v1/applications/{app}/webhooks/{webhook['id']}"
    for body in (None, {"type": "transfer.created"}):
        problem = await api.refused("POST", f"{path}/test", body, status=409, code="no_test_event")
        assert "events/sample" in problem["detail"]
        assert "/send" in problem["detail"]
    sample = await api("POST", f"/v1/applications/{app}/events/sample", status=202)
    delivery = await api("POST", f"{path}/send", {"event_id": sample["id"]}, status=202)
    assert (delivery["event_id"], delivery["run"]) == (sample["id"], 1)


async def test_an_event_is_sent_to_a_disabled_webhook(api, receiver):
    """As a delivery of its own; what waits goes on waiting."""
    app, path = await made(api, receiver, status="disabled")
    waiting, chosen = await api.publish(app, 1), await api.publish(app, 2)
    delivery = await api("POST", f"{path}/send", {"event_id": chosen}, status=202)
    assert (delivery["event_id"], delivery["state"], delivery["reason"]) == (chosen, "pending", "due")
    assert delivery["run"] == 1
    assert (await api.delivery_of(app, chosen, "succeeded"))["delivery_id"] == delivery["id"]
    assert receiver.numbers == {2: 1}
    [line] = (await api("GET", f"/v1/applications/{app}/events/{waiting}"))["webhooks"]
    assert line["reason"] == "webhook_disabled"
    shown = await api("GET", f"/v1/applications/{app}/deliveries/{delivery['id']}")
    assert [one["cause"] for one in shown["attempts"]] == ["send"]


async def test_an_event_can_be_sent_again_and_unasked(api, receiver):
    """To an active webhook that has it already, or never asked for it."""
    app, path = await made(api, receiver, events=["order.paid"])
    had, unasked = await api.publish(app, 1), await api.publish(app, 2, type="other.type")
    await api.delivery_of(app, had, "succeeded")
    for event in (had, had, unasked):
        await api("POST", f"{path}/send", {"event_id": event}, status=202)
    assert await receiver.wait_until(lambda: receiver.numbers == {1: 3, 2: 1}, 10)
    runs = [one["run"] for one in (await api("GET", f"{path}/deliveries"))["data"] if one["event_id"] == had]
    assert sorted(runs) == [0, 1, 2]


async def test_only_an_event_of_the_application_can_be_sent(api, receiver):
    """Another's is not found, in the same words as one that never was."""
    app, path = await made(api, receiver)
    other = await api.application()
    for ident in (await api.publish(other, 1), "evt_x", "", "é" * 30, app):
        problem = await api.refused("POST", f"{path}/send", {"event_id": ident}, status=404, code="not_found")
        assert problem["detail"].startswith("There is no event ")
    for body in ({}, {"event_id": None}, {"event_id": 1}, {"event": "evt_x"}):
        response = await api.client.post(f"{path}/send", json=body)
        assert response.status_code == 400


@pytest.mark.parametrize(
    ("profile", "event_type", "context"),
    [
        ("standard", None, False), ("bridge-api", None, False), ("bridge-xyz", "transfer.created", True),
        ("bridge-lms", "enrollment.completed", True), ("bridge-lms", None, True),
    ],
)  # fmt: skip
async def test_a_sample_is_published_with_its_context(api, profile, event_type, context):
    """As the catalog shows it, and as the event shows it afterwards."""
    app = await api.application(profile=profile)
    body = None if event_type is None else {"type": event_type}
    sample = await api("POST", f"/v1/applications/{app}/events/sample", body, status=202)
    event = await api("GET", f"/v1/applications/{app}/events/{sample['id']}")
    catalog = (await api("GET", f"/v1/profiles/{profile}/events"))["data"]
    entry = next(one for one in catalog if one["type"] == event["type"])
    assert event_type in (None, event["type"])
    assert (event["content"], event["context"]) == (entry["sample"], entry["context"])
    assert (event["context"] is not None) == context
    assert (await api("GET", f"/v1/applications/{app}/events"))["data"] == [event]


async def test_every_sample_of_every_profile_can_be_published(api):
    """All types of all catalogs, with their context."""
    for profile in ("standard", "bridge-api", "bridge-xyz", "bridge-lms"):
        app = await api.application(profile=profile)
        types = [one["type"] for one in (await api("GET", f"/v1/profiles/{profile}/events"))["data"]]
        for event_type in types:
            await api("POST", f"/v1/applications/{app}/events/sample", {"type": event_type}, status=202)


async def test_a_sample_of_an_unknown_type_is_refused(api):
    """By its place."""
    app = await api.application(profile="bridge-lms")
    path = f"/v1/applications/{app}/events/sample"
    problem = await api.refused("POST", path, {"type": "user.completed"}, status=400, code="unknown_event_type")
    assert problem["errors"][0]["pointer"] == "/type"
