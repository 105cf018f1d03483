"""Test events and samples, as they arrive: verbatim where the vendor documents them, and signed like any other."""

import hashlib
import hmac
import re

import pytest

from tests.wire._golden import golden
from tests.wire.conftest import Wire, WiredWebhook

pytestmark = pytest.mark.anyio

# The vendor's vector: a secret, the compact test event (139 bytes), and the signature of it.
SECRET = "644b2ac3-0797-4ec6-9537-cb5c0af9caf9"
TEST_EVENT = (
    b'{"content":{"item_id":1234567890,"status":0,"user_uuid":"9a95b38f-f98b-417a-988b-9d0d584893e7"},'
    b'"timestamp":1611681789,"type":"TEST_EVENT"}'
)
SIGNATURE = "v1=FAA8ECAC21DA6405D789C76EDB4003756398E7169DACC3FA70CF5919A81374A8"
AT = rb'"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"'


def place_of(webhook: WiredWebhook) -> str:
    return f"/v1/applications/{webhook.application_id}/webhooks/{webhook.webhook['id']}"


async def test_bridge_api_sends_the_documented_test_with_the_documented_signature(wire: Wire) -> None:
    """The published vector, from an imported secret to the socket."""
    webhook = await wire.webhook("bridge-api", events=["item.created"], credentials={"secret": SECRET})
    attempt = await wire("POST", f"{place_of(webhook)}/test", {}, 200)
    request = await webhook.receiver.next(webhook.path)
    assert request.body == TEST_EVENT
    assert len(request.body) == 139
    assert request.header("BridgeApi-Signature") == SIGNATURE
    assert (attempt["cause"], attempt["verdict"]) == ("test", "succeeded")


async def test_bridge_lms_sends_a_sample_of_what_is_subscribed(wire: Wire) -> None:
    """Byte for byte the message that was seen; another type when it is asked for."""
    bodies = {one.type: bytes(one.body) for one in golden("bridge-lms") if one.source in {"documented", "seen"}}
    webhook = await wire.webhook(
        "bridge-lms", name="Payroll", events=["enrollment.completed"], credentials={"secret": "s"}
    )
    for asked, sent in (
        ({}, "enrollment.completed"),
        ({"type": "course_template.created"}, "course_template.created"),
        ({"type": "live_course_session_registration.updated"}, "live_course_session_registration.updated"),
    ):
        await wire("POST", f"{place_of(webhook)}/test", asked, 200)
        request = await webhook.receiver.next(webhook.path)
        assert request.body == bodies[sent]
        assert request.header("X-Bridge-Signature") == hmac.digest(b"s", request.body, hashlib.sha256).hex()
        assert "Authorization" not in request.names()


async def test_standard_sends_its_own(wire: Wire) -> None:
    webhook = await wire.webhook("standard")
    await wire("POST", f"{place_of(webhook)}/test", {}, 200)
    request = await webhook.receiver.next(webhook.path)
    assert re.fullmatch(
        rb'\{"type":"webhook\.test","timestamp":%b,"data":\{"message":"Hello from Hookspan"\}\}' % AT, request.body
    )
    assert {"webhook-id", "webhook-timestamp", "webhook-signature"} <= request.names()


async def test_bridge_xyz_has_no_test_but_publishes_a_sample(wire: Wire) -> None:
    """The documented event, with an id and a time of its own."""
    webhook = await wire.webhook("bridge-xyz")
    refused = await wire("POST", f"{place_of(webhook)}/test", {}, 409)
    assert refused["code"] == "no_test_event"
    (documented,) = [one for one in golden("bridge-xyz") if one.source == "documented" and one.type.startswith("tr")]
    samples = f"/v1/applications/{webhook.application_id}/events/sample"
    answer = await wire("POST", samples, {"type": documented.type}, 202)
    request = await webhook.receiver.next(webhook.path)
    expected = documented.wire(answer["id"], webhook.application_uuid)
    created_at = re.search(rb'"event_created_at":%b\}$' % AT, request.body)
    assert created_at is not None
    assert request.body == expected.replace(documented.occurred_at.encode(), created_at[1])
