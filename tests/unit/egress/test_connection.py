"""A response means the same however its bytes arrive, and a connection is kept only when it is provably idle."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookspan.domain.outcome import ErrorCode
from hookspan.egress import connection as room
from hookspan.egress.connection import Connection
from hookspan.egress.job import Job, Stage
from hookspan.egress.target import Target


class Transport(asyncio.Transport):
    """What a connection asks of its transport."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.is_aborted = False
        self.unsent = 0

    def write(self, data):
        self.written.append(data)

    def abort(self):
        self.is_aborted = True

    def is_closing(self):
        return self.is_aborted

    def get_write_buffer_size(self):
        return self.unsent


class Keeper:
    def __init__(self) -> None:
        self.outcome = None
        self.failure = None
        self.is_reusable = False
        self.is_unanswered = False
        self.is_lost = False
        self.calls = 0

    def now(self):
        return 1.5

    def finished(self, connection, job, outcome, *, is_reusable):
        self.calls += 1
        self.outcome, self.is_reusable = outcome, is_reusable

    def failed(self, connection, job, failure, *, is_unanswered):
        self.calls += 1
        self.failure, self.is_unanswered = failure, is_unanswered

    def lost(self, connection):
        self.is_lost = True


def a_job():
    target = Target("https://example.com/", "https://example.com", True, "example.com", 443, None, b"")
    return Job(target, b"POST", 1, 1_000, lambda _: None, 0, 0.5, may_resend=True)


def a_connection():
    keeper, transport = Keeper(), Transport()
    connection = Connection(keeper, (1, "https://example.com"), "1.1.1.1")
    connection.connection_made(transport)
    return connection, keeper, transport


def receive(*pieces, ends=False):
    """A connection's verdict on the pieces; `ends` closes after them."""
    connection, keeper, transport = a_connection()
    connection.send(a_job())
    for piece in pieces:
        if transport.is_aborted:
            break
        connection.data_received(piece)
    if ends and not transport.is_aborted:
        connection.eof_received()
    return keeper


def head(*lines, status=b"200 OK"):
    return b"HTTP/1.1 " + status + b"".join(b"\r\n" + line for line in lines) + b"\r\n\r\n"


LENGTH_2 = head(b"Content-Length: 2") + b"ok"
CHUNKED = head(b"Transfer-Encoding: chunked") + b"1\r\no\r\n1;x=y\r\nk\r\n0\r\n\r\n"
TRAILERS = head(b"Transfer-Encoding: chunked") + b"2\r\nok\r\n0\r\nX: y\r\n\r\n"
NO_BODY = head(status=b"204 No Content")
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 2 + LENGTH_2
CLOSING = head(b"Content-Length: 2", b"Connection: close") + b"ok"
OLD = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"
BARE = b"HTTP/1.1 500\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("response", "status", "body", "is_reusable"),
    [
        (LENGTH_2, 200, b"ok", True),
        (CHUNKED, 200, b"ok", True),
        (TRAILERS, 200, b"ok", False),  # not worth proving
        (NO_BODY, 204, b"", True),
        (INTERIM, 200, b"ok", True),
        (CLOSING, 200, b"ok", False),
        (OLD, 200, b"ok", False),
        (BARE, 500, b"", True),
        (head(b"Content-Length: 0", status=b"304 Not Modified"), 304, b"", True),
        (LENGTH_2 + LENGTH_2, 200, b"ok", False),
        (LENGTH_2 + BARE, 200, b"ok", False),  # BARE ends as a last chunk does
        (CHUNKED + BARE, 200, b"ok", False),
        (CHUNKED + b"\r\n" + BARE, 200, b"ok", False),
        (CHUNKED + b"H", 200, b"ok", False),
        (LENGTH_2 + b"\r\n", 200, b"ok", False),
        (CHUNKED + b"\r\n", 200, b"ok", False),
        (CHUNKED + b"\r\n0\r\n\r\n", 200, b"ok", False),
        (LENGTH_2 + b"junk", 200, b"ok", False),
        (NO_BODY + b"body", 204, b"", False),
    ],
)
def test_responses_in_one_piece(response, status, body, is_reusable):
    """Status, body and whether the connection may be used again."""
    keeper = receive(response)
    assert (keeper.outcome.status, keeper.outcome.body) == (status, body)
    assert not keeper.outcome.is_truncated
    assert keeper.is_reusable == is_reusable
    assert keeper.calls == 1


@given(st.sampled_from([LENGTH_2, CHUNKED, TRAILERS, NO_BODY, INTERIM, CLOSING, OLD, BARE]), st.data())
def test_pieces_change_nothing(response, data):
    """However the network cuts a response, the outcome is that of the whole."""
    cuts = sorted(data.draw(st.sets(st.integers(1, len(response) - 1))))
    pieces = [response[a:b] for a, b in zip([0, *cuts], [*cuts, len(response)], strict=True)]
    whole, cut = receive(response), receive(*pieces)
    assert cut.outcome == whole.outcome
    assert cut.is_reusable == whole.is_reusable
    assert cut.calls == 1


