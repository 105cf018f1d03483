"""A receiver that keeps each request as it came: the target, the header lines in their own letters, the body."""

import asyncio
import ssl
from typing import Self

import httptools
import msgspec

ARRIVAL_S = 20.0
BODY_BYTES_MAX = 1024 * 1024


class Request(msgspec.Struct, frozen=True):
    """`headers` are (name, value) as written, in order."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The value of the only line that is called exactly so."""
        (value,) = [value for found, value in self.headers if found == name]
        return value

    def names(self) -> set[str]:
        return {name for name, _ in self.headers}


class WireReceiver:
    """`async with WireReceiver(tls) as receiver`. Answers 200; requests wait in a queue of their path's."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._queues: dict[str, asyncio.Queue[Request]] = {}
        self._server: asyncio.Server
        self._connections: set[_Connection] = set()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, ssl=self._tls)
        scheme = "http" if self._tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for connection in list(self._connections):
            connection.transport.abort()
        await self._server.wait_closed()

    async def next(self, path: str) -> Request:
        """The oldest request to `path` that nobody has taken yet; waits for it."""
        async with asyncio.timeout(ARRIVAL_S):
            return await self._queue(path).get()

    def take(self, request: Request) -> None:
        self._queue(request.target.partition("?")[0]).put_nowait(request)

    def _queue(self, path: str) -> asyncio.Queue[Request]:
        return self._queues.setdefault(path, asyncio.Queue())


class _Connection(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, receiver: WireReceiver) -> None:
        self._receiver = receiver

    def connection_made(self, transport) -> None:
        self.transport = transport
        self._receiver._connections.add(self)
        self._parser = httptools.HttpRequestParser(self)

    def connection_lost(self, exc) -> None:
        self._receiver._connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._target, self._body = b"", b""
        self._headers: list[tuple[str, str]] = []

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.decode("ascii"), value.decode("latin-1")))

    def on_body(self, body: bytes) -> None:
        self._body += body
        assert len(self._body) <= BODY_BYTES_MAX

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode()
        self._receiver.take(Request(method, self._target.decode(), tuple(self._headers), self._body))
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
