"""`hookspan serve` as a real process, to be published to and to be killed."""

import asyncio
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.support.ports import free_port

OPERATOR_KEY = "hk_op_test_0123456789abcdef0123456789abcdef0123456789"
_UP_S = 60.0  # on a machine that is full of others its imports alone can take a third of that


class Node:
    """One process on a database in `folder`. Loopback receivers are allowed."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self._process: asyncio.subprocess.Process | None = None
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HOOKSPAN_")}
        self._environment = kept | {
            "HOOKSPAN_DATABASE_URL": f"sqlite:///{folder}/hookspan.db",
            "HOOKSPAN_HOST": "127.0.0.1",
            "HOOKSPAN_PORT": str(self.port),
            "HOOKSPAN_OPERATOR_KEY": OPERATOR_KEY,
            "HOOKSPAN_EGRESS_ALLOW": "127.0.0.0/8",
            "HOOKSPAN_EGRESS_ALLOW_HTTP": "true",
            "HOOKSPAN_LOG_LEVEL": "warning",
            **environment,
        }

    async def start(self) -> None:
        self._log = (self.folder / "node.log").open("ab")
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hookspan", "serve", env=self._environment, stdout=self._log, stderr=self._log,
            cwd=self.folder,
        )  # fmt: skip

    async def wait_ready(self) -> None:
        deadline_s = time.monotonic() + _UP_S
        while time.monotonic() < deadline_s:
            try:
                await asyncio.to_thread(self.call, "GET", "/readyz")
            except (OSError, urllib.error.HTTPError):
                await asyncio.sleep(0.02)
            else:
                return
        raise AssertionError(f"the node was not ready in {_UP_S} s:\n{self.log()[-3000:]}")

    def log(self) -> str:
        return (self.folder / "node.log").read_text(errors="replace")

    async def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        await self._process.wait()
        self._log.close()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal and go on: a paused process says nothing."""
        assert self._process is not None
        self._process.send_signal(number)

    def publish_once(self, application: str) -> tuple[int, float]:
        """One event without a number, blocking; its status and how long the answer took."""
        began_s = time.monotonic()
        request = urllib.request.Request(
            f"{self.base}/v1/applications/{application}/events",
            b'{"type": "probe.sent", "content": {}}',
            {"authorization": f"Bearer {OPERATOR_KEY}", "content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, time.monotonic() - began_s
        except urllib.error.HTTPError as refused:
            return refused.code, time.monotonic() - began_s

    async def terminate(self, timeout_s: float = 40) -> int:
        """SIGTERM; returns the exit code."""
        assert self._process is not None
        self._process.terminate()
        return await self.wait_ended(timeout_s)

    async def wait_ended(self, timeout_s: float) -> int:
        """Its exit code, once it has ended."""
        assert self._process is not None
        async with asyncio.timeout(timeout_s):
            code = await self._process.wait()
        self._log.close()
        return code

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            await self.kill()
        elif self._process is not None:  # it ended by itself
            self._log.close()

    def call(self, method: str, path: str, body: object = None) -> dict:
        """One management request, blocking; raises HTTPError for a problem."""
        request = urllib.request.Request(
            self.base + path,
            None if body is None else json.dumps(body).encode(),
            {"authorization": f"Bearer {OPERATOR_KEY}", "content-type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            text = response.read()
        return json.loads(text) if text[:1] in (b"{", b"[") else {}


class Publisher:
    """Publishes numbered events over one keep-alive connection until told to stop; a lost connection is made anew.

    `acknowledged` holds the numbers whose 202 arrived. An event without an answer is sent again with the same
    publisher_id, as a good publisher does.
    """

    def __init__(self, node: Node, application: str, numbers) -> None:
        self.node = node
        self.path = f"/v1/applications/{application}/events"
        self.numbers = numbers
        self.acknowledged: set[int] = set()
        self.first_after: float | None = None  # when the first 202 came after `mark`
        self.is_stopped = False

    def mark(self) -> None:
        self.first_after = None

    async def run(self) -> None:
        while not self.is_stopped:
            number = next(self.numbers)
            while not await self._acknowledged(number):
                if self.is_stopped:
                    return
                await asyncio.sleep(0.01)
            self.acknowledged.add(number)
            if self.first_after is None:
                self.first_after = time.monotonic()

    async def _acknowledged(self, number: int) -> bool:
        try:
            if not hasattr(self, "_stream"):
                self._stream = await asyncio.open_connection("127.0.0.1", self.node.port)
            reader, writer = self._stream
            body = json.dumps({"type": "order.paid", "content": {"number": number}, "publisher_id": f"n{number}"})
            writer.write(
                f"POST {self.path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {OPERATOR_KEY}\r\n"
                f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()
            )
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.split("content-length:")[1].split("\r\n")[0])
            await reader.readexactly(length)
            return head.startswith("http/1.1 202")
        except (OSError, asyncio.IncompleteReadError, IndexError):
            self.close()
            return False

    def close(self) -> None:
        if hasattr(self, "_stream"):
            self._stream[1].close()
            del self._stream
