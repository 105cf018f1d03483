"""The way that Bridge's documentation suggests, walked by a client that only knows that documentation, over TLS.

Create a webhook (disabled), look at its upcoming events, send one, read the logs, set it active, get the events, pause
it, delete it. Each documented member and code on the way is checked, each signature verified as receivers are told to.

    python -m tests.journey.bridge_flow
"""

import asyncio
import base64
import json
import re
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from hookspan.cli._throwaway_ca import make_ca
from tests.support.bridge_client import BridgeClient
from tests.support.node import OPERATOR_KEY, Node
from tests.wire._receiver import Request, WireReceiver

SOON_S = 20.0
BASE58 = "[1-9A-HJ-NP-Za-km-z]{23}"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
SENT = "Successfully sent the webhook event. This does not guarantee immediate delivery to the endpoint."
WEBHOOK = {"id", "url", "status", "public_key", "event_categories", "created_at", "updated_at"}
EVENT = {
    "api_version", "event_id", "event_developer_id", "event_category", "event_type", "event_object_id",
    "event_object_status", "event_object", "event_object_changes", "event_created_at",
}  # fmt: skip
Tell = Callable[[str], None]


class Platform:
    """The other side: who runs Hookspan makes an application and its key, and publishes."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._http = httpx.AsyncClient(base_url=base, headers={"authorization": f"Bearer {OPERATOR_KEY}"}, timeout=30)

    async def __aenter__(self) -> Self:
        made = await self._post("/v1/applications", {"name": "Acme", "profile": "bridge-xyz"})
        self.application, self.uuid = made["id"], made["uuid"]
        key = {"name": "Acme's own", "scope": "application", "application_id": self.application}
        self.key = (await self._post("/v1/keys", key))["key"]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def publish(self, number: int) -> str:
        transfer = {"id": str(uuid.UUID(int=number)), "state": "awaiting_funds", "amount": "50.0", "currency": "usd"}
        event = {
            "type": "transfer.updated.status_transitioned",
            "content": transfer,
            "context": {
                "sequence": number,
                "object_status": "awaiting_funds",
                "changes": {"state": ["pending", "awaiting_funds"]},
            },
        }
        return (await self._post(f"/v1/applications/{self.application}/events", event))["id"]

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        response = await self._http.post(path, json=body)
        assert response.is_success, response.text
        return response.json()


def answered(response: httpx.Response, status: int) -> Any:
    assert response.status_code == status, f"{response.request.method} {response.request.url}: {response.text}"
    assert response.headers["content-type"] == "application/json"
    return response.json()


def is_webhook(webhook: dict[str, Any], **members: object) -> None:
    assert set(webhook) == WEBHOOK
    assert re.fullmatch(f"wep_{BASE58}", webhook["id"])
    assert TIME.fullmatch(webhook["created_at"])
    assert TIME.fullmatch(webhook["updated_at"])
    assert {name: webhook[name] for name in members} == members


def is_event(event: dict[str, Any], platform: Platform, event_id: str) -> None:
    assert set(event) == {*EVENT, "event_sequence"}
    assert re.fullmatch(f"wh_{BASE58}", event["event_id"])
    assert event["event_id"] == event_id
    assert (event["api_version"], event["event_developer_id"]) == ("v0", platform.uuid)
    assert (event["event_category"], event["event_type"]) == ("transfer", "transfer.updated.status_transitioned")
    assert event["event_object_id"] == event["event_object"]["id"] == str(uuid.UUID(int=event["event_sequence"]))
    assert event["event_object_status"] == "awaiting_funds"
    assert event["event_object_changes"] == {"state": ["pending", "awaiting_funds"]}
    assert TIME.fullmatch(event["event_created_at"])


def is_signed(request: Request, public_key: str) -> None:
    """`t=<ms>,v0=<base64>`: RSA over SHA-256 of the SHA-256 of "time.body"."""
    assert request.method == "POST"
    assert request.header("content-type") == "application/json"
    match = re.fullmatch(r"t=([1-9]\d{12}),v0=([A-Za-z0-9+/]{342}==)", request.header("X-Webhook-Signature"))
    assert match
    digest = hashes.Hash(hashes.SHA256())
    digest.update(match[1].encode() + b"." + request.body)
    key = load_pem_public_key(public_key.encode())
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(base64.b64decode(match[2]), digest.finalize(), padding.PKCS1v15(), hashes.SHA256())


async def walk(platform: Platform, client: BridgeClient, receiver: WireReceiver, tell: Tell) -> None:
    """The whole way. Raises AssertionError where something is not as documented."""
    url = f"{receiver.url}/bridge"
    before = [await platform.publish(number) for number in range(1, 13)]

    key = str(uuid.uuid4())
    made = answered(await client.create_webhook(url, "webhook_creation", ["transfer"], idempotency_key=key), 201)
    is_webhook(made, url=url, status="disabled", event_categories=["transfer"])
    loaded = load_pem_public_key(made["public_key"].encode())
    assert isinstance(loaded, rsa.RSAPublicKey)
    assert (loaded.key_size, loaded.public_numbers().e) == (2048, 65537)
    again = answered(await client.create_webhook(url, "webhook_creation", ["transfer"], idempotency_key=key), 201)
    assert again == made
    assert answered(await client.list_webhooks(), 200) == {"data": [made]}
    tell("created, disabled, once though it was asked for twice")

    upcoming = answered(await client.upcoming_events(made["id"]), 200)
    assert set(upcoming) == {"data"}
    for event, event_id in zip(upcoming["data"], before[2:], strict=True):
        is_event(event, platform, event_id)
    tell("upcoming: the 10 events from before its creation")

    await sent_by_hand(platform, client, receiver, made, before[5])
    tell("sent by hand, signed, logged")

    active = answered(await client.update_webhook(made["id"], status="active"), 200)
    is_webhook(active, id=made["id"], status="active", public_key=made["public_key"])
    after = [await platform.publish(number) for number in range(13, 16)]
    for event_id in [*before[2:], *after]:
        request = await receiver.next("/bridge")
        is_event(json.loads(request.body), platform, event_id)
        is_signed(request, made["public_key"])
    assert (await logged(client, made["id"], 14))["count"] == 14
    assert answered(await client.upcoming_events(made["id"]), 200) == {"data": []}
    tell("active: everything that waited arrived in order, then what came new, each signed")

    paused = answered(await client.update_webhook(made["id"], status="disabled"), 200)
    is_webhook(paused, id=made["id"], status="disabled")
    waits = await platform.publish(16)
    [event] = answered(await client.upcoming_events(made["id"]), 200)["data"]
    is_event(event, platform, waits)
    listed = answered(await client.webhook_events(limit=2), 200)
    assert set(listed) == {"data", "count"}
    assert ([one["event_id"] for one in listed["data"]], listed["count"]) == ([waits, after[-1]], 2)
    tell("paused: events wait, and are listed")

    gone = answered(await client.delete_webhook(made["id"]), 200)
    is_webhook(gone, id=made["id"], status="deleted", public_key=made["public_key"])
    for response in (
        await client.upcoming_events(made["id"]),
        await client.logs(made["id"]),
        await client.update_webhook(made["id"], status="active"),
        await client.send_event(made["id"], waits),
        await client.delete_webhook(made["id"]),
    ):
        assert answered(response, 404) == {"code": "Invalid", "message": "Unknown webhook id"}
    assert answered(await client.list_webhooks(), 200) == {"data": []}
    tell("deleted, and unknown from then on")


async def sent_by_hand(
    platform: Platform, client: BridgeClient, receiver: WireReceiver, webhook: dict[str, Any], event_id: str
) -> None:
    assert answered(await client.send_event(webhook["id"], event_id), 200) == {"message": SENT}
    request = await receiver.next("/bridge")
    is_event(json.loads(request.body), platform, event_id)
    is_signed(request, webhook["public_key"])
    logs = await logged(client, webhook["id"], 1)
    assert set(logs) == {"count", "data"}
    [line] = logs["data"]
    assert set(line) == {"status", "event_id", "response_body", "created_at"}
    assert (line["status"], line["event_id"], line["response_body"]) == (200, event_id, "ok")
    assert TIME.fullmatch(line["created_at"])
    upcoming = answered(await client.upcoming_events(webhook["id"]), 200)["data"]
    assert len(upcoming) == 10  # none of them was touched


async def logged(client: BridgeClient, webhook_id: str, count: int) -> dict[str, Any]:
    """The logs, once there are so many: an attempt is recorded a moment after it was answered."""
    async with asyncio.timeout(SOON_S):
        while True:
            logs = answered(await client.logs(webhook_id), 200)
            if logs["count"] >= count:
                return logs


async def flow(folder: Path, tell: Tell) -> None:
    """A server in `folder` that trusts a CA of its own, a receiver with a certificate of it, and the walk."""
    ca_file, tls = make_ca(folder, "127.0.0.1")
    node = Node(folder, HOOKSPAN_EGRESS_CA_FILE=str(ca_file))
    try:
        await node.start()
        await node.wait_ready()
        async with (
            WireReceiver(tls) as receiver,
            Platform(node.base) as platform,
            BridgeClient(f"{node.base}/v0", platform.key) as client,
        ):
            await walk(platform, client, receiver, tell)
    finally:
        await node.stop()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(flow(Path(folder), lambda line: print(f"ok  {line}", flush=True)))  # noqa: T201 - a script


if __name__ == "__main__":
    main()
