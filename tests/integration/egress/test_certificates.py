"""The look at a certificate: success at once, and no refusal that tells more than another by its words or its time."""

import asyncio
import contextlib
import datetime

import pytest
import trustme
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from hookspan.egress import certificate, opening
from hookspan.egress.dns import NameFailed
from hookspan.egress.settings import CERTIFICATE_REFUSAL_S
from hookspan.errors import BlockedDestination, InvalidCertificate, Overloaded
from tests.integration.egress.evil import OK, PATIENCE_S, EvilReceiver, an_egress, post, says, until
from tests.integration.egress.test_proxy import Proxy
from tests.integration.egress.tls_receivers import (
    HOST,
    LATER,
    LONG_AGO,
    answers_in_plain,
    hand_made,
    hangs_up,
    old_protocol,
    resets,
    says_nothing,
    server_context,
)
from tests.support.clock import VirtualClock
from tests.support.ports import free_port
from tests.unit.egress.names import NO_ANSWER, NO_SUCH_NAME, ScriptedNames, answer

pytestmark = pytest.mark.anyio

TEXT = (
    "No TLS connection with a valid certificate could be made to the URL's host within 5 s. "
    "(An authority of one's own is believed where the operator names it by HOOKSPAN_EGRESS_CA_FILE.)"
)
REFUSAL_MS = int(CERTIFICATE_REFUSAL_S * 1000)
TURNS = 20
NOBODYS_PORT = 9


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request):
    return ("asyncio", {"use_uvloop": request.param})


@pytest.fixture(scope="module")
def ca():
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(ca, tmp_path_factory):
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return str(path)


def names(*answers):
    return ScriptedNames(receiver__example=answers or [answer("127.0.0.1")])


def target(egress, port, host=HOST):
    return egress.target(f"https://{host}:{port}/hook", https_required=True)


async def turns():
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def refused(egress, clock, to, *, is_silent=False):
    """Look at the certificate of `to`; True when it is refused as every refusal is: not a moment before its time, with
    the one text, and with nothing left open.
    """
    check = asyncio.create_task(egress.check_certificate(to))
    await asyncio.sleep(0)
    assert egress.sockets == 1
    if not is_silent:
        await until(lambda: egress.sockets == 0)  # it is known to be refused, and not told yet
    clock.move(REFUSAL_MS - 1)
    await turns()
    assert not check.done()
    clock.move(1)
    with pytest.raises(InvalidCertificate) as refusal:
        async with asyncio.timeout(PATIENCE_S):
            await check
    await until(lambda: egress.sockets == 0)
    error = refusal.value
    return (error.detail, error.errors, error.data, error.__cause__, error.__context__) == (TEXT, (), {}, None, None)


async def test_a_valid_certificate_is_found_at_once(ca, ca_file):
    """Success needs no time of the clock, sends no request and leaves no connection."""
    async with (
        EvilReceiver(says(), tls=server_context(ca.issue_cert(HOST))) as receiver,
        an_egress(clock=VirtualClock(), names=names(), ca_file=ca_file) as egress,
    ):
        await egress.check_certificate(target(egress, receiver.port))
        assert egress.sockets == 0
        await receiver.all_gone()
    assert (receiver.connections, receiver.requests) == (1, [])


async def test_a_receiver_that_closes_after_the_handshake_is_good_enough(ca, ca_file):
    """The certificate was what was asked for; the connection was not."""
    async with (
        EvilReceiver(hangs_up, tls=server_context(ca.issue_cert(HOST))) as receiver,
        an_egress(clock=VirtualClock(), names=names(), ca_file=ca_file) as egress,
    ):
        await egress.check_certificate(target(egress, receiver.port))
        assert egress.sockets == 0


async def test_no_connection_is_kept_for_sends(ca, ca_file):
    """Nothing that the look has opened serves an application: its first request goes over a connection of its own."""
    async with (
        EvilReceiver(says(OK), tls=server_context(ca.issue_cert(HOST))) as receiver,
        an_egress(names=names(), ca_file=ca_file) as egress,
    ):
        await egress.check_certificate(target(egress, receiver.port))
        assert (await post(egress, target(egress, receiver.port))).status == 200
        assert receiver.connections == 2


def expired(ca, _folder):
    return server_context(ca.issue_cert(HOST, not_after=LONG_AGO))


