"""docs/syncing.md as it stands: what was read and what the webhook got are everything, each once, under load."""

import asyncio
import contextlib
import json
import os
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.support.node import OPERATOR_KEY, Node
from tests.wire._receiver import WireReceiver

pytestmark = pytest.mark.anyio

PAGE = (Path(__file__).parents[2] / "docs" / "syncing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
PUBLISHERS = 4
BEFORE = 700  # more than a page
AFTER = 100
SOON_S = 30.0


class Platform:
    """Publishes numbered events, from several clients at once, until it is told to stop."""

    def __init__(self, node: Node) -> None:
        self.node = node
        headers = {"authorization": f"Bearer {OPERATOR_KEY}"}
        self.http = httpx.AsyncClient(base_url=node.base, headers=headers, timeout=30)
        self.acknowledged: set[int] = set()
        self._number = 0
        self._is_stopped = False

    async def call(self, method: str, path: str, body: object = None) -> dict:
        response = await self.http.request(method, path, json=body)
        assert response.is_success, response.text
        return response.json()

    async def application(self, profile: str) -> str:
        return (await self.call("POST", "/v1/applications", {"name": "Acme", "profile": profile}))["id"]

    @contextlib.asynccontextmanager
    async def publishing(self, application: str, event_type: str) -> AsyncIterator[None]:
        self._tasks = [asyncio.ensure_future(self._publish(application, event_type)) for _ in range(PUBLISHERS)]
        try:
            yield
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Every publish that was begun is answered."""
        self._is_stopped = True
        await asyncio.gather(*self._tasks)

    async def _publish(self, application: str, event_type: str) -> None:
        while not self._is_stopped:
            self._number += 1
            number = self._number
            await self.call(
                "POST", f"/v1/applications/{application}/events", {"type": event_type, "content": {"id": number}}
            )
            self.acknowledged.add(number)

    async def has(self, count: int) -> None:
        async with asyncio.timeout(SOON_S):
            while len(self.acknowledged) < count:
                await asyncio.sleep(0.005)


@pytest.fixture
async def platform(tmp_path) -> AsyncIterator[Platform]:
    node = Node(tmp_path)
    try:
        await node.start()
        await node.wait_ready()
        platform = Platform(node)
        async with platform.http:
            yield platform
    finally:
        await node.stop()


async def arrived(receiver: WireReceiver, path: str, expected: set[int], number_of) -> Counter[int]:
    """How often each came, once all of the expected ones have."""
    found: Counter[int] = Counter()
    while not found.keys() >= expected:
        found[number_of(json.loads((await receiver.next(path)).body))] += 1
    return found


def user_of(body: dict) -> int:
    assert (body["resource"], body["trigger"]) == ("user", "created")
    return body["user"]["id"]


async def test_the_program_of_the_page_while_others_publish(platform, tmp_path):
    """No gap and no overlap between what it read and what its webhook got."""
    application = await platform.application("bridge-lms")
    key = {"name": "sync", "scope": "application", "application_id": application}
    (tmp_path / "sync.py").write_text(BLOCKS[0], encoding="utf-8")
    async with WireReceiver() as receiver, platform.publishing(application, "user.created"):
        await platform.has(BEFORE)
        environment = {
            **os.environ,
            "HOOKSPAN_URL": platform.node.base,
            "APPLICATION": application,
            "KEY": (await platform.call("POST", "/v1/keys", {**key, "role": "support"}))["key"],
            "RECEIVER_URL": f"{receiver.url}/crm",
            "SECRET": "a secret of the test",
        }
        program = await asyncio.create_subprocess_exec(
            sys.executable, "sync.py", cwd=tmp_path, env=environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, errors = await program.communicate()
        assert program.returncode == 0, errors.decode()
        await platform.has(len(platform.acknowledged) + AFTER)
        await platform.stop()
        read = Counter(user_of(json.loads(line)) for line in out.splitlines())
        assert f"read up to {len(read)}; webhook whk_" in errors.decode()
        rest = platform.acknowledged - read.keys()
        assert len(rest) >= AFTER
        sent = await arrived(receiver, "/crm", rest, user_of)
    assert len(read) >= BEFORE
    everything = read + sent
    assert everything.keys() >= platform.acknowledged
    assert set(everything.values()) == {1}


async def test_the_program_of_the_page_says_why_it_was_refused(platform, tmp_path):
    """An admin of the application may not configure with bridge-lms: the problem's own words, and no traceback."""
    application = await platform.application("bridge-lms")
    key = {"name": "sync", "scope": "application", "application_id": application, "role": "admin"}
    (tmp_path / "sync.py").write_text(BLOCKS[0], encoding="utf-8")
    environment = {
        **os.environ,
        "HOOKSPAN_URL": platform.node.base,
        "APPLICATION": application,
        "KEY": (await platform.call("POST", "/v1/keys", key))["key"],
        "RECEIVER_URL": "https://receiver.example.com/crm",
        "SECRET": "a secret of the test",
    }
    program = await asyncio.create_subprocess_exec(
        sys.executable, "sync.py", cwd=tmp_path, env=environment, stderr=asyncio.subprocess.PIPE
    )
    errors = (await program.communicate())[1].decode()
    assert program.returncode == 1
    assert errors.startswith("POST /webhooks: The operator's admins and, with profile bridge-lms, support users may ")
    assert errors.endswith("(403 not_allowed)\n")


async def test_webhooks_that_start_anywhere_while_others_publish(platform):
    """Each gets exactly the events after its position, in order where it asks for that; many are made at once."""
    application = await platform.application("standard")
    place = f"/v1/applications/{application}"
    starts: dict[str, int] = {}
    async with WireReceiver() as receiver, platform.publishing(application, "user.created"):
        await platform.has(BEFORE)

        async def make(number: int) -> None:
            last = (await platform.call("GET", place))["last_position"]
            path = f"/{number}"
            starts[path] = max(0, last - number * 150)
            await platform.call(
                "POST",
                f"{place}/webhooks",
                {
                    "url": f"{receiver.url}{path}",
                    "order": "fifo" if number % 2 else "any",
                    "event_epoch": {"position": starts[path]},
                },
            )

        await asyncio.gather(*(make(number) for number in range(5)))
        await platform.has(len(platform.acknowledged) + AFTER)
        await platform.stop()
        by_position: dict[int, int] = {}
        position = 0
        while data := (await platform.call("GET", f"{place}/events?sort=oldest&after={position}&limit=500"))["data"]:
            by_position |= {one["position"]: one["content"]["id"] for one in data}
            position = data[-1]["position"]
        assert sorted(by_position) == list(range(1, len(by_position) + 1))
        assert set(by_position.values()) == platform.acknowledged
        for path, start in starts.items():
            expected = {number for at, number in by_position.items() if at > start}
            found = await arrived(receiver, path, expected, lambda body: body["data"]["id"])
            assert found.keys() == expected
            assert set(found.values()) == {1}


async def test_reading_on_without_a_webhook(platform, monkeypatch):
    """`next` leads on for ever; nothing new gives the same cursor again."""
    application = await platform.application("bridge-lms")
    monkeypatch.setenv("HOOKSPAN_URL", platform.node.base)
    monkeypatch.setenv("APPLICATION", application)
    monkeypatch.setenv("KEY", OPERATOR_KEY)
    space: dict = {}
    functions = BLOCKS[0].partition("position = read_everything()")[0]
    exec(compile(functions + BLOCKS[1], "syncing.md", "exec"), space)
    read_on = space["read_on"]
    events, cursor = await asyncio.to_thread(read_on)
    assert events == []
    found = []
    async with platform.publishing(application, "user.created"):
        for count in (10, 20, 30):
            await platform.has(count)
            events, cursor = await asyncio.to_thread(read_on, cursor)
            found += [one["content"]["id"] for one in events]
    events, cursor = await asyncio.to_thread(read_on, cursor)
    found += [one["content"]["id"] for one in events]
    assert len(found) == len(set(found))
    assert set(found) == platform.acknowledged
    assert await asyncio.to_thread(read_on, cursor) == ([], cursor)
