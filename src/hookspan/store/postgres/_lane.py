"""One lane: a thread with a connection of its own, which runs one task after another, each in a transaction.

A connection that is lost is made anew at once, then again and again, at least once a second; a lane without one takes
no tasks. What was lost before COMMIT was sent had no effect and is run once more; lost after it, it is in doubt.
"""

import contextlib
import queue
import random
import threading
from collections.abc import Callable
from typing import Any, LiteralString, Protocol

import psycopg
import structlog

from hookspan.errors import StoreUnavailable
from hookspan.store.postgres import _partitions
from hookspan.store.postgres._connection import Connection, cut
from hookspan.store.postgres._faults import is_lost, is_to_be_run_again, missing_partition, translate
from hookspan.store.postgres._options import PostgresOptions
from hookspan.store.postgres._task import Run, Stage, Task

log = structlog.get_logger()

_OPEN = "Whether this was stored is open: send it again, as the same."
_NOTHING = "Nothing of this was stored."
# Before a transaction that met another one is run again.
_RERUN_PAUSE_S = (0.005, 0.02)


class Owner(Protocol):
    """Who is told, on the lane's thread."""

    def opened(self, lane: "Lane", error: BaseException | None) -> None: ...
    def lost(self, lane: "Lane") -> None: ...
    def failed(self, lane: "Lane", error: Exception) -> None: ...
    def finished(self, lane: "Lane", task: Task, value: Any, error: BaseException | None) -> None: ...
    def ended(self, lane: "Lane") -> None: ...


class _CommitInDoubt(Exception):
    """The server did not say that the commit is durable."""