def not_yet(ca, folder):
    return server_context(ca.issue_cert(HOST, not_before=LATER, not_after=LATER + datetime.timedelta(days=1)))


def self_signed(_ca, folder):
    return hand_made(folder, key=ec.generate_private_key(ec.SECP256R1()), digest=hashes.SHA256(), not_after=LATER)


def wrong_host(ca, _folder):
    return server_context(ca.issue_cert("other.example"))


def unknown_ca(_ca, _folder):
    return server_context(trustme.CA().issue_cert(HOST))


def too_old(ca, _folder):
    return old_protocol(ca)


@pytest.mark.parametrize("server", [expired, not_yet, self_signed, wrong_host, unknown_ca, too_old])
async def test_a_certificate_that_is_not_valid(server, ca, ca_file, tmp_path):
    """Whatever is wrong with the certificate: the one text, after the one time."""
    clock = VirtualClock()
    async with (
        EvilReceiver(says_nothing, tls=server(ca, tmp_path)) as receiver,
        an_egress(clock=clock, names=names(), ca_file=ca_file) as egress,
    ):
        assert await refused(egress, clock, target(egress, receiver.port))


@pytest.mark.parametrize("script", [answers_in_plain, hangs_up, resets])
async def test_a_receiver_without_tls(script, ca_file):
    """What listens there and does not speak TLS: the same."""
    clock = VirtualClock()
    async with EvilReceiver(script) as receiver, an_egress(clock=clock, names=names(), ca_file=ca_file) as egress:
        assert await refused(egress, clock, target(egress, receiver.port))


async def test_a_silent_receiver(ca_file):
    """The handshake's deadline is the refusal's time: one who says nothing is refused neither sooner nor later."""
    clock = VirtualClock()
    async with EvilReceiver(says_nothing) as receiver, an_egress(clock=clock, names=names(), ca_file=ca_file) as egress:
        assert await refused(egress, clock, target(egress, receiver.port), is_silent=True)
        await receiver.all_gone()


async def test_a_closed_port(ca_file):
    """Nobody listens there: the same."""
    clock = VirtualClock()
    async with an_egress(clock=clock, names=names(), ca_file=ca_file) as egress:
        assert await refused(egress, clock, target(egress, free_port()))


@pytest.mark.parametrize("said", [NO_SUCH_NAME, NO_ANSWER, NameFailed("odd", is_definite=True)])
async def test_a_name_that_does_not_resolve(said, ca_file):
    """DNS knows no such host, or says nothing: the same."""
    clock = VirtualClock()
    async with an_egress(clock=clock, names=names(said), ca_file=ca_file) as egress:
        assert await refused(egress, clock, target(egress, 443))


async def test_a_proxy_that_can_t_be_reached(ca_file):
    """The way out itself is no place for words either."""
    clock = VirtualClock()
    proxy = f"http://127.0.0.1:{free_port()}"
    async with an_egress(clock=clock, names=names(), ca_file=ca_file, proxy=proxy) as egress:
        assert await refused(egress, clock, target(egress, 443))


async def test_a_proxy_is_used(ca, ca_file):
    """With a proxy the handshake goes through it, to the checked address, as every send does."""
    proxy = Proxy()
    async with (
        EvilReceiver(says(), tls=server_context(ca.issue_cert(HOST))) as receiver,
        EvilReceiver(proxy.script) as gate,
        an_egress(
            clock=VirtualClock(), names=names(), ca_file=ca_file, proxy=f"http://127.0.0.1:{gate.port}"
        ) as egress,
    ):
        await egress.check_certificate(target(egress, receiver.port))
    assert [one.split()[1] for one in proxy.asked] == [b"127.0.0.1:%d" % receiver.port]


async def test_the_real_clock_keeps_the_time(ca_file):
    """With the node's own clock a closed port and a silent receiver take the time that is set, from the call on."""
    loop = asyncio.get_running_loop()
    async with (
        EvilReceiver(says_nothing) as receiver,
        an_egress(names=names(), ca_file=ca_file, certificate_refusal_s=0.2) as egress,
    ):
        for port in (free_port(), receiver.port):
            started = loop.time()
            with pytest.raises(InvalidCertificate, match=r"within 0\.2 s"):
                await egress.check_certificate(target(egress, port))
            assert 0.19 <= loop.time() - started < 4


