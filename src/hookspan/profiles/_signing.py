"""Header lines for one attempt: the profile's headers and its signatures, compiled into one function for each webhook.

Keys are prepared once, when a webhook's secrets are read: signing a body of 500 bytes costs two copies of a hash state
and the hashing itself.
"""

import binascii
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hookspan.errors import InvalidCredential
from hookspan.profiles._body import iso
from hookspan.profiles._credentials import Credentials, LiveSecret
from hookspan.profiles._document import Document, Header, Refused, Signature
from hookspan.profiles._references import Choice, Piece, Reference, parse

Signer = Callable[[str, int, bytes], bytes]
"""(event id text, attempt at in ms, body) to header lines, each ``name: value CR LF``."""

_Part = Callable[[bytes, int, bytes], bytes]  # (event id, attempt at in ms, body)
_Mac = Callable[[bytes], bytes]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}", re.ASCII)
_UNSAFE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
# Written by egress, or by no one: they decide what is sent where, or how long a message is.
_RESERVED: Final = frozenset(
    {"accept-encoding", "connection", "content-encoding", "content-length", "content-type", "cookie", "expect"}
    | {"host", "keep-alive", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade", "user-agent"}
)
_BLOCK_BYTES: Final = 64  # of SHA-256, RFC 2104
_MASK: Final = b"***"


def _hmac_sha256(key: bytes) -> _Mac:
    """RFC 2104 with both padded keys hashed beforehand; half the time of `hmac.digest`."""
    if len(key) > _BLOCK_BYTES:
        key = hashlib.sha256(key).digest()
    padded = key.ljust(_BLOCK_BYTES, b"\0")
    start_inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded)).copy
    start_outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded)).copy

    def mac(message: bytes) -> bytes:
        inner = start_inner()
        inner.update(message)
        outer = start_outer()
        outer.update(inner.digest())
        return outer.digest()

    return mac


def _ed25519(key: bytes) -> _Mac:
    return Ed25519PrivateKey.from_private_bytes(key).sign


ALGORITHMS: Final[Mapping[str, Callable[[bytes], _Mac]]] = {"hmac-sha256": _hmac_sha256, "ed25519": _ed25519}
ENCODINGS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "base64": lambda mac: binascii.b2a_base64(mac, newline=False),
    "hex": binascii.hexlify,
    "hex-upper": lambda mac: mac.hex().upper().encode(),
}


class SigningPlan:
    """A profile's ``[[header]]`` and ``[[signature]]``, checked; `signer` adds a webhook's secrets."""

    def __init__(self, document: Document, credentials: Credentials) -> None:
        self._credentials = credentials
        self._headers = [_HeaderPlan(index, one, credentials) for index, one in enumerate(document.header)]
        by_header: dict[str, list[_SignaturePlan]] = {}
        for index, one in enumerate(document.signature):
            plan = _SignaturePlan(index, one, credentials)
            by_header.setdefault(one.header.lower(), []).append(plan)
        self._signatures = list(by_header.values())
        for plans in self._signatures:
            _check_agreement(plans)
        self._masked = [header for header in self._headers if header.credential_names]

    def signer(self, secrets: Sequence[LiveSecret]) -> Signer:
        """Raises InvalidCredential when a required secret is missing or does not fit."""
        self._credentials.check_complete({secret.name for secret in secrets})
        parts: list[bytes | _Part] = []
        for header in self._headers:
            parts += header.parts(secrets)
        for plans in self._signatures:
            parts += _signature_line(plans, secrets)
        return _compile(parts)

    def mask(self, lines: bytes) -> bytes:
        for header in self._masked:
            lines = header.mask(lines)
        return lines


