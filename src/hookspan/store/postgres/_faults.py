"""What PostgreSQL's errors mean to callers of the store.

The server's own words can hold a row's values, which are publishers' and receivers': they go to the log only where they
can't, and never to a caller.
"""

import re
import struct

import psycopg
import structlog
from psycopg import errors

from hookspan.errors import DiskFull, HookspanError, StoreUnavailable
from hookspan.store.contract import DataRefused

log = structlog.get_logger()

_RERUN = (errors.DeadlockDetected, errors.SerializationFailure)
_PARTITIONED = ("event", "delivery", "attempt")
_REASON_MAX = 200
_LAST_NUMBER = re.compile(r"\((\d+)\)\D*$")
_DETAILS: tuple[tuple[type[psycopg.Error], type[HookspanError], str], ...] = (
    (
        errors.DiskFull,
        DiskFull,
        "The database's disk is full. Nothing of this was stored; free some space and send it again.",
    ),
    (errors.QueryCanceled, StoreUnavailable, "The store took too long to answer. Nothing of this was stored."),
    (
        errors.LockNotAvailable,
        StoreUnavailable,
        "The store waits for another's change for too long. Nothing of this was stored.",
    ),
    (errors.ReadOnlySqlTransaction, StoreUnavailable, "The database takes no writes now. Nothing of this was stored."),
)
_UNUSABLE = (errors.InsufficientPrivilege, errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction)


def is_to_be_run_again(error: BaseException) -> bool:
    """Whether the same transaction can pass now: it met another one."""
    return isinstance(error, _RERUN)


def missing_partition(error: BaseException) -> int | None:
    """The id for which there is no partition yet, where that is what the error says, in whatever language."""
    if not isinstance(error, errors.CheckViolation):
        return None
    diag = error.diag
    if diag.table_name not in _PARTITIONED or diag.constraint_name is not None:
        return None
    found = _LAST_NUMBER.search(diag.message_detail or "")
    return None if found is None else int(found[1])


def is_of_data(error: BaseException) -> bool:
    """Whether other data might pass."""
    if isinstance(error, OverflowError | UnicodeError | struct.error):
        return True
    if not isinstance(error, psycopg.Error):
        return False
    if isinstance(error, psycopg.DataError) and error.sqlstate is None:
        return True  # psycopg itself can't send it: a text with a NUL
    return (error.sqlstate or "")[:2] in ("22", "23") and missing_partition(error) is None


def is_lost(error: BaseException, connection: psycopg.Connection) -> bool:
    """Whether the connection is of no more use."""
    return connection.closed or (isinstance(error, psycopg.OperationalError) and connection.broken)


def translate(error: BaseException) -> BaseException:
    """The error that a caller of the store sees."""
    if isinstance(error, HookspanError) or not isinstance(
        error, psycopg.Error | OverflowError | UnicodeError | MemoryError | struct.error
    ):
        return error
    if is_of_data(error):
        return DataRefused(f"The database refuses what this holds ({_name(error)}).")
    for kind, made, detail in _DETAILS:
        if isinstance(error, kind):
            return made(detail)
    if isinstance(error, _UNUSABLE):
        log.critical("the database is not as this version needs it", problem=_name(error), detail=_first_line(error))
        return StoreUnavailable("The database is not as this version needs it; the operator must look at it.")
    log.error("the database failed", problem=_name(error), detail=_first_line(error))
    return StoreUnavailable("The database can't be used now.")


def _name(error: BaseException) -> str:
    sqlstate = getattr(error, "sqlstate", None)
    return f"{type(error).__name__} {sqlstate}" if sqlstate else type(error).__name__


def _first_line(error: BaseException) -> str:
    """The primary message, without details and context."""
    diag = getattr(error, "diag", None)
    message = diag.message_primary if diag is not None and diag.message_primary else str(error)
    return message.splitlines()[0][:200] if message else ""


def reason_of(error: Exception) -> str:
    """Why a connection could not be made, in one line for the log: the server's own words, which hold no password."""
    said = error.detail if isinstance(error, HookspanError) else str(error)
    return next((line.strip() for line in said.splitlines() if line.strip()), type(error).__name__)[:_REASON_MAX]
