"""Work that takes long is done by few threads with a short queue; the loop goes on meanwhile."""

import asyncio
import threading

import pytest

from hookspan.errors import Overloaded
from hookspan.manage._slow import AT_ONCE_MAX, WAITING_MAX, SlowWork

pytestmark = pytest.mark.anyio


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
    slow, gate = SlowWork(), Gate()
    tasks = [asyncio.create_task(slow.run(gate)) for _ in range(AT_ONCE_MAX + WAITING_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await slow.run(gate)
    gate.let_go()
    assert sorted(await asyncio.gather(*tasks)) == list(range(1, AT_ONCE_MAX + WAITING_MAX + 1))
    assert gate.most <= AT_ONCE_MAX == 2
    assert await slow.run(lambda: "there is room") == "there is room"


async def test_who_leaves_gives_up_the_place():
    """In the queue; a thread that runs goes on to its end, and is counted until then."""
    slow, gate = SlowWork(), Gate()
    tasks = [asyncio.create_task(slow.run(gate)) for _ in range(AT_ONCE_MAX + WAITING_MAX)]
    await asyncio.sleep(0)
    for task in tasks[AT_ONCE_MAX:]:
        task.cancel()
    await asyncio.gather(*tasks[AT_ONCE_MAX:], return_exceptions=True)
    another = asyncio.create_task(slow.run(gate))
    gate.let_go()
    await asyncio.gather(another, *tasks[:AT_ONCE_MAX])
    assert gate.done == AT_ONCE_MAX + 1


async def test_what_it_raises_comes_back():
    """As if it had been called."""

    def fails() -> None:
        raise ValueError("the reason")

    with pytest.raises(ValueError, match="the reason"):
        await SlowWork().run(fails)
