"""Where Hookspan never connects, decided on packed addresses."""

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookspan.clock import SystemClock
from hookspan.egress import Egress, EgressSettings, address
from hookspan.egress.address import AddressPolicy, is_own_address, pack, read_network, unmapped, unpack
from hookspan.errors import BlockedDestination, ConfigurationError, InvalidUrl

REFUSED_4 = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
]
REFUSED_6 = [
    "::/3",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "2620:4f:8000::/48",
    "3fff::/20",
    "4000::/2",
    "8000::/1",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "5f00::/16",
]
PUBLIC = [
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "168.63.129.17",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.3.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2000::",
    "2001:200::",
    "2001:dc0::",
    "2003::",
    "2620:4f:7fff::1",
    "2620:4f:8001::",
    "2606:4700::1111",
    "3ffe:ffff::",
    "3fff:1000::",
]
REFUSED = [ipaddress.ip_network(text) for text in REFUSED_4 + REFUSED_6]


@pytest.fixture(scope="module")
def egress():
    return Egress(EgressSettings(allow_http=True), SystemClock())


@pytest.mark.parametrize("network", REFUSED, ids=str)
def test_refused_ranges_to_their_edges(network):
    """First and last address of each range are refused, on every port."""
    policy = AddressPolicy()
    for one in (network[0], network[-1]):
        assert not policy.allows(one.packed, 443)
        assert not policy.allows(one.packed, 8080)


@pytest.mark.parametrize("text", PUBLIC)
def test_neighbours_of_refused_ranges_are_allowed(text):
    """Nothing public is lost."""
    assert AddressPolicy().allows(pack(text), 443)


def refused_addresses():
    def within(network):
        kind = ipaddress.IPv4Address if network.version == 4 else ipaddress.IPv6Address
        return st.integers(int(network[0]), int(network[-1])).map(kind)

    return st.sampled_from(REFUSED).flatmap(within)


def spellings(one):
    """The ways of writing an address that some parser somewhere understands."""
    if one.version == 6:
        text, full = str(one), one.exploded
        return [f"[{text}]", f"[{full}]", f"[{full.upper()}]", f"[{text}%25eth0]", text]
    number = int(one)
    a, b, c, d = one.packed
    six = f"{a:02x}{b:02x}:{c:02x}{d:02x}"
    return [
        str(one),
        f"{one}.",
        str(number),
        hex(number),
        oct(number).replace("0o", "0"),
        f"{a}.{number & 0xFFFFFF}",
        f"{a}.{b}.{number & 0xFFFF}",
        f"{a:#x}.{b}.{c}.{d:#x}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"{a:03d}.{b:03d}.{c:03d}.{d:04d}",
        f"[::ffff:{one}]",
        f"[::ffff:{six}]",
        f"[0:0:0:0:0:ffff:{six}]",
        f"[::{one}]",
        f"[64:ff9b::{six}]",
        f"[2002:{six}::1]",
        str(one).replace(".", "。"),
        str(one).replace("1", "①"),
        str(one).replace(".", "%2e"),
        f"example.com@{one}",
    ]


@given(refused_addresses())
def test_a_refused_address_is_refused_in_every_notation(egress, one):
    """However it is written, a refused address is not a target."""
    for host in spellings(one):
        try:
            egress.target(f"http://{host}/", https_required=False)
        except (BlockedDestination, InvalidUrl):
            continue
        pytest.fail(f"{host} was accepted")


@given(st.binary(min_size=4, max_size=4))
def test_mapped_addresses_are_judged_as_what_they_stand_for(packed):
    """::ffff:a.b.c.d and a.b.c.d get the same verdict, and connect to the same place."""
    mapped = bytes(10) + b"\xff\xff" + packed
    policy = AddressPolicy()
    assert policy.allows(mapped, 443) == policy.allows(packed, 443)
    assert unmapped(mapped) == packed


@given(st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16))
def test_addresses_survive_their_text(packed):
    """unpack and pack are each other's inverse."""
    assert pack(unpack(packed)) == packed


def test_the_allow_list_opens_private_and_own_addresses():
    """A range that the operator names is allowed, and nothing beside it."""
    policy = AddressPolicy(allow=("127.0.0.0/8", "10.1.0.0/16", "fd00:1::/32"))
    assert policy.allows(pack("127.0.0.1"), 80)
    assert policy.allows(pack("10.1.255.255"), 80)
    assert policy.allows(pack("::ffff:10.1.0.1"), 80)
    assert policy.allows(pack("fd00:1::5"), 80)
    assert not policy.allows(pack("10.2.0.0"), 80)
    assert not policy.allows(pack("::1"), 80)


@pytest.mark.parametrize(
    "text",
    [
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "::169.254.169.254",
        "::ffff:169.254.169.254",
    ],
)
def test_metadata_needs_an_entry_of_its_own(text):
    """No range opens a metadata address, however it is wrapped; only exactly the one address does."""
    wide = ("0.0.0.0/0", "::/0", "169.254.0.0/16", "169.254.169.254/31", "fd00::/8")
    assert not AddressPolicy(allow=wide).allows(pack(text), 80)
    assert AddressPolicy(allow=(*wide, text)).allows(pack(text), 80)


