"""The two programs under measure, each started afresh in a folder of its own."""

import base64
import contextlib
import http.client
import json
import os
import secrets
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench import _load
from bench._errors import BenchError
from bench._process import Process, free_port, started

READY_S = 30.0
CONCURRENCY = 128  # of each webhook: as many as the floor has senders
API_TIMEOUT_S = 30.0
_SETTING_PREFIX = "HOOKSPAN_"
_SET_UP_THREADS = 8
_REPOSITORY = Path(__file__).resolve().parent.parent
# One of each for the whole run: a database that one start wrote is opened by the next.
_OPERATOR_KEY = "bench_" + secrets.token_urlsafe(32)
_ENCRYPTION_KEY = base64.b64encode(secrets.token_bytes(32)).decode()


class Subject:
    """A running program that takes events: POST to any of `paths`."""

    def __init__(self, name: str, process: Process, port: int) -> None:
        self.name = name
        self.process = process
        self.port = port
        self.key = _OPERATOR_KEY
        self.paths: list[str] = ["/"]
        self.batch_max = 1  # the floor knows no batches


class Hookspan(Subject):
    """A running `hookspan serve`, with what the rows need of its API."""

    def __init__(self, process: Process, port: int) -> None:
        super().__init__("hookspan", process, port)
        self.paths = []
        self.batch_max = 1_000

    def add_application(self, url: str, headers: dict[str, str] | None = None) -> str:
        """An application with one webhook; the path to publish at, which is also appended to `paths`."""
        with contextlib.closing(self._connection()) as connection:
            path = self._add_application(connection, url, headers)
        self.paths.append(path)
        return path

    def add_applications(self, count: int, url: str) -> None:
        """`count` applications with one webhook each."""

        def add_share(share: int) -> list[str]:
            with contextlib.closing(self._connection()) as connection:
                return [self._add_application(connection, url, None) for _ in range(share, count, _SET_UP_THREADS)]

        with ThreadPoolExecutor(_SET_UP_THREADS) as pool:
            for paths in pool.map(add_share, range(_SET_UP_THREADS)):
                self.paths += paths

    def publish_to_all(self) -> int:
        """One event to each path: how many were accepted."""

        def publish_share(share: int) -> int:
            with self.connected() as connection:
                return sum(self.publish(connection, path, 1) for path in self.paths[share::_SET_UP_THREADS])

        with ThreadPoolExecutor(_SET_UP_THREADS) as pool:
            return sum(pool.map(publish_share, range(_SET_UP_THREADS)))

    def publish(self, connection: http.client.HTTPConnection, path: str, count: int) -> int:
        """One batch of `count` events: how many were accepted, 0 when it was told to come back later."""
        status, answer = self._call(connection, path, _load.body_of(count) if count > 1 else b"[%b]" % _load.body_of(1))
        if status == http.HTTPStatus.SERVICE_UNAVAILABLE:
            return 0
        refused = sum("error" in member for member in answer["data"])
        if refused:
            raise BenchError(f"{refused} of {count} events were refused: {answer['data'][0]}")
        return count

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=API_TIMEOUT_S)

    def connected(self) -> "contextlib.closing[http.client.HTTPConnection]":
        """A connection for `publish`, closed when the block ends."""
        return contextlib.closing(self._connection())

    def _add_application(self, connection: http.client.HTTPConnection, url: str, headers: dict[str, str] | None) -> str:
        _, application = self._call(connection, "/v1/applications", json.dumps({"name": "bench"}).encode())
        path = f"/v1/applications/{application['id']}"
        webhook: dict[str, Any] = {"url": url, "concurrency": CONCURRENCY}
        if headers:
            webhook["headers"] = headers
        self._call(connection, f"{path}/webhooks", json.dumps(webhook).encode())
        return f"{path}/events"

    def _call(self, connection: http.client.HTTPConnection, path: str, body: bytes) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        answer = response.read()
        is_fine = response.status < http.HTTPStatus.MULTIPLE_CHOICES
        if not is_fine and response.status != http.HTTPStatus.SERVICE_UNAVAILABLE:
            raise BenchError(f"POST {path} was answered with {response.status}: {answer.decode(errors='replace')}")
        return response.status, json.loads(answer)


@contextlib.contextmanager
def floor_running(folder: Path, receiver_port: int) -> Iterator[Subject]:
    """The floor, sending to the receiver at `receiver_port`."""
    folder.mkdir(exist_ok=True)
    port = free_port()
    command = [sys.executable, "-m", "bench.floor", str(port), str(receiver_port), str(folder / "floor.db")]
    environment = _clean_environment() | {"PYTHONPATH": str(_REPOSITORY)}
    with started("floor", command, folder, environment) as process:
        process.wait_until(lambda: _answers(port, "POST", "/", _load.body_of(1)), READY_S)
        yield Subject("floor", process, port)


@contextlib.contextmanager
def hookspan_running(folder: Path, database_url: str | None = None) -> Iterator[Hookspan]:
    """Hookspan on the embedded store in `folder`, which may hold the database of an earlier start, or on another's."""
    folder.mkdir(exist_ok=True)
    port = free_port()
    environment = _clean_environment() | {
        "HOOKSPAN_DATABASE_URL": database_url or f"sqlite:///{folder / 'hookspan.db'}",
        "HOOKSPAN_HOST": "127.0.0.1",
        "HOOKSPAN_PORT": str(port),
        "HOOKSPAN_OPERATOR_KEY": _OPERATOR_KEY,
        "HOOKSPAN_ENCRYPTION_KEY": _ENCRYPTION_KEY,
        "HOOKSPAN_EGRESS_ALLOW": "127.0.0.0/8",
        "HOOKSPAN_EGRESS_ALLOW_HTTP": "true",
        "HOOKSPAN_LOG_LEVEL": "warning",
    }
    with started("hookspan", [sys.executable, "-m", "hookspan", "serve"], folder, environment) as process:
        process.wait_until(lambda: _answers(port, "GET", "/readyz"), READY_S)
        yield Hookspan(process, port)


def _clean_environment() -> dict[str, str]:
    """Ours, without settings that the person at the keyboard has for a server of their own."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_SETTING_PREFIX)}


def _answers(port: int, method: str, path: str, body: bytes | None = None) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with contextlib.closing(connection):
        connection.request(method, path, body)
        return connection.getresponse().status < http.HTTPStatus.MULTIPLE_CHOICES