async def test_http_has_no_certificate():
    """Whether http is allowed is said when the URL is read; there is no handshake to make."""
    async with EvilReceiver(says()) as receiver, an_egress(clock=VirtualClock()) as egress:
        await egress.check_certificate(egress.target(receiver.url, https_required=False))
        assert receiver.connections == 0


# --- addresses


async def is_blocked(egress, to):
    with pytest.raises(BlockedDestination) as refusal:
        async with asyncio.timeout(PATIENCE_S):
            await egress.check_certificate(to)
    assert egress.sockets == 0
    expected = "The destination is not allowed. An operator may open networks by HOOKSPAN_EGRESS_ALLOW."
    return refusal.value.detail == expected


async def test_rebinding_after_the_url_was_checked(ca, ca_file):
    """The address is decided at this connect: what DNS said when the URL was checked opens nothing, and the address
    that is refused is not connected to.
    """
    clock = VirtualClock()
    rebinding = names(answer("1.1.1.1", ttl_s=5), answer("127.0.0.1"))
    async with EvilReceiver(says(), tls=server_context(ca.issue_cert(HOST))) as receiver:
        async with an_egress(allow=(), clock=clock, names=rebinding, ca_file=ca_file) as egress:
            to = target(egress, receiver.port)
            await egress.check_destination(to)
            clock.move(5_000)
            assert await is_blocked(egress, to)
        assert receiver.connections == 0


@pytest.mark.parametrize("bad", ["10.0.0.1", "::1", "169.254.169.254", "64:ff9b::7f00:1"])
async def test_one_refused_address_refuses_the_answer(bad, ca, ca_file):
    """One refused address beside a good one, and none is used."""
    async with EvilReceiver(says(), tls=server_context(ca.issue_cert(HOST))) as receiver:
        two = names(answer("127.0.0.1", bad))
        async with an_egress(allow=("127.0.0.0/8",), clock=VirtualClock(), names=two, ca_file=ca_file) as egress:
            assert await is_blocked(egress, target(egress, receiver.port))
        assert receiver.connections == 0


async def test_our_own_intake_is_not_looked_at(ca, ca_file):
    """Whatever is allowed."""
    async with EvilReceiver(says(), tls=server_context(ca.issue_cert(HOST))) as receiver:
        own = (("127.0.0.1", receiver.port),)
        async with an_egress(own=own, clock=VirtualClock(), names=names(), ca_file=ca_file) as egress:
            assert await is_blocked(egress, target(egress, receiver.port))
        assert receiver.connections == 0


async def test_the_peer_is_compared(monkeypatch, ca, ca_file):
    """A socket that ended up at another address than was checked gets no handshake."""
    monkeypatch.setattr(opening, "_peer", lambda _socket: b"\x7f\x00\x00\x02")
    async with (
        EvilReceiver(says_nothing, tls=server_context(ca.issue_cert(HOST))) as receiver,
        an_egress(clock=VirtualClock(), names=names(), ca_file=ca_file) as egress,
    ):
        assert await is_blocked(egress, target(egress, receiver.port))


# --- bounds


async def test_so_many_checks_and_no_more(monkeypatch, ca, ca_file):
    """Silent receivers hold at most so many sockets; the next look is Overloaded at once, and a place that is
    free again is used again.
    """
    monkeypatch.setattr(certificate, "CHECKS_MAX", 3)
    clock = VirtualClock()
    good = server_context(ca.issue_cert(HOST))
    async with (
        EvilReceiver(says_nothing) as silent,
        EvilReceiver(says(), tls=good) as receiver,
        an_egress(clock=clock, names=names(), ca_file=ca_file) as egress,
    ):
        to = target(egress, silent.port)
        held = [asyncio.create_task(egress.check_certificate(to)) for _ in range(3)]
        await until(lambda: silent.connections == 3)
        with pytest.raises(Overloaded):
            await egress.check_certificate(target(egress, receiver.port))
        assert egress.sockets == 3
        clock.move(REFUSAL_MS)
        results = await asyncio.gather(*held, return_exceptions=True)
        assert {type(one) for one in results} == {InvalidCertificate}
        await egress.check_certificate(target(egress, receiver.port))


