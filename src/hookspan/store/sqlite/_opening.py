"""Opening the database file: made private, checked, migrated. What is not safe is refused with what to change."""

import os
from pathlib import Path

import apsw
import structlog

from hookspan.errors import ConfigurationError
from hookspan.store.sqlite._faults import is_of_room
from hookspan.store.sqlite._migrations import check_origin, migrate
from hookspan.store.sqlite._options import SqliteOptions
from hookspan.store.sqlite._statements import statement

log = structlog.get_logger()

# Older ones can corrupt the database when the write-ahead log starts over.
SQLITE_VERSION_MIN = (3, 51, 3)
_MAGIC = b"SQLite format 3\x00"
# Rows of webhooks lie apart, so small pages mean less to write; 4 KiB is also what file systems write at once.
_PAGE_BYTES = 4096
_STATEMENTS_KEPT = 256
_IS_CLEAN = "is_clean"


def open_database(path: Path, options: SqliteOptions) -> apsw.Connection:
    """The writer's connection. Raises ConfigurationError."""
    check_version(apsw.sqlite_lib_version())
    _make_private(path)
    try:
        return _open(path, options)
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise ConfigurationError(f"{path} is damaged or no database ({error}). Restore it from a backup.") from error
    except apsw.Error as error:
        if is_of_room(error):
            raise ConfigurationError(f"The disk has no room for {path}. Free some space and start again.") from error
        raise ConfigurationError(f"{path} can't be opened: {error}.") from error


def check_version(version: str) -> None:
    """Raises ConfigurationError for a SQLite that can corrupt the database."""
    if tuple(int(part) for part in version.split(".")) < SQLITE_VERSION_MIN:
        wanted = ".".join(map(str, SQLITE_VERSION_MIN))
        raise ConfigurationError(f"SQLite {version} is too old, {wanted} is needed: install a newer apsw.")


def make_folder(path: Path) -> None:
    """The database's folder, nobody else's. One that is there already is left as it is."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"The folder of {path} can't be made: {error.strerror}.") from error


def _make_private(path: Path) -> None:
    """The file is nobody else's: it holds what publishers sent."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationError(f"{path} can't be opened for writing: {error.strerror}.") from error
    try:
        head = os.pread(descriptor, len(_MAGIC), 0)
    finally:
        os.close(descriptor)
    if head and head != _MAGIC:
        raise ConfigurationError(f"{path} is no SQLite database. Name another file, or restore it from a backup.")


def _open(path: Path, options: SqliteOptions) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, statementcachesize=_STATEMENTS_KEPT)
    try:
        connection.set_busy_timeout(options.busy_timeout_ms)
        connection.pragma("page_size", _PAGE_BYTES)
        version = check_origin(connection, path)
        _set_up(connection, path, options)
        migrate(connection, version)
        _examine(connection, path, options)
        connection.execute(statement("set_fact"), (_IS_CLEAN, 0))
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up(connection: apsw.Connection, path: Path, options: SqliteOptions) -> None:
    if connection.pragma("journal_mode", "wal") != "wal":
        raise ConfigurationError(
            f"{path} can't use a write-ahead log. Put the database on a local disk, not on a network file system."
        )
    connection.pragma("synchronous", "full")
    if connection.pragma("synchronous") != 2:  # noqa: PLR2004 - FULL
        raise ConfigurationError("SQLite was built so that it does not wait for the disk; install apsw from a wheel.")
    connection.pragma("wal_autocheckpoint", 0)  # checkpoints are the keeper's
    connection.pragma("journal_size_limit", options.wal_kept_bytes)
    connection.pragma("cache_size", -options.writer_cache_bytes // 1024)
    connection.pragma("temp_store", "memory")
    # No mmap: a read error would be a SIGBUS that ends the process, not an error that one caller gets.
    connection.pragma("mmap_size", 0)


def _examine(connection: apsw.Connection, path: Path, options: SqliteOptions) -> None:
    """After an unclean end, look through a small database. A kill is harmless; a lying disk is not."""
    was_clean = connection.execute(statement("read_fact"), (_IS_CLEAN,)).get
    if was_clean != 0:
        return
    size = path.stat().st_size
    if size > options.check_bytes_max:
        log.info("the last run did not end in order; the database is too large to be examined now", bytes=size)
        return
    found = connection.execute("pragma quick_check(1)").get
    if found != "ok":
        raise ConfigurationError(f"{path} is damaged ({_one_line(found)}). Restore it from a backup.")


def _one_line(text: object) -> str:
    return " ".join(str(text).split())


def note_clean_end(connection: apsw.Connection) -> None:
    """Say that the database was closed in order."""
    connection.execute(statement("set_fact"), (_IS_CLEAN, 1))
