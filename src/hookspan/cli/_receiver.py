"""The demo's receiver: a real server on loopback that verifies what arrives, as a customer's would."""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, cast

import httptools
import msgspec

from hookspan.verify import VerificationError, verify

ADDRESS = "127.0.0.1"
BODY_BYTES_MAX = 1024 * 1024
HEADER_LINES_MAX = 100


class Arrival(msgspec.Struct, frozen=True):
    """One request that reached the receiver. `problem` is why it was not accepted, or None."""

    path: str
    event_type: str | None
    problem: str | None
    at_s: float  # time.monotonic()
    body: bytes


class Expected(msgspec.Struct, frozen=True):
    """What the receiver knows of one path: which profile is spoken there, and what it was given to verify with, as
    the arguments of `hookspan.verify`: ``secret``, ``public_key``, ``token``.
    """

    profile: str
    keys: dict[str, Any]


class Receiver:
    """Listens on two free loopback ports, the second with `tls`. `expect` a path before a webhook points to it;
    `arrived` is told of each request.
    """

    def __init__(self, arrived: Callable[[Arrival], None], tls: ssl.SSLContext | None = None) -> None:
        self._arrived = arrived
        self._expected: dict[str, Expected] = {}
        self._contexts = {"http": None} if tls is None else {"http": None, "https": tls}
        self._listeners = {scheme: socket.create_server((ADDRESS, 0)) for scheme in self._contexts}
        self._servers: list[asyncio.Server] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for scheme, context in self._contexts.items():
            listener = self._listeners[scheme]
            self._servers.append(
                await loop.create_server(lambda: _Connection(self._receive), sock=listener, ssl=context)
            )
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.close()

    def url(self, scheme: str = "http") -> str:
        """Where it listens by this scheme, without a path."""
        return f"{scheme}://{ADDRESS}:{self._listeners[scheme].getsockname()[1]}"

    def expect(self, path: str, expected: Expected) -> None:
        """From now on `path` verifies with this."""
        self._expected[path] = expected

    def _receive(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        """Answer with a status: 204 for what verified, 400 for what did not, 404 for what is not known."""
        expected = self._expected.get(path)
        if expected is None:
            return HTTPStatus.NOT_FOUND
        event_type, problem = None, None
        try:
            event_type = verify(expected.profile, headers=headers, body=body, **expected.keys).type
        except VerificationError as error:
            problem = str(error)
        self._arrived(Arrival(path, event_type, problem, time.monotonic(), body))
        return HTTPStatus.BAD_REQUEST if problem else HTTPStatus.NO_CONTENT


class _Connection(asyncio.Protocol):
    """One keep-alive connection; httptools calls back while it reads."""

    def __init__(self, receive: Callable[[str, Mapping[str, str], bytes], int]) -> None:
        self._receive = receive
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._headers: dict[str, str] = {}
        self._path = ""
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one by behaviour only

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._close()

    def on_message_begin(self) -> None:
        self._headers, self._path, self._body = {}, "", b""

    def on_url(self, url: bytes) -> None:
        self._path += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")
        if len(self._headers) > HEADER_LINES_MAX:
            self._close()

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > BODY_BYTES_MAX:
            self._close()

    def on_message_complete(self) -> None:
        if self._transport is None:
            return
        status = self._receive(self._path, self._headers, self._body)
        length = b"" if status == HTTPStatus.NO_CONTENT else b"content-length: 0\r\n"
        self._transport.write(b"HTTP/1.1 %d Demo\r\n%s\r\n" % (status, length))

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._transport = None

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None
