"""What one attempt is made of, as far as headers and signed texts may ask: id, time, body. And what a header may be."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from hookspan.errors import InvalidCredential
from hookspan.profiles._document import Refused
from hookspan.profiles._facts import iso
from hookspan.profiles._references import Piece, Reference

Part = Callable[[bytes, int, bytes], bytes]  # (event id, attempt at in ms, body)

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}", re.ASCII)
_UNSAFE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
# What ends a header line, or a text in C. Other control characters are no good style in a header (RFC 9110 5.5 leaves
# them to the recipient), but a token is somebody else's text: it is taken and sent as it is, by one rule for both.
NO_CREDENTIAL: Final = re.compile(rb"[\r\n\0]")
# Written by egress, or by no one: they decide what is sent where, or how long a message is.
_RESERVED: Final = frozenset(
    {"accept-encoding", "connection", "content-encoding", "content-length", "content-type", "cookie", "expect"}
    | {"host", "keep-alive", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade", "user-agent"}
)
IN_HEADERS: Final = ("event.id", "attempt.at")
IN_SIGNED_TEXTS: Final = (*IN_HEADERS, "body")

_PARTS: Final[dict[tuple[str, str | None], Part]] = {
    ("event.id", None): lambda event_id, _at_ms, _body: event_id,
    ("attempt.at", "s"): lambda _event_id, at_ms, _body: b"%d" % (at_ms // 1000),
    ("attempt.at", "ms"): lambda _event_id, at_ms, _body: b"%d" % at_ms,
    ("attempt.at", "iso"): lambda _event_id, at_ms, _body: iso(at_ms),
    ("body", None): lambda _event_id, _at_ms, body: body,
}
BODY: Final = _PARTS["body", None]


def of_attempt(place: str, reference: Reference, allowed: Sequence[str]) -> Part:
    """Raises Refused for what an attempt does not have, or what is not allowed here."""
    part = _PARTS.get((reference.name, reference.form))
    if part is None or reference.name not in allowed or reference.is_optional:
        known = ", ".join("{" + name + (f":{form}" if form else "") + "}" for name, form in _PARTS if name in allowed)
        raise Refused(place, f"{reference.text} is not known here; known are {known}")
    return part


def single(place: str, piece: Piece) -> Reference | None:
    """The reference of a piece without alternatives, None for a literal."""
    if isinstance(piece, str):
        if _UNSAFE.search(piece.encode()):
            raise Refused(place, "it holds a line break or another control character")
        return None
    if len(piece.alternatives) > 1:
        raise Refused(place, "alternatives are only for bodies")
    return piece.alternatives[0]


def check_name(place: str, name: str) -> bytes:
    """A header's name as bytes. Raises Refused."""
    if not _TOKEN.fullmatch(name) or name.lower() in _RESERVED:
        raise Refused(place, f"{name!r} can't be used as a header's name")
    return name.encode()


def check_value(value: bytes) -> bytes:
    """A credential as a header may carry it. Raises InvalidCredential."""
    if NO_CREDENTIAL.search(value):
        raise InvalidCredential("A credential holds a line break or NUL; no header can carry it.")
    return value


def check_literal(place: str, value: bytes) -> bytes:
    """A profile's own text as a header may carry it. Raises Refused."""
    if _UNSAFE.search(value):
        raise Refused(place, "it holds a line break or another control character")
    return value
