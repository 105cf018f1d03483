"""`serve --workers`: the parent's behaviour, with real processes that stand in for nodes."""

import base64
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from hookspan.cli._workers import WORKERS_MAX
from hookspan.ids import NODE_SLOTS
from tests.support.tools import environment

SCRIPT = textwrap.dedent(
    """
    import os, select, signal, socket, sys
    import structlog
    from hookspan.cli._workers import Workers

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))  # nothing between our lines

    how = sys.argv[1]

    def work(listener, parent, *, is_first):
        stopped, told = os.pipe()
        signal.signal(signal.SIGTERM, lambda *_: os.write(told, b"x"))
        line = b"worker %d %d %d\\n" % (os.getpid(), listener.getsockname()[1], is_first)
        os.write(1, line)  # whole, as others write too
        if how == "refuses":
            return 3
        ready, _, _ = select.select([stopped, parent], [], [], 60)
        why = b"stopped by its parent's end" if parent in ready else b"stopped by a signal"
        os.write(1, why + b"\\n")
        return 0

    with socket.create_server(("127.0.0.1", 0)) as listener:
        code = Workers(2, listener, work).run()
    print("parent ends", code, flush=True)
    sys.exit(code)
    """
)


KEYS = {"HOOKSPAN_ENCRYPTION_KEY": base64.b64encode(bytes(32)).decode(), "HOOKSPAN_OPERATOR_KEY": "hs_" + "x" * 43}


class Parent:
    def __init__(self, folder: Path, how: str) -> None:
        script = folder / "parent.py"
        script.write_text(SCRIPT, encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, str(script), how],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []

    def read(self, is_enough: Callable[[list[str]], bool]) -> list[str]:
        """What it says, until that is enough or it has ended."""
        assert self.process.stdout is not None
        while not is_enough(self.lines):
            line = self.process.stdout.readline()
            if not line:
                break
            self.lines.append(line.strip())
        return self.lines

    def workers(self, count: int) -> list[int]:
        """The process ids of the first `count` workers."""
        lines = self.read(lambda lines: sum(line.startswith("worker ") for line in lines) >= count)
        return [int(line.split()[1]) for line in lines if line.startswith("worker ")]

    def ends(self) -> int:
        self.read(lambda _: False)
        code = self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def start(tmp_path: Path):
    started: list[Parent] = []

    def start(how: str = "waits") -> Parent:
        started.append(Parent(tmp_path, how))
        return started[-1]

    yield start
    for parent in started:
        if parent.process.poll() is None:
            parent.process.kill()
            parent.ends()


def test_a_signal_reaches_every_worker(start) -> None:
    """SIGTERM to the parent stops all in order, and it ends when they have."""
    parent = start()
    assert len(set(parent.workers(2))) == 2
    parent.process.send_signal(signal.SIGTERM)
    assert parent.ends() == 0
    assert parent.lines.count("stopped by a signal") == 2
    assert parent.lines[-1] == "parent ends 0"


def test_a_worker_that_dies_is_started_anew(start) -> None:
    """On the same socket; the others go on meanwhile."""
    parent = start()
    first, second = parent.workers(2)
    os.kill(first, signal.SIGKILL)
    third = parent.workers(3)[2]
    assert third not in (first, second)
    ports = {line.split()[2] for line in parent.lines if line.startswith("worker ")}
    assert len(ports) == 1
    firsts = [line.split()[3] for line in parent.lines if line.startswith("worker ")]
    assert firsts == ["1", "1", "0"], "who takes another's place starts nothing paused"
    os.kill(second, 0)  # is there
    parent.process.send_signal(signal.SIGTERM)
    assert parent.ends() == 0


def test_a_worker_that_can_not_start_ends_all(start) -> None:
    """It has said why; starting it for ever would say the same for ever."""
    parent = start("refuses")
    assert parent.ends() == 3


def test_a_refusal_is_said_once(tmp_path: Path) -> None:
    """Whatever keeps one from starting keeps all: one line, not one of each, and the exit code of a refusal."""
    url = "postgresql://user:hunter2@127.0.0.1:1/x"
    done = subprocess.run(
        [sys.executable, "-m", "hookspan", "serve", "--workers", "4", "--port", "0", "--database-url", url],
        env=environment() | KEYS,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [line for line in (done.stdout + done.stderr).splitlines() if "can't be connected to" in line]
    assert len(said) == 1, done.stderr
    assert "127.0.0.1:1/x" in said[0]
    assert "hunter2" not in done.stdout + done.stderr
    assert done.returncode == 3


def test_workers_do_not_outlive_their_parent(start) -> None:
    """Killed, it can pass nothing on: they notice by themselves, and stop in order."""
    parent = start()
    parent.workers(2)
    parent.process.kill()
    parent.ends()
    assert parent.lines.count("stopped by its parent's end") == 2


def test_each_worker_finds_a_place_in_the_register() -> None:
    """Also while one that has just died still has its own."""
    assert WORKERS_MAX < NODE_SLOTS
