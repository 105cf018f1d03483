"""Shares of what a node does only a few of at once, so that one application never has all of it.

Tests that wait for a receiver, windows that are counted, keys that are made, certificates that are looked at: each is a
`Shares`. An application has at most `each` of `total` places. Who finds none waits in its application's queue, for a
bounded time; places that become free go round the applications that wait, not round their requests. Shares are a
node's own.
"""

import contextlib
from asyncio import Event
from collections import deque
from collections.abc import AsyncIterator

from hookspan.clock import Clock
from hookspan.errors import Overloaded


class _Waiter:
    __slots__ = ("has_place", "wake")

    def __init__(self) -> None:
        self.wake = Event()
        self.has_place = False


class Shares:
    """`async with shares.place(application_id): ...`, on the loop, by all callers of one node."""

    def __init__(self, total: int, each: int, *, waiting_max: int, wait_s: float, clock: Clock, refusal: str) -> None:
        """`waiting_max`: requests of all applications; when there are more, the application with the most of them loses
        its newest. `refusal`: what those are told that got no place.
        """
        self._free = total
        self._each = each
        self._waiting_max = waiting_max
        self._wait_s = wait_s
        self._clock = clock
        self._refusal = refusal
        self._taken: dict[int, int] = {}  # of applications that have places
        self._queues: dict[int, deque[_Waiter]] = {}  # of applications that wait, in the order of their turns
        self._waiting = 0

    @contextlib.asynccontextmanager
    async def place(self, application_id: int) -> AsyncIterator[None]:
        """Have a place inside of the block. Raises Overloaded when there was none in time."""
        await self.take(application_id)
        try:
            yield
        finally:
            self.give_back(application_id)

    async def take(self, application_id: int) -> None:
        """Have a place until `give_back`. Raises Overloaded, as above; who is cancelled has none."""
        if self._free > 0 and self._taken.get(application_id, 0) < self._each:  # then nobody waits who could have it
            self._let_in(application_id)
            return
        waiter = self._queue_up(application_id)
        try:
            await self._clock.wait(waiter.wake, self._wait_s)
        except BaseException:
            if waiter.has_place:
                self.give_back(application_id)
            else:
                self._leave(application_id, waiter)
            raise
        if not waiter.has_place:
            self._leave(application_id, waiter)
            raise Overloaded(self._refusal)

    def give_back(self, application_id: int) -> None:
        """The end of what `take` began."""
        self._free += 1
        self._taken[application_id] -= 1
        if not self._taken[application_id]:
            del self._taken[application_id]
        while self._free > 0 and (next_id := self._whose_turn()) is not None:
            queue = self._queues.pop(next_id)
            waiter = queue.popleft()
            self._waiting -= 1
            if queue:
                self._queues[next_id] = queue  # behind the others
            self._let_in(next_id)
            waiter.has_place = True
            waiter.wake.set()

    def _let_in(self, application_id: int) -> None:
        self._free -= 1
        self._taken[application_id] = self._taken.get(application_id, 0) + 1

    def _whose_turn(self) -> int | None:
        return next((one for one in self._queues if self._taken.get(one, 0) < self._each), None)

    def _queue_up(self, application_id: int) -> _Waiter:
        if self._waiting >= self._waiting_max:
            self._make_room(application_id)
        waiter = _Waiter()
        self._queues.setdefault(application_id, deque()).append(waiter)
        self._waiting += 1
        return waiter

    def _make_room(self, application_id: int) -> None:
        """Send away the newest of the application that has most in the queue. Raises Overloaded where the newcomer's
        would then have as many.
        """
        longest = max(self._queues, key=lambda one: len(self._queues[one]), default=application_id)
        own = len(self._queues.get(application_id, ()))
        if len(self._queues.get(longest, ())) <= own + 1:
            raise Overloaded(self._refusal)
        waiter = self._queues[longest][-1]
        self._leave(longest, waiter)
        waiter.wake.set()

    def _leave(self, application_id: int, waiter: _Waiter) -> None:
        """Out of the queue, if it is in there."""
        queue = self._queues.get(application_id, deque())
        if waiter in queue:
            queue.remove(waiter)
            self._waiting -= 1
            if not queue:
                del self._queues[application_id]
