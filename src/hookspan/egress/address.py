"""Where Hookspan may connect: decided on packed addresses, never on their text.

The ranges are the IANA special-purpose registries of IPv4 and IPv6 (RFC 6890 and its updates) and the clouds'
own. `ipaddress.is_global` is not the rule: on Python 3.11 it calls NAT64, 6to4 and multicast global.
"""

import errno
import socket
from collections.abc import Iterable, Sequence

import msgspec

from hookspan.errors import ConfigurationError

_IPV4_BYTES = 4
_MAPPED_PREFIX = bytes(10) + b"\xff\xff"  # ::ffff:0:0/96, RFC 4291, 2.5.5.2
_PORT_ANY = 0


class Network(msgspec.Struct, frozen=True):
    """An address range: `width` 32 or 128 bits, the first address as an integer, and how many low bits are free."""

    width: int
    first: int
    free_bits: int

    def holds(self, width: int, number: int) -> bool:
        return width == self.width and (number ^ self.first) >> self.free_bits == 0

    @property
    def is_one_address(self) -> bool:
        return self.free_bits == 0


def read_network(text: str) -> Network:
    """Read a CIDR, or an address as the range of itself. Raises ValueError saying what is wrong."""
    address, slash, length_text = text.strip().partition("/")
    packed = unmapped(pack(address))
    width = len(packed) * 8
    length = width
    if slash:
        if not length_text.isascii() or not length_text.isdigit() or int(length_text) > width:
            raise ValueError(f"{text!r}: the prefix length must be a number from 0 to {width}")
        length = int(length_text)
    number, free_bits = int.from_bytes(packed), width - length
    if number & ((1 << free_bits) - 1):
        raise ValueError(f"{text!r}: the address has bits beyond its prefix length")
    return Network(width, number, free_bits)


def pack(text: str) -> bytes:
    """An address' bytes, 4 or 16. Raises ValueError."""
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    try:
        return socket.inet_pton(family, text)
    except OSError:
        raise ValueError(f"{text!r} is not an IP address") from None


def unpack(packed: bytes) -> str:
    return socket.inet_ntop(family_of(packed), packed)


def family_of(packed: bytes) -> socket.AddressFamily:
    return socket.AF_INET if len(packed) == _IPV4_BYTES else socket.AF_INET6


def unmapped(packed: bytes) -> bytes:
    """The IPv4 address that an IPv4-mapped IPv6 address (::ffff:a.b.c.d) stands for; others as they are."""
    return packed[12:] if len(packed) > _IPV4_BYTES and packed.startswith(_MAPPED_PREFIX) else packed


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(read_network(text) for text in texts)


_REFUSED = _networks(
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
    "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
)  # fmt: skip
_IPV6_GLOBAL = read_network("2000::/3")  # of IPv6, all else is refused

# No allow list opens these: they are no single machine's address, or mean this machine by another name.
_NEVER = _networks("0.0.0.0/8", "224.0.0.0/4", "255.255.255.255", "::", "ff00::/8")

# Where clouds keep the credentials of the machine itself. Only an entry for exactly the one address opens them.
_METADATA = _networks(
    "169.254.169.254",  # AWS, Google Cloud, Azure, and most others
    "169.254.170.2",  # AWS ECS tasks
    "169.254.170.23",  # AWS EKS pods
    "169.254.169.253",  # AWS resolver
    "168.63.129.16",  # Azure wire server
    "100.100.100.200",  # Alibaba Cloud
    "192.0.0.192",  # Oracle Cloud
    "fd00:ec2::254",  # AWS
    "fd00:ec2::23",  # AWS EKS pods
    "fd00:ec2::253",  # AWS resolver
    "fd20:ce::254",  # Google Cloud
    "fe80::a9fe:a9fe",  # OpenStack
)

# IPv6 ranges whose traffic may end at an IPv4 address inside them, with the place of its bits (from the low end).
_EMBEDDING = (
    (read_network("64:ff9b::/96"), 0),  # NAT64, RFC 6052
    (read_network("64:ff9b:1::/48"), 0),  # NAT64 of a site, RFC 8215, with its commonest prefix of 96 bits
    (read_network("2002::/16"), 80),  # 6to4, RFC 3056
    (read_network("::/96"), 0),  # IPv4-compatible, RFC 4291, 2.5.5.1
)


