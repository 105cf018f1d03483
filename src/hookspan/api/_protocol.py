"""The publish route's short way: from bytes on a connection to intake and back, without a task, future or ASGI call.

Only the usual case goes this way: one whole `POST /v1/applications/{app}/events` in one read, with a length, on a
connection with nothing else under way. Everything else (chunked or slow bodies, `Expect`, pipelining, other routes,
applications and keys that are not in memory yet, anything odd) goes to uvicorn with the same bytes, and so to
`PublishApp`, which is the fallback and the oracle: a test sends each request both ways and compares the answers.

Measured: it saves the task, the two writes and the ASGI dictionaries, a third of an event's CPU (docs/benchmarks.md).
"""

import asyncio
import resource
import time
from typing import Any, NoReturn

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hookspan.api._asking import SAYS_NO_MORE
from hookspan.api._key import KEY_HEADERS
from hookspan.api._publish import PATH_END, PATH_START, PublishApp
from hookspan.engine import Receipt
from hookspan.errors import HookspanError, InvalidRequest, Overloaded

_REQUEST_START = b"POST " + PATH_START.encode()
_URL_START = PATH_START.encode()
_URL_END = PATH_END.encode()
# Headers that change how a request is read or answered: uvicorn's business, or `PublishApp`'s. The one that must be
# there once, and those that say who asks.
_UNUSUAL = frozenset({b"transfer-encoding", b"expect", b"connection", b"upgrade", b"idempotency-key"})
_WATCHED = _UNUSUAL | KEY_HEADERS | {b"host"}
HEADERS_MAX = 64  # of the short way
HEAD_BYTES_MAX = 64 * 1024
HEAD_S = 30.0  # from a message's first byte to the end of its head
MESSAGE_S = 75.0  # and to its end: a head, a body that is waited for, and room
IDLE_S = 30.0
SWEEP_S = 5.0
CONNECTIONS_MAX = 10_000
_HEADER_LINE_BYTES = 4  # ": " and the line's end

log = structlog.get_logger()


