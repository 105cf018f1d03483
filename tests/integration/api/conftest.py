"""A whole node in this process, asked over a real socket; and a receiver that remembers."""

import asyncio
import base64
import contextlib
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest

from hookspan.cli.node import Node, bind, running
from hookspan.egress import Egress, Target
from hookspan.errors import InvalidCertificate
from hookspan.settings import Settings
from tests.support.postgres import DATABASES
from tests.support.receiver import Receiver

OPERATOR_KEY = "hk_op_test_0123456789abcdef0123456789abcdef0123456789"
ARRIVAL_S = 10.0
# Settings of an application for tests that look at what failed: by itself nothing is tried again meanwhile.
SLOW_RETRIES = {"retry": {"delays": ["0s", "2h", "2h"]}}


class Api:
    """The API of one node as an operator uses it."""

    def __init__(self, node: Node, client: httpx.AsyncClient) -> None:
        self.node = node
        self.client = client

    async def __call__(self, method: str, path: str, body=None, *, status: int = 200, **options) -> dict:
        """One request whose answer must have `status`; its JSON, or {} where there is none."""
        if body is not None:
            options["json" if isinstance(body, dict | list) else "content"] = body
        response = await self.client.request(method, path, **options)
        assert response.status_code == status, f"{response.status_code}: {response.text}"
        return response.json() if response.content else {}

    async def refused(self, method: str, path: str, body=None, *, status: int, code: str, **options) -> dict:
        """One request that must be refused as a proper problem document."""
        if body is not None:
            options["json" if isinstance(body, dict | list) else "content"] = body
        response = await self.client.request(method, path, **options)
        problem = response.json()
        assert (response.status_code, problem["code"]) == (status, code), response.text
        assert response.headers["content-type"] == "application/problem+json"
        assert problem["type"] == f"urn:hookspan:problem:{code}"
        assert problem["status"] == status
        assert problem["title"]
        assert problem["detail"]
        assert problem["request_id"].startswith("req_")
        return problem

    async def application(self, **members) -> str:
        return (await self("POST", "/v1/applications", {"name": "Acme", **members}, status=201))["id"]

    async def applications(self) -> set[str]:
        """The ids of all applications (of the newest 500)."""
        return {one["id"] for one in (await self("GET", "/v1/applications", params={"limit": 500}))["data"]}

    async def webhook(self, application: str, url: str, **members) -> dict:
        return await self("POST", f"/v1/applications/{application}/webhooks", {"url": url, **members}, status=201)

    async def publish(self, application: str, number: int, **members) -> str:
        event = {"type": "order.paid", "content": {"number": number}, **members}
        return (await self("POST", f"/v1/applications/{application}/events", event, status=202))["id"]

    async def delivery_of(self, application: str, event: str, *states: str) -> dict:
        """The event's only delivery, once it is in one of `states`."""
        async with asyncio.timeout(ARRIVAL_S):
            while True:
                shown = await self("GET", f"/v1/applications/{application}/events/{event}")
                found = [one for one in shown["webhooks"] if one["delivery_id"]]
                if found and found[0]["state"] in states:
                    return found[0]
                await asyncio.sleep(0.01)

    async def attempts_of(self, application: str, delivery: str) -> list[dict]:
        """Of this delivery, once there is one: it is `pending` before and after the first."""
        async with asyncio.timeout(ARRIVAL_S):
            while True:
                shown = await self("GET", f"/v1/applications/{application}/deliveries/{delivery}")
                if shown["attempts"]:
                    return shown["attempts"]
                await asyncio.sleep(0.01)


class Certificates:
    """Stands in for the look at certificates: most receivers of these tests speak no TLS. `checked` are the URLs that
    were looked at, `is_valid` is the verdict.
    """

    def __init__(self) -> None:
        self.checked: list[str] = []
        self.is_valid = True

    async def check(self, target: Target) -> None:
        self.checked.append(target.url)
        if not self.is_valid:
            raise InvalidCertificate("No TLS connection with a valid certificate could be made.")


@contextlib.asynccontextmanager
async def api_in(folder: Path, **changes) -> AsyncIterator[Api]:
    """A node on a database in `folder`, with settings other than the fixture's; with HOOKSPAN_TEST_STORE=postgres on a
    PostgreSQL of its own: the API is the same on both.
    """
    is_shared = os.environ.get("HOOKSPAN_TEST_STORE") == "postgres"
    settings = Settings(
        database_url=await asyncio.to_thread(DATABASES.make) if is_shared else f"sqlite:///{folder}/hookspan.db",
        operator_key=OPERATOR_KEY,
        encryption_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        egress_allow=("127.0.0.0/8",),
        egress_allow_http=True,
        log_level="warning",
    )
    async with running(msgspec.structs.replace(settings, **changes), bind("127.0.0.1", 0)) as node:
        headers = {"authorization": f"Bearer {OPERATOR_KEY}"}
        async with httpx.AsyncClient(base_url=node.base_url, headers=headers, timeout=20) as client:
            yield Api(node, client)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """One node for a module's tests: each makes applications of its own."""
    async with api_in(tmp_path_factory.mktemp("node")) as one:
        yield one


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as one:
        yield one


@pytest.fixture
def certificates(monkeypatch: pytest.MonkeyPatch) -> Certificates:
    one = Certificates()
    monkeypatch.setattr(Egress, "check_certificate", lambda _egress, target: one.check(target))
    return one
