"""A few reader threads, each with a connection that can't write. Every read has a time limit.

A reader holds back the write-ahead log's checkpoint for as long as it reads: one that was left open let the log grow
without end. So a query that takes too long is interrupted.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import apsw

from hookspan.errors import ConfigurationError, Overloaded, StoreUnavailable
from hookspan.store.sqlite._faults import translate

T = TypeVar("T")
Read = Callable[[apsw.Connection], T]

# Steps of SQLite's machine between looks at the clock: some milliseconds.
_STEPS_PER_LOOK = 50_000
# The caller waits this much longer than the query may take: only a disk that hangs gets so far.
_GRACE_S = 1.0


class _Task:
    __slots__ = ("deadline_s", "future", "read")

    def __init__(self, read: Read[Any], future: asyncio.Future[Any], deadline_s: float) -> None:
        self.read = read
        self.future = future
        self.deadline_s = deadline_s


class Readers:
    """`read` runs a function on some reader's connection, inside one read transaction."""

    def __init__(self, path: Path, *, readers: int, reads_max: int, time_max_s: float, cache_bytes: int) -> None:
        self._path = path
        self._readers = readers
        self._reads_max = reads_max
        self._time_max_s = time_max_s
        self._cache_bytes = cache_bytes
        self._inbox: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._count = 0
        self._is_open = False
        self._loop: asyncio.AbstractEventLoop
        self._ended: list[asyncio.Future[None]] = []

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        opened = [self._loop.create_future() for _ in range(self._readers)]
        for number, future in enumerate(opened):
            ended = self._loop.create_future()
            self._ended.append(ended)
            name = f"hookspan-reader-{number}"
            threading.Thread(target=self._live, args=(future, ended), name=name, daemon=True).start()
        self._is_open = True
        for problem in await asyncio.gather(*opened, return_exceptions=True):
            if problem is not None:
                await self.close()
                raise problem

    async def close(self) -> None:
        """Refuse new reads, let running ones end."""
        if not self._is_open:
            return
        self._is_open = False
        for _ in range(self._readers):
            self._inbox.put(None)
        await asyncio.wait(self._ended, timeout=self._time_max_s + _GRACE_S)

    async def read(self, read: Read[T]) -> T:
        """Run `read` in one read transaction. Raises StoreUnavailable when it takes too long, Overloaded when too
        many wait.
        """
        if not self._is_open:
            raise StoreUnavailable("The store is closed.")
        if self._count >= self._reads_max:
            raise Overloaded("Too many queries wait for the store.")
        future: asyncio.Future[T] = self._loop.create_future()
        self._count += 1  # given back by the thread's answer: a caller that leaves does not end its query
        self._inbox.put(_Task(read, future, time.monotonic() + self._time_max_s))
        try:
            async with asyncio.timeout(self._time_max_s + _GRACE_S):
                return await future
        except TimeoutError:
            raise StoreUnavailable("The store took too long to answer.") from None

    def _finished(self, task: _Task, value: Any, error: BaseException | None) -> None:
        self._count -= 1
        if task.future.done():
            return
        if error is None:
            task.future.set_result(value)
        else:
            task.future.set_exception(error)

    # --- on the readers' threads

    def _live(self, opened: "asyncio.Future[None]", ended: "asyncio.Future[None]") -> None:
        watch = _Watch()
        try:
            connection = self._connect(watch)
        except apsw.Error as error:
            self._tell(opened, ConfigurationError(f"{self._path} can't be read: {error}"))
            self._tell(ended, None)
            return
        self._tell(opened, None)
        while (task := self._inbox.get()) is not None:
            watch.deadline_s = task.deadline_s
            answer = self._do(connection, task)
            try:
                self._loop.call_soon_threadsafe(self._finished, task, *answer)
            except RuntimeError:  # the loop was closed under us: nobody is left to tell
                break
        connection.close()
        self._tell(ended, None)

    def _connect(self, watch: "_Watch") -> apsw.Connection:
        connection = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READWRITE)
        connection.set_busy_timeout(int(self._time_max_s * 1000))
        connection.execute("pragma query_only = 1").get  # noqa: B018 - runs it to its end
        connection.execute(f"pragma cache_size = -{self._cache_bytes // 1024}").get  # noqa: B018
        connection.set_progress_handler(watch.is_over, _STEPS_PER_LOOK)
        return connection

    def _do(self, connection: apsw.Connection, task: _Task) -> tuple[Any, BaseException | None]:
        if time.monotonic() > task.deadline_s:
            return None, StoreUnavailable("Too many queries wait for the store.")
        try:
            connection.execute("begin")
            try:
                return task.read(connection), None
            finally:
                if connection.in_transaction:
                    connection.execute("rollback")
        except Exception as error:  # noqa: BLE001 - whatever it is, the one who waits must hear it
            return None, translate(error)

    def _tell(self, future: "asyncio.Future[None]", error: BaseException | None) -> None:
        def settle() -> None:
            if not future.done():
                if error is None:
                    future.set_result(None)
                else:
                    future.set_exception(error)

        try:
            self._loop.call_soon_threadsafe(settle)
        except RuntimeError:
            return


class _Watch:
    """Says to SQLite when the time of the running query is over."""

    def __init__(self) -> None:
        self.deadline_s = 0.0

    def is_over(self) -> bool:
        return time.monotonic() > self.deadline_s