async def test_no_socket_left(ca_file):
    """The bound on sockets counts looks at certificates too."""
    clock = VirtualClock()
    async with (
        EvilReceiver(says_nothing) as silent,
        an_egress(clock=clock, names=names(), ca_file=ca_file, sockets_max=1) as egress,
    ):
        to = target(egress, silent.port)
        held = asyncio.create_task(egress.check_certificate(to))
        await until(lambda: silent.connections == 1)
        with pytest.raises(Overloaded):
            await egress.check_certificate(to)
        clock.move(REFUSAL_MS)
        with pytest.raises(InvalidCertificate):
            await held


async def test_who_gives_up_leaves_nothing(ca_file):
    """A cancelled look closes its socket and frees its place."""
    async with (
        EvilReceiver(says_nothing) as silent,
        an_egress(clock=VirtualClock(), names=names(), ca_file=ca_file) as egress,
    ):
        check = asyncio.create_task(egress.check_certificate(target(egress, silent.port)))
        await until(lambda: silent.connections == 1)
        check.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await check
        await until(lambda: egress.sockets == 0)
        await silent.all_gone()


async def test_stopping_ends_it(ca_file):
    """A node that stops does not wait for a silent receiver, and says so to who asked."""
    async with (
        EvilReceiver(says_nothing) as silent,
        an_egress(clock=VirtualClock(), names=names(), ca_file=ca_file) as egress,
    ):
        to = target(egress, silent.port)
        check = asyncio.create_task(egress.check_certificate(to))
        await until(lambda: silent.connections == 1)
        await egress.close()
        assert egress.sockets == 0
        with pytest.raises(Overloaded, match="stopping"):
            await check
        with pytest.raises(Overloaded):
            await egress.check_certificate(to)


async def test_a_fault_of_ours_is_made_known(monkeypatch, ca_file):
    """What should never happen is refused like the rest, and told to the loop's handler instead of being lost."""
    clock, told = VirtualClock(), []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context["message"]))

    async def breaks(_target, **_):
        raise RuntimeError("a bug")

    async with an_egress(clock=clock, names=names(), ca_file=ca_file) as egress:
        monkeypatch.setattr(egress._opener, "allowed_addresses", breaks)
        assert await refused(egress, clock, target(egress, 443))
    assert told == ["checking a certificate failed"]


# --- the look-up of the name


class SlowNames:
    """Answers after a time of the virtual clock, with what it was given."""

    def __init__(self, clock, after_s, answer):
        self._clock, self._after_s, self._answer = clock, after_s, answer
        self.asked = 0

    async def look_up(self, _host):
        self.asked += 1
        await self._clock.wait(asyncio.Event(), self._after_s)
        if isinstance(self._answer, NameFailed):
            raise self._answer
        return self._answer

    async def close(self):
        pass


@pytest.mark.parametrize("after_s", [0, 2, 4.9, 60])
@pytest.mark.parametrize("found", ["a closed port", "no such name"])
async def test_a_slow_look_up_does_not_make_a_refusal_longer(ca_file, after_s, found):
    """Its time is part of the one duration: from how long it took, nobody learns whether there is such a name."""
    clock = VirtualClock()
    slow = SlowNames(clock, after_s, answer("127.0.0.1") if found == "a closed port" else NO_SUCH_NAME)
    async with an_egress(clock=clock, names=slow, ca_file=ca_file) as egress:
        check = asyncio.create_task(egress.check_certificate(target(egress, NOBODYS_PORT)))
        await until(lambda: slow.asked == 1)
        for step_ms in (2_000, 2_900, REFUSAL_MS - 4_901):
            clock.move(step_ms)
            await turns()
            assert not check.done()
        clock.move(1)
        with pytest.raises(InvalidCertificate):
            async with asyncio.timeout(PATIENCE_S):
                await check
        clock.move(60_000)
        await until(lambda: egress.sockets == 0)


async def test_the_name_is_asked_for_anew(ca, ca_file):
    """What DNS said before is no reason to believe it now."""
    clock = VirtualClock()
    twice = names(answer("127.0.0.1", ttl_s=300), answer("10.0.0.1"))
    async with (
        EvilReceiver(says(), tls=server_context(ca.issue_cert(HOST))) as receiver,
        an_egress(allow=("127.0.0.0/8",), clock=clock, names=twice, ca_file=ca_file) as egress,
    ):
        to = target(egress, receiver.port)
        await egress.check_certificate(to)
        await until(lambda: egress.sockets == 0)
        assert await is_blocked(egress, to)
