"""What SQLite's errors mean to callers of the store."""

import apsw
import structlog

from hookspan.errors import DiskFull, HookspanError, StoreUnavailable
from hookspan.store.contract import DataRefused

log = structlog.get_logger()

# The machine's or the file's faults: they hit whoever is there, not the one whose data is wrong.
_OF_THE_STORE = (
    apsw.FullError,
    apsw.IOError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.InterruptError,
    apsw.NoMemError,
    apsw.ReadOnlyError,
    apsw.CantOpenError,
    apsw.PermissionsError,
    apsw.ProtocolError,
    apsw.AuthError,
    apsw.ConnectionClosedError,
    MemoryError,
)
# What a caller's own data can cause.
_OF_DATA = (apsw.ConstraintError, apsw.TooBigError, apsw.MismatchError, OverflowError, UnicodeError)

_DETAILS: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((apsw.InterruptError,), "The store took too long to answer."),
    ((apsw.BusyError, apsw.LockedError), "Another program holds the database file."),
)


def is_of_store(error: BaseException) -> bool:
    """Whether the whole group of jobs has failed, not only the one that met the error."""
    return isinstance(error, _OF_THE_STORE)


def is_of_data(error: BaseException) -> bool:
    """Whether other data might pass."""
    return isinstance(error, _OF_DATA)


def is_of_room(error: BaseException) -> bool:
    """Whether the disk is full; the shared memory beside the WAL has an error of its own for that."""
    if isinstance(error, apsw.FullError):
        return True
    return isinstance(error, apsw.IOError) and getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_SHMSIZE


def translate(error: BaseException) -> BaseException:
    """The error that a caller of the store sees."""
    if isinstance(error, HookspanError) or not isinstance(
        error, apsw.Error | MemoryError | OverflowError | UnicodeError
    ):
        return error
    if is_of_room(error):
        return DiskFull("The disk is full. Nothing of this was stored; free some space and send it again.")
    if is_of_data(error):
        return DataRefused(f"{type(error).__name__}: {error}")
    for kinds, detail in _DETAILS:
        if isinstance(error, kinds):
            return StoreUnavailable(detail)
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        log.critical("the database file is damaged: stop, and restore it from a backup", problem=str(error))
        return StoreUnavailable("The database file is damaged; the operator must restore it.")
    log.error("the database failed", problem=f"{type(error).__name__}: {error}")
    return StoreUnavailable("The database can't be used now.")
