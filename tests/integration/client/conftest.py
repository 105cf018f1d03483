"""A real server for the client, and both clients behind one face."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hookspan.client import AsyncClient, Client
from tests.support.node import OPERATOR_KEY, Node


class Threaded:
    """The blocking client with each call in a thread of its own, so that a test awaits either client."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return Threaded(found)

        async def call(*given: Any, **named: Any) -> Any:
            return await asyncio.to_thread(found, *given, **named)

        return call


class Either:
    """Opens one kind of client. `slept` are the waits between tries, which pass at once."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.slept: list[float] = []

    @contextlib.asynccontextmanager
    async def __call__(self, base: str, key: str = OPERATOR_KEY, **options: Any) -> AsyncIterator[Any]:
        if self.kind == "asyncio":
            async with AsyncClient(base, key, sleep=self._sleep, **options) as client:
                yield client
        else:
            with Client(base, key, sleep=self.slept.append, **options) as blocking:
                yield Threaded(blocking)

    async def _sleep(self, wait_s: float) -> None:
        self.slept.append(wait_s)


@pytest.fixture(params=["asyncio", "blocking"])
def either(request: pytest.FixtureRequest) -> Either:
    return Either(request.param)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    """One process for a module's tests: each makes applications of its own."""
    one = Node(tmp_path_factory.mktemp("node"))
    try:
        await one.start()
        await one.wait_ready()
        yield one
    finally:
        await one.stop()


@pytest.fixture
async def client(node: Node) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(node.base, OPERATOR_KEY) as one:
        yield one


@pytest.fixture
async def application(client: AsyncClient) -> str:
    return (await client.applications.create("Acme")).id