@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_end_in_one_verdict(noise, ends):
    """Whatever comes, the job ends at most once, and exactly once when the connection ends."""
    for response in (noise, LENGTH_2[:20] + noise, b"HTTP/1.1 " + noise, CHUNKED[:60] + noise):
        keeper = receive(response, ends=ends)
        assert keeper.calls <= 1
        assert not ends or keeper.calls == 1


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        b"HTTP/1.1 20x OK\r\n\r\n",
        b"HTTP/1.1  200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\n",
        b"HTTP/1.1\t200 OK\r\n",
        b"<html>",
        b"SSH-2.0-x\r\n",
        b"\r\nHTTP/1.1 200 OK\r\n\r\n",
        head(b"Content-Length: 2", b"Content-Length: 3"),
        head(b"Content-Length: 2", b"Transfer-Encoding: chunked"),
        head(b"Content-Length: -1"),
        head(b"no colon"),
        head(b"X: a\x00b"),
        head(b"Transfer-Encoding: chunked") + b"xyz\r\n",
        head(b"Transfer-Encoding: chunked") + b"2\r\nokay\r\n",
        head(b"Upgrade: x", b"Connection: upgrade", status=b"101 Switching Protocols"),
    ],
)
def test_what_is_not_http(response):
    """It is refused as soon as it can't become a response any more, without waiting for the deadline."""
    keeper = receive(response)
    assert keeper.failure.code is ErrorCode.INVALID_RESPONSE
    assert not keeper.is_unanswered


@pytest.mark.parametrize(
    ("pieces", "is_unanswered"),
    [
        ([], True),
        ([b"HTTP/1.1 2"], False),
        ([b"HTTP/1.1 100 Continue\r\n\r\n"], False),
        ([head(b"Content-Length: 5"), b"ok"], False),
        ([head(b"Transfer-Encoding: chunked"), b"2\r\nok\r\n"], False),
    ],
)
def test_an_early_end_is_a_failure(pieces, is_unanswered):
    """A response that is cut off counts as none; only silence allows a second try."""
    keeper = receive(*pieces, ends=True)
    assert keeper.failure.code is ErrorCode.RESET
    assert keeper.is_unanswered == is_unanswered


def test_a_body_may_end_with_the_connection():
    """Without a length the end of the connection is the end of the body, but not when it was reset."""
    keeper = receive(head(b"Content-Type: text/plain"), b"o", b"k", ends=True)
    assert (keeper.outcome.status, keeper.outcome.body, keeper.is_reusable) == (200, b"ok", False)
    assert not keeper.outcome.is_truncated
    connection, keeper, _ = a_connection()
    connection.send(a_job())
    connection.data_received(head())
    connection.connection_lost(ConnectionResetError())
    assert keeper.failure.code is ErrorCode.RESET
    assert keeper.is_lost


