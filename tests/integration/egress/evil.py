"""A receiver on a raw socket that does whatever a script says, and a sender to try it on."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Self

from hookspan.clock import SystemClock
from hookspan.domain.outcome import Outcome
from hookspan.egress import Egress, EgressSettings, Target

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
PATIENCE_S = 10.0  # a test that waits longer than this has failed


class Gone(Exception):
    """The sender closed the connection."""


class Peer:
    """One connection, seen from the receiver. What arrives at all is written to `requests`."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, requests: list[bytes] | None = None
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._requests = [] if requests is None else requests

    async def request(self) -> bytes:
        """The next whole request. Raises Gone."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or b"0")
            self._requests.append(head + await self._reader.readexactly(length))
            return self._requests[-1]
        except (asyncio.IncompleteReadError, OSError):
            raise Gone from None

    async def send(self, data: bytes) -> None:
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError:
            raise Gone from None

    async def gone(self) -> None:
        """Wait until the sender closes. What it still sends is written down."""
        with contextlib.suppress(OSError):
            while data := await self._reader.read(65_536):
                self._requests.append(data)

    async def drip(self, data: bytes, each_s: float = 0.02) -> None:
        """One byte at a time, for ever slowly. Raises Gone when the sender has had enough."""
        for at in range(len(data)):
            await self.send(data[at : at + 1])
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(each_s):
                    await self.gone()
                    raise Gone

    def finish(self) -> None:
        """Half-close: nothing more will be written."""
        self._writer.write_eof()

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def close(self) -> None:
        self._writer.close()


async def until(is_so: Callable[[], bool]) -> None:
    """Let the loop turn until it is so."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if is_so():
                return
            await asyncio.sleep(0)


Script = Callable[[Peer], Awaitable[None]]


class EvilReceiver:
    """Plays the n-th script on its n-th connection, the last one on all further ones."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self._scripts = scripts
        self._tls = tls
        self.connections = 0
        self.requests: list[bytes] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._server.close()
        if error is None:
            await self.all_gone()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self.port}/hook"

    async def all_gone(self) -> None:
        """Wait until every script has ended, which it does when the sender has closed."""
        async with asyncio.timeout(PATIENCE_S):
            while self._tasks:
                await asyncio.wait(self._tasks)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        script = self._scripts[min(self.connections, len(self._scripts) - 1)]
        self.connections += 1
        peer = Peer(reader, writer, self.requests)
        try:
            await script(peer)
        except Gone:
            pass
        finally:
            peer.close()


def says(*responses: bytes) -> Script:
    """Answers request after request; then waits for the sender to close."""

    async def script(peer: Peer) -> None:
        for response in responses:
            await peer.request()
            await peer.send(response)
        await peer.gone()

    return script


@contextlib.asynccontextmanager
async def an_egress(clock=None, names=None, **given: Any) -> AsyncIterator[Egress]:
    """An Egress that may send to this host over http."""
    defaults: dict[str, Any] = {"allow": ("127.0.0.0/8", "::1"), "allow_http": True}
    egress = Egress(EgressSettings(**defaults | given), clock or SystemClock(), names=names)
    await egress.start()
    try:
        yield egress
    finally:
        await egress.close()


async def post(
    egress: Egress,
    to: Target | str,
    headers: bytes = b"content-type: application/json\r\n",
    body: bytes = b"{}",
    *,
    timeout_ms: int = 5_000,
    application_id: int = 1,
    **more: bool,
) -> Outcome:
    """Send, and wait for the outcome. Fails when it comes twice, or before `send` has returned."""
    target = egress.target(to, https_required=False) if isinstance(to, str) else to
    outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    egress.send(
        target, headers, body, application_id=application_id, timeout_ms=timeout_ms, done=outcome.set_result, **more
    )
    assert not outcome.done()
    async with asyncio.timeout(PATIENCE_S):
        return await outcome
