"""One process a database: an OS lock that ends with the process, however that ends."""

import fcntl
import os
from pathlib import Path

from hookspan.errors import ConfigurationError

_TEXT_BYTES_MAX = 32


class ProcessLock:
    """``<database>.lock``, held from `take` to `release`. The file names the process and stays behind."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._path = database.with_name(database.name + ".lock")
        self._descriptor: int | None = None

    def take(self) -> None:
        """Raises ConfigurationError when another process, or another store of this one, has it."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(f"{self._path} can't be opened for writing: {error.strerror}.") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(descriptor, _TEXT_BYTES_MAX, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise ConfigurationError(
                f"{self._database} is in use by another process (pid {holder}): one Hookspan a database. "
                "Stop that one, or name another database."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go; harmless when not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
