"""Recipes: programs that stand in a docs page as fenced blocks whose info string carries ``file=NAME``.

They are run as they stand there: extracted, compiled where that is needed, started on a free port, and asked over HTTP.
"""

import contextlib
import http.client
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.support.capture import Arrived
from tests.support.tools import one_at_a_time, tool

PAGES = Path(__file__).parents[2] / "docs" / "receivers"
UP_S = 30.0
WORK_S = 20.0
BUILD_S = 240.0
_BLOCK = re.compile(r"^```\w+ file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PORT = re.compile(r"listening on port (\d+)|http://127\.0\.0\.1:(\d+)")


def recipes(page: str) -> dict[str, str]:
    """Name to text of every recipe of a page."""
    return dict(_BLOCK.findall((PAGES / page).read_text(encoding="utf-8")))


def extract(page: str, folder: Path) -> dict[str, Path]:
    """Write a page's recipes, each into a folder of its own: some languages want that. Stem to path."""
    paths = {}
    for name, text in recipes(page).items():
        path = folder / Path(name).stem / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        paths[path.stem.lower().replace("_", "")] = path
    return paths


class NotStarted(AssertionError):
    """A recipe ended, or did not say its port in time."""


class Recipe:
    """A recipe's process. What it prints is read as it comes; lines that start with ``work`` are its effects."""

    def __init__(self, command: list[str], environment: Mapping[str, str], worker: list[str] | None = None) -> None:
        """`worker` is a command that works off what was received, where the server does not do it by itself."""
        kept = {name: value for name, value in os.environ.items() if name not in ("SECRET", "TOKEN", "PUBLIC_KEY")}
        self._environment = kept | {"PORT": "0"} | dict(environment)
        self._worker: Final = worker
        self._lines: list[str] = []
        self._has_ended = False
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            command, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        try:
            self.port = self._port()
        except NotStarted:
            self.close()
            raise

    def post(self, request: Arrived) -> int:
        """Send what arrived, its header lines as they came; returns the status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.putrequest("POST", request.path, skip_host=True, skip_accept_encoding=True)
            for name, value in (request.headers | {"content-length": str(len(request.body))}).items():
                connection.putheader(name, value.encode())
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may answer before it has read all
                connection.endheaders(request.body)
            return connection.getresponse().status
        finally:
            connection.close()

    def work(self, count: int) -> list[str]:
        """Its effects, once there are `count` of them."""
        if self._worker is not None:
            done = subprocess.run(
                self._worker, env=self._environment, capture_output=True, text=True, timeout=WORK_S, check=True
            )
            with self._changed:
                self._lines += done.stdout.splitlines()
        with self._changed:
            self._changed.wait_for(lambda: len(self._work()) >= count, WORK_S)
            return self._work()

    @property
    def lines(self) -> int:
        """How many it has said."""
        return len(self._lines)

    def waits_for(self, pattern: str, since: int = 0) -> bool:
        """Whether it says a line with this in time; the first `since` lines don't count."""
        with self._changed:
            return self._changed.wait_for(lambda: any(re.search(pattern, one) for one in self._lines[since:]), WORK_S)

    def said(self) -> str:
        return "\n".join(self._lines)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _work(self) -> list[str]:
        return [line for line in self._lines if line.startswith("work ")]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self._lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def _port(self) -> int:
        until = time.monotonic() + UP_S
        with self._changed:
            while True:
                for line in self._lines:
                    if (match := _PORT.search(line)) is not None:
                        return int(match[1] or match[2])
                left_s = until - time.monotonic()
                if left_s <= 0 or self._has_ended:
                    raise NotStarted(f"it did not start: {self.said()}")
                self._changed.wait(left_s)


# --- languages -------------------------------------------------------------------------------------------------------


def node(folder: Path) -> dict[str, list[str]]:
    return {name: [tool("node"), str(path)] for name, path in extract("node.md", folder).items()}


def ruby(folder: Path) -> dict[str, list[str]]:
    return {name: [tool("ruby"), str(path)] for name, path in extract("ruby.md", folder).items()}


def php(folder: Path) -> dict[str, list[str]]:
    return {name: [tool("php"), "-S", "127.0.0.1:0", str(path)] for name, path in extract("php.md", folder).items()}


def go(folder: Path) -> dict[str, list[str]]:
    """All four built by one command, so that what they share is compiled once."""
    found = extract("go.md", folder)
    (folder / "go.mod").write_text("module recipes\n\ngo 1.21\n")
    (folder / "bin").mkdir(exist_ok=True)
    with one_at_a_time("go"):  # so that other workers find what the first has compiled in Go's cache
        _build([tool("go"), "build", "-o", "bin", "./..."], folder, GOTOOLCHAIN="local", GOPROXY="off", GOFLAGS="")
    return {name: [str(folder / "bin" / path.stem)] for name, path in found.items()}


def java(folder: Path) -> dict[str, list[str]]:
    """All four compiled by one compiler: `java File.java` would compile each again at every start."""
    found = extract("java.md", folder)
    _build([tool("javac"), "-Xlint:all", "-Werror", "-d", "out", *map(str, found.values())], folder)
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx64m"]
    return {name: [tool("java"), *quick, "-cp", str(folder / "out"), path.stem] for name, path in found.items()}


def _build(command: list[str], folder: Path, **environment: str) -> None:
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=BUILD_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


LANGUAGES: Final[Mapping[str, Callable[[Path], dict[str, list[str]]]]] = {
    "node": node, "go": go, "java": java, "ruby": ruby, "php": php,
}  # fmt: skip
