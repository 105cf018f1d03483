"""Children of the harness: always ended, and weighed while they live."""

import os
import sys
from pathlib import Path

import pytest

from bench import _process
from bench._errors import BenchError

STUBBORN = (
    "import signal, subprocess, sys\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "child = subprocess.Popen(['sleep', '600'])\n"
    "print(child.pid, flush=True)\n"
    "child.wait()\n"
)


def is_alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_child_that_ignores_sigterm_is_killed_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the grace nothing of its session is left, and nothing else was touched."""
    monkeypatch.setattr(_process, "STOP_S", 0.05)
    log = tmp_path / "stubborn.log"
    with _process.started("stubborn", [sys.executable, "-c", STUBBORN], tmp_path) as process:
        process.wait_until(lambda: log.read_text().endswith("\n"), 20)
        grandchild = int(log.read_text())
        assert is_alive(grandchild)
        assert process.memory_mib() > 1
        assert process.memory_peak_mib() >= process.memory_mib()
        assert process.cpu_s() > 0
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
    while is_alive(grandchild):  # killed already; its end is the kernel's next step
        os.sched_yield()


def test_a_child_that_dies_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    """No waiting for the full time, and the reason on the screen."""
    command = [sys.executable, "-c", "raise SystemExit('the port is taken')"]
    with _process.started("early", command, tmp_path) as process, pytest.raises(BenchError) as refusal:
        process.wait_until(lambda: False, 20)
    assert "early ended with 1" in str(refusal.value)
    assert "the port is taken" in str(refusal.value)


def test_waiting_has_an_end(tmp_path: Path) -> None:
    """A child that never gets ready is given up after the time that was granted."""
    with _process.started("slow", ["sleep", "600"], tmp_path) as process, pytest.raises(BenchError, match="not ready"):
        process.wait_until(lambda: False, 0.1)
