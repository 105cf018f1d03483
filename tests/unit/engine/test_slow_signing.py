"""Slow signatures are made beside the loop, and stamped when they are made."""

import asyncio
import threading
from concurrent.futures import Future

import pytest

from hookspan.engine.post import Post
from hookspan.engine.slow_signing import THREADS, Signed, SlowSigning
from tests.support.clock import VirtualClock

pytestmark = pytest.mark.anyio


class SlowPost(Post):
    """Signs when it is told to."""

    def __init__(self) -> None:
        self.may_go = threading.Event()
        self.threads: set[int] = set()
        self.at_once_max = 0
        self._now = 0
        self._lock = threading.Lock()

    def lines(self, event_id: int, at_ms: int, body: bytes, event_type: str) -> bytes:
        with self._lock:
            self.threads.add(threading.get_ident())
            self._now += 1
            self.at_once_max = max(self.at_once_max, self._now)
        assert self.may_go.wait(10)
        with self._lock:
            self._now -= 1
        return f"sig: {event_id}.{at_ms}\r\n".encode()


async def test_the_loop_turns_while_signatures_are_made():
    """Many are asked for at once: two threads make them, the loop goes on meanwhile, and hears of each on itself."""
    post, clock = SlowPost(), VirtualClock()
    signing = SlowSigning(clock)
    heard: list[Signed] = []
    all_heard = asyncio.Event()

    def done(future: Future[Signed]) -> None:
        assert threading.current_thread() is threading.main_thread()
        heard.append(future.result())
        if len(heard) == 50:
            all_heard.set()

    for number in range(50):
        signing.submit(post, number, b"{}", "a.b", done)
    for _ in range(1_000):
        await asyncio.sleep(0)
    assert heard == []
    clock.move(777)
    post.may_go.set()
    async with asyncio.timeout(10):
        await all_heard.wait()
    signing.close()
    assert threading.get_ident() not in post.threads
    assert post.at_once_max <= THREADS
    # All but those that had begun were stamped after time had moved.
    assert sum(one.at_ms == clock.now_ms() for one in heard) >= 50 - THREADS


async def test_a_fault_while_signing_is_told():
    """Whoever asked hears of it, like of a signature."""

    class Broken(Post):
        def __init__(self) -> None:
            pass

        def lines(self, *_: object) -> bytes:
            raise ValueError("no such key")

    signing = SlowSigning(VirtualClock())
    told: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()
    signing.submit(Broken(), 1, b"", "a.b", lambda future: told.set_result(future.exception()))
    async with asyncio.timeout(10):
        assert str(await told) == "no such key"
    with pytest.raises(ValueError, match="no such key"):
        await signing.sign(Broken(), 1, b"", "a.b")
    signing.close()
