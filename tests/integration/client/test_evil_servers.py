"""Servers that die, answer halves, redirect, overflow or say "later": what the client makes of each."""

import asyncio
import logging
import ssl

import pytest
import trustme

from hookspan.client import (
    AsyncClient,
    NewEvent,
    Refused,
    Retry,
    TimedOut,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
    Untrusted,
)
from hookspan.client._answer import ANSWER_BYTES_MAX
from tests.integration.egress.evil import EvilReceiver, Peer, says
from tests.support.node import OPERATOR_KEY

pytestmark = pytest.mark.anyio

ACCEPTED = b'HTTP/1.1 202 Accepted\r\ncontent-length: 33\r\n\r\n{"id":"evt_1","publisher_id":"x"}'
LATER = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 7\r\ncontent-length: 48\r\n\r\n"
    b'{"code":"overloaded","detail":"A queue is full"}'
)


def base(evil: EvilReceiver) -> str:
    return evil.url.removesuffix("/hook")


def through(node, *, answers: bool):
    """Passes each request on to the node; then its answer back, or the connection is cut instead."""

    async def script(peer: Peer) -> None:
        while True:
            request = await peer.request()
            reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
            writer.write(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
            answer = await reader.read()
            writer.close()
            assert b" 202 " in answer
            if not answers:
                peer.reset()
                return
            await peer.send(answer)

    return script


async def hangs(peer: Peer) -> None:
    await peer.request()
    await peer.gone()


def answers(*responses: bytes):
    """Answers, then hangs up."""

    async def script(peer: Peer) -> None:
        for response in responses:
            await peer.request()
            await peer.send(response)

    return script


async def test_an_answer_that_was_lost_does_not_double_the_event(either, node, client, application):
    """The server kept it, the network lost the answer: sent again under the same publisher_id, it is one event."""
    scripts = through(node, answers=False), through(node, answers=True)
    async with EvilReceiver(*scripts) as evil, either(base(evil)) as one:
        accepted = await one.publish(application, "order.paid", {"number": 1})
    assert len(evil.requests) == 2
    assert evil.requests[0] == evil.requests[1]
    [event] = [event async for event in client.events.list(application)]
    assert (event.id, event.publisher_id) == (accepted.id, accepted.publisher_id)
    assert len(either.slept) == 1


@pytest.mark.parametrize(
    "cut",
    [b"", b"HTTP/1.1 202 Acc", ACCEPTED[:-5], b"HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"],
    ids=["none", "head", "body", "chunk"],
)
async def test_half_an_answer_is_none(either, cut):
    """The request is repeated, byte for byte."""
    async with EvilReceiver(answers(cut), says(ACCEPTED)) as evil, either(base(evil)) as one:
        assert (await one.publish("app_1", "order.paid", {})).id == "evt_1"
        assert len(set(evil.requests)) == 1
        assert len(evil.requests) == 2


async def test_a_server_that_says_later_is_asked_later(either):
    """Retry-After is waited for, as far as the client's own bound."""
    async with EvilReceiver(says(LATER, LATER, ACCEPTED)) as evil, either(base(evil)) as one:
        await one.publish("app_1", "order.paid", {})
    assert either.slept == [7, 7]
    assert len(set(evil.requests)) == 1
    either.slept.clear()
    async with EvilReceiver(says(LATER, ACCEPTED)) as evil, either(base(evil), retry=Retry(wait_s_max=2)) as one:
        await one.publish("app_1", "order.paid", {})
    assert either.slept == [2]


async def test_a_server_that_always_says_later_is_given_up(either):
    """After as many tries as allowed, with its own words, and the id to go on with."""
    async with EvilReceiver(says(*[LATER] * 9)) as evil, either(base(evil), retry=Retry(tries_max=3)) as one:
        with pytest.raises(Unavailable) as caught:
            await one.publish("app_1", "order.paid", {}, publisher_id="o-17")
    error = caught.value
    assert (error.code, error.status, error.retry_after_s, error.publisher_id) == ("overloaded", 503, 7, "o-17")
    assert len(evil.requests) == 3


async def test_nobody_there(either):
    """Tried again, then told: nothing was sent, so nothing is in doubt."""
    async with EvilReceiver(hangs) as evil:
        nobody = base(evil)
    async with either(nobody, retry=Retry(tries_max=2)) as one:
        with pytest.raises(Unreachable) as caught:
            await one.webhooks.get("app_1", "wh_1")
        assert (caught.value.code, caught.value.is_in_doubt) == ("unreachable", False)
        with pytest.raises(Unreachable):
            await one.webhooks.change("app_1", "wh_1", status="disabled")
    assert len(either.slept) == 2


async def test_a_silent_server_is_not_waited_for_for_ever(either):
    """Neither is one that sends a byte now and then: the deadline is for the whole answer."""

    async def drips(peer: Peer) -> None:
        await peer.request()
        await peer.drip(ACCEPTED * 1_000)

    for script in (hangs, drips):
        async with EvilReceiver(script) as evil, either(base(evil), timeout_s=0.5, retry=Retry(tries_max=2)) as one:
            with pytest.raises(TimedOut) as caught:
                await one.publish("app_1", "order.paid", {})
            assert caught.value.is_in_doubt
            assert evil.connections == 2


async def test_what_might_be_done_twice_is_not_repeated(either):
    """A change without an answer is in doubt, and the caller's to decide; where nothing was done it is repeated."""
    async with EvilReceiver(answers(b"")) as evil, either(base(evil)) as one:
        with pytest.raises(Unreachable) as caught:
            await one.webhooks.change("app_1", "wh_1", if_match=3, status="disabled")
        assert caught.value.is_in_doubt
        assert b'\r\nif-match: "3"\r\n' in evil.requests[0].lower()
        with pytest.raises(Unreachable):
            await one.applications.delete("app_1")
        assert len(evil.requests) == 2
    async with EvilReceiver(says(LATER, b"HTTP/1.1 204 No Content\r\n\r\n")) as evil, either(base(evil)) as one:
        assert await one.applications.delete("app_1") is None


async def test_a_post_is_repeated_under_the_same_idempotency_key(either):
    """Also while the first is still being carried out; the next call has a key of its own."""
    running = b'HTTP/1.1 409 Conflict\r\ncontent-length: 46\r\n\r\n{"code":"idempotency_running","detail":"wait"}'
    async with EvilReceiver(answers(b""), says(running, ACCEPTED, ACCEPTED)) as evil, either(base(evil)) as one:
        await one.events.sample("app_1")
        await one.events.sample("app_1")
        keys = [
            line.partition(b": ")[2]
            for request in evil.requests
            for line in request.lower().split(b"\r\n")
            if line.startswith(b"idempotency-key: ")
        ]
    assert len(keys) == 4
    assert [keys.index(key) for key in keys] == [0, 0, 0, 3]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_not_followed(either, status):
    """The key goes to nobody but the server that it was given for."""
    async with EvilReceiver(hangs) as other:
        to = b"HTTP/1.1 %d X\r\nlocation: %b\r\ncontent-length: 0\r\n\r\n" % (status, other.url.encode())
        async with EvilReceiver(says(to)) as evil, either(base(evil)) as one:
            with pytest.raises(UnexpectedAnswer, match="not followed") as caught:
                await one.publish("app_1", "order.paid", {})
            assert caught.value.status == status
        assert other.connections == 0


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"id":17}', b"\xff\xfe", b"[" * 5_000, b""])
async def test_another_server_s_answer_is_told_apart(either, body):
    """No JSON, or another shape: somebody else listens there. It is not asked again."""
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    async with EvilReceiver(says(answer)) as evil, either(base(evil)) as one:
        with pytest.raises(UnexpectedAnswer, match="not as Hookspan does"):
            await one.publish("app_1", "order.paid", {})
        assert len(evil.requests) == 1


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"errors":[1,{"pointer":2}],"code":[]}', b"[" * 5_000])
async def test_a_refusal_without_a_document_is_still_one(either, body):
    """As a proxy on the way gives it. What is not of a problem's shape is left out."""
    answer = b"HTTP/1.1 403 Forbidden\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    async with EvilReceiver(says(answer)) as evil, either(base(evil)) as one:
        with pytest.raises(Refused) as caught:
            await one.publish("app_1", "order.paid", {})
    assert (caught.value.code, caught.value.status) == ("refused", 403)


