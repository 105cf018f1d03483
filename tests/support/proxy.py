"""A proxy before a server, for tests that cut connections at the worst moment. Lives in a thread with a loop of its
own, so that it works whatever the test waits for.
"""

import asyncio
import contextlib
import threading
from collections.abc import Iterator


class Proxy:
    """`port` leads to `target`. `swallow`: the server gets a message that holds these bytes, and its answer is kept
    back: the connection is cut instead; `swallow_answer`: the same by what the answer holds. `stall = True`: nothing is
    passed on, and nobody is told.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.swallow: bytes | None = None
        self.swallow_answer: bytes | None = None
        self.stall = False
        self.cuts = 0
        self.turned_away = 0
        self._is_away = False

    def turn_away(self, is_away: bool) -> None:
        """From now on nobody is let through, as by a server that has ended; or again."""
        self._is_away = is_away
        if is_away:
            self.cut()

    def cut(self) -> None:
        """Cut all connections that are open now."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result()

    async def _cut(self) -> None:
        for writer in tuple(self._open):
            writer.transport.abort()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_away:
            self.turned_away += 1
            writer.transport.abort()
            return
        try:
            onward_reader, onward = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, onward}
        has_swallowed = asyncio.Event()
        both = [
            asyncio.ensure_future(self._to_server(reader, onward, has_swallowed)),
            asyncio.ensure_future(self._to_client(onward_reader, writer, has_swallowed)),
        ]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for one in both:
            one.cancel()
        await asyncio.gather(*both, return_exceptions=True)
        for each in (writer, onward):
            each.transport.abort()
            self._open.discard(each)

    async def _to_server(
        self, reader: asyncio.StreamReader, onward: asyncio.StreamWriter, has_swallowed: asyncio.Event
    ) -> None:
        while data := await reader.read(65_536):
            if self.swallow is not None and self.swallow in data:
                has_swallowed.set()
            if not self.stall:
                onward.write(data)
                await onward.drain()

    async def _to_client(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, has_swallowed: asyncio.Event
    ) -> None:
        while data := await reader.read(65_536):
            if has_swallowed.is_set() or (self.swallow_answer is not None and self.swallow_answer in data):
                self.cuts += 1
                return
            if not self.stall:
                writer.write(data)
                await writer.drain()

    def _live(self, ready: threading.Event) -> None:
        async def serve() -> None:
            server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            self._stop = asyncio.Event()
            ready.set()
            await self._stop.wait()
            server.close()
            while others := asyncio.all_tasks() - {asyncio.current_task()}:
                await self._cut()
                await asyncio.wait(others, timeout=0.1)

        self._loop.run_until_complete(serve())
        self._loop.close()


@contextlib.contextmanager
def proxy_to(target: int) -> Iterator[Proxy]:
    proxy = Proxy(target)
    ready = threading.Event()
    thread = threading.Thread(target=proxy._live, args=(ready,), name="proxy")
    thread.start()
    ready.wait()
    try:
        yield proxy
    finally:
        proxy._loop.call_soon_threadsafe(proxy._stop.set)
        thread.join()
