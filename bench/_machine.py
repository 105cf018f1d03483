"""Where the numbers come from: without it they mean nothing."""

import os
import platform
import re
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path

import apsw
import msgspec

from bench._errors import BenchError
from hookspan import __version__

TOOLS = ("wrk", "nginx")
_MIB_PER_GIB = 1024


class Machine(msgspec.Struct, frozen=True):
    """What the report says about the place and time of the run."""

    cpu: str
    cores: int
    memory_gib: float
    file_system: str
    system: str
    python: str
    sqlite: str
    sqlite_of_floor: str
    hookspan: str
    tools: str
    measured_on: str


def find_tools() -> dict[str, str]:
    """Paths of the programs that the harness leans on. Raises BenchError naming the packages that bring them."""
    if not Path("/proc/self/stat").exists():
        raise BenchError("The harness weighs processes by /proc, so it runs on Linux only.")
    # Debian keeps nginx where only root's PATH looks.
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"))
    found = {tool: shutil.which(tool, path=places) for tool in TOOLS}
    missing = [tool for tool, path in found.items() if path is None]
    if missing:
        raise BenchError(
            f"Can't find {' and '.join(missing)}: wrk publishes and nginx receives here.\n"
            f"Install the Debian package{'s' if len(missing) > 1 else ''}: apt install {' '.join(missing)}"
        )
    return {tool: path for tool, path in found.items() if path is not None}


def examine(folder: Path, tools: dict[str, str]) -> Machine:
    """The machine, with the file system that holds `folder`, where the databases are."""
    return Machine(
        cpu=_first(r"model name\s*:\s*(.+)", "/proc/cpuinfo") or platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=int(_first(r"MemTotal:\s+(\d+) kB", "/proc/meminfo") or 0) / _MIB_PER_GIB**2,
        file_system=file_system_of(folder),
        system=f"{platform.system()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        sqlite=apsw.sqlite_lib_version(),
        sqlite_of_floor=sqlite3.sqlite_version,
        hookspan=__version__,
        tools=", ".join(f"{tool} {_version(path)}" for tool, path in tools.items()),
        measured_on=time.strftime("%Y-%m-%d", time.gmtime()),
    )


def file_system_of(folder: Path) -> str:
    """The type of the file system, as the mount table names it: the longest mount point above wins."""
    mounts = [line.split()[1:3] for line in Path("/proc/self/mounts").read_text().splitlines()]
    place = folder.resolve()
    above = [(len(point), kind) for point, kind in mounts if place.is_relative_to(point)]
    return max(above)[1] if above else "unknown"


def _first(pattern: str, file: str) -> str | None:
    found = re.search(pattern, Path(file).read_text())
    return found.group(1).strip() if found else None


def _version(tool: str) -> str:
    done = subprocess.run([tool, "-v"], capture_output=True, text=True, timeout=10, check=False)  # noqa: S603 - found above
    found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
    return found.group(0) if found else "of unknown version"
