"""From publish to the first byte at the receiver, at a fixed rate.

Open loop: an event is due when the clock says so, whether or not earlier ones were answered; one that finds every
connection busy waits with its time stamp already made, so that a slow server can't hide its slowness by slowing the
publisher. Publisher and receiver share one process and so one clock; the stamp travels in the content.
"""

import asyncio
import contextlib
import json
import re
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import cast

import httptools
import msgspec
import uvloop

from bench._errors import BenchError
from bench._load import CONTENT

RATE_PER_S = 1_000
CONNECTIONS = 64
WARM_UP_S = 1.0  # connections open, caches fill: left out
_ARRIVAL_S = 10.0  # for the last ones, after the last was published
_RATE_SHARE_MIN = 0.95  # a machine that can't keep the rate up measured something else
_HOST = "127.0.0.1"
_SENT_NS = re.compile(rb'"sent_ns":(\d+)')


class Latencies(msgspec.Struct, frozen=True):
    """Of each event after the warm-up, in ms."""

    to_receiver_ms: list[float]


def listen() -> socket.socket:
    """The receiver's socket. It already queues connections, so a program under measure can be started against it."""
    listener = socket.create_server((_HOST, 0), backlog=1_024)
    listener.setblocking(False)
    return listener


def measure(listener: socket.socket, port: int, path: str, key: str, seconds: float) -> Latencies:
    """Publish to `path` at `port` for `seconds` after the warm-up. Raises BenchError when events stay away."""
    return uvloop.run(_measure(listener, port, path, key, seconds))


async def _measure(listener: socket.socket, port: int, path: str, key: str, seconds: float) -> Latencies:
    arrivals = _Arrivals()
    server = await asyncio.get_running_loop().create_server(lambda: _Receiver(arrivals.note), sock=listener)
    publishers = _Publishers(path, key)
    try:
        await publishers.open(port)
        warm_up = int(RATE_PER_S * WARM_UP_S)
        total = warm_up + int(RATE_PER_S * seconds)
        stamps = await publishers.publish(total)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ARRIVAL_S):
                await arrivals.wait_for(total)
        missing = sum(stamp not in arrivals.at_ns for stamp in stamps)
        if missing:
            raise BenchError(f"{missing} of {total} events had not arrived {_ARRIVAL_S:.0f} s after the last.")
    finally:
        publishers.close()
        server.close()
    return Latencies([(arrivals.at_ns[stamp] - stamp) / 1e6 for stamp in stamps[warm_up:]])


class _Arrivals:
    """When each stamped event came first."""

    def __init__(self) -> None:
        self.at_ns: dict[int, int] = {}
        self._wanted = 0
        self._is_complete = asyncio.Event()

    def note(self, body: bytes, first_byte_ns: int) -> None:
        found = _SENT_NS.search(body)
        if found is not None:
            self.at_ns.setdefault(int(found.group(1)), first_byte_ns)
        if self._wanted and len(self.at_ns) >= self._wanted:
            self._is_complete.set()

    async def wait_for(self, count: int) -> None:
        self._wanted = count
        if len(self.at_ns) < count:
            await self._is_complete.wait()


class _Receiver(asyncio.Protocol):
    """Answers 200 and reports each body with the time of its request's first byte."""

    def __init__(self, note: Callable[[bytes, int], None]) -> None:
        self._note = note
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""
        self._data_ns = self._first_byte_ns = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has a class of its own

    def data_received(self, data: bytes) -> None:
        self._data_ns = time.monotonic_ns()
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._first_byte_ns, self._body = self._data_ns, b""

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self._note(self._body, self._first_byte_ns)
        self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")


class _Publishers:
    """The publisher's connections: a free one takes the next event, else it waits its turn."""

    def __init__(self, path: str, key: str) -> None:
        self._head = (
            f"POST {path} HTTP/1.1\r\nhost: {_HOST}\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {key}\r\ncontent-length: "
        ).encode()
        self._all: list[_Publisher] = []
        self._idle: list[_Publisher] = []
        self._waiting: deque[bytes] = deque()
        self._refused: list[int] = []

    async def open(self, port: int) -> None:
        for _ in range(CONNECTIONS):
            loop = asyncio.get_running_loop()
            _, publisher = await loop.create_connection(lambda: _Publisher(self.answered), _HOST, port)
            self._all.append(publisher)
        self._idle = list(self._all)

    async def publish(self, count: int) -> list[int]:
        """Publish `count` events at the rate; their stamps in ns. Raises BenchError when any was refused."""
        stamps: list[int] = []
        start = time.monotonic()
        for number in range(count):
            ahead_s = start + number / RATE_PER_S - time.monotonic()
            if ahead_s > 0:
                await asyncio.sleep(ahead_s)
            stamps.append(max(time.monotonic_ns(), stamps[-1] + 1 if stamps else 0))  # each its own
            self._send(self._request(stamps[-1]))
        took_s = time.monotonic() - start
        if self._refused:
            raise BenchError(f"{len(self._refused)} events were answered with {sorted(set(self._refused))}.")
        if count / took_s < RATE_PER_S * _RATE_SHARE_MIN:
            raise BenchError(f"This machine published {count / took_s:,.0f}/s instead of {RATE_PER_S:,}/s: too busy.")
        return stamps

    def answered(self, publisher: "_Publisher", status: int) -> None:
        if status != 202:  # noqa: PLR2004 - the one answer that means "kept"
            self._refused.append(status)
        if self._waiting:
            publisher.send(self._waiting.popleft())
        else:
            self._idle.append(publisher)

    def close(self) -> None:
        for publisher in self._all:
            publisher.close()

    def _request(self, stamp_ns: int) -> bytes:
        content = {"sent_ns": stamp_ns, **CONTENT}
        body = json.dumps({"type": "order.paid", "content": content}, separators=(",", ":")).encode()
        return self._head + b"%d\r\n\r\n%b" % (len(body), body)

    def _send(self, request: bytes) -> None:
        if self._idle:
            self._idle.pop().send(request)
        else:
            self._waiting.append(request)


class _Publisher(asyncio.Protocol):
    """One connection with at most one request on its way."""

    def __init__(self, answered: "Callable[[_Publisher, int], None]") -> None:
        self._answered = answered
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has a class of its own

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._answered(self, self._parser.get_status_code())

    def send(self, request: bytes) -> None:
        self._transport.write(request)

    def close(self) -> None:
        self._transport.close()
