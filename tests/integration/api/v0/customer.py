"""A customer whose own program speaks Bridge's Webhooks API under /v0, over TLS; and how that refuses."""

import asyncio
import contextlib
import re
import ssl
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import trustme

from tests.integration.api.conftest import ARRIVAL_S, Api, api_in
from tests.support.bridge_client import BridgeClient
from tests.wire._receiver import WireReceiver

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
WEBHOOK = {"id", "url", "status", "public_key", "event_categories", "created_at", "updated_at"}
EVENT = {
    "api_version", "event_id", "event_developer_id", "event_category", "event_type", "event_object_id",
    "event_object_status", "event_object", "event_object_changes", "event_created_at",
}  # fmt: skip
CHECK_THESE = "Please resubmit the following parameters that are either missing or invalid."
NEW = {"url": "https://e.example/", "event_epoch": "webhook_creation"}
UNKNOWN_ID = "wep_tmneA3b1rTv1q4gkvmPU53n"


class Served(NamedTuple):
    """A node that trusts one CA, a receiver with a certificate of it, and what makes more of those."""

    api: Api
    receiver: WireReceiver
    tls: ssl.SSLContext


class Customer:
    """One application that speaks bridge-xyz: the platform's side of it, and its own client."""

    def __init__(self, api: Api, application: dict, client: BridgeClient, receiver: WireReceiver) -> None:
        self.api = api
        self.id, self.uuid = application["id"], application["uuid"]
        self.client = client
        self.receiver = receiver
        self.path = f"/{self.id}"
        self.url = f"{receiver.url}{self.path}"

    async def publish(self, number: int, group: str = "transfer", verb: str = "created") -> str:
        event = {
            "type": f"{group}.{verb}",
            "content": {"id": str(uuid.UUID(int=number)), "state": "pending", "amount": "1.0", "currency": "usd"},
        }
        return (await self.api("POST", f"/v1/applications/{self.id}/events", event, status=202))["id"]

    async def webhook(self, *, is_active: bool = False, **members) -> dict:
        made = await self.client.create_webhook(self.url, "webhook_creation", **members)
        assert made.status_code == 201, made.text
        if is_active:
            assert (await self.client.update_webhook(made.json()["id"], status="active")).status_code == 200
        return made.json()


async def key_of(api: Api, application: str, **members) -> str:
    body = {"name": "their own", "scope": "application", "application_id": application, **members}
    return (await api("POST", "/v1/keys", body, status=201))["key"]


def refused(response, faults: dict[str, str] | set[str], *, location: str = "body") -> None:
    """A 400 whose source names these parameters, with these reasons where they are given."""
    assert response.status_code == 400, response.text
    error = response.json()
    assert set(error) == {"code", "message", "source"}
    assert (error["code"], error["message"]) == ("invalid_parameters", CHECK_THESE)
    assert error["source"]["location"] == location
    key = error["source"]["key"]
    assert set(key) == set(faults)
    assert not isinstance(faults, dict) or key == faults
    assert response.headers["content-type"] == "application/json"


def unknown(response) -> None:
    assert response.status_code == 404
    assert response.json() == {"code": "Invalid", "message": "Unknown webhook id"}


async def logged(customer: Customer, webhook_id: str, count: int) -> dict:
    """The logs, once there are so many."""
    async with asyncio.timeout(ARRIVAL_S):
        while True:
            response = await customer.client.logs(webhook_id)
            assert response.status_code == 200, response.text
            if response.json()["count"] >= count:
                return response.json()


@contextlib.asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Served]:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(tls)
    async with api_in(folder, egress_ca_file=str(folder / "ca.pem")) as api, WireReceiver(tls) as receiver:
        yield Served(api, receiver, tls)


@contextlib.asynccontextmanager
async def new_customer(served: Served) -> AsyncIterator[Customer]:
    api = served.api
    application = await api("POST", "/v1/applications", {"name": "Acme", "profile": "bridge-xyz"}, status=201)
    async with BridgeClient(f"{api.node.base_url}/v0", await key_of(api, application["id"])) as client:
        yield Customer(api, application, client, served.receiver)
