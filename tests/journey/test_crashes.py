"""kill -9 and SIGTERM under load, with a real process, real sockets and a real disk: what was acknowledged arrives."""

import asyncio
import itertools
import os
import time
from typing import Self

import pytest

from tests.support.node import Node, Publisher
from tests.support.receiver import Receiver

pytestmark = [pytest.mark.anyio, pytest.mark.alone]

CLIENTS = 8
CONCURRENCY = 16
KILLS = int(os.environ.get("HOOKSPAN_TEST_KILLS", "25"))
TERMS = int(os.environ.get("HOOKSPAN_TEST_TERMS", "5"))
UP_AGAIN_S = 3.0


class Load:
    """Eight clients that publish to one application with one webhook."""

    def __init__(self, node: Node, receiver: Receiver) -> None:
        self.node, self.receiver = node, receiver

    async def __aenter__(self) -> Self:
        await self.node.start()
        await self.node.wait_ready()
        application = (await asyncio.to_thread(self.node.call, "POST", "/v1/applications", {"name": "a"}))["id"]
        await asyncio.to_thread(
            self.node.call,
            "POST",
            f"/v1/applications/{application}/webhooks",
            {"url": self.receiver.url, "concurrency": CONCURRENCY},
        )
        numbers = itertools.count()
        self.publishers = [Publisher(self.node, application, numbers) for _ in range(CLIENTS)]
        self.tasks = [asyncio.ensure_future(publisher.run()) for publisher in self.publishers]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()
        await self.node.stop()

    async def end(self) -> None:
        for publisher in self.publishers:
            publisher.is_stopped = True
        await asyncio.gather(*self.tasks)
        for publisher in self.publishers:
            publisher.close()

    @property
    def acknowledged(self) -> set[int]:
        return set().union(*(publisher.acknowledged for publisher in self.publishers))

    async def flows(self, more: int) -> None:
        """Wait until that many more events were acknowledged."""
        goal = len(self.acknowledged) + more
        assert await self.receiver.wait_until(lambda: len(self.acknowledged) >= goal, 60), self.node.log()[-3000:]

    async def restart(self) -> float:
        """Start again; returns the seconds until the first 202."""
        for publisher in self.publishers:
            publisher.mark()
        began = time.monotonic()
        await self.node.start()
        assert await self.receiver.wait_until(self._has_first, 60), self.node.log()[-3000:]
        return min(p.first_after for p in self.publishers if p.first_after is not None) - began

    def _has_first(self) -> bool:
        return any(publisher.first_after is not None for publisher in self.publishers)

    async def everything_arrives(self) -> None:
        acknowledged = self.acknowledged
        received = self.receiver.numbers
        await self.receiver.wait_until(lambda: received.keys() >= acknowledged, 60)
        lost = acknowledged - received.keys()
        assert not lost, f"{len(lost)} of {len(acknowledged)} lost: {sorted(lost)[:20]}"


async def test_kill_9_loses_nothing_and_doubles_only_what_was_in_flight(tmp_path):
    """An event that was answered with 202 arrives, whenever the process is killed, and service resumes within 3 s."""
    async with Receiver() as receiver, Load(Node(tmp_path), receiver) as load:
        restarts_s: list[float] = []
        for round_ in range(KILLS):
            await load.flows(20 + round_ * 7 % 60)
            await load.node.kill()
            restarts_s.append(await load.restart())
        await load.flows(20)
        await load.end()
        await load.everything_arrives()
        assert max(restarts_s) <= UP_AGAIN_S, restarts_s
        doubled = sum(receiver.numbers.values()) - len(receiver.numbers)
        assert doubled <= KILLS * CONCURRENCY
        assert not [number for number, times in receiver.numbers.items() if times > 1 + KILLS]


async def test_sigterm_loses_nothing_and_doubles_nothing(tmp_path):
    """What is in flight ends, what waits is given back, and the process leaves with exit code 0."""
    async with Receiver() as receiver, Load(Node(tmp_path), receiver) as load:
        for _ in range(TERMS):
            await load.flows(50)
            assert await load.node.terminate() == 0
            await load.restart()
        await load.flows(20)
        await load.end()
        await load.everything_arrives()
        assert [number for number, times in receiver.numbers.items() if times > 1] == []
