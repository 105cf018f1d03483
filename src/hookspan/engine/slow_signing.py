"""Signatures that take about a millisecond (RSA), made in threads so that the loop never stands still for them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import msgspec

from hookspan.clock import Clock
from hookspan.engine.post import Post

THREADS = 2  # OpenSSL lets go of the interpreter while it signs


class Signed(msgspec.Struct, frozen=True):
    """The header lines of one attempt, and the time (ms) that they were stamped with."""

    lines: bytes
    at_ms: int


class SlowSigning:
    """Bounded by its callers: whatever waits here is a request in flight, of which a node has so many at most."""

    def __init__(self, clock: Clock, executor: Executor | None = None) -> None:
        self._clock = clock
        self._executor = executor or ThreadPoolExecutor(THREADS, "hookspan-sign")

    def submit(
        self, post: Post, event_id: int, body: bytes, event_type: str, done: Callable[[Future[Signed]], None]
    ) -> None:
        """Sign, and tell `done` on the loop; it must not raise. Stamped when its turn comes, not when it was asked for:
        receivers look at how old a signature is.
        """
        loop = asyncio.get_running_loop()
        future = self._executor.submit(self._sign, post, event_id, body, event_type)
        future.add_done_callback(lambda signed: loop.call_soon_threadsafe(done, signed))

    async def sign(self, post: Post, event_id: int, body: bytes, event_type: str) -> Signed:
        """The same, awaited."""
        return await asyncio.wrap_future(self._executor.submit(self._sign, post, event_id, body, event_type))

    def _sign(self, post: Post, event_id: int, body: bytes, event_type: str) -> Signed:
        at_ms = self._clock.now_ms()
        return Signed(post.lines(event_id, at_ms, body, event_type), at_ms)

    def close(self) -> None:
        """End the threads. What is being signed is finished, what waits is not begun."""
        self._executor.shutdown(wait=True, cancel_futures=True)
