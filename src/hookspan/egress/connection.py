"""One HTTP/1.1 connection: writes a request at a time, reads its response within bounds, and knows whether it may
be used again.

The head is framed here (httptools gets it whole), because its size, its lines and its raw bytes matter and a callback
for each header would cost more than all else; httptools then judges the bytes and frames the body. So a response is
three or four Python calls when it comes in one piece.
"""

import asyncio
import re
import ssl
from typing import Protocol, cast

import httptools

from hookspan.domain.outcome import ErrorCode, Outcome
from hookspan.egress.job import Failure, Job, Stage
from hookspan.egress.tls import explain

HEAD_BYTES_MAX = 32 * 1024  # of all heads of one response, interim ones included
HEAD_LINES_MAX = 100
HEAD_KEPT_BYTES_MAX = 4 * 1024
BODY_KEPT_BYTES_MAX = 16 * 1024
BODY_READ_BYTES_MAX = 64 * 1024  # with chunk framing and trailers
INTERIM_MAX = 8  # 1xx responses before the real one

_HEAD_END = b"\r\n\r\n"
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-9][0-9][0-9])[ \r]")
_STATUS_LINE_BYTES = 13  # as many as the pattern needs
_BEGINNING = b"HTTP/1."
_RETRY_AFTER = re.compile(rb"\r\nretry-after:[ \t]*([^\r\n]{1,100})", re.IGNORECASE)
_FRAMING = re.compile(rb"\r\n(?:content-length|transfer-encoding):", re.IGNORECASE)
_LAST_CHUNK = b"0\r\n\r\n"
_SWITCHING_PROTOCOLS = 101
_FINAL_MIN = 200
_FAILED_MIN = 300


class Keeper(Protocol):
    """Who owns connections: the pool, with the jobs that it serves."""

    def finished(self, connection: "Connection", job: Job, outcome: Outcome, *, is_reusable: bool) -> None:
        """The response is complete. The connection holds no job any more."""
        ...

    def failed(self, connection: "Connection", job: Job, failure: Failure, *, is_unanswered: bool) -> None:
        """No response will come. `is_unanswered`: the connection ended before any byte of one did."""
        ...

    def lost(self, connection: "Connection") -> None:
        """The connection is gone; called once, last."""
        ...

    def now(self) -> float:
        """Seconds, monotonic."""
        ...