@pytest.mark.parametrize("text", ["0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "::", "ff02::1"])
def test_what_no_allow_list_opens(text):
    """Unspecified, multicast and broadcast addresses stay closed whatever is named."""
    assert not AddressPolicy(allow=("0.0.0.0/0", "::/0", text)).allows(pack(text), 80)


def test_own_intake_is_refused_whatever_is_allowed():
    """The address and port where we listen are never a target; another port of the same host may be."""
    policy = AddressPolicy(allow=("127.0.0.0/8", "::1"), own=(("127.0.0.1", 8400), ("localhost", 8401)))
    assert not policy.allows(pack("127.0.0.1"), 8400)
    assert not policy.allows(pack("::ffff:127.0.0.1"), 8400)
    assert not policy.allows(pack("::1"), 8401)
    assert policy.allows(pack("127.0.0.1"), 8402)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "*"])
def test_own_intake_on_every_address(host):
    """Listening everywhere, the port is refused on each address of this host, and nowhere else."""
    policy = AddressPolicy(allow=("0.0.0.0/0", "::/0"), own=((host, 8400),))
    for text in ("127.0.0.1", "127.9.8.7", "::1"):
        assert not policy.allows(pack(text), 8400)
        assert policy.allows(pack(text), 8401)
    assert policy.allows(pack("10.0.0.1"), 8400)


def test_own_host_by_name():
    """A name in our own host setting counts with the addresses it has; one without any stops the start."""
    assert not AddressPolicy(allow=("127.0.0.0/8",), own=(("LOCALHOST", 8400),)).allows(pack("127.0.0.1"), 8400)
    with pytest.raises(ConfigurationError, match="has no address"):
        AddressPolicy(own=(("no..such..name", 8400),))


def test_own_public_addresses_are_refused(monkeypatch):
    """An address of this host is refused although it is public, unless the operator names it."""
    ours = pack("8.8.4.4")
    monkeypatch.setattr(address, "is_own_address", lambda packed: packed == ours)
    assert not AddressPolicy().allows(ours, 443)
    assert AddressPolicy().allows(pack("8.8.8.8"), 443)
    assert AddressPolicy(allow=("8.8.4.4",)).allows(ours, 443)


def test_own_addresses_are_asked_of_the_kernel():
    """This host knows its own addresses, loopback among them, and does not claim others'."""
    assert is_own_address(pack("127.0.0.1"))
    assert is_own_address(pack("127.44.3.2"))
    assert not is_own_address(pack("1.1.1.1"))
    assert not is_own_address(pack("2606:4700::1111"))


def test_own_addresses_where_everything_can_be_bound(monkeypatch):
    """With ip_nonlocal_bind the kernel binds anything; its choice of source address then tells."""
    monkeypatch.setattr(address, "_can_bind", lambda _packed: True)
    assert is_own_address(pack("127.44.3.2"))
    assert is_own_address(pack("::1"))
    assert not is_own_address(pack("1.1.1.1"))
    assert not is_own_address(pack("fe80::1"))


def test_without_sockets_an_address_counts_as_ours(monkeypatch):
    """When the kernel can't be asked the safe answer is given."""

    def no_socket(*_):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(socket, "socket", no_socket)
    assert address._can_bind(pack("1.1.1.1"))


def test_further_refusals():
    """The database's hosts can be closed beside the built-in ranges, and opened again by name."""
    assert not AddressPolicy(refuse=("1.2.3.0/24",)).allows(pack("1.2.3.4"), 5432)
    assert AddressPolicy(refuse=("1.2.3.0/24",), allow=("1.2.3.4",)).allows(pack("1.2.3.4"), 5432)


@pytest.mark.parametrize("text", ["", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/-1", "10.0.0.0/ 8", "nonsense", "::/129"])
def test_unreadable_ranges(text):
    """A wrong CIDR stops the start with the setting's name instead of opening something else."""
    with pytest.raises(ConfigurationError, match="HOOKSPAN_EGRESS_ALLOW"):
        AddressPolicy(allow=(text,))


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_ranges_hold_what_they_say(one, length):
    """The reading of CIDRs agrees with the standard library's."""
    network = ipaddress.ip_network((one, length), strict=False)
    ours = read_network(str(network))
    assert ours.holds(32, int(one))
    assert ours.is_one_address == (length == 32)
    assert ours.holds(32, int(one) ^ 0x8000_0000) == (length == 0)


def test_one_fixed_text(egress):
    """Which range it was can't be read from the error."""
    said = set()
    for host in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[fd00::1]"):
        with pytest.raises(BlockedDestination) as refusal:
            egress.target(f"http://{host}/", https_required=False)
        said.add((refusal.value.detail, refusal.value.errors, str(refusal.value.data)))
    assert len(said) == 1
