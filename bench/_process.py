"""Child processes of the harness: started with their output in a file, always ended, and weighed by /proc.

Each gets a session of its own, so that ending it ends what it started too, and nothing else on the machine.
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from bench._errors import BenchError

STOP_S = 30.0  # longer than a server's own grace for what is in flight
POLL_S = 0.05
_LOG_LINES_SHOWN = 15
_MIB = 1024.0  # of the KiB that /proc counts in
_USER_TICKS, _SYSTEM_TICKS = 11, 12  # fields of /proc/PID/stat, counted behind the name


class Process:
    """A running child."""

    def __init__(self, name: str, popen: "subprocess.Popen[bytes]", log: Path) -> None:
        self.name = name
        self.pid = popen.pid
        self._popen = popen
        self._log = log

    def wait_until(self, is_ready: Callable[[], bool], within_s: float) -> None:
        """Ask `is_ready` (refused connections count as no) until it says yes. Raises BenchError with the log's end."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if self._popen.poll() is not None:
                raise BenchError(f"{self.name} ended with {self._popen.returncode}.\n{self._log_end()}")
            with contextlib.suppress(OSError):
                if is_ready():
                    return
            time.sleep(POLL_S)
        raise BenchError(f"{self.name} was not ready within {within_s:.0f} s.\n{self._log_end()}")

    def cpu_s(self) -> float:
        """User and system time that it and its children have used."""
        ticks = 0
        for pid in self._family():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[_USER_TICKS]) + int(fields[_SYSTEM_TICKS])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory_mib(self) -> float:
        """Resident now; pages that children share count for each."""
        return self._status("VmRSS")

    def memory_peak_mib(self) -> float:
        """The most that was resident since the start."""
        return self._status("VmHWM")

    def _status(self, field: str) -> float:
        found = [re.search(rf"{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text()) for pid in self._family()]
        return sum(int(match.group(1)) for match in found if match) / _MIB

    def _family(self) -> list[int]:
        pids = [self.pid]
        for pid in pids:  # grows while children are found
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                pids += [int(child) for child in children.read_text().split()]
        return pids

    def _log_end(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-_LOG_LINES_SHOWN:])


@contextlib.contextmanager
def started(
    name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """`command` runs in `folder` for as long as the block does. SIGTERM first, SIGKILL after `STOP_S`."""
    log = folder / f"{name}.log"
    with log.open("ab") as output:
        popen = subprocess.Popen(  # noqa: S603 - programs we found or wrote
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Process(name, popen, log)
    finally:
        _end(popen)


def _end(popen: "subprocess.Popen[bytes]") -> None:
    if popen.poll() is None:
        popen.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            popen.wait(STOP_S)
    with contextlib.suppress(ProcessLookupError):  # the usual case: nobody of the session is left
        os.killpg(popen.pid, signal.SIGKILL)
    popen.wait()


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
