"""The bell between nodes: one rings when something became due, the others look. Rings may be lost: looking now and then
is what counts.

Rings that come close together become one NOTIFY, in a transaction of its own: PostgreSQL lets one transaction that
notifies commit at a time, so none that matters does. Who listens has a connection of its own, direct to the server, for
a pooler hands no notifications on.
"""

import asyncio
import contextlib
import secrets
import threading
from collections.abc import Callable

import structlog

from hookspan.errors import HookspanError
from hookspan.store.postgres._connection import Connection, cut
from hookspan.store.postgres._faults import reason_of
from hookspan.store.postgres._lanes import Lanes
from hookspan.store.postgres._options import PostgresOptions

log = structlog.get_logger()

_CHANNEL = "hookspan_ring"
# The listener looks so often whether it is to end.
_LOOK_INTERVAL_S = 1.0


class Bell:
    """`listen` makes the listener's connection; None: nobody listens, and polling must do. Lives on one event loop.
    `is_heard`: this node would hear a ring now.
    """

    def __init__(
        self,
        lanes: Lanes,
        listen: Callable[[], Connection] | None,
        options: PostgresOptions,
        on_ring: Callable[[], None],
    ) -> None:
        self._lanes = lanes
        self._listen = listen
        self._options = options
        self._on_ring = on_ring
        self._token = secrets.token_hex(8)  # its own rings are not for itself
        self._is_planned = False
        self.is_heard = False
        self._is_deaf = False  # and it was said
        self._closing = threading.Event()
        self._connection: Connection | None = None
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop
        self._ended: asyncio.Future[None] | None = None

    # --- on the loop

    @property
    def can_hear(self) -> bool:
        """Whether this node listens at all."""
        return self._listen is not None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._listen is not None:
            self._ended = self._loop.create_future()
            threading.Thread(target=self._live, args=(self._listen,), name="hookspan-bell", daemon=True).start()

    def ring(self) -> None:
        """Tell the other nodes, soon."""
        if self._is_planned or self._closing.is_set():
            return
        self._is_planned = True
        self._loop.call_later(self._options.ring_interval_s, self._send)

    async def close(self) -> None:
        self._closing.set()
        self._cut()
        if self._ended is not None:
            await self._ended

    def _send(self) -> None:
        self._is_planned = False
        with contextlib.suppress(HookspanError):  # a ring may be lost
            sent = self._lanes.submit(self._notify)
            sent.add_done_callback(_read)

    def _notify(self, connection: Connection) -> None:
        connection.execute("select pg_notify(%s, %s)", (_CHANNEL, self._token))

    # --- on the listener's thread

    def _live(self, listen: Callable[[], Connection]) -> None:
        while not self._closing.is_set():
            try:
                self._hear(listen())
            except Exception as error:  # noqa: BLE001 - it is tried again, and others look by themselves meanwhile
                if not self._closing.is_set() and not self._is_deaf:
                    self._is_deaf = True  # said once, not at each try
                    log.warning("wake-ups of other nodes are not heard for now", problem=reason_of(error))
            self._closing.wait(self._options.reconnect_interval_s)
        self._tell(self._end)

    def _hear(self, connection: Connection) -> None:
        with self._lock:
            self._connection = connection
        try:
            connection.execute("listen " + _CHANNEL)
            self._tell(self._on_ring)  # what rang before was not heard
            self.is_heard = True
            if self._is_deaf:
                self._is_deaf = False
                log.info("wake-ups of other nodes are heard again")
            while not self._closing.is_set():
                for heard in connection.notifies(timeout=_LOOK_INTERVAL_S):
                    if heard.payload != self._token:
                        self._tell(self._on_ring)
        finally:
            self.is_heard = False
            with self._lock:
                self._connection = None
            connection.close()

    def _cut(self) -> None:
        with self._lock:
            if self._connection is not None:
                cut(self._connection)

    def _end(self) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    def _tell(self, callback: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(callback)
        except RuntimeError:  # the loop was closed under us: nobody is left to tell
            return


def _read(sent: "asyncio.Future[None]") -> None:
    """An error of it is nobody's."""
    if not sent.cancelled():
        sent.exception()
