"""Receivers that misbehave: what is recorded, in what time, and that their connections are not used again."""

import zlib

import pytest

from hookspan.domain.outcome import ErrorCode, Owner
from hookspan.egress.connection import BODY_KEPT_BYTES_MAX, BODY_READ_BYTES_MAX
from tests.integration.egress.evil import OK, EvilReceiver, Gone, an_egress, post, says

pytestmark = pytest.mark.anyio

DEADLINE_MS = 200
# The deadline, the sweep that keeps it, and what a busy machine adds.
BOUND_US = 4_000_000


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request):
    return ("asyncio", {"use_uvloop": request.param})


async def silence(peer):
    await peer.request()
    await peer.gone()


async def silence_from_the_start(peer):
    await peer.gone()


async def drip_headers(peer):
    await peer.request()
    await peer.drip(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 1_000)


async def drip_body(peer):
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    await peer.drip(b"x" * 100_000)


async def drip_chunks(peer):
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    await peer.drip(b"1\r\nx\r\n" * 10_000)


async def drip_trailers(peer):
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n")
    await peer.drip(b"x: y\r\n" * 10_000)


async def drip_interim(peer):
    await peer.request()
    await peer.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000, each_s=0.1)


async def half_a_response_then_silence(peer):
    await peer.request()
    await peer.send(OK[:-1])
    await peer.gone()


@pytest.mark.parametrize(
    "script",
    [
        silence,
        silence_from_the_start,
        drip_headers,
        drip_body,
        drip_chunks,
        drip_trailers,
        drip_interim,
        half_a_response_then_silence,
    ],
)
async def test_slow_receivers_meet_the_deadline(script):
    """One deadline from DNS to last byte: who is slow times out then, and is hung up on."""
    async with EvilReceiver(script, says(OK)) as receiver, an_egress() as egress:
        outcome = await post(egress, receiver.url, timeout_ms=DEADLINE_MS)
        assert outcome.error is ErrorCode.TIMEOUT
        assert outcome.status is None
        assert outcome.owner is Owner.RECEIVER
        assert outcome.remote_address == "127.0.0.1"
        assert DEADLINE_MS * 1000 <= outcome.duration_us <= BOUND_US
        assert "200 ms" in str(outcome.error_message)
        await receiver.all_gone()
        assert egress.sockets == 0
        assert (await post(egress, receiver.url)).status == 200
        assert receiver.connections == 2


async def reset_at_once(peer):
    peer.reset()


async def reset_after_request(peer):
    await peer.request()
    peer.reset()


async def reset_in_headers(peer):
    await peer.request()
    await peer.send(OK[:30])
    peer.reset()


async def reset_in_body(peer):
    await peer.request()
    await peer.send(OK[:-1])
    peer.reset()


async def close_at_once(peer):
    peer.close()


async def close_after_request(peer):
    await peer.request()


async def close_in_headers(peer):
    await peer.request()
    await peer.send(OK[:30])


async def close_in_body(peer):
    await peer.request()
    await peer.send(OK[:-1])


async def close_in_chunk(peer):
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nx")