def test_head_bytes_bound():
    """32 KiB of headers pass, one byte more does not, whether or not they are complete."""
    frame = len(head(b"Content-Length: 0", b"X: "))
    line = b"X: " + b"a" * (room.HEAD_BYTES_MAX - frame)
    keeper = receive(head(b"Content-Length: 0", line))
    assert keeper.outcome.status == 200
    assert len(keeper.outcome.headers) == room.HEAD_KEPT_BYTES_MAX
    assert receive(head(b"Content-Length: 0", line + b"a")).failure.code is ErrorCode.RESPONSE_TOO_LARGE
    endless = b"HTTP/1.1 200 OK\r\nX: " + b"a" * room.HEAD_BYTES_MAX
    interim = b"HTTP/1.1 103 Early Hints\r\nX: " + b"a" * (room.HEAD_BYTES_MAX // 2) + b"\r\n\r\n"
    assert receive(interim, interim).failure.code is ErrorCode.RESPONSE_TOO_LARGE
    assert receive(endless).failure.code is ErrorCode.RESPONSE_TOO_LARGE


def test_head_lines_bound():
    """100 header lines pass, 101 do not."""
    lines = [b"X: a"] * (room.HEAD_LINES_MAX - 1)
    assert receive(head(b"Content-Length: 0", *lines)).outcome.status == 200
    assert receive(head(b"Content-Length: 0", b"Y: b", *lines)).failure.code is ErrorCode.RESPONSE_TOO_LARGE
    unending = b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * (room.HEAD_LINES_MAX + 2)
    assert receive(unending).failure.code is ErrorCode.RESPONSE_TOO_LARGE


def test_interim_bound():
    """Eight interim responses are passed over, the ninth is too much."""
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    assert receive(interim * room.INTERIM_MAX + LENGTH_2).outcome.status == 200
    keeper = receive(*[interim] * (room.INTERIM_MAX + 1))
    assert keeper.failure.code is ErrorCode.INVALID_RESPONSE


def test_body_kept_bound():
    """16 KiB of a body are kept, all of it is counted, and the connection stays usable."""
    size = room.BODY_KEPT_BYTES_MAX
    whole = receive(head(b"Content-Length: %d" % size), b"a" * size)
    assert (len(whole.outcome.body), whole.outcome.is_truncated, whole.is_reusable) == (size, False, True)
    more = receive(head(b"Content-Length: %d" % (size + 1)), b"a" * size, b"b")
    assert (more.outcome.body, more.outcome.body_bytes, more.outcome.is_truncated) == (b"a" * size, size + 1, True)
    assert more.is_reusable


@pytest.mark.parametrize("framing", [b"Content-Length: 10000000", b"Transfer-Encoding: chunked", b"X: y"])
def test_body_read_bound(framing):
    """Beyond 64 KiB nothing more is read: the status decides, and the connection is given up."""
    piece = b"a" * 1024
    if framing.startswith(b"T"):
        piece = b"400\r\n" + piece + b"\r\n"
    keeper = receive(head(framing), *[piece] * 70)
    assert keeper.outcome.status == 200
    assert keeper.outcome.is_truncated
    assert room.BODY_READ_BYTES_MAX - 1024 <= keeper.outcome.body_bytes <= room.BODY_READ_BYTES_MAX + 1024
    assert len(keeper.outcome.body) == room.BODY_KEPT_BYTES_MAX
    assert not keeper.is_reusable


def test_trailers_count_as_read():
    """Endless trailers end like an endless body."""
    keeper = receive(head(b"Transfer-Encoding: chunked"), b"2\r\nok\r\n0\r\n", *[b"X: " + b"a" * 1000 + b"\r\n"] * 70)
    assert (keeper.outcome.status, keeper.outcome.body) == (200, b"ok")
    assert not keeper.is_reusable


def test_what_the_outcome_tells():
    """Times, raw headers without the status line, address; Retry-After only where it was not a success."""
    keeper = receive(head(b"Retry-After:  120 ", b"Content-Length: 0", status=b"503 Busy"))
    outcome = keeper.outcome
    assert outcome.duration_us == 1_000_000
    assert outcome.headers == b"Retry-After:  120 \r\nContent-Length: 0\r\n"
    assert outcome.retry_after == "120"
    assert outcome.remote_address == "1.1.1.1"
    assert receive(head(b"Retry-After: 120", b"Content-Length: 0")).outcome.retry_after is None
    assert receive(head(b"X: Retry-After: 1", b"Content-Length: 0", status=b"503 Busy")).outcome.retry_after is None


def test_retry_after_is_text_and_bounded():
    """Odd and long values are handed on as text, cut at 100 characters; reading them is another's work."""
    long = b"9" * 300
    outcome = receive(head(b"retry-AFTER:" + long, b"Content-Length: 0", status=b"429 Slow")).outcome
    assert outcome.retry_after == "9" * 100
    outcome = receive(head(b"Retry-After: \xff", b"Content-Length: 0", status=b"429 Slow")).outcome
    assert outcome.retry_after == "\xff"


def test_bytes_on_an_idle_connection_end_it():
    """What comes unasked closes the connection, before and between requests."""
    connection, keeper, transport = a_connection()
    connection.data_received(LENGTH_2)
    assert transport.is_aborted
    assert connection.has_spoken_first
    connection, keeper, transport = a_connection()
    connection.send(a_job())
    connection.data_received(LENGTH_2)
    assert keeper.is_reusable
    connection.data_received(b"H")
    assert transport.is_aborted
    assert keeper.calls == 1


def test_one_connection_many_responses():
    """Nothing of one response shows in the next."""
    connection, keeper, transport = a_connection()
    for response in (CHUNKED, head(b"Content-Length: 0", status=b"500 No"), INTERIM, LENGTH_2):
        connection.send(a_job())
        connection.data_received(response)
        assert keeper.is_reusable
    assert keeper.outcome.headers == b"Content-Length: 2\r\n"
    assert keeper.outcome.body == b"ok"
    assert connection.uses == 4
    assert not transport.is_aborted


def test_an_answer_before_the_end_of_the_request():
    """The status counts, but what is left of the request stands in the way of the next one."""
    connection, keeper, transport = a_connection()
    transport.unsent = 100
    connection.send(a_job())
    connection.data_received(LENGTH_2)
    assert keeper.outcome.status == 200
    assert not keeper.is_reusable


def test_a_dropped_job_hears_nothing():
    """After the deadline neither a late response nor the end of the connection reaches the job."""
    connection, keeper, transport = a_connection()
    job = a_job()
    connection.send(job)
    connection.drop_job()
    assert transport.is_aborted
    assert job.connection is None
    connection.data_received(LENGTH_2)
    connection.connection_lost(None)
    assert keeper.calls == 0
    assert keeper.is_lost


def test_stage_tells_whether_reading_began():
    """The message of a missed deadline knows whether a response had begun."""
    connection, _, _ = a_connection()
    job = a_job()
    connection.send(job)
    stages = [job.stage]
    connection.data_received(head(b"Content-Length: 2"))
    stages.append(job.stage)
    assert stages == [Stage.WAITING, Stage.READING]