class _HeaderPlan:
    def __init__(self, index: int, table: Header, credentials: Credentials) -> None:
        place = f"header.{index}"
        self._name = _check_name(f"{place}.name", table.name)
        self._pieces = parse(f"{place}.value", table.value)
        self.credential_names = set[str]()
        for piece in self._pieces:
            reference = _single(f"{place}.value", piece)
            if reference is not None and reference.root == "credential":
                if reference.member not in credentials.kinds:
                    raise Refused(f"{place}.value", f"there is no credential {reference.member!r}")
                self.credential_names.add(reference.member)
            elif reference is not None:
                _of_attempt(f"{place}.value", reference, allowed=("event.id", "attempt.at"))
        pattern = b"".join(
            re.escape(piece.encode()) if isinstance(piece, str) else b"[^\r\n]*" for piece in self._pieces
        )
        self._line = re.compile(rb"(?im)^%b: %b(?=\r?$)" % (re.escape(self._name), pattern))
        shown = b"".join(piece.encode() if isinstance(piece, str) else _MASK for piece in self._pieces)
        self._shown = self._name + b": " + shown

    def parts(self, secrets: Sequence[LiveSecret]) -> list[bytes | _Part]:
        """Nothing when a credential that it needs is not set."""
        newest = {secret.name: secret.secret for secret in reversed(secrets)}
        if not self.credential_names <= newest.keys():
            return []
        parts: list[bytes | _Part] = [self._name + b": "]
        for piece in self._pieces:
            reference = _single("", piece)
            if reference is None:
                parts.append(str(piece).encode())
            elif reference.root == "credential":
                parts.append(_check_value(newest[reference.member]))
            else:
                parts.append(_of_attempt("", reference))
        return [*parts, b"\r\n"]

    def mask(self, lines: bytes) -> bytes:
        return self._line.sub(lambda _match: self._shown, lines)


class _SignaturePlan:
    """One ``[[signature]]``."""

    def __init__(self, index: int, table: Signature, credentials: Credentials) -> None:
        place = self.place = f"signature.{index}"
        self.name = _check_name(f"{place}.header", table.header)
        self.join = table.join.encode()
        self.value = parse(f"{place}.value", table.value)
        _check_value_of(place, self)
        self.credential = credentials.kinds.get(table.credential)
        if self.credential is None:
            raise Refused(f"{place}.credential", f"there is no credential {table.credential!r}")
        if table.algorithm not in ALGORITHMS:
            raise Refused(f"{place}.algorithm", f"{table.algorithm!r} is not known; known are {', '.join(ALGORITHMS)}")
        if self.credential.is_key_pair != (table.algorithm == "ed25519"):
            raise Refused(f"{place}.algorithm", f"{table.algorithm!r} can't use the credential {table.credential!r}")
        if table.encoding not in ENCODINGS:
            raise Refused(f"{place}.encoding", f"{table.encoding!r} is not known; known are {', '.join(ENCODINGS)}")
        self._algorithm = ALGORITHMS[table.algorithm]
        self._encode = ENCODINGS[table.encoding]
        self._before, self._after = _around_sig(f"{place}.each", table.each)
        self._message = _message(f"{place}.signed", table.signed)

    def signatures(self, secrets: Sequence[LiveSecret]) -> list[list[bytes | _Part]]:
        """One for each live secret of its credential, in the order given: newest first."""
        assert self.credential is not None
        kind = self.credential
        live = [secret for secret in secrets if secret.name == kind.name]
        return [
            [self._before, self._signature(self._algorithm(kind.key_of(secret.secret))), self._after] for secret in live
        ]

    def _signature(self, mac: _Mac) -> _Part:
        encode, message = self._encode, self._message
        if message is None:
            return lambda _event_id, _at_ms, body: encode(mac(body))
        make = message
        return lambda event_id, at_ms, body: encode(mac(make(event_id, at_ms, body)))


def _signature_line(plans: Sequence[_SignaturePlan], secrets: Sequence[LiveSecret]) -> list[bytes | _Part]:
    """One header with every signature that goes into it; nothing when there is none."""
    signatures = [one for plan in plans for one in plan.signatures(secrets)]
    if not signatures:
        return []
    first = plans[0]
    parts: list[bytes | _Part] = [first.name + b": "]
    for piece in first.value:
        reference = _single(first.place, piece)
        if reference is None:
            parts.append(str(piece).encode())
        elif reference.name == "signatures":
            for index, signature in enumerate(signatures):
                parts += [first.join if index else b"", *signature]
        else:
            parts.append(_of_attempt(first.place, reference))
    return [*parts, b"\r\n"]


def _compile(parts: Sequence[bytes | _Part]) -> Signer:
    """Literals that touch are merged, then one list is copied and filled for each attempt."""
    template: list[bytes] = []
    writers: list[tuple[int, _Part]] = []
    for part in parts:
        if not isinstance(part, bytes):
            writers.append((len(template), part))
            template.append(b"")
        elif template and (not writers or writers[-1][0] != len(template) - 1):
            template[-1] += part
        else:
            template.append(part)
    line_count = b"".join(template).count(b"\n")

    def sign(event_id: str, at_ms: int, body: bytes) -> bytes:
        ident = event_id.encode()
        filled = template.copy()
        for index, write in writers:
            filled[index] = write(ident, at_ms, body)
        lines = b"".join(filled)
        # The event id is the only text here that was not checked when the profile or the secrets were read.
        if lines.count(b"\n") != line_count or lines.count(b"\r") != line_count or b"\0" in lines:
            raise InvalidCredential("A header value holds a line break or NUL.")
        return lines

    return sign


