"""The address is decided at every connect: what DNS said before, or says beside it, opens nothing."""

import asyncio
import errno
import socket

import pytest

from hookspan.domain.outcome import ErrorCode, Owner
from hookspan.egress import opening
from hookspan.errors import BlockedDestination
from tests.integration.egress.evil import OK, EvilReceiver, an_egress, post, says, until
from tests.support.clock import VirtualClock
from tests.unit.egress.names import NO_ANSWER, NO_SUCH_NAME, ScriptedNames, answer

pytestmark = pytest.mark.anyio

CLOSING = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


def is_blocked(outcome):
    """The one fixed refusal: no time, no address, no word on why."""
    assert outcome.error is ErrorCode.BLOCKED_DESTINATION
    assert outcome.error_message == "The destination is not allowed."
    assert outcome.owner is Owner.RECEIVER
    return (outcome.duration_us, outcome.remote_address, outcome.status) == (0, None, None)


async def test_rebinding():
    """A name that led to an allowed address and then leads to a refused one is refused at the next connect."""
    clock = VirtualClock()
    names = ScriptedNames(a__example=[answer("127.0.0.1", ttl_s=5), answer("10.0.0.1")])
    async with EvilReceiver(says(CLOSING)) as receiver, an_egress(clock=clock, names=names) as egress:
        url = f"http://a.example:{receiver.port}/"
        await egress.check_destination(egress.target(url, https_required=False))
        assert (await post(egress, url)).status == 200
        clock.move(5_000)
        assert is_blocked(await post(egress, url))
        assert receiver.connections == 1
        assert egress.sockets == 0


async def test_rebinding_between_saving_and_sending():
    """What was allowed when the URL was saved is asked again when it is sent to."""
    names = ScriptedNames(a__example=[answer("1.1.1.1"), answer("127.0.0.1")])
    async with EvilReceiver(says(OK)) as receiver, an_egress(allow=(), names=names) as egress:
        target = egress.target(f"http://a.example:{receiver.port}/", https_required=False)
        await egress.check_destination(target)
        with pytest.raises(BlockedDestination):
            await egress.check_destination(target)
        assert is_blocked(await post(egress, target))
        assert receiver.connections == 0


@pytest.mark.parametrize("bad", ["10.0.0.1", "::1", "169.254.169.254", "64:ff9b::7f00:1"])
@pytest.mark.parametrize("order", [1, -1])
async def test_one_refused_address_refuses_the_answer(bad, order):
    """Every address of an answer must be allowed: one refused among good ones, first or last, and none is used."""
    names = ScriptedNames(a__example=[answer(*["127.0.0.1", "127.0.0.2", bad][::order])])
    async with EvilReceiver(says(OK)) as receiver, an_egress(allow=("127.0.0.0/8",), names=names) as egress:
        url = f"http://a.example:{receiver.port}/"
        assert is_blocked(await post(egress, url))
        with pytest.raises(BlockedDestination) as refusal:
            await egress.check_destination(egress.target(url, https_required=False))
        expected = "The destination is not allowed. An operator may open networks by HOOKSPAN_EGRESS_ALLOW."
        assert refusal.value.detail == expected
        assert receiver.connections == 0


async def test_literal_addresses_are_checked_at_connect():
    """A target made under another policy does not pass: the check is at the connect, not only where it was made."""
    async with EvilReceiver(says(OK)) as receiver, an_egress() as lenient, an_egress(allow=()) as strict:
        target = lenient.target(receiver.url, https_required=False)
        assert is_blocked(await post(strict, target))
        with pytest.raises(BlockedDestination):
            await strict.check_destination(target)
        assert receiver.connections == 0


@pytest.mark.parametrize("listening_on", ["127.0.0.1", "0.0.0.0", "::", "localhost"])
async def test_own_intake_is_never_sent_to(listening_on):
    """Our own host and port are refused by literal and by name, whatever is allowed."""
    names = ScriptedNames(a__example=[answer("127.0.0.1")])
    async with EvilReceiver(says(OK)) as receiver:
        own = ((listening_on, receiver.port),)
        async with an_egress(own=own, names=names, allow=("0.0.0.0/0", "::/0")) as egress:
            with pytest.raises(BlockedDestination):
                egress.target(receiver.url, https_required=False)
            assert is_blocked(await post(egress, f"http://a.example:{receiver.port}/"))
        assert receiver.connections == 0


async def test_the_peer_is_compared(monkeypatch):
    """If the socket ends up at another address than was checked, nothing is sent on it."""
    monkeypatch.setattr(opening, "_peer", lambda _socket: b"\x7f\x00\x00\x02")
    async with EvilReceiver(says(OK)) as receiver, an_egress() as egress:
        assert is_blocked(await post(egress, receiver.url))
        await receiver.all_gone()
        assert receiver.requests == []
        assert egress.sockets == 0


async def test_mapped_addresses_connect_to_what_they_stand_for():
    """[::ffff:127.0.0.1] is 127.0.0.1 in the policy, on the wire and in the record."""
    async with EvilReceiver(says(OK)) as receiver, an_egress() as egress:
        outcome = await post(egress, f"http://[::ffff:127.0.0.1]:{receiver.port}/")
        assert (outcome.status, outcome.remote_address) == (200, "127.0.0.1")


