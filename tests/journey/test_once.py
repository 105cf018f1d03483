"""Idempotency-Keys and the audit log through kill -9: with a real process and a real disk, each key has one effect."""

import asyncio
import collections
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.node import OPERATOR_KEY, Node
from tests.support.tools import environment

pytestmark = pytest.mark.anyio

KILLS = int(os.environ.get("HOOKSPAN_TEST_KEY_KILLS", "5"))
AT_ONCE = 16
HEADERS = {"authorization": f"Bearer {OPERATOR_KEY}"}


async def send(client: httpx.AsyncClient, application: str, key: str) -> tuple[int, str] | None:
    """One request under `key`, of a kind that the key tells: its status with id or code; None without an answer."""
    path = f"/v1/applications/{application}/events"
    body: dict = {"type": "a.b", "content": {"key": key}}
    if key.startswith("app"):
        path, body = "/v1/applications", {"name": key}
    try:
        response = await client.post(path, json=body, headers={"idempotency-key": key})
    except httpx.TransportError:
        return None
    answer = response.json()
    return response.status_code, answer.get("id") or answer["code"]


async def effects(client: httpx.AsyncClient, application: str) -> collections.Counter[str]:
    """How often each key had its effect."""
    found: collections.Counter[str] = collections.Counter()
    for path, name in (("/v1/applications", "name"), (f"/v1/applications/{application}/events", "content")):
        cursor = None
        while True:
            page = (await client.get(path, params={"limit": 500} | ({"cursor": cursor} if cursor else {}))).json()
            found.update(one[name] if name == "name" else one[name]["key"] for one in page["data"])
            cursor = page["next"]
            if cursor is None:
                break
    return found


class Turn:
    """Some requests at once, cut off by a kill after `enough` of them were answered."""

    def __init__(self, client: httpx.AsyncClient, application: str, keys: list[str], enough: int) -> None:
        self._client, self._application, self._keys = client, application, keys
        self._enough = enough
        self._room = asyncio.Semaphore(AT_ONCE)
        self._is_enough = asyncio.Event()
        self.answered: dict[str, str] = {}
        self.doubtful: set[str] = set()

    async def run(self, node: Node) -> None:
        async with asyncio.TaskGroup() as group:
            for key in self._keys:
                group.create_task(self._one(key))
            await self._is_enough.wait()
            await node.kill()

    async def _one(self, key: str) -> None:
        async with self._room:
            answer = await send(self._client, self._application, key)
        if answer is not None:
            assert answer[0] in (201, 202), answer
            self.answered[key] = answer[1]
            if len(self.answered) >= self._enough:
                self._is_enough.set()

    async def again(self) -> None:
        """Everything once more: what was answered is answered alike."""
        for key in self._keys:
            status, said = await send(self._client, self._application, key) or (0, "")
            if status == 409:
                assert (said, key[:3]) == ("idempotency_running", "app"), key
                self.doubtful.add(key)
            else:
                assert status in (201, 202), (key, status, said)
                assert self.answered.setdefault(key, said) == said
        assert self.doubtful.isdisjoint(self.answered)


async def test_kill_9_amid_requests_under_keys(tmp_path: Path) -> None:
    """Sent again after the restart: a publish is there exactly once; a call of management at most once, and where
    nobody knows, it says so. The audit log is whole.
    """
    node = Node(tmp_path)
    await node.start()
    try:
        await node.wait_ready()
        application = (await asyncio.to_thread(node.call, "POST", "/v1/applications", {"name": "home"}))["id"]
        turns = []
        async with httpx.AsyncClient(base_url=node.base, headers=HEADERS, timeout=20) as client:
            for number in range(KILLS):
                keys = [f"{kind}-{number}-{one}" for one in range(40) for kind in ("app", "event")]
                turn = Turn(client, application, keys, 5 + 10 * (number % 6))
                await turn.run(node)
                await node.start()
                await node.wait_ready()
                await turn.again()
                turns.append(turn)
            found = await effects(client, application)
        for turn in turns:
            for key in turn.answered:
                assert found[key] == 1, key
            for key in turn.doubtful:
                assert found[key] <= 1, key
        done = await asyncio.to_thread(verify, node, tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        await node.stop()


def verify(node: Node, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "hookspan", "audit", "verify", "--url", node.base, "--key", OPERATOR_KEY],
        cwd=folder, env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