class AddressPolicy:
    """Says of each address and port whether Hookspan may connect to it.

    `allow` opens ranges that are refused by default, this host's own addresses among them; `refuse` closes further
    ones (unless `allow` names them). `own` are host and port of our intake, never opened: "0.0.0.0", "::" or "" there
    mean every address of this host. Raises ConfigurationError for a text that is no CIDR or address.
    """

    def __init__(
        self, allow: Sequence[str] = (), refuse: Sequence[str] = (), own: Iterable[tuple[str, int]] = ()
    ) -> None:
        self._allow = _read_setting("allow", allow)
        self._refuse = _REFUSED + _read_setting("refuse", refuse)
        self._own: set[tuple[bytes, int]] = set()
        self._own_ports: set[int] = set()
        for host, port in own:
            self._add_own(host, port)

    def _add_own(self, host: str, port: int) -> None:
        if host in {"", "*", "0.0.0.0", "::"}:  # noqa: S104 (compared, not bound)
            self._own_ports.add(port)
        elif host == "localhost":
            self._own |= {(pack("127.0.0.1"), port), (pack("::1"), port)}
        else:
            self._own |= {(unmapped(address), port) for address in _addresses_of(host)}

    def allows(self, packed: bytes, port: int) -> bool:
        """Whether to connect there. Every question is asked whatever the first answer was, so that the time it
        takes tells nothing about which range an address is in.
        """
        packed = unmapped(packed)
        width, number = len(packed) * 8, int.from_bytes(packed)
        is_ours = is_own_address(packed)
        is_intake = (packed, port) in self._own or (is_ours and port in self._own_ports)
        is_never = _is_in(_NEVER, width, number)
        is_metadata = _is_in(_METADATA, width, number) or _embeds_metadata(width, number)
        naming = [network for network in self._allow if network.holds(width, number)]
        is_refused = _is_in(self._refuse, width, number) or (width != 32 and not _IPV6_GLOBAL.holds(width, number))  # noqa: PLR2004
        if is_intake or is_never:
            return False
        if is_metadata:
            return any(network.is_one_address for network in naming)
        return bool(naming) or not (is_refused or is_ours)


def is_own_address(packed: bytes) -> bool:
    """Whether this host has the address, now: only one's own address can be bound.

    Asked of the kernel each time, because interfaces come and go. Where a kernel lets anything be bound
    (ip_nonlocal_bind), the source address it would choose towards the address tells the same.
    """
    if _can_bind(packed):
        return (
            not _can_bind(_NOBODYS)
            or _LOOPBACK.holds(len(packed) * 8, int.from_bytes(packed))
            or (_source_towards(packed) == packed)
        )
    return False


_NOBODYS = pack("192.0.2.1")  # documentation only, RFC 5737
_LOOPBACK = read_network("127.0.0.0/8")


def _can_bind(packed: bytes) -> bool:
    try:
        with socket.socket(family_of(packed), socket.SOCK_DGRAM) as probe:
            probe.bind((unpack(packed), _PORT_ANY))
    except OSError as error:
        # Out of sockets we can't tell; refusing is the safe answer. A scoped or foreign-family address is not ours.
        return error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
    return True


def _source_towards(packed: bytes) -> bytes | None:
    """Connecting a datagram socket sends nothing; it only makes the kernel choose a route."""
    discard_port = 9
    try:
        with socket.socket(family_of(packed), socket.SOCK_DGRAM) as probe:
            probe.connect((unpack(packed), discard_port))
            return pack(probe.getsockname()[0])
    except OSError:
        return None


def _embeds_metadata(width: int, number: int) -> bool:
    return any(
        network.holds(width, number) and _is_in(_METADATA, 32, (number >> shift) & 0xFFFF_FFFF)
        for network, shift in _EMBEDDING
    )


def _is_in(networks: tuple[Network, ...], width: int, number: int) -> bool:
    return any([network.holds(width, number) for network in networks])  # noqa: C419 (no early end: see `allows`)


def _addresses_of(host: str) -> list[bytes]:
    """Those that a server given this host would listen on; a name is looked up once, at start."""
    try:
        return [pack(str(found[4][0]).partition("%")[0]) for found in socket.getaddrinfo(host, None)]
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(f"Our own host {host!r} has no address: {error}.") from None


def _read_setting(name: str, texts: Sequence[str]) -> tuple[Network, ...]:
    try:
        return tuple(read_network(text) for text in texts)
    except ValueError as error:
        raise ConfigurationError(f"HOOKSPAN_EGRESS_{name.upper()}: {error}.") from None
