"""Custom headers: which ones a webhook may have, and how they are kept."""

from collections.abc import Iterable, Sequence

import msgspec

from hookspan.domain.records import SealedCredential
from hookspan.engine import CUSTOM_HEADERS
from hookspan.jsontext import escape_pointer
from hookspan.manage._ground import invalid
from hookspan.profiles import Profile

HEADERS = CUSTOM_HEADERS  # a credential, sealed as JSON [[name, value], …]: their values may be secrets

# Framing, hop-by-hop and identity of the sender: ours to set (RFC 9110 7.6.1, 9112 6).
_RESERVED = frozenset(
    {
        "accept-encoding", "api-key", "authorization", "connection", "content-encoding", "content-length",
        "content-type", "cookie", "date", "expect", "host", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via",
    }
)  # fmt: skip
_RESERVED_PREFIXES = ("sec-",)
_STANDARD = "webhook-"  # whatever the profile: a receiver of Standard Webhooks would take a made-up one for ours


def header_names(credentials: Sequence[SealedCredential]) -> list[str]:
    """The names of a webhook's custom headers, as they were given."""
    for one in credentials:
        if one.name == HEADERS and one.public is not None:
            return msgspec.json.decode(one.public, type=list[str])
    return []


def check_headers(names: Iterable[str], profiles: Sequence[Profile]) -> None:
    """Refuse headers that are ours to set, that one of the webhook's profiles writes, and one name in two spellings."""
    seen: set[str] = set()
    for name in names:
        low = name.lower()
        why = None
        if low in seen:
            why = "is given twice"
        elif (writer := next((one.name for one in profiles if low in one.header_names), None)) is not None:
            why = f"is written by profile {writer}"
        elif low.startswith(_STANDARD):
            why = "is of Standard Webhooks"
        elif low in _RESERVED or low.startswith(_RESERVED_PREFIXES):
            why = "is set by Hookspan or by the connection"
        if why is not None:
            raise invalid(f"/headers/{escape_pointer(name)}", f"The header {name} {why}; it can't be a custom one.")
        seen.add(low)
