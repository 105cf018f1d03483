"""The grammar of webhook URLs: one strict reading, so that no two parsers can understand two hosts by one URL.

It is smaller than RFC 3986 on purpose, and nothing is normalised but the case of scheme and host: what is after the
authority goes onto the wire byte for byte. Everything it can't read in exactly one way is refused with `InvalidUrl`,
whose detail says what is wrong and where.
"""

import re
import socket

import msgspec

from hookspan.errors import InvalidUrl

URL_CHARACTERS_MAX = 2_048
_HOST_CHARACTERS_MAX = 253  # RFC 1035, 3.1
_LABEL_CHARACTERS_MAX = 63
_PORT_MAX = 65_535
_DEFAULT_PORTS = {"http": 80, "https": 443}

# Names that mean something else on every machine or network: RFC 6761, RFC 6762 (with its appendix G), RFC 7686,
# RFC 8375, RFC 9476. The reserved `example` and `test` are left out, as RFC 6761 asks of application software.
_SPECIAL_SUFFIXES = (
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
    "onion",
    "invalid",
    "alt",
)

_SCHEME = re.compile(r"(https?)://", re.ASCII | re.IGNORECASE)
_NOT_VISIBLE_ASCII = re.compile(r"[^\x21-\x7e]")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", re.ASCII)
# The last label by which other parsers take a name for an IPv4 address: decimal, octal or hexadecimal.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_CANONICAL_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_CANONICAL_QUAD = re.compile(rf"{_CANONICAL_OCTET}(?:\.{_CANONICAL_OCTET}){{3}}", re.ASCII)
_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)


class Url(msgspec.Struct, frozen=True):
    """A URL in parts. `host` is lower-case, IPv6 without brackets; `address` is packed when the host is a literal.

    `path` is what goes into the request line: path and query as given, with a leading `/`.
    """

    scheme: str
    host: str
    port: int
    address: bytes | None
    path: str

    @property
    def authority(self) -> str:
        """As in a Host header: IPv6 in brackets, the scheme's own port left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port (RFC 6454): what keep-alive connections and credentials belong to."""
        return f"{self.scheme}://{self.authority}"


def parse_url(text: str, denied_ports: frozenset[int] = frozenset()) -> Url:
    """Read a webhook URL. Raises InvalidUrl; knows nothing of address ranges."""
    if len(text) > URL_CHARACTERS_MAX:
        raise InvalidUrl(f"The URL is {len(text):,} characters long; at most {URL_CHARACTERS_MAX:,} are allowed.")
    _check_characters(text)
    scheme_match = _SCHEME.match(text)
    if scheme_match is None:
        raise InvalidUrl("The URL must begin with https:// (or http:// where that is allowed).")
    scheme = scheme_match[1].lower()
    end = _authority_end(text, scheme_match.end())
    authority, path = text[scheme_match.end() : end], text[end:]
    host, port_text = _split_authority(authority)
    port = _DEFAULT_PORTS[scheme] if port_text is None else _read_port(port_text)
    if port in denied_ports:
        raise InvalidUrl(f"Port {port} is not allowed here.")
    host, address = _read_host(host)
    return Url(scheme, host, port, address, path if path.startswith("/") else "/" + path)


def _check_characters(text: str) -> None:
    if odd := _NOT_VISIBLE_ASCII.search(text):
        place = f"at character {odd.start() + 1}"
        if odd[0] > "\x7e" and odd[0] != "\x7f":
            raise InvalidUrl(
                f"A non-ASCII character {place}: write host names in their xn-- form, and percent-encode the rest."
            )
        raise InvalidUrl(f"A control character or space {place}.")
    for letter, name in (("\\", "backslash"), ("#", "fragment")):
        if (at := text.find(letter)) >= 0:
            raise InvalidUrl(f"A {name} at character {at + 1}: it is not allowed in a webhook URL.")


def _authority_end(text: str, start: int) -> int:
    ends = [at for at in (text.find("/", start), text.find("?", start)) if at >= 0]
    return min(ends, default=len(text))


def _split_authority(authority: str) -> tuple[str, str | None]:
    """Host (IPv6 still in brackets) and port text."""
    if "@" in authority:
        raise InvalidUrl("User information before the host is not allowed: credentials have a place of their own.")
    if "%" in authority:
        raise InvalidUrl("A percent sign in the host is not allowed.")
    if authority.startswith("["):
        host, bracket, rest = authority.partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise InvalidUrl("After [ must follow an IPv6 address, ] and at most a port.")
        return host + bracket, rest[1:] if rest else None
    host, *ports = authority.split(":")
    if len(ports) > 1:
        raise InvalidUrl("More than one colon in the host and port; an IPv6 address must be in brackets.")
    return host, ports[0] if ports else None


def _read_port(text: str) -> int:
    if not _PORT.fullmatch(text) or int(text) > _PORT_MAX:
        raise InvalidUrl("The port must be a number from 1 to 65535, without leading zeros.")
    return int(text)


def _read_host(host: str) -> tuple[str, bytes | None]:
    host = host.lower()
    if host.startswith("["):
        return _read_ipv6(host[1:-1])
    if not host:
        raise InvalidUrl("The host name is missing.")
    if host.endswith("."):
        raise InvalidUrl("The host name ends with a dot; leave it out.")
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        if not _CANONICAL_QUAD.fullmatch(host):
            raise InvalidUrl("The host looks like an IPv4 address, but is not four decimal numbers from 0 to 255.")
        return host, socket.inet_pton(socket.AF_INET, host)
    _check_name(host, labels)
    return host, None


def _read_ipv6(literal: str) -> tuple[str, bytes]:
    try:
        packed = socket.inet_pton(socket.AF_INET6, literal)
    except OSError:
        raise InvalidUrl("What is in brackets is not an IPv6 address.") from None
    return socket.inet_ntop(socket.AF_INET6, packed), packed


def _check_name(host: str, labels: list[str]) -> None:
    if len(host) > _HOST_CHARACTERS_MAX:
        raise InvalidUrl(f"The host name is longer than {_HOST_CHARACTERS_MAX} characters.")
    for label in labels:
        if len(label) > _LABEL_CHARACTERS_MAX or not _LABEL.fullmatch(label):
            raise InvalidUrl(
                "The parts of a host name are 1 to 63 letters, digits and hyphens, with no hyphen at the ends."
            )
    if len(labels) == 1:
        advice = "write 127.0.0.1" if host == "localhost" else "write its full name"
        raise InvalidUrl(f"The host name is a single word; {advice}.")
    if ("." + host).endswith(tuple("." + suffix for suffix in _SPECIAL_SUFFIXES)):
        raise InvalidUrl("The host name is one of those that mean a place inside a machine or a private network.")
