"""The demo's receiver: a real socket, a real verification, honest answers."""

import asyncio
import ipaddress
import ssl
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from hookspan.cli import _receiver
from hookspan.cli._receiver import ADDRESS, Arrival, Expected, Receiver
from hookspan.cli._throwaway_ca import make_ca
from hookspan.profiles import LiveSecret, load_profiles

pytestmark = pytest.mark.anyio

SECRET = "9a95b38f-f98b-417a-988b-9d0d584893e7"
BODY = b'{"content":{"item_id":1},"timestamp":1611681789000,"type":"item.created"}'


class Wire:
    """One connection to the receiver."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.port = port
        self.tls = tls

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        await self.writer.wait_closed()

    async def post(self, path: str, headers: bytes, body: bytes) -> int:
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n".encode()
        self.writer.write(head + headers + b"\r\n" + body)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        return int(answer.split()[1])


@pytest.fixture
async def arrivals() -> list[Arrival]:
    return []


@pytest.fixture
async def receiver(arrivals: list[Arrival]) -> AsyncIterator[Receiver]:
    async with Receiver(arrivals.append) as receiver:
        receiver.expect("/hook", Expected("bridge-api", {"secret": SECRET}))
        yield receiver


def signed(body: bytes) -> bytes:
    return load_profiles().get("bridge-api").signer([LiveSecret("secret", SECRET.encode())])("evt_1", 0, body, "a.b")


def wire(receiver: Receiver) -> Wire:
    return Wire(int(receiver.url().rpartition(":")[2]))


async def test_what_was_signed_is_accepted_and_told(receiver: Receiver, arrivals: list[Arrival]) -> None:
    """204, the type that was verified, and the same connection again for the next."""
    async with wire(receiver) as connection:
        assert await connection.post("/hook", signed(BODY), BODY) == 204
        assert await connection.post("/hook", signed(BODY), BODY) == 204
    assert [(one.event_type, one.problem, one.body) for one in arrivals] == [("item.created", None, BODY)] * 2


async def test_one_changed_byte_is_refused_and_told(receiver: Receiver, arrivals: list[Arrival]) -> None:
    """400, and why: a demo that would accept anything would show nothing."""
    async with wire(receiver) as connection:
        assert await connection.post("/hook", signed(BODY), BODY.replace(b"1}", b"2}")) == 400
        assert await connection.post("/hook", b"", BODY) == 400
    assert [one.event_type for one in arrivals] == [None, None]
    assert all(one.problem for one in arrivals)


async def test_an_unknown_path_is_404(receiver: Receiver, arrivals: list[Arrival]) -> None:
    """Only what a webhook was pointed to is there."""
    async with wire(receiver) as connection:
        assert await connection.post("/elsewhere", signed(BODY), BODY) == 404
    assert arrivals == []


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"POST /hook HTTP/1.1\r\nhost: x\r\n" + b"".join(b"h%d: v\r\n" % n for n in range(200)),
        b"POST /hook HTTP/1.1\r\nhost: x\r\ncontent-length: 9000000\r\n\r\n" + b"x" * 4096,
    ],
)
async def test_what_is_no_request_or_too_large_ends_the_connection(
    receiver: Receiver, arrivals: list[Arrival], monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    """Bounds on header lines and body, and on patience with nonsense."""
    monkeypatch.setattr(_receiver, "BODY_BYTES_MAX", 1024)
    async with wire(receiver) as connection:
        connection.writer.write(sent)
        assert await connection.reader.read() == b""
    assert arrivals == []


async def test_the_same_is_there_by_https(arrivals: list[Arrival], tmp_path: Path) -> None:
    """With a context of a throw-away CA the receiver serves both, and who trusts that CA can see who it is."""
    ca_file, tls = make_ca(tmp_path, ADDRESS)
    client = ssl.create_default_context(cafile=ca_file)
    async with Receiver(arrivals.append, tls) as receiver:
        receiver.expect("/hook", Expected("bridge-api", {"secret": SECRET}))
        for scheme, context in (("http", None), ("https", client)):
            url = receiver.url(scheme)
            assert url.startswith(f"{scheme}://127.0.0.1:")
            async with Wire(int(url.rpartition(":")[2]), context) as connection:
                assert await connection.post("/hook", signed(BODY), BODY) == 204
    assert [one.event_type for one in arrivals] == ["item.created"] * 2


async def test_nobody_else_trusts_the_throw_away_ca(arrivals: list[Arrival], tmp_path: Path) -> None:
    """Without its file the certificate is refused."""
    _, tls = make_ca(tmp_path, ADDRESS)
    async with Receiver(arrivals.append, tls) as receiver:
        port = int(receiver.url("https").rpartition(":")[2])
        with pytest.raises(ssl.SSLCertVerificationError):
            await Wire(port, ssl.create_default_context()).__aenter__()


def test_the_throw_away_ca_is_strict_and_keeps_its_key(tmp_path: Path) -> None:
    """Its certificates pass OpenSSL's strict reading of RFC 5280; the server's key is for this user alone, and the CA's
    own key is written nowhere.
    """
    ca_file, _ = make_ca(tmp_path, ADDRESS)
    assert {path.name for path in tmp_path.iterdir()} == {"demo-ca.pem", "demo-server.pem"}
    server_file = tmp_path / "demo-server.pem"
    assert stat.S_IMODE(server_file.stat().st_mode) == 0o600
    assert "PRIVATE" not in ca_file.read_text(encoding="ascii")
    leaf = x509.load_pem_x509_certificate(server_file.read_bytes())
    ca = x509.load_pem_x509_certificate(ca_file.read_bytes())
    store = PolicyBuilder().store(Store([ca]))
    chain = store.build_server_verifier(x509.IPAddress(ipaddress.ip_address(ADDRESS))).verify(leaf, [])
    assert chain == [leaf, ca]
