"""Several nodes, each a process, on one real PostgreSQL; and publishers that go to another node when theirs is gone."""

import asyncio
import base64
import itertools
from pathlib import Path
from typing import Self

from tests.support.node import Node, Publisher
from tests.support.postgres import Server
from tests.support.receiver import Receiver

TRUST_WINDOW_S = 2
CLIENTS = 6
CONCURRENCY = 15
ENCRYPTION_KEY = base64.b64encode(b"k" * 32).decode()


class Wanderer(Publisher):
    """A publisher that knows all nodes: without an answer it asks the next one, with the same publisher_id."""

    def __init__(self, nodes: list[Node], first: int, application: str, numbers) -> None:
        super().__init__(nodes[first], application, numbers)
        self._next = itertools.cycle(nodes[first + 1 :] + nodes[: first + 1])

    async def _acknowledged(self, number: int) -> bool:
        try:
            async with asyncio.timeout(5):
                is_done = await super()._acknowledged(number)
        except TimeoutError:  # a paused node keeps its connections
            self.close()
            is_done = False
        if not is_done:
            self.close()
            self.node = next(self._next)
        return is_done


class Cluster:
    """`async with Cluster(folder, receiver) as cluster`: an application with one webhook, and clients that publish."""

    def __init__(
        self, folder: Path, receiver: Receiver, *, nodes: int = 3, url: str | None = None, **environment: str
    ) -> None:
        self.receiver = receiver
        self.server = Server() if url is None else None
        self._folder = folder
        self._count = nodes
        self._url = url
        self._environment = environment
        self.nodes: list[Node] = []
        self.application = ""
        self.publishers: list[Wanderer] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        if self.server is not None:
            await asyncio.to_thread(self.server.make)
            await asyncio.to_thread(self.server.start)
            self.server.execute("create database hookspan")
            self._url = self.server.url("hookspan")
        try:
            await self._start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def _start(self) -> None:
        for number in range(self._count):
            folder = self._folder / f"node{number}"
            folder.mkdir()
            self.nodes.append(self.node(folder))
        for node in self.nodes:
            await node.start()
        for node in self.nodes:
            await node.wait_ready()
        self.application = (await self.call("POST", "/v1/applications", {"name": "a"}))["id"]
        path = f"/v1/applications/{self.application}/webhooks"
        await self.call("POST", path, {"url": self.receiver.url, "concurrency": CONCURRENCY})

    def node(self, folder: Path, **environment: str) -> Node:
        """One more, not started."""
        assert self._url is not None
        given = {
            "HOOKSPAN_DATABASE_URL": self._url,
            "HOOKSPAN_ENCRYPTION_KEY": ENCRYPTION_KEY,
            "HOOKSPAN_TRUST_WINDOW": str(TRUST_WINDOW_S),
        }
        return Node(folder, **(given | self._environment | environment))

    async def call(self, method: str, path: str, body: object = None, node: int = 0) -> dict:
        return await asyncio.to_thread(self.nodes[node].call, method, path, body)

    def publish(self) -> None:
        """Clients begin."""
        numbers = itertools.count()
        firsts = range(CLIENTS)
        self.publishers = [Wanderer(self.nodes, first % len(self.nodes), self.application, numbers) for first in firsts]
        self._tasks = [asyncio.ensure_future(publisher.run()) for publisher in self.publishers]

    async def end(self) -> None:
        """Clients end, after the answers that they wait for."""
        for publisher in self.publishers:
            publisher.is_stopped = True
        await asyncio.gather(*self._tasks)
        for publisher in self.publishers:
            publisher.close()

    async def __aexit__(self, *_: object) -> None:
        await self.end()
        for node in self.nodes:
            await node.stop()
        if self.server is not None:
            await asyncio.to_thread(self.server.close)

    @property
    def acknowledged(self) -> set[int]:
        return set().union(*(publisher.acknowledged for publisher in self.publishers))

    @property
    def doubled(self) -> int:
        """How many requests were one too many."""
        return sum(self.receiver.numbers.values()) - len(self.receiver.numbers)

    def logs(self) -> str:
        return "\n".join(node.log()[-2000:] for node in self.nodes)

    async def flows(self, more: int, timeout_s: float = 60) -> None:
        """Wait until that many more events were acknowledged and something arrived."""
        goal = len(self.acknowledged) + more
        assert await self.receiver.wait_until(lambda: len(self.acknowledged) >= goal, timeout_s), self.logs()

    async def arrive(self, numbers: set[int], within_s: float) -> None:
        """All of these have arrived when that time is over."""
        received = self.receiver.numbers
        await self.receiver.wait_until(lambda: received.keys() >= numbers, within_s)
        missing = numbers - received.keys()
        assert not missing, f"{len(missing)} of {len(numbers)} not there: {sorted(missing)[:20]}\n{self.logs()}"
