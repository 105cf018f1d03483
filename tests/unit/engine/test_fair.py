"""One application never has all of what a node does few of at once; who waits gets a place in turn, or a refusal."""

import asyncio

import pytest

from hookspan.engine.fair import Shares
from hookspan.errors import Overloaded
from tests.support.clock import VirtualClock

pytestmark = pytest.mark.anyio

A, B, C = 1, 2, 3
WAIT_S = 10.0


class Work:
    """Holds places until it is told to end; `began` is whose, in order."""

    def __init__(self, total: int = 2, each: int = 1, waiting_max: int = 8) -> None:
        self.clock = VirtualClock()
        self.shares = Shares(
            total, each, waiting_max=waiting_max, wait_s=WAIT_S, clock=self.clock, refusal="Too much at once."
        )
        self.began: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}

    async def _do(self, name: str, application_id: int) -> str:
        async with self.shares.place(application_id):
            self.began.append(name)
            await self._ends[name].wait()
        return name

    async def ask(self, name: str, application_id: int) -> asyncio.Task[str]:
        self._ends[name] = asyncio.Event()
        task = asyncio.create_task(self._do(name, application_id))
        await settled()
        return task

    async def end(self, *names: str) -> None:
        for name in names:
            self._ends[name].set()
        await settled()

    async def end_all(self, *tasks: asyncio.Task[str]) -> None:
        for end in self._ends.values():
            end.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (self.shares._taken, self.shares._queues, self.shares._waiting) == ({}, {}, 0)


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def refused(task: asyncio.Task[str]) -> bool:
    await settled()
    assert task.done()
    with pytest.raises(Overloaded, match="Too much at once"):
        await task
    return True


async def test_one_application_leaves_room_for_another():
    """However much A asks for, B gets in at once."""
    work = Work(total=2, each=1)
    tasks = [await work.ask(f"a{n}", A) for n in range(9)]
    assert work.began == ["a0"]
    tasks.append(await work.ask("b", B))
    assert work.began == ["a0", "b"]
    await work.end_all(*tasks)


async def test_places_go_round_the_applications():
    """Not round the requests: who asks ten times gets no more turns than who asks once."""
    work = Work(total=1, each=1)
    tasks = [await work.ask(f"a{n}", A) for n in range(4)]
    tasks += [await work.ask("b0", B), await work.ask("c0", C), await work.ask("b1", B)]
    for name in ("a0", "a1", "b0", "c0", "a2", "b1", "a3"):
        assert work.began[-1] == name
        await work.end(name)
    await work.end_all(*tasks)


async def test_who_has_its_share_waits_for_its_own():
    """A free place is nobody's who has had enough; the next of that application comes in with the end of its own."""
    work = Work(total=3, each=2)
    tasks = [await work.ask(f"a{n}", A) for n in range(3)]
    assert work.began == ["a0", "a1"]
    tasks.append(await work.ask("b0", B))
    await work.end("b0")
    assert work.began == ["a0", "a1", "b0"]
    await work.end("a1")
    assert work.began == ["a0", "a1", "b0", "a2"]
    await work.end_all(*tasks)


async def test_the_wait_is_bounded():
    """After so long who waits is refused, and is no longer in anybody's way."""
    work = Work(total=1, each=1)
    first = await work.ask("a", A)
    second = await work.ask("b", B)
    work.clock.move(int(WAIT_S * 1000) - 1)
    await settled()
    assert not second.done()
    work.clock.move(1)
    assert await refused(second)
    third = await work.ask("c", C)
    await work.end("a")
    assert work.began == ["a", "c"]
    await work.end_all(first, second, third)


async def test_the_queue_is_bounded():
    """When it is full, the application with the most in it gives way, its newest first; or it is refused itself."""
    work = Work(total=1, each=1, waiting_max=3)
    holding = await work.ask("a", A)
    waiting = [await work.ask(f"a{n}", A) for n in range(3)]
    assert await refused(await work.ask("a3", A))
    b0 = await work.ask("b0", B)
    assert await refused(waiting[2])
    assert not b0.done()
    assert await refused(await work.ask("b1", B))  # as many as A then, whose turn would be no better
    c0 = await work.ask("c0", C)
    assert await refused(waiting[1])
    assert await refused(await work.ask("d0", 4))  # one of each: nobody has more than the newcomer would
    for name in ("a", "a0", "b0", "c0"):
        assert work.began[-1] == name
        await work.end(name)
    await work.end_all(holding, waiting[0], b0, c0)


async def test_no_queue_at_all():
    """A bound without a queue refuses at once."""
    work = Work(total=1, each=1, waiting_max=0)
    first = await work.ask("a", A)
    assert await refused(await work.ask("b", B))
    await work.end_all(first)


async def test_who_leaves_gives_its_place_back():
    """While it works, while it waits, and in the moment in which it was let in."""
    work = Work(total=1, each=1)
    tasks = [await work.ask(name, number) for name, number in (("a", A), ("b", B), ("c", C), ("d", 4))]
    tasks[1].cancel()
    await settled()
    tasks[0].cancel()
    await asyncio.sleep(0)  # c has the place, and has not run yet
    tasks[2].cancel()
    await settled()
    assert work.began == ["a", "d"]
    await work.end_all(*tasks)


async def test_what_fails_gives_its_place_back():
    """As what goes well does."""
    work = Work(total=1)

    async def fails() -> None:
        async with work.shares.place(A):
            raise ValueError("the reason")

    with pytest.raises(ValueError, match="the reason"):
        await fails()
    await work.end_all(await work.ask("b", B))
    assert work.began == ["b"]