# --- references of an attempt -----------------------------------------------------------------------------------------


_OF_ATTEMPT: Final[dict[tuple[str, str | None], _Part]] = {
    ("event.id", None): lambda event_id, _at_ms, _body: event_id,
    ("attempt.at", "s"): lambda _event_id, at_ms, _body: b"%d" % (at_ms // 1000),
    ("attempt.at", "ms"): lambda _event_id, at_ms, _body: b"%d" % at_ms,
    ("attempt.at", "iso"): lambda _event_id, at_ms, _body: iso(at_ms),
    ("body", None): lambda _event_id, _at_ms, body: body,
}


def _of_attempt(place: str, reference: Reference, allowed: Sequence[str] = ("event.id", "attempt.at", "body")) -> _Part:
    part = _OF_ATTEMPT.get((reference.name, reference.form))
    if part is None or reference.name not in allowed or reference.is_optional:
        known = ", ".join(
            "{" + name + (f":{form}" if form else "") + "}" for name, form in _OF_ATTEMPT if name in allowed
        )
        raise Refused(place, f"{{{reference.name}}} is not known here; known are {known}")
    return part


def _single(place: str, piece: Piece) -> Reference | None:
    """The reference of a piece without alternatives, None for a literal."""
    if isinstance(piece, str):
        if _UNSAFE.search(piece.encode()):
            raise Refused(place, "it holds a line break or another control character")
        return None
    if len(piece.alternatives) > 1:
        raise Refused(place, "alternatives are only for bodies")
    return piece.alternatives[0]


def _message(place: str, text: str) -> _Part | None:
    """What is signed; None for the body alone."""
    parts: list[bytes | _Part] = []
    for piece in parse(place, text):
        reference = _single(place, piece)
        parts.append(str(piece).encode() if reference is None else _of_attempt(place, reference))
    if not any(part is _OF_ATTEMPT["body", None] for part in parts):
        raise Refused(place, f"{text!r} leaves out {{body}}, so anyone could change it")
    if len(parts) == 1:
        return None

    def message(event_id: bytes, at_ms: int, body: bytes) -> bytes:
        return b"".join([part if isinstance(part, bytes) else part(event_id, at_ms, body) for part in parts])

    return message


def _around_sig(place: str, text: str) -> tuple[bytes, bytes]:
    before, found, after = text.partition("{sig}")
    if not found or any(isinstance(piece, Choice) for side in (before, after) for piece in parse(place, side)):
        raise Refused(place, f"{text!r} must hold {{sig}} once and no other reference")
    _single(place, before + after)
    return before.encode(), after.encode()


# --- what a header may be ---------------------------------------------------------------------------------------------


def _check_name(place: str, name: str) -> bytes:
    if not _TOKEN.fullmatch(name) or name.lower() in _RESERVED:
        raise Refused(place, f"{name!r} can't be used as a header's name")
    return name.encode()


def _check_value(value: bytes) -> bytes:
    if _UNSAFE.search(value):
        raise InvalidCredential(
            "A credential holds a line break, NUL or another control character; no header can carry it."
        )
    return value


def _check_value_of(place: str, plan: _SignaturePlan) -> None:
    references = [reference for piece in plan.value if (reference := _single(f"{place}.value", piece)) is not None]
    if [reference.name for reference in references].count("signatures") != 1:
        raise Refused(f"{place}.value", "it must hold {signatures} once")
    for reference in references:
        if reference.name != "signatures":
            _of_attempt(f"{place}.value", reference, allowed=("event.id", "attempt.at"))
    if _UNSAFE.search(plan.join):
        raise Refused(f"{place}.join", "it holds a line break or another control character")


def _check_agreement(plans: Sequence[_SignaturePlan]) -> None:
    first = plans[0]
    for plan in plans[1:]:
        if plan.join != first.join or plan.value != first.value:
            raise Refused(plan.place, f"signatures on one header must agree in join and value with {first.place}")