class Connection(asyncio.Protocol):
    """An open connection for the application and origin in `key`. `uses` counts the requests written on it."""

    __slots__ = (
        "_body",
        "_body_bytes",
        "_has_excess",
        "_head",
        "_head_bytes",
        "_interim",
        "_is_complete",
        "_is_kept_alive",
        "_job",
        "_keeper",
        "_parser",
        "_pending",
        "_read_bytes",
        "_status",
        "_tail",
        "_transport",
        "has_spoken_first",
        "is_leaving",
        "key",
        "opened",
        "remote_address",
        "used",
        "uses",
    )

    def __init__(self, keeper: Keeper, key: tuple[int, str], remote_address: str) -> None:
        self._keeper = keeper
        self.key = key
        self.remote_address = remote_address  # the receiver's, also behind a proxy
        self.opened = self.used = keeper.now()  # s, monotonic
        self.uses = 0
        self.is_leaving = False  # the pool's mark: closed by it, but not gone yet
        self.has_spoken_first = False
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._job: Job | None = None
        self._reset()

    def _reset(self) -> None:
        self._pending = b""  # of a head that is not complete yet
        self._head = b""
        self._head_bytes = 0  # of interim responses
        self._interim = 0
        self._status = 0
        self._body = b""
        self._body_bytes = 0
        self._read_bytes = 0  # after the head
        self._tail = b""
        self._is_complete = False
        self._is_kept_alive = False
        self._has_excess = False

    # --- the sending side

    @property
    def is_closed(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def send(self, job: Job) -> None:
        """Write the request of `job`, at once. The connection must be open and idle."""
        assert self._transport is not None
        assert self._job is None
        self._job = job
        job.connection = self
        self.uses += 1
        self._transport.write(job.request)

    def abort(self) -> None:
        """Let go of the socket, without a word."""
        if self._transport is not None:
            self._transport.abort()

    def drop_job(self) -> None:
        """Take the job off (its deadline passed, or we stop) and close: a late response must find nobody."""
        if self._job is not None:
            self._job.connection = None
            self._job = None
        self.abort()

    # --- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._job is None:
            # Nobody asked for this: what comes next on such a connection proves nothing.
            self.has_spoken_first = True
            self.abort()
            return
        if self._head:
            self._read_bytes += len(data)
        else:
            whole = self._take_head(data)
            if whole is None:
                return
            data = whole
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self._is_complete:
                self._fail(ErrorCode.INVALID_RESPONSE, f"The response is not valid HTTP/1.1: {error}.")
                return
            self._has_excess = True
        if self._is_complete:
            self._finish(is_reusable=self._is_exact(data))
        elif self._read_bytes > BODY_READ_BYTES_MAX:
            self._finish(is_reusable=False)
        else:
            self._job.stage = Stage.READING
            self._tail = (self._tail + data)[-len(_LAST_CHUNK) :]

    def eof_received(self) -> None:
        self._ended(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended(exc)
        self._transport = None
        self._keeper.lost(self)

    def _ended(self, exc: Exception | None) -> None:
        """The other side closes. Without a length this is how a body ends (RFC 9112, 6.3); else it is cut off."""
        if self._job is None:
            self.abort()
        elif isinstance(exc, ssl.SSLError):
            self._fail(ErrorCode.TLS_FAILED, explain(exc))
        elif not self._head:
            has_begun = bool(self._pending or self._interim)
            place = "in the middle of its response's headers" if has_begun else "before it answered"
            self._fail(ErrorCode.RESET, f"The receiver closed the connection {place}.", is_unanswered=not has_begun)
        elif _FRAMING.search(self._head) or exc is not None:
            self._fail(ErrorCode.RESET, "The receiver closed the connection before the end of its response.")
        else:
            self._is_complete = True
            self._finish(is_reusable=False)

    # --- httptools' side

    def on_message_begin(self) -> None:
        if self._is_complete:
            self._has_excess = True

    def on_body(self, body: bytes) -> None:
        if self._is_complete:  # of a second response that came with the first
            return
        self._body_bytes += len(body)
        room_bytes = BODY_KEPT_BYTES_MAX - len(self._body)
        if room_bytes > 0:
            self._body += body[:room_bytes]

    def on_message_complete(self) -> None:
        if not self._is_complete:
            self._is_complete = True
            # Only here does llhttp know: a moment later it has made itself ready for the next response.
            self._is_kept_alive = self._parser.should_keep_alive()

    # --- reading a response

    def _take_head(self, data: bytes) -> bytes | None:
        """Gather the head. Returns it with what came after it, or None: failed, or there is more to come."""
        if self._pending:
            data = self._pending + data
        end = data.find(_HEAD_END)
        while end >= 0:
            end += len(_HEAD_END)
            if not self._judge_head(data, end):
                return None
            if self._status >= _FINAL_MIN:
                self._head = data[:end]
                self._read_bytes = len(data) - end
                return data
            data = data[end:]
            end = data.find(_HEAD_END)
        self._pending = data
        if self._is_too_large(data, len(data)):
            self._fail(ErrorCode.RESPONSE_TOO_LARGE, _HEAD_TOO_LARGE)
        elif not _may_become_head(data):
            self._fail(ErrorCode.INVALID_RESPONSE, _NOT_HTTP)
        return None

    def _judge_head(self, data: bytes, end: int) -> bool:
        """Read the status from a complete head. False: it was refused, and the job has failed."""
        line = _STATUS_LINE.match(data)
        if self._is_too_large(data, end):
            self._fail(ErrorCode.RESPONSE_TOO_LARGE, _HEAD_TOO_LARGE)
            return False
        if line is None:
            self._fail(ErrorCode.INVALID_RESPONSE, _NOT_HTTP)
            return False
        self._status = int(line[1])
        if self._status < _FINAL_MIN:
            self._head_bytes += end
            self._interim += 1
            if self._status == _SWITCHING_PROTOCOLS or self._interim > INTERIM_MAX:
                self._fail(ErrorCode.INVALID_RESPONSE, _NO_REAL_RESPONSE)
                return False
        return True

    def _is_too_large(self, data: bytes, end: int) -> bool:
        """Whether a head, or the part of it that has come, has too many bytes or lines."""
        line_ends_max = HEAD_LINES_MAX + 2  # with the status line and the empty one
        return self._head_bytes + end > HEAD_BYTES_MAX or data.count(b"\r\n", 0, end) > line_ends_max

    def _is_exact(self, data: bytes) -> bool:
        """Whether exactly one response was read and nothing after it. `data` is what came last.

        httptools tells of a second response and of nonsense, but passes over empty lines, so these are looked for here:
        with a length the body must be all that there is, with chunks the last one must be the end (trailers cost the
        connection, no more).
        """
        if self._has_excess:
            return False
        return self._read_bytes == self._body_bytes or (self._tail + data).endswith(_LAST_CHUNK)

    def _finish(self, *, is_reusable: bool) -> None:
        """The response is as complete as we want it: hand it over, ready for the next request before that."""
        job, transport = self._job, self._transport
        assert job is not None
        assert transport is not None
        head = self._head
        headers_at = head.find(b"\r\n") + 2
        self.used = self._keeper.now()
        outcome = Outcome(
            started_at=job.started_at,
            duration_us=int((self.used - job.started) * 1e6),
            status=self._status,
            headers=head[headers_at : min(len(head) - 2, headers_at + HEAD_KEPT_BYTES_MAX)],
            body=self._body,
            body_bytes=self._body_bytes,
            is_truncated=not self._is_complete or self._body_bytes > len(self._body),
            retry_after=None if self._status < _FAILED_MIN else _retry_after(head),
            remote_address=self.remote_address,
            is_resent=job.is_resent,
        )
        # An answer that came before the request was written out leaves the rest of the request in the way.
        is_idle = (
            is_reusable and self._is_kept_alive and not transport.get_write_buffer_size() and not transport.is_closing()
        )
        self._job = job.connection = None
        self._reset()
        self._keeper.finished(self, job, outcome, is_reusable=is_idle)

    def _fail(self, code: ErrorCode, message: str, *, is_unanswered: bool = False) -> None:
        job = self._job
        assert job is not None
        self._job = job.connection = None
        self.abort()
        self._keeper.failed(self, job, Failure(code, message), is_unanswered=is_unanswered)


_HEAD_TOO_LARGE = (
    f"The response's headers are too large: at most {HEAD_LINES_MAX} lines and {HEAD_BYTES_MAX // 1024} KiB are read."
)
_NOT_HTTP = "What the receiver sent does not begin as an HTTP/1.1 response does."
_NO_REAL_RESPONSE = f"The receiver wants to switch protocols, or sent more than {INTERIM_MAX} interim responses."


def _may_become_head(data: bytes) -> bool:
    """Whether bytes without the end of a head may be the beginning of one: what can't is refused before the deadline.

    A bare line feed never ends a line here, so it would be waited for in vain.
    """
    if not data.startswith(_BEGINNING[: len(data)]) or data.count(b"\n") != data.count(b"\r\n"):
        return False
    return len(data) < _STATUS_LINE_BYTES or _STATUS_LINE.match(data) is not None


def _retry_after(head: bytes) -> str | None:
    found = _RETRY_AFTER.search(head)
    return found[1].decode("latin-1").strip() if found else None