class _Message:
    """What httptools tells of one read; `count` whole messages were in it."""

    __slots__ = ("body", "count", "header_count", "hosts", "is_begun", "is_unusual", "keys", "url")

    def __init__(self) -> None:
        self.begin()
        self.count = 0

    def begin(self) -> None:
        self.url = b""
        self.body = b""
        self.header_count = 0
        self.keys: list[tuple[bytes, bytes]] = []  # the headers that say who asks
        self.is_unusual = False
        self.is_begun = False
        self.hosts = 0
        self.count = 0

    def on_message_begin(self) -> None:
        self.is_unusual |= self.is_begun  # a second one in the same read
        self.is_begun = True

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in _WATCHED:
            if name == b"host":
                self.hosts += 1
            elif name in _UNUSUAL:
                self.is_unusual = True
            else:
                self.keys.append((name, value))
        self.header_count += 1

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
        self._is_inside = False  # uvicorn's parser is inside a message,
        self._is_in_head = False  # in its head,
        self._head_bytes = 0  # which has this many bytes so far
        self._begun_s = 0.0
        self._closes = False
        self._has_ended = False  # nothing more will be read; what was asked is still answered
        self._later = b""  # read while answering
        self.heard_s = time.monotonic()

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > connections_max():
            self._refuse(Overloaded("There are too many connections."))

    # --- reading

    def data_received(self, data: bytes) -> None:
        if self._is_answering:
            self._later += data
            self.flow.pause_reading()  # so that this holds one read at most
            return
        if data.startswith(_REQUEST_START) and self._is_free() and self._take(data):
            self.heard_s = time.monotonic()
            return
        self._feed(data)

    def eof_received(self) -> bool:  # type: ignore[override]
        """True keeps the connection open for what is being answered: who says no more may still be listening."""
        self._has_ended = True
        is_kept = self._is_answering or self._goes_on_answering()
        if is_kept and self.cycle is not None:
            scope: Any = self.cycle.scope
            scope.setdefault(SAYS_NO_MORE, asyncio.Event()).set()
        return is_kept

    def _goes_on_answering(self) -> bool:
        """After the end of what is read: is something of uvicorn's still to be answered? It closes after that."""
        cycle = self.cycle  # the last of them
        if self._is_inside or cycle is None or cycle.response_complete:
            return False
        cycle.keep_alive = False
        return True

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
        if (
            message.is_unusual
            or message.count != 1
            or message.hosts != 1
            or message.header_count > HEADERS_MAX
            or len(data) - len(message.body) > HEAD_BYTES_MAX
        ):
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
            is_known = publish.is_asker_known(application, message.keys) and publish.intake.submit(
                application, message.body, self._answer
            )
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
        if isinstance(outcome, HookspanError):
            answer = self._publish.refusal(outcome, self.server_state.default_headers, _application(self._message.url))
        else:
            answer = self._publish.response(outcome, self.server_state.default_headers)
        transport.write(answer)
        self.heard_s = time.monotonic()
        if self._closes:
            transport.close()
        elif self._later:
            data, self._later = self._later, b""
            self.flow.resume_reading()
            self.data_received(data)
        if self._has_ended and not self._is_answering and not self._goes_on_answering():
            transport.close()

    def _refuse(self, error: HookspanError) -> None:
        """Refuse what never reaches a route, or stops amid its body, and close. Without a word where that would be
        taken for another request's answer.
        """
        transport = self.transport
        if transport.is_closing():
            return
        cycle = self.cycle
        if self._is_inside and not self._is_in_head and cycle is not None:
            is_due = not cycle.response_started and not self.pipeline
        else:
            is_due = not self._is_answering and (cycle is None or cycle.response_complete)
        if is_due:
            transport.write(self._publish.refusal(error, self.server_state.default_headers, None, closes=True))
        transport.close()

    # --- uvicorn's own

    def _feed(self, data: bytes) -> None:
        """As uvicorn's `data_received`, with bounds for heads, and no line in the log for what strangers send."""
        self._unset_keepalive_if_required()
        was_in_head, begun_s = self._is_in_head, self._begun_s
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # there is nothing to upgrade to: it is answered as it is
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause if isinstance(cause, InvalidRequest) else InvalidRequest("That is not HTTP."))
            return
        if self._is_inside or self._begun_s != begun_s:
            self.heard_s = time.monotonic()
        if was_in_head and self._is_in_head and self._begun_s == begun_s:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._refuse(_head_too_large())

    def on_message_begin(self) -> None:
        self._is_inside = self._is_in_head = True
        self._head_bytes = 0
        self._begun_s = time.monotonic()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Raises InvalidRequest, which the parser hands on to `_feed`."""
        self._is_in_head = False
        size = len(self.url) + sum(len(name) + len(value) + _HEADER_LINE_BYTES for name, value in self.headers)
        if size > HEAD_BYTES_MAX:
            raise _head_too_large()
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):  # RFC 9112 3.2
            raise InvalidRequest(f"The request has {hosts} Host headers; it must have one.")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_inside = False
        super().on_message_complete()

    def shutdown(self) -> None:
        if self._is_answering:
            self._closes = True
        else:
            super().shutdown()

    def close_if_idle(self, now_s: float) -> None:
        """Close a connection on which nothing is asked, or whose request does not go on, or end, arriving."""
        if self._is_inside and now_s - self._begun_s > (HEAD_S if self._is_in_head else MESSAGE_S):
            self._refuse(InvalidRequest("The request did not come in time."))
            return
        is_quiet = now_s - self.heard_s > IDLE_S and not self._is_answering
        if is_quiet and (self.cycle is None or self.cycle.response_complete):
            self.transport.close()


def connections_max() -> int:
    """How many connections are served: half of the descriptors are for sending, the database and the rest."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS_MAX if soft == resource.RLIM_INFINITY else min(CONNECTIONS_MAX, soft // 2)


def _head_too_large() -> InvalidRequest:
    return InvalidRequest(f"The request line and headers are larger than {HEAD_BYTES_MAX:,} bytes.")


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
