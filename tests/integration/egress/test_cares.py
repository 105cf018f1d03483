"""The real resolver library against a small DNS server on loopback."""

import asyncio
import contextlib
import struct

import pytest

from hookspan.clock import SystemClock
from hookspan.egress import dns
from hookspan.egress.address import pack, unpack
from hookspan.egress.dns import CaresNames, NameFailed, Resolver

pytestmark = pytest.mark.anyio

A, AAAA = 1, 28
NO_ERROR, SERVER_FAILED, NO_NAME = 0, 2, 3


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request):
    return ("asyncio", {"use_uvloop": request.param})


class Server(asyncio.DatagramProtocol):
    """Answers by a table of name → (code, ttl, addresses); a name that is not in it gets silence."""

    def __init__(self, table):
        self.table = table
        self.asked = []

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].decode().lower())
            at += data[at] + 1
        name, (kind,) = ".".join(labels), struct.unpack("!H", data[at + 1 : at + 3])
        self.asked.append((name, kind))
        if name not in self.table:
            return
        code, ttl_s, texts = self.table[name]
        packed = [one for one in map(pack, texts) if len(one) == (4 if kind == A else 16)]
        records = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, ttl_s, len(one)) + one for one in packed)
        head = data[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(packed), 0, 0)
        self.transport.sendto(head + data[12 : at + 5] + records, peer)


@contextlib.asynccontextmanager
async def a_service(**table):
    table = {name.replace("__", "."): said for name, said in table.items()}
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Server(table), local_addr=("127.0.0.1", 0)
    )
    service = CaresNames([f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"])
    try:
        yield service, server
    finally:
        await service.close()
        transport.close()


async def test_both_families_with_their_ttl():
    """A and AAAA records come together, with the shortest TTL; search domains are not tried."""
    async with a_service(a__example=(NO_ERROR, 77, ["1.1.1.1", "2606:4700::1", "1.1.1.2"])) as (service, server):
        found = await service.look_up("a.example")
        assert sorted(map(unpack, found.addresses)) == ["1.1.1.1", "1.1.1.2", "2606:4700::1"]
        assert found.ttl_s == 77
        assert {name for name, _ in server.asked} == {"a.example"}
        assert {kind for _, kind in server.asked} == {A, AAAA}


@pytest.mark.parametrize(
    ("said", "is_definite"),
    [((NO_NAME, 0, []), True), ((NO_ERROR, 0, []), True), ((SERVER_FAILED, 0, []), False), (None, False)],
    ids=["no name", "no address", "server failed", "silence"],
)
async def test_failures(said, is_definite, monkeypatch):
    """ "No such name" is an answer; a failing or silent server is none."""
    if said is None:
        monkeypatch.setattr(dns, "QUERY_TIMEOUT_S", 0.1)
    table = {} if said is None else {"a__example": said}
    async with a_service(**table) as (service, _):
        with pytest.raises(NameFailed) as failure:
            await service.look_up("a.example")
        assert failure.value.is_definite == is_definite


async def test_a_look_up_is_bounded_by_our_clock_too(monkeypatch):
    """Whatever the library does, a look-up ends."""
    monkeypatch.setattr(dns, "LOOKUP_TIMEOUT_S", 0.05)
    async with a_service() as (service, _):
        with pytest.raises(NameFailed, match="in time"):
            await service.look_up("a.example")


async def test_names_that_dns_can_not_carry():
    """A name that is too odd for DNS fails as a name without address does."""
    async with a_service() as (service, _):
        with pytest.raises(NameFailed):
            await service.look_up("a" * 64 + ".example")


async def test_the_resolver_over_the_real_library():
    """Cache and library together: asked once, interleaved, closed without a trace."""
    async with a_service(a__example=(NO_ERROR, 60, ["1.1.1.1", "1.1.1.2", "2606:4700::1"])) as (service, server):
        resolver = Resolver(service, SystemClock())
        for _ in range(3):
            addresses = await resolver.resolve("a.example")
        assert len(addresses) == 3
        assert unpack(addresses[1]) == "2606:4700::1"
        assert len(server.asked) == 2
        await resolver.close()