async def test_the_next_address_is_tried():
    """A refused connection costs the address, not the attempt, up to a bound."""
    names = ScriptedNames(
        a__example=[answer("127.0.0.2", "127.0.0.3", "127.0.0.1")],
        b__example=[answer(*[f"127.0.0.{at}" for at in range(2, 2 + opening.ADDRESSES_TRIED_MAX)], "127.0.0.1")],
    )
    async with EvilReceiver(says(OK)) as receiver, an_egress(names=names) as egress:
        outcome = await post(egress, f"http://a.example:{receiver.port}/")
        assert (outcome.status, outcome.remote_address) == (200, "127.0.0.1")
        outcome = await post(egress, f"http://b.example:{receiver.port}/")
        assert outcome.error is ErrorCode.CONNECT_REFUSED


async def test_an_address_that_hangs_leaves_time_for_the_next(monkeypatch):
    """No address but the last may use up the deadline."""
    connect = opening._connect

    async def hanging(address, port):
        if address[-1] == 2:
            await asyncio.Event().wait()
        return await connect(address, port)

    monkeypatch.setattr(opening, "_connect", hanging)
    names = ScriptedNames(a__example=[answer("127.0.0.2", "127.0.0.1")])
    async with EvilReceiver(says(OK)) as receiver, an_egress(names=names) as egress:
        assert (await post(egress, f"http://a.example:{receiver.port}/", timeout_ms=1_000)).status == 200


async def test_names_without_an_address():
    """It is the receiver's failure at sending, and none at all when the URL is saved."""
    async with an_egress(names=ScriptedNames(a__example=[NO_SUCH_NAME])) as egress:
        target = egress.target("https://a.example/", https_required=True)
        await egress.check_destination(target)
        outcome = await post(egress, target)
        assert (outcome.error, outcome.owner) == (ErrorCode.DNS_FAILED, Owner.RECEIVER)
        assert egress.sockets == 0


async def test_dns_down_for_all():
    """When several names get no answer it is the path's failure, which spends nobody's attempts."""
    names = ScriptedNames(a__example=[NO_ANSWER], b__example=[NO_ANSWER])
    async with an_egress(names=names) as egress:
        first = await post(egress, "https://a.example/")
        second = await post(egress, "https://b.example/")
        assert (first.error, first.owner) == (ErrorCode.DNS_FAILED, Owner.RECEIVER)
        assert (second.error, second.owner) == (ErrorCode.DNS_FAILED, Owner.PATH)


async def test_dns_that_hangs():
    """Looking up is part of the one deadline; hanging look-ups of several names are the path's failure too."""
    names = ScriptedNames()
    names.gate.clear()
    async with an_egress(names=names) as egress:
        first = await post(egress, "https://a.example/", timeout_ms=100)
        second = await post(egress, "https://b.example/", timeout_ms=100)
        assert (first.error, first.owner) == (ErrorCode.DNS_FAILED, Owner.RECEIVER)
        assert (second.error, second.owner) == (ErrorCode.DNS_FAILED, Owner.PATH)
        assert "100 ms" in str(first.error_message)
        assert first.duration_us < 4_000_000
        await until(lambda: egress.sockets == 0)


@pytest.mark.parametrize(
    ("number", "code", "owner"),
    [
        ("EMFILE", ErrorCode.NO_SOCKETS, Owner.US),
        ("EADDRNOTAVAIL", ErrorCode.NO_SOCKETS, Owner.US),
        ("ECONNREFUSED", ErrorCode.CONNECT_REFUSED, Owner.RECEIVER),
        ("EHOSTUNREACH", ErrorCode.CONNECT_FAILED, Owner.RECEIVER),
        ("ETIMEDOUT", ErrorCode.CONNECT_FAILED, Owner.RECEIVER),
        ("EPERM", ErrorCode.CONNECT_FAILED, Owner.RECEIVER),
    ],
)
async def test_whose_failure_a_connect_is(monkeypatch, number, code, owner):
    """Out of sockets or ports is ours; everything else is the receiver's."""

    async def failing(self, sock, address):
        raise OSError(getattr(errno, number), number)

    async with an_egress() as egress:
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(type(loop), "sock_connect", failing)
        outcome = await post(egress, "http://127.0.0.1:9/")
        assert (outcome.error, outcome.owner) == (code, owner)
        assert outcome.error_message
        assert egress.sockets == 0


async def test_ipv6():
    """An IPv6 receiver gets its address in brackets as Host, where this machine has IPv6."""
    with socket.socket(socket.AF_INET6) as listener:
        listener.bind(("::1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        heads = []

        async def answering(reader, writer):
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            await reader.readexactly(2)
            writer.write(CLOSING)
            writer.close()

        server = await asyncio.start_server(answering, sock=listener)
        async with server, an_egress() as egress:
            outcome = await post(egress, f"http://[::1]:{port}/")
        assert (outcome.status, outcome.remote_address) == (200, "::1")
        assert f"\r\nhost: [::1]:{port}\r\n".encode() in heads[0]
