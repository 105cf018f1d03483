"""Work that takes long is done by few threads with a short queue; the loop goes on meanwhile."""

import asyncio
import threading

import pytest

from hookspan.errors import Overloaded
from hookspan.manage._slow import AT_ONCE_MAX, WAITING_MAX, SlowWork
from tests.support.clock import VirtualClock

pytestmark = pytest.mark.anyio

A, B = 1, 2


class Gate:
    """Work that waits until it is let go, and remembers how much of it ran at once."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._lock = threading.Lock()
        self._running = 0
        self.most = 0
        self.done = 0

    def __call__(self) -> int:
        with self._lock:
            self._running += 1
            self.most = max(self.most, self._running)
        assert self._open.wait(10)
        with self._lock:
            self._running -= 1
            self.done += 1
            return self.done

    def let_go(self) -> None:
        self._open.set()


async def test_two_at_once_and_a_short_queue():
    """One more than that is refused at once; afterwards there is room again."""
    slow, gate = SlowWork(VirtualClock()), Gate()
    tasks = [asyncio.create_task(slow.run(number, gate)) for number in range(AT_ONCE_MAX + WAITING_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await slow.run(AT_ONCE_MAX + WAITING_MAX, gate)
    gate.let_go()
    assert sorted(await asyncio.gather(*tasks)) == list(range(1, AT_ONCE_MAX + WAITING_MAX + 1))
    assert gate.most <= AT_ONCE_MAX == 2
    assert await slow.run(A, lambda: "there is room") == "there is room"


async def test_one_application_leaves_a_thread_for_another():
    """However many keys A asks for, B's is made at once."""
    slow, gate = SlowWork(VirtualClock()), Gate()
    tasks = [asyncio.create_task(slow.run(A, gate)) for _ in range(WAITING_MAX + 1)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await slow.run(A, gate)
    assert await slow.run(B, lambda: "made") == "made"
    gate.let_go()
    await asyncio.gather(*tasks)
    assert gate.most == 1


async def test_who_leaves_gives_up_the_place():
    """In the queue."""
    slow, gate = SlowWork(VirtualClock()), Gate()
    tasks = [asyncio.create_task(slow.run(number, gate)) for number in range(AT_ONCE_MAX + WAITING_MAX)]
    await asyncio.sleep(0)
    for task in tasks[AT_ONCE_MAX:]:
        task.cancel()
    await asyncio.gather(*tasks[AT_ONCE_MAX:], return_exceptions=True)
    another = asyncio.create_task(slow.run(A, gate))
    gate.let_go()
    await asyncio.gather(another, *tasks[:AT_ONCE_MAX])
    assert gate.done == AT_ONCE_MAX + 1


async def test_a_thread_that_runs_is_counted_to_its_end():
    """Also when the caller has left: so that leaving early gives nobody more than its share. What it raises then is
    nobody's.
    """
    slow, gate = SlowWork(VirtualClock()), Gate()
    is_running = threading.Event()

    def fails() -> None:
        is_running.set()
        gate()
        raise ValueError("heard by nobody")

    left = asyncio.create_task(slow.run(A, fails))
    assert await asyncio.to_thread(is_running.wait, 10)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    another = asyncio.create_task(slow.run(A, lambda: gate.done))
    assert await slow.run(B, lambda: gate.done) == 0
    gate.let_go()
    assert await another == 1


async def test_what_it_raises_comes_back():
    """As if it had been called."""

    def fails() -> None:
        raise ValueError("the reason")

    with pytest.raises(ValueError, match="the reason"):
        await SlowWork(VirtualClock()).run(A, fails)
