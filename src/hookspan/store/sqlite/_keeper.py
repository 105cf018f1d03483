"""Keeps the database file in order, on the writer's thread: lock, opening, checkpoints of the log, ballast, closing."""

import time
from pathlib import Path

import apsw
import structlog

from hookspan.errors import StoreUnavailable
from hookspan.store.sqlite._lock import ProcessLock
from hookspan.store.sqlite._opening import make_folder, note_clean_end, open_database
from hookspan.store.sqlite._options import SqliteOptions
from hookspan.store.sqlite._space import Space

log = structlog.get_logger()


class Keeper:
    """The writer's housekeeper. `wal_bytes` may be read from any thread."""

    def __init__(self, path: Path, options: SqliteOptions, space: Space) -> None:
        self._path = path
        self._options = options
        self._space = space
        self._lock = ProcessLock(path)
        self._page_bytes = 0
        self._pages = 0  # in the log
        self._pages_tried = 0  # when a checkpoint was last tried
        self._tried_s = 0.0
        self._is_behind = False  # readers kept that one from copying everything
        self.wal_bytes = 0

    def check_intake(self) -> None:
        """Raises DiskFull or StoreUnavailable when only outcomes may still be written. Called on the loop."""
        self._space.check_intake()
        if self.wal_bytes > self._options.wal_max_bytes:
            raise StoreUnavailable("The write-ahead log is too long: a reader holds it back. Nothing was stored.")

    # --- the writer's thread

    def open(self) -> apsw.Connection:
        make_folder(self._path)
        self._lock.take()
        try:
            connection = open_database(self._path, self._options)
            connection.set_wal_hook(self._count_pages)
            self._page_bytes = int(connection.pragma("page_size"))
            self._space.make_ballast()
        except BaseException:
            self._lock.release()
            raise
        return connection

    def after_group(self, connection: apsw.Connection) -> None:
        try:
            self._space.make_ballast()
            self._keep_log_short(connection)
        except (apsw.Error, OSError) as error:
            log.error("housekeeping of the database failed", problem=f"{type(error).__name__}: {error}")

    def give_up_ballast(self) -> bool:
        return self._space.give_up_ballast()

    def close(self, connection: apsw.Connection) -> None:
        try:
            note_clean_end(connection)
            self._checkpoint(connection, apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.Error as error:
            log.error("the database could not be closed in order", problem=f"{type(error).__name__}: {error}")
        finally:
            connection.close()
            self._lock.release()

    def _count_pages(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        """SQLite says after each commit how many pages the log has."""
        if pages < self._pages:
            self._pages_tried = 0  # it has started over
        self._pages = pages
        self.wal_bytes = pages * self._page_bytes
        return apsw.SQLITE_OK

    def _keep_log_short(self, connection: apsw.Connection) -> None:
        if not self._is_checkpoint_due():
            return
        self._checkpoint(connection, apsw.SQLITE_CHECKPOINT_PASSIVE)
        if self.wal_bytes > self._options.wal_restart_bytes:
            connection.set_busy_timeout(self._options.restart_wait_ms)
            try:
                self._checkpoint(connection, apsw.SQLITE_CHECKPOINT_TRUNCATE)
            finally:
                connection.set_busy_timeout(self._options.busy_timeout_ms)

    def _is_checkpoint_due(self) -> bool:
        """After so many pages; and where a reader held the last one up, soon again, or a log that is too long would
        keep intake out for as long as nobody writes.
        """
        if self._pages - self._pages_tried >= self._options.checkpoint_pages:
            return True
        return self._is_behind and time.monotonic() - self._tried_s >= self._options.checkpoint_retry_s

    def _checkpoint(self, connection: apsw.Connection, mode: int) -> None:
        """Copy the log into the database. All copied and no reader in it: the next commit starts it over."""
        self._pages_tried = self._pages
        self._tried_s = time.monotonic()
        self._is_behind = True
        try:
            pages, copied = connection.wal_checkpoint(mode=mode)
        except apsw.BusyError:
            return  # readers are in the log; they are bounded in time
        if pages == copied:
            self._pages = self._pages_tried = max(0, pages)
            self.wal_bytes = 0
            self._is_behind = False
