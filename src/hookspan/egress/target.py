"""A webhook URL, read and made ready for sending."""

import msgspec

from hookspan.egress.settings import EgressSettings
from hookspan.egress.url import parse_url
from hookspan.errors import HttpsRequired


class Target(msgspec.Struct, frozen=True):
    """Everything about a URL that each send needs, made once. A lane keeps it for as long as the URL stays.

    `address` is packed when the host is a literal, else the name is resolved. `prefix` is the request's beginning:
    request line and the headers that are the same for every request.
    """

    url: str
    origin: str
    is_tls: bool
    host: str
    port: int
    address: bytes | None
    prefix: bytes


def make_target(url: str, settings: EgressSettings, *, https_required: bool) -> Target:
    """Raises InvalidUrl, HttpsRequired."""
    parts = parse_url(url, frozenset(settings.denied_ports))
    if parts.scheme == "http" and https_required:
        raise HttpsRequired("This profile sends to https:// URLs only.")
    if parts.scheme == "http" and not settings.allow_http:
        raise HttpsRequired(
            "The URL must use https://; the operator has not allowed http:// (HOOKSPAN_EGRESS_ALLOW_HTTP)."
        )
    prefix = (
        f"POST {parts.path} HTTP/1.1\r\nhost: {parts.authority}\r\n"
        f"user-agent: {settings.user_agent}\r\naccept-encoding: identity\r\n"
    )
    return Target(
        url, parts.origin, parts.scheme == "https", parts.host, parts.port, parts.address, prefix.encode("ascii")
    )
