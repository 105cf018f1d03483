"""The publish route's short way: from bytes on a connection to intake and back, without a task, future or ASGI call.

Only the usual case goes this way: one whole `POST /v1/applications/{app}/events` in one read, with a length, on a
connection with nothing else under way. Everything else (chunked or slow bodies, `Expect`, pipelining, other routes,
applications that are not in memory yet, anything odd) goes to uvicorn with the same bytes, and so to `PublishApp`,
which is the fallback and the oracle: a test sends each request both ways and compares the answers.

Measured: it saves the task, the two writes and the ASGI dictionaries, a third of an event's CPU (docs/benchmarks.md).
"""

import asyncio
import time
from typing import Any, NoReturn

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hookspan.api._publish import PATH_END, PATH_START, PublishApp
from hookspan.engine import Receipt
from hookspan.errors import HookspanError

_REQUEST_START = b"POST " + PATH_START.encode()
_URL_START = PATH_START.encode()
_URL_END = PATH_END.encode()
# Headers that change how a request is read or answered: uvicorn's business.
_UNUSUAL = frozenset({b"transfer-encoding", b"expect", b"connection", b"upgrade"})
HEADERS_MAX = 64
IDLE_S = 30.0
SWEEP_S = 5.0

log = structlog.get_logger()


class _Message:
    """What httptools tells of one read; `count` whole messages were in it."""

    __slots__ = ("body", "count", "headers", "is_begun", "is_unusual", "url")

    def __init__(self) -> None:
        self.begin()
        self.count = 0

    def begin(self) -> None:
        self.url = b""
        self.body = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.is_unusual = False
        self.is_begun = False
        self.count = 0

    def on_message_begin(self) -> None:
        self.is_unusual |= self.is_begun  # a second one in the same read
        self.is_begun = True

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in _UNUSUAL:
            self.is_unusual = True
        self.headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self.body = self.body + body if self.body else body

    def on_message_complete(self) -> None:
        self.count += 1


class PublishProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a short way for publishing. The app must be the one that `create_app` made."""

    def __init__(self, config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> None:
        super().__init__(config=config, server_state=server_state, app_state=app_state, _loop=_loop)
        self._publish: PublishApp = config.loaded_app.publish
        self._message = _Message()
        self._reader = httptools.HttpRequestParser(self._message)
        self._is_answering = False  # a publish of the short way waits for its commit
        self._is_inside = False  # uvicorn's parser is inside a message
        self._closes = False
        self._later = b""  # read while answering
        self.heard_s = time.monotonic()

    # --- reading

    def data_received(self, data: bytes) -> None:
        self.heard_s = time.monotonic()
        if self._is_answering:
            self._later += data
            self.flow.pause_reading()  # so that this holds one read at most
            return
        if data.startswith(_REQUEST_START) and self._is_free() and self._take(data):
            return
        super().data_received(data)

    def _is_free(self) -> bool:
        """Nothing of uvicorn's is under way on this connection."""
        cycle = self.cycle
        return not self._is_inside and (cycle is None or (cycle.response_complete and not self.pipeline))

    def _take(self, data: bytes) -> bool:
        """Go the short way if this read is one usual publish. False: nothing has happened yet."""
        message = self._message
        message.begin()
        try:
            self._reader.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            message.is_unusual = True
        if message.is_unusual or message.count != 1 or len(message.headers) > HEADERS_MAX:
            self._reader = httptools.HttpRequestParser(message)  # it may be anywhere inside a message
            return False
        application = _application(message.url)
        if application is None or self._reader.get_http_version() != "1.1":
            return False
        return self._start(application, message)

    def _start(self, application: str, message: _Message) -> bool:
        publish = self._publish
        if not publish.is_short_way_open:
            return False
        self._unset_keepalive_if_required()
        self._is_answering = True
        try:
            publish.keys.require(message.headers)
            is_known = publish.intake.submit(application, message.body, self._answer)
        except HookspanError as error:
            self._answer(error)
            return True
        except Exception:
            log.exception("publish failed", application=application)
            self._answer(HookspanError())
            return True
        if not is_known:
            self._is_answering = False
        return is_known

    # --- answering

    def _answer(self, outcome: Receipt | HookspanError) -> None:
        self._is_answering = False
        self.server_state.total_requests += 1
        transport = self.transport
        if transport.is_closing():
            return
        transport.write(self._publish.response(outcome, self.server_state.default_headers))
        self.heard_s = time.monotonic()
        if self._closes:
            transport.close()
        elif self._later:
            data, self._later = self._later, b""
            self.flow.resume_reading()
            self.data_received(data)

    # --- uvicorn's own

    def on_message_begin(self) -> None:
        self._is_inside = True
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._is_inside = False
        super().on_message_complete()

    def shutdown(self) -> None:
        if self._is_answering:
            self._closes = True
        else:
            super().shutdown()

    def close_if_idle(self, now_s: float) -> None:
        """Close a connection on which nothing is asked, or whose request does not go on arriving."""
        is_quiet = now_s - self.heard_s > IDLE_S and not self._is_answering
        if is_quiet and (self.cycle is None or self.cycle.response_complete):
            self.transport.close()


def _application(url: bytes) -> str | None:
    """The application named by the publish route's URL; None for any other, and where it needs decoding."""
    if not url.endswith(_URL_END) or not url.startswith(_URL_START):
        return None
    name = url[len(_URL_START) : -len(_URL_END)]
    if not name or b"/" in name or b"%" in name or b"?" in name or not name.isascii():
        return None
    return name.decode()


async def sweep_idle(connections: set[Any]) -> NoReturn:
    """Close connections of `connections` (uvicorn's set) that have been quiet too long, every few seconds for ever.

    One sweep for all instead of a timer for each answer.
    """
    while True:
        await asyncio.sleep(SWEEP_S)
        now_s = time.monotonic()
        for connection in list(connections):
            connection.close_if_idle(now_s)
