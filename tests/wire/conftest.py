"""A running server, and receivers over http and https, for all tests of one module."""

import shutil
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import trustme

from hookspan.profiles import EXAMPLES
from tests.support.node import OPERATOR_KEY, Node
from tests.wire._receiver import WireReceiver


class Wire:
    """One node, asked as a platform asks it."""

    def __init__(self, client: httpx.AsyncClient, plain: WireReceiver, tls: WireReceiver) -> None:
        self.client = client
        self.plain = plain
        self.tls = tls

    async def __call__(self, method: str, path: str, body: Any, status: int) -> Any:
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        response = await self.client.request(method, path, content=content)
        assert response.status_code == status, f"{response.status_code}: {response.text}"
        return response.json()

    async def webhook(self, profile: str, *, query: str = "", **members: Any) -> "WiredWebhook":
        """A new application that speaks `profile`, with one active webhook on a path of that name."""
        application = await self("POST", "/v1/applications", {"name": profile, "profile": profile}, 201)
        receiver = self.tls if profile == "bridge-xyz" else self.plain
        path = f"/{application['id']}"
        place = f"/v1/applications/{application['id']}/webhooks"
        webhook = await self("POST", place, {"url": f"{receiver.url}{path}{query}", **members}, 201)
        if webhook["status"] == "disabled":
            await self("PATCH", f"{place}/{webhook['id']}", {"status": "active"}, 200)
        return WiredWebhook(application["id"], application["uuid"], webhook, receiver, path)


class WiredWebhook(msgspec.Struct, frozen=True):
    """`webhook` is as it was answered when made, with its secret."""

    application_id: str
    application_uuid: str
    webhook: dict[str, Any]
    receiver: WireReceiver
    path: str


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def own_profiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that profiles_path names: the examples, as an operator would copy them. A module may add to it."""
    folder = tmp_path_factory.mktemp("profiles")
    shutil.copytree(EXAMPLES, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="module")
async def wire(tmp_path_factory: pytest.TempPathFactory, own_profiles: Path) -> AsyncIterator[Wire]:
    folder = tmp_path_factory.mktemp("wire")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(tls)
    node = Node(folder, HOOKSPAN_EGRESS_CA_FILE=str(folder / "ca.pem"), HOOKSPAN_PROFILES_PATH=str(own_profiles))
    headers = {"authorization": f"Bearer {OPERATOR_KEY}", "content-type": "application/json"}
    try:
        await node.start()
        async with (
            WireReceiver() as plain,
            WireReceiver(tls) as secured,
            httpx.AsyncClient(base_url=node.base, headers=headers, timeout=30) as client,
        ):
            await node.wait_ready()
            yield Wire(client, plain, secured)
            assert await node.terminate() == 0
    finally:
        await node.stop()