class Lane:
    """`connect` raises psycopg.Error or ConfigurationError. `begin` is how its transactions begin."""

    def __init__(
        self,
        name: str,
        where: str,
        owner: Owner,
        connect: Callable[[], Connection],
        inbox: "queue.SimpleQueue[Task | None]",
        begin: LiteralString,
        options: PostgresOptions,
    ) -> None:
        self.name = name
        self._where = where
        self._owner = owner
        self._connect = connect
        self._inbox = inbox
        self._begin = begin
        self._options = options
        self._connection: Connection | None = None
        self._warnings: list[str] = []
        self._handle_lock = threading.Lock()
        self._closing = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._live, name=self.name, daemon=True).start()

    def close(self) -> None:
        """End after the task that runs. Any thread."""
        self._closing.set()

    def cut(self) -> None:
        """Shut the socket under a statement, from any thread: nothing else ends a wait for a server that is gone, and
        a cancelled COMMIT would say that it is durable.
        """
        with self._handle_lock:
            if self._connection is not None:
                cut(self._connection)

    # --- on its thread

    def _live(self) -> None:
        try:
            self._adopt(self._connect())
        except BaseException as error:  # noqa: BLE001 - whatever it is, the one who waits must hear it
            self._owner.opened(self, error)
            self._owner.ended(self)
            return
        self._owner.opened(self, None)
        while not self._closing.is_set():
            if self._connection is None and not self._reconnect():
                continue
            task = self._inbox.get()
            if task is None:
                break
            if not task.begin(self):
                continue
            value, problem = self._do(task)
            if self._connection is None:
                self._owner.lost(self)
            self._owner.finished(self, task, value, problem)
        self._let_go()
        self._owner.ended(self)

    def _adopt(self, connection: Connection) -> None:
        connection.add_notice_handler(self._note)
        with self._handle_lock:
            self._connection = connection

    def _note(self, diag: psycopg.errors.Diagnostic) -> None:
        if diag.sqlstate is not None and diag.sqlstate.startswith("01"):
            self._warnings.append(diag.sqlstate)

    def _let_go(self) -> None:
        with self._handle_lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                with contextlib.suppress(psycopg.Error):
                    connection.close()

    def _reconnect(self) -> bool:
        try:
            self._adopt(self._connect())
        except Exception as error:  # noqa: BLE001 - also what start-up would refuse, of a server that was changed
            self._owner.failed(self, error)
            self._closing.wait(self._options.reconnect_interval_s)
            return False
        self._owner.opened(self, None)
        return True

    def _do(self, task: Task) -> tuple[Any, BaseException | None]:
        """Run a task to its end: its value, or the error for its caller."""
        was_lost = False
        for _ in range(self._options.reruns_max):
            connection = self._connection
            assert connection is not None, "a lane takes no task without one"
            try:
                return self._alone(connection, task) if task.is_alone else self._transact(connection, task), None
            except _CommitInDoubt:
                self._let_go()
                return None, StoreUnavailable(f"The database at {self._where} was lost in a commit. {_OPEN}")
            except Exception as error:  # noqa: BLE001 - whatever it is, the one who waits must hear it
                problem = error
            self._undo(connection, problem)
            if task.stage is Stage.ENDED:
                return None, StoreUnavailable(f"The store took too long to answer. {_NOTHING}")
            if self._connection is None:
                if was_lost or task.is_alone or not self._has_reconnected():
                    detail = _OPEN if task.is_alone else _NOTHING
                    return None, StoreUnavailable(f"The database at {self._where} can't be reached. {detail}")
                was_lost = True
            elif not self._can_be_mended(problem):
                return None, _for_caller(problem)
        return None, StoreUnavailable(f"The store met other changes again and again. {_NOTHING}")

    def _has_reconnected(self) -> bool:
        """At once, and only once: an idle connection that was cut is no reason to refuse anybody."""
        try:
            self._adopt(self._connect())
        except Exception:  # noqa: BLE001 - it is tried again soon, and logged then
            return False
        return True

    def _can_be_mended(self, problem: BaseException) -> bool:
        if is_to_be_run_again(problem):
            # Run again at once it would take back the lock that the other one was to get, and meet it in the same way.
            self._closing.wait(random.uniform(*_RERUN_PAUSE_S))  # noqa: S311 - not the same pause for both
            return True
        ident = missing_partition(problem)
        if ident is None or self._connection is None:
            return False
        try:
            _partitions.make_for(self._connection, ident, self._options)
        except psycopg.Error as error:
            log.error("a partition can't be made", problem=type(error).__name__, sqlstate=error.sqlstate)
            return False
        return True

    def _alone(self, connection: Connection, task: Task) -> Any:
        return task.run(connection)

    def _transact(self, connection: Connection, task: Task) -> Any:
        connection.execute(self._begin)
        value = task.run(connection)
        if not task.begin_commit():
            raise StoreUnavailable(f"The store took too long to answer. {_NOTHING}")
        self._commit(connection)
        return value

    def _commit(self, connection: Connection) -> None:
        """Raises _CommitInDoubt unless the server says that it is durable."""
        self._warnings.clear()
        try:
            cursor = connection.execute("commit")
        except psycopg.Error as error:
            if is_lost(error, connection) or (
                isinstance(error, psycopg.OperationalError) and not is_to_be_run_again(error)
            ):
                raise _CommitInDoubt from error
            raise
        if cursor.statusmessage != "COMMIT":
            raise StoreUnavailable(f"The database undid a transaction instead of committing it. {_NOTHING}")
        if self._warnings:
            # Such as 01000: the wait for a standby was cancelled, so that it is durable here and maybe nowhere else.
            log.error("the database has committed with a warning", sqlstates=sorted(set(self._warnings)))
            raise _CommitInDoubt

    def _undo(self, connection: Connection, problem: BaseException) -> None:
        if is_lost(problem, connection):
            self._let_go()
            return
        try:
            if connection.info.transaction_status is not psycopg.pq.TransactionStatus.IDLE:
                connection.execute("rollback")
        except psycopg.Error:
            self._let_go()


def _for_caller(error: BaseException) -> BaseException:
    translated = translate(error)
    if translated is not error:
        translated.__cause__ = error
    return translated


__all__ = ["Lane", "Owner", "Run"]
