"""Bridge's Webhooks API under /v0: webhooks, each shape and each code as its documentation has it, over TLS."""

import re
import ssl

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.integration.api.v0.customer import (
    NEW,
    TIME,
    WEBHOOK,
    refused,
    unknown,
)
from tests.wire._receiver import WireReceiver

pytestmark = pytest.mark.anyio


async def test_a_webhook_is_made_disabled(customer) -> None:
    """201 with exactly the documented members; the key is PEM that a crypto library reads."""
    response = await customer.client.create_webhook(customer.url, "webhook_creation", ["transfer", "customer"])
    assert response.status_code == 201
    made = response.json()
    assert set(made) == WEBHOOK
    assert re.fullmatch(r"wep_[1-9A-HJ-NP-Za-km-z]{23}", made["id"])
    assert (made["url"], made["status"]) == (customer.url, "disabled")
    assert made["event_categories"] == ["transfer", "customer"]
    assert TIME.fullmatch(made["created_at"])
    assert made["updated_at"] == made["created_at"]
    assert made["public_key"].startswith("-----BEGIN PUBLIC KEY-----\n")
    assert made["public_key"].endswith("\n-----END PUBLIC KEY-----\n")
    key = load_pem_public_key(made["public_key"].encode())
    assert isinstance(key, rsa.RSAPublicKey)
    assert (key.key_size, key.public_numbers().e) == (2048, 65537)
    listed = await customer.client.list_webhooks()
    assert (listed.status_code, listed.json()) == (200, {"data": [made]})


async def test_the_life_of_a_webhook(customer) -> None:
    """Changed by PUT, deleted by DELETE, then unknown everywhere."""
    made = await customer.webhook()
    assert made["event_categories"] is None
    changed = await customer.client.update_webhook(made["id"], event_categories=["rfi"], nobody="knows this")
    assert changed.status_code == 200
    assert changed.json()["event_categories"] == ["rfi"]
    changed = await customer.client.update_webhook(made["id"], url=None)
    assert changed.json()["event_categories"] == ["rfi"]
    changed = await customer.client.update_webhook(made["id"], event_categories=None)
    assert changed.json()["event_categories"] is None
    active = await customer.client.update_webhook(made["id"], status="active")
    assert active.json()["status"] == "active"
    again = await customer.client.update_webhook(made["id"], status="active")
    assert {**again.json(), "updated_at": ""} == {**active.json(), "updated_at": ""}
    paused = await customer.client.update_webhook(made["id"], status="disabled")
    assert paused.json()["status"] == "disabled"
    assert (await customer.client.update_webhook(made["id"])).json() == paused.json()
    gone = await customer.client.delete_webhook(made["id"])
    assert gone.status_code == 200
    assert set(gone.json()) == WEBHOOK
    assert {**gone.json(), "status": "disabled", "updated_at": ""} == {**paused.json(), "updated_at": ""}
    assert gone.json()["status"] == "deleted"
    for again in (
        await customer.client.delete_webhook(made["id"]),
        await customer.client.update_webhook(made["id"], status="active"),
        await customer.client.upcoming_events(made["id"]),
        await customer.client.logs(made["id"]),
        await customer.client.send_event(made["id"], await customer.publish(1)),
    ):
        unknown(again)
    assert (await customer.client.list_webhooks()).json() == {"data": []}


async def test_the_url_changes_only_while_disabled(customer) -> None:
    """The same URL is no change, and all at once on a disabled webhook is fine."""
    made = await customer.webhook(is_active=True)
    other = f"{customer.url}/other"
    refused(await customer.client.update_webhook(made["id"], url=other), {"url"})
    refused(await customer.client.update_webhook(made["id"], url=other, status="disabled"), {"url"})
    same = await customer.client.update_webhook(made["id"], url=customer.url, status="active")
    assert same.status_code == 200
    await customer.client.update_webhook(made["id"], status="disabled")
    moved = await customer.client.update_webhook(made["id"], url=other, status="active", event_categories=["customer"])
    assert moved.status_code == 200
    assert (moved.json()["url"], moved.json()["status"]) == (other, "active")
    assert moved.json()["event_categories"] == ["customer"]
    assert moved.json()["public_key"] == made["public_key"]


async def test_five_webhooks_at_one_time(customer) -> None:
    """Active or disabled; a deleted one makes room."""
    made = [await customer.webhook(is_active=number == 0) for number in range(5)]
    refused(await customer.client.create_webhook(customer.url, "webhook_creation"), {"url"})
    await customer.client.delete_webhook(made[2]["id"])
    assert (await customer.client.create_webhook(customer.url, "webhook_creation")).status_code == 201


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, {"url": "is missing", "event_epoch": "is missing"}),
        ({"url": None, "event_epoch": None}, {"url": "is missing", "event_epoch": "is missing"}),
        ({"url": 5, "event_epoch": ["x"]}, {"url": "must be a string", "event_epoch": "must be a string"}),
        ({"url": "", "event_epoch": "now"}, {"url", "event_epoch"}),
        ({"url": "https://x.example/" + "x" * 2_048, "event_epoch": "webhook_creation"}, {"url"}),
        ({"url": "http://example.com/", "event_epoch": "webhook_creation"}, {"url"}),
        ({"url": "https://10.0.0.1/", "event_epoch": "webhook_creation"}, {"url"}),
        ({"url": "no url", "event_epoch": "webhook_creation"}, {"url"}),
        (NEW | {"event_categories": "x"}, {"event_categories": "must be a list of categories"}),
        (NEW | {"event_categories": [1]}, {"event_categories": "must be a list of categories"}),
        (NEW | {"event_categories": ["x"]}, {"event_categories"}),
        (NEW | {"event_categories": ["x"] * 1_001}, {"event_categories": "may have 1,000 entries"}),
        ([], {"body": "must be a JSON object"}),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_new_webhook_is_named(customer, body, faults) -> None:
    """400 invalid_parameters; every mistake of form at once; nothing is made."""
    refused(await customer.client.post("/webhooks", body), faults)
    assert (await customer.client.list_webhooks()).json() == {"data": []}


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({"status": "deleted"}, {"status": "must be one of: active, disabled"}),
        ({"status": 1, "url": 1, "event_categories": {}}, {"status", "url", "event_categories"}),
        ({"url": "http://example.com/"}, {"url"}),
        ({"event_categories": ["nothing"]}, {"event_categories"}),
    ],
)
async def test_what_is_wrong_with_a_change_is_named(customer, body, faults) -> None:
    """And nothing is changed."""
    made = await customer.webhook()
    refused(await customer.client.update_webhook(made["id"], **body), faults)
    assert (await customer.client.list_webhooks()).json() == {"data": [made]}


@pytest.mark.parametrize("raw", [b"", b"{", b"nonsense", b'{"url":"a","url":"b"}', b'{"url":NaN}', b"\xff\xfe"])
async def test_a_body_that_is_no_json_is_a_wrong_parameter(customer, raw) -> None:
    """In the same shape as any other."""
    made = await customer.webhook()
    response = await customer.client.request("PUT", f"/webhooks/{made['id']}", content=raw)
    assert response.status_code == 400
    assert response.json()["code"] == "invalid_parameters"


async def test_a_url_must_have_a_valid_certificate(customer) -> None:
    """When it is saved; the URL itself need not be live."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    async with WireReceiver(tls) as untrusted:
        refused(await customer.client.create_webhook(f"{untrusted.url}/x", "webhook_creation"), {"url"})
