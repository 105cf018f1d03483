"""The one writer: a thread that turns groups of jobs into durable commits.

While a group is being committed, new jobs gather. When it is done its callers are woken first and the next group is
handed over after them, so that what they submit in answer joins it: one fsync serves them all. A job that was
submitted is run, whatever becomes of its caller.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import apsw

from hookspan.errors import Overloaded, StoreUnavailable
from hookspan.store.sqlite._faults import is_of_room, is_of_store, translate

T = TypeVar("T")
Run = Callable[[apsw.Connection], T]


class Housekeeper(Protocol):
    """What the writer asks for around its commits, on its own thread."""

    def open(self) -> apsw.Connection:
        """The connection to write with. Raises ConfigurationError."""
        ...

    def after_group(self, connection: apsw.Connection) -> None:
        """Called when a group is done, outside any transaction."""
        ...

    def give_up_ballast(self) -> bool:
        """The disk is full. True when this made room."""
        ...

    def close(self, connection: apsw.Connection) -> None: ...


class Job:
    """Something to do inside the next transaction.

    `again` is done instead of `run` when the group is gone through a second time, job by job under savepoints: there
    a job may roll back to ``savepoint job`` by itself.
    """

    __slots__ = ("again", "future", "is_intake", "run")

    def __init__(self, run: Run[Any], again: Run[Any] | None, future: asyncio.Future[Any], *, is_intake: bool) -> None:
        self.run = run
        self.again = again or run
        self.future = future
        self.is_intake = is_intake


class _Value:
    """What became of a job: a value, or the error to raise."""

    __slots__ = ("error", "value")

    def __init__(self, value: Any = None, error: BaseException | None = None) -> None:
        self.value = value
        self.error = error


class StartOver(Exception):
    """A job must be done again, carefully (its `again`), after everything of it was undone."""


class Writer:
    """`submit` hands in a job, `start` and `close` are awaited once each. Lives on one event loop."""

    def __init__(self, keeper: Housekeeper, *, intake_jobs_max: int, jobs_max: int, commit_time_max_s: float) -> None:
        self._keeper = keeper
        self._intake_jobs_max = intake_jobs_max
        self._jobs_max = jobs_max
        self._commit_time_max_s = commit_time_max_s
        self._inbox: queue.SimpleQueue[list[Job] | None] = queue.SimpleQueue()
        self._pending: list[Job] = []
        self._running: list[Job] = []
        self._is_planned = False  # a hand-over is on its way
        self._is_open = False
        self._is_stuck = False
        self._watch: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop
        self._idle: asyncio.Event
        self._ended: asyncio.Future[None]

    # --- on the loop

    @property
    def job_count(self) -> int:
        """Jobs that wait or are being committed."""
        return len(self._pending) + len(self._running)

    async def start(self) -> None:
        """Start the thread, which opens the database. Raises what that raises."""
        self._loop = asyncio.get_running_loop()
        self._idle = asyncio.Event()
        self._idle.set()
        opened: asyncio.Future[None] = self._loop.create_future()
        self._ended = self._loop.create_future()
        threading.Thread(target=self._live, args=(opened,), name="hookspan-writer", daemon=True).start()
        await opened
        self._is_open = True

    def submit(self, run: Run[T], *, again: Run[T] | None = None, is_intake: bool = False) -> "asyncio.Future[T]":
        """Plan a job for the next commit. The future has its value once that is durable."""
        if not self._is_open:
            raise StoreUnavailable("The store is closed.")
        if self._is_stuck:
            raise StoreUnavailable("The disk does not answer.")
        if self.job_count >= (self._intake_jobs_max if is_intake else self._jobs_max):
            raise Overloaded("Too much waits to be stored. Nothing of this was kept.")
        future: asyncio.Future[T] = self._loop.create_future()
        self._pending.append(Job(run, again, future, is_intake=is_intake))
        if not self._is_planned and not self._running:
            self._is_planned = True
            self._loop.call_soon(self._hand_over)
        return future

    async def close(self) -> None:
        """Finish what was accepted, close the database, end the thread."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            async with asyncio.timeout(self._commit_time_max_s):
                while self.job_count:
                    self._idle.clear()
                    await self._idle.wait()
                self._inbox.put(None)
                await self._ended
        except TimeoutError:
            self._inbox.put(None)  # the disk hangs; the thread is a daemon and ends with the process at the latest
            raise StoreUnavailable("The disk does not answer; the store was left open.") from None

    def _hand_over(self) -> None:
        self._is_planned = False
        if self._pending and not self._running:
            self._running, self._pending = self._pending, []
            self._watch = self._loop.call_later(self._commit_time_max_s, self._give_up_waiting)
            self._inbox.put(self._running)

    def _finished(self, values: list[_Value]) -> None:
        if self._watch is not None:
            self._watch.cancel()
        group, self._running = self._running, []
        self._is_stuck = False
        for job, value in zip(group, values, strict=True):
            if job.future.done():
                continue  # its caller has gone; it is done all the same
            if value.error is None:
                job.future.set_result(value.value)
            else:
                job.future.set_exception(value.error)
        if not self._is_planned:
            self._is_planned = True
            self._loop.call_soon(self._hand_over)  # after the callers that were just woken
        self._idle.set()

    def _give_up_waiting(self) -> None:
        """The disk hangs in a commit, which can't be cancelled: whether it will hold is in doubt."""
        self._is_stuck = True
        refused, self._pending = self._pending, []
        for job in self._running:
            if not job.future.done():
                job.future.set_exception(StoreUnavailable("The disk does not answer: whether this was stored is open."))
        for job in refused:
            if not job.future.done():
                job.future.set_exception(StoreUnavailable("The disk does not answer. Nothing of this was stored."))

    # --- on the writer's thread

    def _live(self, opened: "asyncio.Future[None]") -> None:
        try:
            connection = self._keeper.open()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the one who waits must hear it
            self._tell(_settle, opened, error)
            return
        self._tell(_settle, opened, None)
        while (group := self._inbox.get()) is not None:
            values = self._do(connection, group)
            self._tell(self._finished, values)
            self._keeper.after_group(connection)
        self._keeper.close(connection)
        self._tell(_settle, self._ended, None)

    def _tell(self, callback: Callable[..., None], *args: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:  # the loop was closed under us: nobody is left to tell
            return

    def _do(self, connection: apsw.Connection, group: list[Job]) -> list[_Value]:
        """Commit a group. The room that the ballast held is only for what is no intake."""
        try:
            return _commit(connection, group)
        except Exception as error:  # noqa: BLE001 - a fault of the machine or the file; everything was undone
            if not (is_of_room(error) and self._keeper.give_up_ballast()):
                return [_Value(error=_for_caller(error)) for _ in group]
            full = error
        others = [job for job in group if not job.is_intake]
        try:
            values = iter(_commit(connection, others))
        except Exception as error:  # noqa: BLE001 - the same
            return [_Value(error=_for_caller(error)) for _ in group]
        return [_Value(error=_for_caller(full)) if job.is_intake else next(values) for job in group]


def _for_caller(error: BaseException) -> BaseException:
    translated = translate(error)
    if translated is not error:
        translated.__cause__ = error
    return translated


def _settle(future: "asyncio.Future[None]", error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


class _Undo(Exception):
    """A job has failed after it had written, so the group is done again under savepoints."""


def _commit(connection: apsw.Connection, group: list[Job]) -> list[_Value]:
    """One durable commit of the group; jobs that fail by themselves are left out of it.

    Savepoints cost two statements a job and are nearly never needed, so the first try goes without.
    """
    try:
        return _transact(connection, group, _together)
    except _Undo:
        return _transact(connection, group, _one_by_one)


def _transact(
    connection: apsw.Connection, group: list[Job], go: Callable[[apsw.Connection, list[Job]], list[_Value]]
) -> list[_Value]:
    connection.execute("begin immediate")
    try:
        values = go(connection, group)
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:  # SQLite may have rolled back by itself, when the disk is full for instance
            connection.execute("rollback")
        raise
    return values


def _together(connection: apsw.Connection, group: list[Job]) -> list[_Value]:
    values = []
    for job in group:
        before = connection.total_changes()
        try:
            values.append(_Value(job.run(connection)))
        except Exception as error:
            if is_of_store(error):
                raise
            if job.again is not job.run or connection.total_changes() != before:
                raise _Undo from error
            values.append(_Value(error=_for_caller(error)))
    return values


def _one_by_one(connection: apsw.Connection, group: list[Job]) -> list[_Value]:
    values = []
    for job in group:
        connection.execute("savepoint job")
        try:
            values.append(_Value(job.again(connection)))
        except Exception as error:
            if is_of_store(error) or not connection.in_transaction:
                raise
            connection.execute("rollback to job")
            values.append(_Value(error=_for_caller(error)))
        connection.execute("release job")
    return values
