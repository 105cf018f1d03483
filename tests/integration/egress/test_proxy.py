"""An explicit egress proxy: asked by CONNECT for the address that was checked, with TLS through the tunnel."""

import asyncio
import ssl

import pytest
import trustme

from hookspan.clock import SystemClock
from hookspan.domain.outcome import ErrorCode, Owner
from hookspan.egress import Egress, EgressSettings
from hookspan.egress.proxy import ANSWER_BYTES_MAX, read_proxy
from hookspan.errors import ConfigurationError
from tests.integration.egress.evil import OK, EvilReceiver, an_egress, post, says, until
from tests.unit.egress.names import ScriptedNames, answer

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request):
    return ("asyncio", {"use_uvloop": request.param})


class Proxy:
    """Tunnels to wherever it is asked, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    async def script(self, peer):
        head = await peer.request()
        self.asked.append(head)
        host, _, port = head.split(b" ")[1].rpartition(b":")
        reader, writer = await asyncio.open_connection(host.decode().strip("[]"), int(port))
        await peer.send(b"HTTP/1.1 200 Connection established\r\nvia: proxy\r\n\r\n")
        try:
            await asyncio.wait(
                {
                    asyncio.ensure_future(copy(peer._reader, writer)),
                    asyncio.ensure_future(copy(reader, peer._writer)),
                }
            )
        finally:
            writer.close()


async def copy(reader, writer):
    while data := await reader.read(65_536):
        writer.write(data)
    writer.close()


def names():
    return ScriptedNames(
        receiver__example=[answer("127.0.0.1")],
        inside__example=[answer("10.0.0.1")],
        proxy__example=[answer("127.0.0.1")],
    )


@pytest.fixture
def trusted(tmp_path):
    """A TLS server context for receiver.example and the CA file to believe it."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("receiver.example").configure_cert(context)
    return context, str(tmp_path / "ca.pem")


async def test_tls_through_the_tunnel(trusted):
    """The proxy is asked for the checked address; the receiver's certificate is verified against its name."""
    tls, ca_file = trusted
    proxy = Proxy()
    async with (
        EvilReceiver(says(OK, OK), tls=tls) as receiver,
        EvilReceiver(proxy.script) as gate,
        an_egress(names=names(), ca_file=ca_file, proxy=f"http://us%er:pass@proxy.example:{gate.port}") as egress,
    ):
        for _ in range(2):
            outcome = await post(egress, f"https://receiver.example:{receiver.port}/")
            assert (outcome.status, outcome.remote_address) == (200, "127.0.0.1")
        asked = b"127.0.0.1:%d" % receiver.port
        assert proxy.asked == [
            b"CONNECT " + asked + b" HTTP/1.1\r\nhost: " + asked + b"\r\n"
            b"proxy-authorization: Basic dXMlZXI6cGFzcw==\r\n\r\n"
        ]


async def test_plain_http_goes_through_the_tunnel_too():
    """There is one way through a proxy, for http:// as well."""
    proxy = Proxy()
    async with (
        EvilReceiver(says(OK)) as receiver,
        EvilReceiver(proxy.script) as gate,
        an_egress(proxy=f"http://127.0.0.1:{gate.port}/") as egress,
    ):
        assert (await post(egress, receiver.url)).status == 200
        assert len(proxy.asked) == 1


async def test_our_own_check_comes_first():
    """A refused destination never reaches the proxy."""
    proxy = Proxy()
    async with (
        EvilReceiver(proxy.script) as gate,
        an_egress(names=names(), proxy=f"http://127.0.0.1:{gate.port}") as egress,
    ):
        assert (await post(egress, "https://inside.example/")).error is ErrorCode.BLOCKED_DESTINATION
        assert gate.connections == 0


@pytest.mark.parametrize(
    ("response", "owner"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n", Owner.PATH),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", Owner.RECEIVER),
        (b"nonsense\r\n\r\n", Owner.PATH),
        (b"HTTP/1.1 200 OK\r\n\r\nand more", Owner.PATH),
        (b"HTTP/1.1 200 OK\r\n" + b"x" * ANSWER_BYTES_MAX, Owner.PATH),
    ],
    ids=range(5),
)
async def test_a_proxy_that_does_not_tunnel(response, owner):
    """Only a clean 2xx opens a tunnel; whose failure it is depends on what the proxy says."""
    async with EvilReceiver(says(response)) as gate, an_egress(proxy=f"http://127.0.0.1:{gate.port}") as egress:
        outcome = await post(egress, "http://127.0.0.1:9/")
        assert (outcome.error, outcome.owner) == (ErrorCode.CONNECT_FAILED, owner)
        await gate.all_gone()
        assert egress.sockets == 0


async def test_a_proxy_that_hangs_up_or_is_not_there():
    """A dead proxy is the path's failure."""

    async def hangs_up(peer):
        await peer.request()

    async with EvilReceiver(hangs_up) as gate:
        async with an_egress(proxy=f"http://127.0.0.1:{gate.port}") as egress:
            outcome = await post(egress, "http://127.0.0.1:9/")
            assert (outcome.error, outcome.owner) == (ErrorCode.CONNECT_FAILED, Owner.PATH)
        proxy = f"http://127.0.0.1:{gate.port}"
    async with an_egress(proxy=proxy) as egress:
        outcome = await post(egress, "http://127.0.0.1:9/")
        assert (outcome.error, outcome.owner) == (ErrorCode.CONNECT_FAILED, Owner.PATH)
    async with an_egress(proxy="http://nowhere.example:8080", names=names()) as egress:
        outcome = await post(egress, "http://127.0.0.1:9/")
        assert (outcome.error, outcome.owner) == (ErrorCode.CONNECT_FAILED, Owner.PATH)


async def test_a_proxy_that_is_silent():
    """The tunnel's making is part of the one deadline."""

    async def silent(peer):
        await peer.gone()

    async with EvilReceiver(silent) as gate, an_egress(proxy=f"http://127.0.0.1:{gate.port}") as egress:
        outcome = await post(egress, "http://127.0.0.1:9/", timeout_ms=100)
        assert outcome.error is ErrorCode.TIMEOUT
        await until(lambda: egress.sockets == 0)


@pytest.mark.parametrize(
    ("setting", "host", "port"),
    [("http://proxy.example:3128", "proxy.example", 3128), ("http://[::1]:1/", "::1", 1), ("http://a:b@c:2", "c", 2)],
)
def test_settings_that_are_read(setting, host, port):
    """Name, IPv4 or IPv6 in brackets, with or without user and password."""
    proxy = read_proxy(setting)
    assert (proxy.host, proxy.port) == (host, port)


@pytest.mark.parametrize(
    "setting",
    ["", "proxy:3128", "https://proxy:3128", "http://proxy", "http://proxy:0", "http://p:99999", "http://u:s3cret@"],
)
def test_settings_that_are_not(setting):
    """A proxy that can't be spoken to stops the start; the error repeats no password."""
    with pytest.raises(ConfigurationError, match="HOOKSPAN_EGRESS_PROXY") as refusal:
        Egress(EgressSettings(proxy=setting), SystemClock())
    assert "s3cret" not in refusal.value.detail
