"""Lanes of one kind: a few threads, each with a connection, that share a bounded queue of tasks.

Each call has a deadline, waiting included. At it a task that waits is given up, and one that runs loses its connection:
the wait is ended on this side, whatever the server does. When no lane has a connection, calls are refused at once.
"""

import asyncio
import queue
import time
from collections.abc import Callable
from typing import Any, LiteralString

import structlog

from hookspan.errors import Overloaded, StoreUnavailable
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._faults import reason_of
from hookspan.store.postgres._lane import Lane
from hookspan.store.postgres._options import PostgresOptions
from hookspan.store.postgres._task import Run, Stage, T, Task

log = structlog.get_logger()

# How often the deadlines are looked at.
_WATCH_INTERVAL_S = 0.1


class Lanes:
    """`submit` hands in a task; `start` and `close` are awaited once each. Lives on one event loop."""

    def __init__(  # noqa: PLR0913 - each kind of lanes is told apart by all of these
        self,
        name: str,
        where: str,
        connect: Callable[[], Connection],
        begin: LiteralString,
        options: PostgresOptions,
        *,
        count: int,
        time_max_s: float,
        tasks_max: int,
        intake_max: int | None = None,
    ) -> None:
        self._name = name
        self._where = where
        self._is_away = False  # and it was said
        self._time_max_s = time_max_s
        self._tasks_max = tasks_max
        self._intake_max = tasks_max if intake_max is None else intake_max
        self._inbox: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._lanes = [
            Lane(f"hookspan-{name}-{number}", where, self, connect, self._inbox, begin, options)
            for number in range(count)
        ]
        self._connected: set[Lane] = set()
        self._living: set[Lane] = set()
        self._tasks: dict[Task, None] = {}  # in the order of their deadlines
        self._is_open = False
        self._watch: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop
        self._opening: asyncio.Future[None]
        self._idle: asyncio.Event
        self._ended: asyncio.Event

    # --- on the loop

    @property
    def task_count(self) -> int:
        """Tasks that wait or run."""
        return len(self._tasks)

    @property
    def connected_count(self) -> int:
        return len(self._connected)

    def check(self, *, is_intake: bool) -> None:
        """Raises what `submit` would raise now."""
        if not self._is_open:
            raise StoreUnavailable("The store is closed.")
        if not self._connected:
            raise StoreUnavailable(f"The database at {self._where} can't be reached. Nothing of this was stored.")
        if len(self._tasks) >= (self._intake_max if is_intake else self._tasks_max):
            raise Overloaded("Too much waits for the store. Nothing of this was kept.")

    async def start(self) -> None:
        """Connect all lanes. Raises what that raises."""
        self._loop = asyncio.get_running_loop()
        self._opening = self._loop.create_future()
        self._idle = asyncio.Event()
        self._ended = asyncio.Event()
        self._is_open = True
        self._living = set(self._lanes)
        for lane in self._lanes:
            lane.start()
        try:
            await self._opening
        except BaseException:
            await self.close()
            raise

    def submit(
        self, run: Run[T], *, is_intake: bool = False, is_alone: bool = False, time_max_s: float | None = None
    ) -> "asyncio.Future[T]":
        """Plan a task. The future has its value once that is durable. A task that was submitted is run, whatever
        becomes of its caller.
        """
        self.check(is_intake=is_intake)
        future: asyncio.Future[T] = self._loop.create_future()
        deadline_s = time.monotonic() + (time_max_s or self._time_max_s)
        task = Task(run, future, deadline_s, is_intake=is_intake, is_alone=is_alone)
        self._tasks[task] = None
        if self._watch is None:
            self._watch = self._loop.call_later(_WATCH_INTERVAL_S, self._look_at_deadlines)
        self._inbox.put(task)
        return future

    async def close(self) -> None:
        """Finish what was accepted, close the connections, end the threads."""
        if not self._is_open:
            return
        self._is_open = False
        while self._tasks:  # each ends at its deadline at the latest
            self._idle.clear()
            await self._idle.wait()
        for lane in self._lanes:
            lane.close()
        for _ in self._lanes:
            self._inbox.put(None)
        while self._living:
            self._ended.clear()
            await self._ended.wait()
        if self._watch is not None:
            self._watch.cancel()

    def _look_at_deadlines(self) -> None:
        now_s = time.monotonic()
        for task in [task for task in self._tasks if task.deadline_s <= now_s]:
            self._give_up(task, "The store took too long to answer.")
        self._watch = self._loop.call_later(_WATCH_INTERVAL_S, self._look_at_deadlines) if self._tasks else None

    def _give_up(self, task: Task, why: str) -> None:
        stage = task.give_up()
        if stage is Stage.ENDED:
            return
        if stage is not Stage.WAITING and task.lane is not None:
            task.lane.cut()
        detail = "Whether this was stored is open." if stage is Stage.COMMITTING else "Nothing of this was stored."
        self._settle(task, None, StoreUnavailable(f"{why} {detail}"))

    def _settle(self, task: Task, value: Any, error: BaseException | None) -> None:
        self._tasks.pop(task, None)
        if not task.future.done():  # its caller may have gone; it is done all the same
            if error is None:
                task.future.set_result(value)
            else:
                task.future.set_exception(error)
        if not self._tasks:
            self._idle.set()

    def _on_opened(self, lane: Lane, error: BaseException | None) -> None:
        if error is None:
            self._connected.add(lane)
            if self._is_away:
                self._is_away = False
                log.warning("the database is reached again", place=self._where, lanes=self._name)
        if self._opening.done():
            return
        if error is not None:
            self._opening.set_exception(error)
        elif len(self._connected) == len(self._lanes):
            self._opening.set_result(None)

    def _on_lost(self, lane: Lane) -> None:
        self._connected.discard(lane)
        if self._connected:
            return
        for task in [task for task in self._tasks if task.stage is Stage.WAITING]:
            self._give_up(task, f"The database at {self._where} can't be reached.")

    def _on_failed(self, error: Exception) -> None:
        """A connection could not be made anew: said once, when the last one is gone, and not at each try."""
        if not self._is_away and not self._connected:
            self._is_away = True
            log.warning("the database can't be reached", place=self._where, lanes=self._name, problem=reason_of(error))

    def _on_finished(self, task: Task, value: Any, error: BaseException | None) -> None:
        task.give_up()
        self._settle(task, value, error)

    def _on_ended(self, lane: Lane) -> None:
        self._connected.discard(lane)
        self._living.discard(lane)
        self._ended.set()

    # --- on the lanes' threads

    def opened(self, lane: Lane, error: BaseException | None) -> None:
        self._tell(self._on_opened, lane, error)

    def lost(self, lane: Lane) -> None:
        self._tell(self._on_lost, lane)

    def failed(self, lane: Lane, error: Exception) -> None:  # noqa: ARG002
        self._tell(self._on_failed, error)

    def finished(self, lane: Lane, task: Task, value: Any, error: BaseException | None) -> None:  # noqa: ARG002
        self._tell(self._on_finished, task, value, error)

    def ended(self, lane: Lane) -> None:
        self._tell(self._on_ended, lane)

    def _tell(self, callback: Callable[..., None], *args: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:  # the loop was closed under us: nobody is left to tell
            return