@pytest.mark.parametrize(
    "script",
    [
        reset_at_once,
        reset_after_request,
        reset_in_headers,
        reset_in_body,
        close_at_once,
        close_after_request,
        close_in_headers,
        close_in_body,
        close_in_chunk,
    ],
)
async def test_connections_that_end_early(script):
    """A response that is not whole is none, and nothing is sent a second time on a new connection."""
    async with EvilReceiver(script, says(OK)) as receiver, an_egress() as egress:
        outcome = await post(egress, receiver.url)
        assert outcome.error is ErrorCode.RESET
        assert outcome.owner is Owner.RECEIVER
        assert not outcome.is_resent
        assert outcome.duration_us <= BOUND_US
        assert receiver.connections == 1
        assert (await post(egress, receiver.url)).status == 200
        assert receiver.connections == 2


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (b"<html>hello</html>\r\n\r\n", ErrorCode.INVALID_RESPONSE),  # HTTP/0.9
        (b"HTTP/1.1 two hundred\r\n\r\n", ErrorCode.INVALID_RESPONSE),
        (b"HTTP/2.0 200 OK\r\n\r\n", ErrorCode.INVALID_RESPONSE),
        (b"\x00" * 64, ErrorCode.INVALID_RESPONSE),
        (b"HTTP/1.1 200 OK\ncontent-length: 0\n\n", ErrorCode.INVALID_RESPONSE),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", ErrorCode.INVALID_RESPONSE),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"f" * 40, ErrorCode.INVALID_RESPONSE),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n", ErrorCode.INVALID_RESPONSE),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
            ErrorCode.INVALID_RESPONSE,
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000, ErrorCode.INVALID_RESPONSE),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200, ErrorCode.RESPONSE_TOO_LARGE),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 4_000_000, ErrorCode.RESPONSE_TOO_LARGE),
    ],
    ids=range(12),
)
async def test_what_is_no_response(response, error):
    """Nonsense and excess are refused at once, long before the deadline."""
    async with EvilReceiver(says(response), says(OK)) as receiver, an_egress() as egress:
        outcome = await post(egress, receiver.url)
        assert outcome.error is error
        assert outcome.error_message
        assert outcome.duration_us <= BOUND_US
        await receiver.all_gone()
        assert (await post(egress, receiver.url)).status == 200
        assert receiver.connections == 2


GZIP = zlib.compress(b"a" * 1_000_000, wbits=31)


@pytest.mark.parametrize(
    ("response", "status", "body"),
    [
        (OK + OK, 200, b"ok"),
        (OK + b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", 200, b"ok"),
        (OK + b"junk", 200, b"ok"),
        (OK + b"\r\n", 200, b"ok"),
        (b"HTTP/1.1 204 No Content\r\ncontent-length: 4\r\n\r\nbody", 204, b""),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", 200, b"ok"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok", 200, b"ok"),
    ],
    ids=range(7),
)
async def test_whole_responses_on_connections_not_worth_keeping(response, status, body):
    """The first response counts; the connection is closed by us and not used again."""
    async with EvilReceiver(says(response), says(OK)) as receiver, an_egress() as egress:
        outcome = await post(egress, receiver.url)
        assert (outcome.status, outcome.body, outcome.error) == (status, body, None)
        await receiver.all_gone()
        assert (await post(egress, receiver.url)).status == 200
        assert receiver.connections == 2


