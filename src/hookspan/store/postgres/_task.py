"""One piece of work for a lane: what runs in its transaction, who waits for it, and how far it has come."""

import asyncio
import enum
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from hookspan.store.postgres._connection import Connection

if TYPE_CHECKING:
    from hookspan.store.postgres._lane import Lane

T = TypeVar("T")
Run = Callable[[Connection], T]


class Stage(enum.Enum):
    WAITING = enum.auto()
    RUNNING = enum.auto()  # nothing of it is durable yet
    COMMITTING = enum.auto()  # whether it is durable is open
    ENDED = enum.auto()


class Task:
    """`stage` is moved on by the lane's thread, and ended by the loop where a task is given up: each under `_lock`, so
    that a task of which was said that nothing was stored is never begun after.
    """

    __slots__ = ("_lock", "deadline_s", "future", "is_alone", "is_intake", "lane", "run", "stage")

    def __init__(
        self, run: Run[Any], future: asyncio.Future[Any], deadline_s: float, *, is_intake: bool, is_alone: bool
    ) -> None:
        self.run = run
        self.future = future
        self.deadline_s = deadline_s
        self.is_intake = is_intake
        self.is_alone = is_alone  # outside of a transaction: each statement by itself
        self.stage = Stage.WAITING
        self.lane: Lane | None = None
        self._lock = threading.Lock()

    def begin(self, lane: "Lane") -> bool:
        """False when it was given up while it waited."""
        with self._lock:
            if self.stage is not Stage.WAITING:
                return False
            self.stage = Stage.COMMITTING if self.is_alone else Stage.RUNNING
            self.lane = lane
            return True

    def begin_commit(self) -> bool:
        """False when it was given up: then it must not be committed any more."""
        with self._lock:
            if self.stage is not Stage.RUNNING:
                return False
            self.stage = Stage.COMMITTING
            return True

    def give_up(self) -> Stage:
        """How far it had come. What is running is undone, for it will not be committed."""
        with self._lock:
            stage, self.stage = self.stage, Stage.ENDED
            return stage
