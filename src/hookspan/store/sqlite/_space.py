"""Room on the disk: who may still write when it runs out.

Intake stops while there is still room to record what is in flight. When the disk is full all the same, the ballast
file is given up, so that outcomes can be recorded; it is made again once there is room.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from hookspan.errors import DiskFull
from hookspan.store.sqlite._options import SqliteOptions

log = structlog.get_logger()


class Space:
    """`check_intake` is asked on the loop, `give_up_ballast` and `make_ballast` on the writer's thread."""

    def __init__(self, database: Path, options: SqliteOptions, free_bytes: Callable[[Path], int] | None = None) -> None:
        self._folder = database.parent
        self._ballast = database.with_name(database.name + ".ballast")
        self._options = options
        self._read_free_bytes = free_bytes or read_free_bytes
        self._looked_s = -1e9
        self._has_ballast = False
        self.free_bytes = 0

    def look(self) -> int:
        """Free bytes, read at most once an interval."""
        now_s = time.monotonic()
        if now_s - self._looked_s >= self._options.space_check_interval_s:
            self._looked_s = now_s
            self.free_bytes = self._read_free_bytes(self._folder)
        return self.free_bytes

    def check_intake(self) -> None:
        """Raises DiskFull when what is left is for outcomes only."""
        if self.look() < self._options.free_bytes_min:
            raise DiskFull(f"Only {self.free_bytes:,} bytes are free. Nothing of this was stored.")

    def give_up_ballast(self) -> bool:
        """True when there was any."""
        self._has_ballast = False
        try:
            self._ballast.unlink()
        except OSError:
            return False
        self._looked_s = -1e9
        log.error("the disk is full; the last reserve is used to record outcomes", free_bytes=self.free_bytes)
        return True

    def make_ballast(self) -> None:
        """Make the ballast file unless it is there, or the disk has no room to spare."""
        if self._has_ballast:
            return
        size = self._options.ballast_bytes
        if self._ballast.exists():
            self._has_ballast = True
            return
        if self.look() < self._options.free_bytes_min + 2 * size:
            return
        try:
            descriptor = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError:
            self._ballast.unlink()
        else:
            self._has_ballast = True
        finally:
            os.close(descriptor)


def read_free_bytes(folder: Path) -> int:
    """What a program that is not root may still write."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