@pytest.mark.parametrize(
    ("response", "status", "body"),
    [
        (b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", 302, b""),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(GZIP) + GZIP, 200, GZIP),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200, b"ok"),
        (b"HTTP/1.1 200 OK\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n", 200, b""),
    ],
    ids=["redirect", "gzip", "continue", "cookie"],
)
async def test_what_is_taken_as_it_is(response, status, body):
    """Redirects are not followed, bodies not decompressed, cookies not kept; the connection is."""
    async with EvilReceiver(says(response, OK)) as receiver, an_egress() as egress:
        outcome = await post(egress, receiver.url)
        assert (outcome.status, outcome.body) == (status, body)
        assert (await post(egress, receiver.url)).status == 200
        assert receiver.connections == 1


@pytest.mark.parametrize("framing", [b"content-length: 999999999", b"transfer-encoding: chunked", b"x: y"])
async def test_an_infinite_body(framing):
    """Of a body without end a bounded part is read; the status decides, and the receiver is hung up on."""

    async def script(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n")
        while True:
            await peer.send(b"400\r\n" + b"x" * 1024 + b"\r\n")

    async with EvilReceiver(script) as receiver, an_egress() as egress:
        outcome = await post(egress, receiver.url)
        assert (outcome.status, outcome.is_truncated, outcome.error) == (200, True, None)
        assert len(outcome.body) == BODY_KEPT_BYTES_MAX
        assert outcome.body_bytes <= BODY_READ_BYTES_MAX + 256 * 1024  # what one read of the loop may bring
        await receiver.all_gone()
        assert egress.sockets == 0


async def test_a_body_that_ends_with_the_connection():
    """Without a length the body ends when the receiver closes."""

    async def script(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
        peer.finish()
        await peer.gone()

    async with EvilReceiver(script) as receiver, an_egress() as egress:
        outcome = await post(egress, receiver.url)
        assert (outcome.status, outcome.body, outcome.is_truncated) == (200, b"hello", False)
        await receiver.all_gone()


async def test_a_response_sent_ahead():
    """Bytes on an idle connection close it; the next request gets its own answer on another one."""

    async def script(peer):
        await peer.request()
        await peer.send(OK)
        await peer.send(b"HTTP/1.1 500 Ahead\r\ncontent-length: 0\r\n\r\n")
        await peer.gone()

    async with EvilReceiver(script, says(OK)) as receiver, an_egress() as egress:
        assert (await post(egress, receiver.url)).status == 200
        await receiver.all_gone()
        outcome = await post(egress, receiver.url)
        assert (outcome.status, outcome.is_resent) == (200, False)
        assert receiver.connections == 2


async def test_a_receiver_that_speaks_first():
    """A server of another protocol greets before it is asked: that is no HTTP."""

    async def script(peer):
        await peer.send(b"220 mail.example ESMTP\r\n")
        await peer.gone()

    async with EvilReceiver(script) as receiver, an_egress() as egress:
        outcome = await post(egress, receiver.url)
        assert outcome.error is ErrorCode.INVALID_RESPONSE
        assert outcome.duration_us <= BOUND_US
        await receiver.all_gone()
        assert egress.sockets == 0


async def test_a_kept_connection_that_died_is_replaced_silently():
    """When a reused connection ends before any byte of an answer, the request goes out once more on a new one."""

    async def dies_at_the_second_request(peer):
        await peer.request()
        await peer.send(OK)
        await peer.request()
        peer.reset()

    async with EvilReceiver(dies_at_the_second_request, says(OK)) as receiver, an_egress() as egress:
        assert not (await post(egress, receiver.url)).is_resent
        outcome = await post(egress, receiver.url)
        assert (outcome.status, outcome.is_resent) == (200, True)
        assert receiver.connections == 2


async def test_the_silent_second_try_is_one():
    """The second try's failure is the outcome; there is no third. A caller may do without the second."""

    async def answers_once(peer):
        await peer.request()
        await peer.send(OK)
        await peer.request()

    async def dies(peer):
        await peer.request()

    async with EvilReceiver(answers_once, dies, answers_once, says(OK)) as receiver, an_egress() as egress:
        await post(egress, receiver.url)
        outcome = await post(egress, receiver.url)
        assert (outcome.error, outcome.is_resent) == (ErrorCode.RESET, True)
        assert receiver.connections == 2
        await post(egress, receiver.url)
        outcome = await post(egress, receiver.url, may_resend=False)
        assert (outcome.error, outcome.is_resent) == (ErrorCode.RESET, False)
        assert receiver.connections == 3


async def test_no_second_try_after_the_first_byte():
    """A connection that dies in the middle of an answer is not tried again."""

    async def begins_to_answer(peer):
        await peer.request()
        await peer.send(OK)
        await peer.request()
        await peer.send(b"H")
        raise Gone

    async with EvilReceiver(begins_to_answer) as receiver, an_egress() as egress:
        await post(egress, receiver.url)
        outcome = await post(egress, receiver.url)
        assert (outcome.error, outcome.is_resent) == (ErrorCode.RESET, False)
        assert receiver.connections == 1


async def test_nobody_listens():
    """A closed port is the receiver's failure, known at once."""
    async with EvilReceiver(says(OK)) as receiver:
        url = receiver.url
    async with an_egress() as egress:
        outcome = await post(egress, url)
        assert outcome.error is ErrorCode.CONNECT_REFUSED
        assert outcome.owner is Owner.RECEIVER
        assert egress.sockets == 0