@pytest.mark.parametrize("head", [b"content-length: %d" % (ANSWER_BYTES_MAX + 1), b"connection: close"])
async def test_a_huge_answer_is_not_read(either, head):
    """No more than its bound is taken in, whether it tells its length or not."""

    async def flood(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n%b\r\n\r\n" % head)
        for _ in range(ANSWER_BYTES_MAX // 65_536 + 64):
            await peer.send(b" " * 65_536)

    async with EvilReceiver(flood) as evil, either(base(evil)) as one:
        with pytest.raises(UnexpectedAnswer, match="more than 16,777,216 bytes"):
            await one.publish("app_1", "order.paid", {})


async def test_an_endless_head_is_not_read(either):
    """Headers without end end the connection."""

    async def flood(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n")
        while True:
            await peer.send(b"x-more: " + b"x" * 8_192 + b"\r\n")

    async with EvilReceiver(flood) as evil, either(base(evil), retry=Retry(tries_max=1)) as one:
        with pytest.raises(Unreachable):
            await one.publish("app_1", "order.paid", {})


async def test_a_batch_with_wrong_answers_is_not_believed(either):
    """Fewer or more than were sent: nothing of it can be told apart."""
    for body in (b'{"data":[]}', b'{"data":[{"id":"a","publisher_id":"b"},{"id":"a","publisher_id":"b"}]}'):
        answer = b"HTTP/1.1 202 Accepted\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        async with EvilReceiver(says(answer)) as evil, either(base(evil)) as one:
            with pytest.raises(UnexpectedAnswer, match="than were sent"):
                await one.publish_many("app_1", [NewEvent(type="order.paid", content={})])


async def test_a_list_that_leads_nowhere_ends(either):
    """A server that gives the same cursor for ever is asked twice, not for ever."""
    body = b'{"data":[],"next":"again"}'
    page = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    async with EvilReceiver(says(*[page] * 9)) as evil, AsyncClient(base(evil), OPERATOR_KEY) as one:
        assert [item async for item in one.profiles.list()] == []
        assert len(evil.requests) == 2


async def test_certificates_are_verified(either, tmp_path):
    """An unknown authority's is not accepted, at once and before the key is sent; with `ca_file` it is."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    async with EvilReceiver(says(ACCEPTED), tls=context) as evil:
        async with either(base(evil)) as one:
            with pytest.raises(Untrusted) as caught:
                await one.publish("app_1", "order.paid", {})
        assert not caught.value.is_in_doubt
        assert evil.requests == []
        async with either(base(evil), ca_file=str(ca_file)) as one:
            assert (await one.publish("app_1", "order.paid", {})).id == "evt_1"
    assert either.slept == []


async def test_the_key_is_in_no_log_and_no_error(either, caplog):
    """Also not where libraries log all they do."""
    caplog.set_level(logging.DEBUG)
    async with EvilReceiver(answers(b""), says(ACCEPTED)) as evil, either(base(evil), "hk_very_secret") as one:
        assert (await one.publish("app_1", "order.paid", {})).id == "evt_1"
        assert b"\r\nauthorization: bearer hk_very_secret\r\n" in evil.requests[0].lower()
    assert "hk_very_secret" not in caplog.text


async def test_a_path_before_the_api_is_kept(either):
    """Where Hookspan lives under a prefix of somebody's host."""
    async with EvilReceiver(says(ACCEPTED, ACCEPTED)) as evil, either(base(evil) + "/hooks%20on/") as one:
        await one.publish("app/../1?", "order.paid", {})
        await one.events.sample("app_1")
    assert evil.requests[0].startswith(b"POST /hooks%20on/v1/applications/app%2F..%2F1%3F/events HTTP/1.1\r\n")
    assert evil.requests[1].startswith(b"POST /hooks%20on/v1/applications/app_1/events/sample HTTP/1.1\r\n")


async def test_a_call_that_is_cancelled_leaves_the_client_whole():
    """Its connection is closed, not used for somebody else's answer."""
    began = asyncio.Event()

    async def slow(peer: Peer) -> None:
        await peer.request()
        began.set()
        await peer.gone()

    async with (
        EvilReceiver(slow, says(ACCEPTED)) as evil,
        AsyncClient(base(evil), OPERATOR_KEY, connections_max=1) as one,
    ):
        task = asyncio.create_task(one.publish("app_1", "order.paid", {}))
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await one.publish("app_1", "order.paid", {})).id == "evt_1"


async def test_a_closed_client_says_so(either):
    async with EvilReceiver(hangs) as evil:
        async with either(base(evil)) as one:
            pass
        with pytest.raises(RuntimeError, match="closed"):
            await one.publish("app_1", "order.paid", {})
        assert evil.connections == 0
