"""A POST under /v0 has its effect once under its Idempotency-Key, which each must bring."""

import asyncio
import uuid
from typing import Any

import pytest

from hookspan.manage import idempotency
from tests.integration.api.v0.customer import (
    refused,
)

pytestmark = pytest.mark.anyio


async def test_the_same_post_again_is_one_webhook(customer) -> None:
    """The original answer, byte for byte; another body, path or method is a duplicate record."""
    key = str(uuid.uuid4())
    first = await customer.client.create_webhook(customer.url, "webhook_creation", idempotency_key=key)
    again = await customer.client.create_webhook(customer.url, "webhook_creation", idempotency_key=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["content-type"] == first.headers["content-type"]
    other = await customer.client.create_webhook(customer.url, "beginning_of_time", idempotency_key=key)
    assert (other.status_code, other.json()["code"]) == (400, "duplicate_record")
    other = await customer.client.send_event(first.json()["id"], await customer.publish(1), idempotency_key=key)
    assert (other.status_code, other.json()["code"]) == (400, "duplicate_record")
    assert (await customer.client.list_webhooks()).json() == {"data": [first.json()]}


async def test_many_at_once_with_one_key_are_one(customer) -> None:
    """One is made; the others get the same answer, or are told that it is under way."""
    key = str(uuid.uuid4())
    asked = [customer.client.create_webhook(customer.url, "webhook_creation", idempotency_key=key) for _ in range(10)]
    answers = await asyncio.gather(*asked)
    [made] = (await customer.client.list_webhooks()).json()["data"]
    assert {one.status_code for one in answers} <= {201, 409}
    for one in answers:
        assert one.json() == made if one.status_code == 201 else one.json()["code"] == "duplicate_record"


async def test_the_same_send_again_is_one_delivery(customer) -> None:
    """Which is what a client that got no answer counts on."""
    event_id = await customer.publish(1)
    made = await customer.webhook()
    key = str(uuid.uuid4())
    for _ in range(3):
        response = await customer.client.send_event(made["id"], event_id, idempotency_key=key)
        assert response.status_code == 200
    await customer.receiver.next(customer.path)
    place = f"/v1/applications/{customer.id}/webhooks/{made['id']}/deliveries"
    assert len((await customer.api("GET", place))["data"]) == 1


async def test_a_refused_post_may_be_mended_under_its_key(customer) -> None:
    """It had no effect, so its key is free."""
    key = str(uuid.uuid4())
    refused(await customer.client.post("/webhooks", {}, key), {"url", "event_epoch"})
    made = await customer.client.create_webhook(customer.url, "webhook_creation", idempotency_key=key)
    assert made.status_code == 201


async def test_every_post_brings_a_key_and_nothing_else_does(customer) -> None:
    """400 for both, in the header."""
    made = await customer.webhook()
    place = f"/webhooks/{made['id']}"
    for path in ("/webhooks", f"{place}/send"):
        response = await customer.client.request("POST", path, json={})
        assert response.status_code == 400
        assert response.json() == {
            "code": "invalid_parameters",
            "message": "Missing Idempotency-Key header",
            "source": {"location": "header", "key": {"Idempotency-Key": "Missing Idempotency-Key header"}},
        }
    calls = [
        ("GET", "/webhooks"), ("GET", f"{place}/events"), ("GET", f"{place}/logs"), ("GET", "/webhook_events"),
        ("PUT", place), ("DELETE", place),
    ]  # fmt: skip
    for method, path in calls:
        body: dict[str, Any] = {"json": {}} if method == "PUT" else {}
        response = await customer.client.request(method, path, headers={"Idempotency-Key": "k"}, **body)
        assert response.status_code == 400
        assert response.json()["message"] == "Cannot set Idempotency-Key on this request"
        assert response.json()["source"]["location"] == "header"
    assert (await customer.client.list_webhooks()).json() == {"data": [made]}


@pytest.mark.parametrize("key", ["x" * 256, "kéy".encode("latin-1")])
async def test_a_key_that_is_none_is_refused(customer, key) -> None:
    """Too long, or not ASCII."""
    response = await customer.client.request("POST", "/webhooks", json={}, headers={"Idempotency-Key": key})
    assert response.status_code == 400
    assert response.json()["source"]["location"] == "header"


async def test_a_key_is_over_after_a_day(customer, monkeypatch) -> None:
    """422, whatever the body is: the answer is not kept for longer, and the request is not done twice."""
    key = str(uuid.uuid4())
    first = await customer.client.create_webhook(customer.url, "webhook_creation", idempotency_key=key)
    assert first.status_code == 201
    monkeypatch.setattr(idempotency, "KEY_FORCE_MS", -1)
    for epoch in ("webhook_creation", "beginning_of_time"):
        late = await customer.client.create_webhook(customer.url, epoch, idempotency_key=key)
        assert (late.status_code, late.json()["code"]) == (422, "idempotency_expired")
    assert (await customer.client.list_webhooks()).json() == {"data": [first.json()]}
