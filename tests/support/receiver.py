"""A real receiver on a loopback socket: answers 200 and remembers every body."""

import asyncio
import contextlib
from collections import Counter
from typing import Self

import httptools
import msgspec

LOOK_INTERVAL_S = 0.05


class Receiver:
    """`async with Receiver() as receiver`. `numbers` counts how often each event's number arrived."""

    def __init__(self) -> None:
        self.numbers: Counter[int] = Counter()
        self.requests: list[tuple[dict[bytes, bytes], bytes]] = []
        self.keeps_requests = False
        self.status = 200
        self.arrived = asyncio.Event()
        self.port = 0
        self._answers = 0
        self._answers_max: int | None = None
        self._held: list[_Connection] = []
        self._server: asyncio.Server
        self._connections: set[_Connection] = set()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for connection in list(self._connections):
            connection.transport.abort()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def hold_after(self, answers: int | None) -> None:
        """So many answers since the beginning, then requests wait until this is called again; None: no end to them."""
        self._answers_max = answers
        held, self._held = self._held, []
        for one in held:
            self.answer(one)

    def answer(self, connection: "_Connection") -> None:
        """Unless it has to wait."""
        if self._answers_max is not None and self._answers >= self._answers_max:
            self._held.append(connection)
            return
        self._answers += 1
        connection.transport.write(b"HTTP/1.1 %d X\r\ncontent-length: 2\r\n\r\nok" % self.status)

    async def wait_until(self, is_done, timeout_s: float) -> bool:
        """Look again at each arrival, and now and then between them: not all that is waited for is told by one. False
        when the time is over first.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not is_done():
                    self.arrived.clear()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_INTERVAL_S):
                            await self.arrived.wait()
        except TimeoutError:
            return bool(is_done())
        return True


class _Connection(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def connection_made(self, transport) -> None:
        self.transport = transport
        self._receiver._connections.add(self)
        self._parser = httptools.HttpRequestParser(self)
        self._headers: dict[bytes, bytes] = {}
        self._body = b""

    def connection_lost(self, exc) -> None:
        self._receiver._connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        receiver = self._receiver
        if receiver.keeps_requests:
            receiver.requests.append((self._headers, self._body))
        data = msgspec.json.decode(self._body).get("data", {})
        if "number" in data:  # not so in tests and samples
            receiver.numbers[data["number"]] += 1
        self._headers, self._body = {}, b""
        receiver.answer(self)
        receiver.arrived.set()
