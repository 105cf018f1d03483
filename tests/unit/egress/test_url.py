"""The grammar of webhook URLs has one reading, and says what is wrong where it has none."""

import contextlib
import json
from pathlib import Path
from urllib.parse import urlsplit

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hookspan.clock import SystemClock
from hookspan.egress import Egress, EgressSettings
from hookspan.egress.url import URL_CHARACTERS_MAX, parse_url
from hookspan.errors import BlockedDestination, HttpsRequired, InvalidUrl

LINES = Path(__file__).with_name("ssrf_vectors.tsv").read_text("utf-8").splitlines()
VECTORS = [line.split("\t") for line in LINES if not line.startswith("#")][1:]

SAYS = {
    "blocked": "not allowed",
    "too_long": "characters long",
    "non_ascii": "non-ASCII",
    "invisible": "control character or space",
    "backslash": "backslash",
    "fragment": "fragment",
    "scheme": "must begin with https://",
    "userinfo": "User information",
    "percent": "percent sign",
    "colons": "colon|a port|The port",
    "port": "The port",
    "host": "host name",
    "trailing_dot": "ends with a dot",
    "ipv4_form": "looks like an IPv4 address",
    "ipv6_form": "not an IPv6 address",
    "single_label": "single word",
    "special_name": "one of those",
}


@pytest.fixture(scope="module")
def egress():
    return Egress(EgressSettings(allow_http=True), SystemClock())


def test_the_list_is_whole():
    """All 107 vectors are tried."""
    assert len(VECTORS) == 107


@pytest.mark.parametrize(("text", "verdict", "why"), VECTORS, ids=[f"{at}" for at in range(len(VECTORS))])
def test_ssrf_vectors(egress, text, verdict, why):
    """Every URL of the public SSRF lists gets its verdict, for its reason."""
    url = json.loads(text)
    if verdict == "refuse":
        error = BlockedDestination if why == "blocked" else InvalidUrl
        with pytest.raises(error, match=SAYS[why]):
            egress.target(url, https_required=False)
    else:
        assert (egress.target(url, https_required=False).address is None) == (verdict == "resolve")


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://example.com", "example.com", "/"),
        ("https://example.com?a", "example.com", "/?a"),
        ("https://example.com/a/../b//c?key&x=&y=%zz&/@:?", "example.com", "/a/../b//c?key&x=&y=%zz&/@:?"),
        ("HTTPS://EXAMPLE.com:443/A", "example.com", "/A"),
        ("http://example.com:80/", "example.com", "/"),
        ("http://example.com:443/", "example.com:443", "/"),
        ("https://xn--fa-hia.de:8443/", "xn--fa-hia.de:8443", "/"),
        ("https://1.2.3.4/", "1.2.3.4", "/"),
        ("https://[2606:4700::ABCD]:8443/x", "[2606:4700::abcd]:8443", "/x"),
        ("https://a-b.c1.example.com/", "a-b.c1.example.com", "/"),
        ("https://receiver.example/", "receiver.example", "/"),
    ],
)
def test_what_is_accepted(url, authority, path):
    """Path and query stay byte for byte; host and scheme become lower-case; the scheme's own port is left out."""
    parts = parse_url(url)
    assert (parts.authority, parts.path) == (authority, path)
    assert parts.origin == f"{parts.scheme}://{authority}"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "must begin"),
        ("ftp://example.com/", "must begin"),
        ("https://example.com/\x7f", "control character or space at character 21"),
        ("https://example.com/ü", "non-ASCII character at character 21"),
        ("https://example.com/\\", "backslash at character 21"),
        ("https://example.com/#", "fragment at character 21"),
        ("https://[::1", "must follow"),
        ("https://[]/", "not an IPv6"),
        ("https://[1.2.3.4]/", "not an IPv6"),
        ("https://example.com:080/", "port"),
        ("https://example.com:65536/", "port"),
        ("https://example.com:+80/", "port"),
        ("https://a..example.com/", "parts of a host name"),
        ("https://-a.example.com/", "parts of a host name"),
        ("https://a_b.example.com/", "parts of a host name"),
        ("https://" + "a." * 126 + "com/", "longer than 253"),
        ("https://foo.localhost/", "one of those"),
        ("http://localhost:9000/", "write 127.0.0.1"),
        ("https://home.arpa/", "one of those"),
        ("https://printer.local/", "one of those"),
        ("https://example.0x/", "IPv4"),
        ("https://256.1.1.1/", "IPv4"),
        ("https://1.2.3.04/", "IPv4"),
    ],
)
def test_what_is_refused(url, says):
    """The error says what is wrong and, where it can, at which character."""
    with pytest.raises(InvalidUrl, match=says):
        parse_url(url)


def test_length_bound():
    """2,048 characters pass, one more does not."""
    url = "https://example.com/".ljust(URL_CHARACTERS_MAX, "a")
    assert len(parse_url(url).path) == URL_CHARACTERS_MAX - len("https://example.com")
    with pytest.raises(InvalidUrl, match="2,049 characters long"):
        parse_url(url + "a")


def test_denied_ports():
    """Ports that the operator denies are refused, also when the scheme implies them."""
    denied = frozenset({25, 443})
    with pytest.raises(InvalidUrl, match="Port 25 "):
        parse_url("https://example.com:25/", denied)
    with pytest.raises(InvalidUrl, match="Port 443 "):
        parse_url("https://example.com/", denied)
    assert parse_url("https://example.com:26/", denied).port == 26


def test_https_is_required_by_profile_or_operator(egress):
    """http:// needs both: a profile that leaves it to the operator, and an operator who allows it."""
    with pytest.raises(HttpsRequired):
        egress.target("http://example.com/", https_required=True)
    careful = Egress(EgressSettings(), SystemClock())
    with pytest.raises(HttpsRequired):
        careful.target("http://example.com/", https_required=False)
    assert egress.target("http://example.com/", https_required=False).port == 80
    assert careful.target("https://example.com/", https_required=True).is_tls


def test_the_request_begins_as_the_url_says(egress):
    """Request line and fixed headers hold the path as given, and nothing of an IPv6 literal's spelling is lost."""
    target = egress.target("https://[2606:4700:0::1]:8443/a?b", https_required=True)
    assert target.prefix.startswith(b"POST /a?b HTTP/1.1\r\nhost: [2606:4700::1]:8443\r\nuser-agent: Hookspan/")
    assert target.prefix.endswith(b"\r\naccept-encoding: identity\r\n")


AUTHORITY = st.text("abcxz019.-:[]%@\\/?#_ \t\x00é。①", max_size=24)


@given(AUTHORITY, st.sampled_from(["", "/", "/p?q", "?q"]), st.sampled_from(["http://", "https://", "HTTP://"]))
@example("127.0.0.1:80", "/", "http://")
@example("[::1]:80", "/", "http://")
def test_other_parsers_read_the_same_host(authority, rest, scheme):
    """What is accepted means the same host and port to two other parsers; all else is InvalidUrl, nothing worse."""
    url = scheme + authority + rest
    try:
        parts = parse_url(url)
    except InvalidUrl:
        return
    other = urlsplit(url)
    third = httptools.parse_url(url.encode())
    assert other.hostname is not None
    assert third.host is not None
    default = {"http": 80, "https": 443}[parts.scheme]
    if parts.address is None or "." in other.hostname:
        assert other.hostname == parts.host == third.host.decode().lower()
    assert (other.port or default) == parts.port == (third.port or default)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    """No text makes the parser fail otherwise."""
    for url in (text, "https://" + text, "https://example.com/" + text):
        with contextlib.suppress(InvalidUrl):
            parse_url(url)
