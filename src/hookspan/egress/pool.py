"""Connections kept alive, by application and origin, and the count of all sockets.

Never shared across applications: what a receiver does to a connection can only come back to its own application.
"""

import asyncio
from collections import Counter, OrderedDict

from hookspan.egress.connection import Connection

IDLE_S_MAX = 20.0  # receivers commonly close after 5 to 75 s
AGE_S_MAX = 300.0  # a connection outlives a change of DNS and of addresses by no more than the cache does
IDLE_PER_KEY_MAX = 256
# From this part of all sockets on it is crowded: each key has its share of them, and for more it waits a moment whether
# one of its own comes free. Otherwise keys that take turns, and want more than there are, each close what the next one
# needs, and every request opens a connection of its own.
CROWDED_PART = 1 / 2
SHARED_PART = 7 / 8  # the rest is for those that want more than their share
KEYS_KNOWN_MAX = 10_000
REVIEW_S = 20.0

Key = tuple[int, str]  # application id, origin


class Pool:
    """`sockets_max` bounds opening, busy and idle connections together."""

    def __init__(self, sockets_max: int) -> None:
        self._sockets_max = sockets_max
        self._opening = 0
        self._leaving = 0
        self._alive: set[Connection] = set()
        self._by_key: dict[Key, list[Connection]] = {}  # of each key that was used lately, the idle ones
        self._idle: OrderedDict[Connection, None] = OrderedDict()  # longest idle first
        self._counts: Counter[Key] = Counter()  # opening, busy and idle
        self._share = IDLE_PER_KEY_MAX
        self._reviewed = 0.0
        self._is_empty = asyncio.Event()
        self._is_empty.set()

    @property
    def sockets(self) -> int:
        return len(self._alive) + self._opening - self._leaving

    @property
    def idle(self) -> int:
        return len(self._idle)

    def take(self, key: Key) -> Connection | None:
        """The idle connection that was used last, or None."""
        connections = self._by_key.get(key)
        while connections:
            connection = connections.pop()
            del self._idle[connection]
            if not connection.is_closed:
                return connection
        return None

    def put(self, connection: Connection) -> None:
        """Keep a connection that is provably idle, or close it when it is old or one too many."""
        connections = self._by_key.setdefault(connection.key, [])
        if not self.may_live_on(connection) or len(connections) >= self._share:
            self.close_one(connection)
            return
        connections.append(connection)
        self._idle[connection] = None

    @staticmethod
    def may_live_on(connection: Connection) -> bool:
        """Whether it is young enough for another request."""
        return connection.used - connection.opened <= AGE_S_MAX

    def has_share_left(self, key: Key) -> bool:
        """Whether the key may open one more without asking for others' room."""
        if self.sockets < self._sockets_max * CROWDED_PART:
            return True
        return self._counts[key] < self._share

    def reserve(self, key: Key) -> bool:
        """Count a socket that will be opened, closing an idle one to make room. False: there is no room."""
        if self.sockets >= self._sockets_max:
            if not self._idle:
                return False
            self.close_one(next(iter(self._idle)))
        self._opening += 1
        self._counts[key] += 1
        self._by_key.setdefault(key, [])
        self._divide()
        return True

    def _divide(self) -> None:
        """Only what opens makes it crowded: here is the place to count, and a request on a kept one pays nothing."""
        self._share = IDLE_PER_KEY_MAX
        if self.sockets > self._sockets_max * CROWDED_PART:
            part = int(self._sockets_max * SHARED_PART) // len(self._by_key)
            self._share = max(1, min(IDLE_PER_KEY_MAX, part))

    def release(self, key: Key) -> None:
        """The reserved socket was not opened."""
        self._opening -= 1
        self._discount(key)

    def opened(self, connection: Connection) -> None:
        """The reserved socket is this connection."""
        self._opening -= 1
        self._alive.add(connection)
        self._is_empty.clear()

    def close_one(self, connection: Connection) -> None:
        """Close; from now on it doesn't count, though the loop lets go of it a moment later."""
        self._forget_idle(connection)
        if connection in self._alive and not connection.is_leaving:
            connection.is_leaving = True
            self._leaving += 1
            self._discount(connection.key)
        connection.drop_job()

    def lost(self, connection: Connection) -> None:
        """The connection is gone, for whatever reason."""
        self._forget_idle(connection)
        if connection in self._alive:
            self._alive.remove(connection)
            if connection.is_leaving:
                self._leaving -= 1
            else:
                self._discount(connection.key)
            if not self._alive:
                self._is_empty.set()

    def close_idle(self, now: float) -> None:
        """Close what has been idle for too long, and forget keys that have nothing any more."""
        if now - self._reviewed >= REVIEW_S or len(self._by_key) > KEYS_KNOWN_MAX:
            self._reviewed = now
            self._by_key = {key: idle for key, idle in self._by_key.items() if idle or self._counts[key]}
        while self._idle:
            oldest = next(iter(self._idle))
            if now - oldest.used < IDLE_S_MAX:
                return
            self.close_one(oldest)

    async def close(self, timeout_s: float) -> None:
        """Close all, and wait until the loop has let go of them, or for `timeout_s`."""
        for connection in list(self._alive):
            self.close_one(connection)
        try:
            async with asyncio.timeout(timeout_s):
                await self._is_empty.wait()
        except TimeoutError:
            return

    def _forget_idle(self, connection: Connection) -> None:
        connections = self._by_key.get(connection.key)
        if connection in self._idle:
            del self._idle[connection]
            if connections:
                connections.remove(connection)

    def _discount(self, key: Key) -> None:
        self._counts[key] -= 1
        if not self._counts[key]:
            del self._counts[key]
