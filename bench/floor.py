"""The floor: the least program that accepts an event over HTTP, keeps it durably, signs it, delivers it and records
how that went. The yardstick of every throughput row; not an example to build on.

    python -m bench.floor PORT RECEIVER_PORT DATABASE

It spends nothing on keys, catalogs, subscriptions, retries, limits, refusals or a second webhook. What it does, it
does as Hookspan promises it: 202 only after an fsync, one HMAC over id, time and body, one kept record per attempt.
Both sides of HTTP are httptools on uvloop; a writer thread puts all that came during one commit into the next.
"""

import asyncio
import base64
import hmac
import itertools
import queue
import sqlite3
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import cast

import httptools
import msgspec
import uvloop

SENDERS = 128  # connections to the receiver: as many as a webhook of Hookspan gets in these measurements
BACKLOG = 1_024
_HOST = "127.0.0.1"
_SIGNING_KEY = b"floor-signing-key-of-thirty-two-b"
_SCHEMA = """
pragma journal_mode = wal;
pragma synchronous = full;
create table event (id text primary key, application integer, type text, content blob, accepted_at integer)
    without rowid;
create table delivery (id text primary key, event text, webhook integer, node integer, attempts integer,
    next_attempt_at integer, is_done integer) without rowid;
create index delivery_due on delivery (next_attempt_at) where is_done = 0;
create table attempt (delivery text, number integer, started_at integer, status integer, duration_ms integer,
    answer blob, primary key (delivery, number)) without rowid;
"""
_KEEP_EVENT = "insert into event values (?, 1, ?, ?, ?)"
_KEEP_DELIVERY = "insert into delivery values (?, ?, 1, 1, 0, ?, 0)"
_KEEP_ATTEMPT = "insert into attempt values (?, 1, ?, ?, ?, ?)"
_END_DELIVERY = "update delivery set is_done = 1, attempts = 1 where id = ?"


class Publish(msgspec.Struct):
    """What a publisher sends."""

    type: str
    content: msgspec.Raw


class Event(msgspec.Struct, gc=False):
    """An event on its way; `accepted_at` in s."""

    id: str
    type: str
    content: bytes
    accepted_at: int
    intake: "Intake"


class Attempt(msgspec.Struct, gc=False):
    """How a delivery went; `started_at` in s."""

    event_id: str
    started_at: int
    status: int
    duration_ms: int
    answer: bytes


_Batch = tuple[list[Event], list[Attempt]]


class Floor:
    """Intake, store and senders around one loop."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._batches: queue.SimpleQueue[_Batch] = queue.SimpleQueue()
        self._events: list[Event] = []
        self._attempts: list[Attempt] = []
        self._is_committing = False
        self._waiting: deque[Event] = deque()
        self._idle: list[Sender] = []
        self._numbers = itertools.count()
        self._loop = asyncio.get_running_loop()

    async def serve(self, port: int, receiver_port: int) -> None:
        """Run until cancelled."""
        threading.Thread(target=self._write_for_ever, daemon=True).start()
        for _ in range(SENDERS):
            _, sender = await self._loop.create_connection(lambda: Sender(self), _HOST, receiver_port)
            self._idle.append(sender)
        server = await self._loop.create_server(lambda: Intake(self), _HOST, port, backlog=BACKLOG)
        await server.serve_forever()

    def accept(self, body: bytes, intake: "Intake") -> None:
        """Keep one event, then acknowledge it and send it."""
        publish = _decode(body)
        ident = f"evt_{time.time_ns():016x}{next(self._numbers):08x}"
        self._events.append(Event(ident, publish.type, bytes(publish.content), int(time.time()), intake))
        self._commit()

    def record(self, attempt: Attempt, sender: "Sender") -> None:
        """Keep an outcome and give its sender the next event."""
        self._attempts.append(attempt)
        if self._waiting:
            sender.send(self._waiting.popleft())
        else:
            self._idle.append(sender)
        self._commit()

    def _commit(self) -> None:
        if not self._is_committing and (self._events or self._attempts):
            self._is_committing = True
            self._batches.put((self._events, self._attempts))
            self._events, self._attempts = [], []

    def _committed(self, events: list[Event]) -> None:
        self._is_committing = False
        for event in events:
            event.intake.acknowledge(event.id)
            if self._idle:
                self._idle.pop().send(event)
            else:
                self._waiting.append(event)
        self._commit()

    def _write_for_ever(self) -> None:
        database = sqlite3.connect(self._database, isolation_level=None)
        database.executescript(_SCHEMA)
        while True:
            events, attempts = self._batches.get()
            database.execute("begin immediate")
            if events:
                database.executemany(_KEEP_EVENT, [(e.id, e.type, e.content, e.accepted_at) for e in events])
                database.executemany(_KEEP_DELIVERY, [(e.id, e.id, e.accepted_at) for e in events])
            if attempts:
                database.executemany(_END_DELIVERY, [(a.event_id,) for a in attempts])
                database.executemany(_KEEP_ATTEMPT, [msgspec.structs.astuple(a) for a in attempts])
            database.execute("commit")
            self._loop.call_soon_threadsafe(self._committed, events)


_decode = msgspec.json.Decoder(Publish).decode


class Intake(asyncio.Protocol):
    """One publisher's connection."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has a class of its own

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        body, self._body = self._body, b""
        self._floor.accept(body, self)

    def acknowledge(self, ident: str) -> None:
        """Answer 202."""
        if self._transport.is_closing():
            return
        answer = b'{"id":"%b"}' % ident.encode()
        self._transport.write(
            b"HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
            % (len(answer), answer)
        )


class Sender(asyncio.Protocol):
    """One connection to the receiver; sends one event at a time."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._parser = httptools.HttpResponseParser(self)
        self._answer = b""
        self._event_id = ""
        self._started_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has a class of its own

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._answer += body

    def on_message_complete(self) -> None:
        duration_ms = int((time.time() - self._started_at) * 1000)
        answer, self._answer = self._answer, b""
        status = self._parser.get_status_code()
        self._floor.record(Attempt(self._event_id, int(self._started_at), status, duration_ms, answer), self)

    def send(self, event: Event) -> None:
        """Sign and write one request."""
        self._event_id, self._started_at = event.id, time.time()
        ident, at, body = event.id.encode(), b"%d" % self._started_at, event.content
        signature = base64.b64encode(hmac.digest(_SIGNING_KEY, b"%b.%b.%b" % (ident, at, body), "sha256"))
        self._transport.write(
            b"POST /hook HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nwebhook-id: %b\r\n"
            b"webhook-timestamp: %b\r\nwebhook-signature: v1,%b\r\ncontent-length: %d\r\n\r\n%b"
            % (ident, at, signature, len(body), body)
        )


async def main() -> None:
    """Read the arguments and serve."""
    port, receiver_port, database = sys.argv[1:]
    await Floor(Path(database)).serve(int(port), int(receiver_port))


if __name__ == "__main__":
    uvloop.run(main())
