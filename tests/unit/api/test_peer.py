"""Who asks behind proxies: what a stranger writes never counts, and what a trusted proxy wrote does."""

import pytest

from hookspan.api._asgi import Scope
from hookspan.api._key import peer_address
from hookspan.api._peer import HOPS_MAX, Peers

PROXIES = ("127.0.0.0/8", "10.0.0.0/8", "fd00::/8")


def seen(peer: str | None, *forwarded: str, trusted: tuple[str, ...] = PROXIES) -> str | None:
    headers = [(b"host", b"h"), *((b"x-forwarded-for", one.encode()) for one in forwarded)]
    scope: Scope = {"type": "http", "client": None if peer is None else (peer, 1), "headers": headers}
    Peers(trusted).settle(scope)
    return peer_address(scope)


@pytest.mark.parametrize("spoofed", ["198.51.100.9", "127.0.0.1", "10.0.0.1, 127.0.0.1", "x"])
def test_a_stranger_can_t_say_who_they_are(spoofed: str) -> None:
    """The header of an untrusted peer is not read; nor anybody's without the setting."""
    assert seen("203.0.113.5", spoofed) == "203.0.113.5"
    assert seen("127.0.0.1", spoofed, trusted=()) == "127.0.0.1"
    assert seen(None, spoofed) is None


@pytest.mark.parametrize(
    ("forwarded", "who"),
    [
        (("203.0.113.5",), "203.0.113.5"),
        (("198.51.100.9, 203.0.113.5",), "203.0.113.5"),
        (("198.51.100.9, 203.0.113.5, 10.1.1.1",), "203.0.113.5"),
        (("198.51.100.9", "203.0.113.5 ,\t10.1.1.1"), "203.0.113.5"),
        (("garbage, 203.0.113.5",), "203.0.113.5"),
        (("2001:DB8::5",), "2001:db8::5"),
        (("::ffff:203.0.113.5, ::ffff:10.0.0.1",), "203.0.113.5"),
        (("10.2.2.2, 10.1.1.1",), "10.2.2.2"),
    ],
)
def test_behind_a_trusted_proxy_the_right_most_stranger_counts(forwarded: tuple[str, ...], who: str) -> None:
    """What stands further left was written by that stranger. Where all are trusted it is the first of them."""
    assert seen("127.0.0.1", *forwarded) == who
    assert seen("::ffff:127.0.0.1", *forwarded) == who


@pytest.mark.parametrize(
    "forwarded", ["", " ", ",", "203.0.113.5:443", "[2001:db8::5]", "fe80::1%eth0", "unknown", "203.0.113.5,", "0x7f.1",
                  "1" * 46, "203.0.113.005", "garbage, 10.0.0.1", "é"]
)  # fmt: skip
def test_what_is_no_address_is_not_guessed_at(forwarded: str) -> None:
    """Then it is the proxy itself."""
    assert seen("127.0.0.1", forwarded) == "127.0.0.1"


def test_a_long_way_is_not_followed_to_its_end() -> None:
    """HOPS_MAX addresses are looked at; beyond them it is the proxy itself."""
    proxies = ", 10.0.0.1" * (HOPS_MAX - 1)
    assert seen("127.0.0.1", f"203.0.113.5{proxies}") == "203.0.113.5"
    assert seen("127.0.0.1", f"203.0.113.5, 10.0.0.1{proxies}") == "127.0.0.1"
