"""Header lines for one attempt: the profile's headers and its signatures, compiled into one function for each webhook.

Keys are prepared once, when a webhook's secrets are read: an HMAC of a body of 500 bytes costs two copies of a hash
state and the hashing itself.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from hookspan.errors import InvalidCredential
from hookspan.profiles._algorithms import ALGORITHMS, ALPHABETS, ENCODINGS, PREHASHES, prehashed
from hookspan.profiles._attempt import (
    BODY,
    IN_HEADERS,
    IN_SIGNED_TEXTS,
    Part,
    check_literal,
    check_name,
    of_attempt,
    single,
)
from hookspan.profiles._credentials import Credentials, LiveSecret
from hookspan.profiles._document import Document, Refused, Signature
from hookspan.profiles._headers import EventTypes, HeaderPlan, TypedLine
from hookspan.profiles._references import parse, references

Signer = Callable[[str, int, bytes, str], bytes]
"""(event id text, attempt at in ms, body, event type) to header lines, each ``name: value CR LF``."""

_T = TypeVar("_T")


class SigningPlan:
    """A profile's ``[[header]]`` and ``[[signature]]``, checked; `signer` adds a webhook's secrets.

    `header_names`: of all lines that a signer may write, in lower case. `is_slow`: signing belongs in a thread.
    """

    def __init__(self, document: Document, credentials: Credentials, types: EventTypes) -> None:
        """Raises Refused."""
        self._credentials = credentials
        self._headers = [HeaderPlan(index, one, credentials, types) for index, one in enumerate(document.header)]
        by_header: dict[str, list[_SignaturePlan]] = {}
        for index, one in enumerate(document.signature):
            plan = _SignaturePlan(index, one, credentials)
            by_header.setdefault(one.header.lower(), []).append(plan)
        self._signatures = list(by_header.values())
        for plans in self._signatures:
            _check_agreement(plans)
            _check_told_apart(plans)
        self._check_unsent()
        self.header_names: Final = _header_names(document, by_header)
        self.is_slow: Final = any(plan.is_slow for plans in self._signatures for plan in plans)
        self._masked = [header for header in self._headers if header.credential_names]
        self.sent_credentials: Final = frozenset[str]().union(*(header.credential_names for header in self._masked))

    def signer(self, secrets: Sequence[LiveSecret]) -> Signer:
        """Raises InvalidCredential when a required secret is missing or does not fit."""
        self._credentials.check_complete({secret.name for secret in secrets})
        parts: list[bytes | Part] = []
        typed_lines: list[TypedLine] = []
        for header in self._headers:
            if not header.asks_for_type:
                parts += header.parts(secrets)
            elif (line := header.typed_line(secrets)) is not None:
                typed_lines.append(line)
        for plans in self._signatures:
            parts += _signature_line(plans, secrets)
        return _with_types(_compile(parts), typed_lines) if typed_lines else _compile(parts)

    def mask(self, lines: bytes) -> bytes:
        for header in self._masked:
            lines = header.mask(lines)
        return lines

    @property
    def covers_time(self) -> bool:
        """Whether every receiver sees a signed time, whichever credential it knows: each signs in some header all of
        whose signatures cover the time of the attempt.
        """
        signing = {plan.credential.name for plans in self._signatures for plan in plans}
        timed = [plans for plans in self._signatures if all(plan.covers_time for plan in plans)]
        return bool(signing) and signing == {plan.credential.name for plans in timed for plan in plans}

    def _check_unsent(self) -> None:
        """What signs is never sent: whoever gets one request could sign the next."""
        signing = {plan.credential.name for plans in self._signatures for plan in plans}
        for header in self._headers:
            for name in sorted(header.credential_names):
                if name in signing or self._credentials.kinds[name].pair is not None:
                    raise Refused(
                        header.place,
                        f"{{credential.{name}}} is a signing key; only a credential that signs nothing is sent",
                    )


class _SignaturePlan:
    """One ``[[signature]]``."""

    def __init__(self, index: int, table: Signature, credentials: Credentials) -> None:
        place = self.place = f"signature.{index}"
        self.name = check_name(f"{place}.header", table.header)
        self.join = check_literal(f"{place}.join", table.join.encode())
        self.value = parse(f"{place}.value", table.value)
        _check_value_of(place, self)
        credential = credentials.kinds.get(table.credential)
        if credential is None:
            raise Refused(f"{place}.credential", f"there is no credential {table.credential!r}")
        self.credential = credential
        algorithm = _known(f"{place}.algorithm", table.algorithm, ALGORITHMS)
        if credential.kind not in algorithm.kinds:
            kinds = " or ".join(sorted(algorithm.kinds))
            wrong = f"{table.algorithm!r} can't use the credential {table.credential!r}; it needs one of kind {kinds}"
            raise Refused(f"{place}.algorithm", wrong)
        self.is_slow = algorithm.is_slow
        self._prepare = algorithm.prepare
        self._prehash = None if table.prehash is None else _known(f"{place}.prehash", table.prehash, PREHASHES)
        self._encode = _known(f"{place}.encoding", table.encoding, ENCODINGS)
        self.letters = ALPHABETS[table.encoding] | frozenset(table.each.replace("{sig}", ""))
        self._before, self._after = _around_sig(f"{place}.each", table.each)
        self._message = _message(f"{place}.signed", table.signed)
        self.covers_time = any(one.name == "attempt.at" for one in references(f"{place}.signed", table.signed))

    def signatures(self, secrets: Sequence[LiveSecret]) -> list[list[bytes | Part]]:
        """One for each live secret of its credential, in the order given: newest first."""
        credential = self.credential
        live = [secret.secret for secret in secrets if secret.name == credential.name]
        return [[self._before, self._signature(credential.key_of(one)), self._after] for one in live]

    def _signature(self, key: bytes) -> Part:
        encode, message = self._encode, self._message
        mac = self._prepare(key) if self._prehash is None else prehashed(self._prehash, self._prepare(key))
        if message is None:
            return lambda _event_id, _at_ms, body: encode(mac(body))
        make = message
        return lambda event_id, at_ms, body: encode(mac(make(event_id, at_ms, body)))


def _signature_line(plans: Sequence[_SignaturePlan], secrets: Sequence[LiveSecret]) -> list[bytes | Part]:
    """One header with every signature that goes into it; nothing when there is none."""
    signatures = [one for plan in plans for one in plan.signatures(secrets)]
    if not signatures:
        return []
    first = plans[0]
    parts: list[bytes | Part] = [first.name + b": "]
    for piece in first.value:
        reference = single(first.place, piece)
        if reference is None:
            parts.append(str(piece).encode())
        elif reference.name == "signatures":
            for index, signature in enumerate(signatures):
                parts += [first.join if index else b"", *signature]
        else:
            parts.append(of_attempt(first.place, reference, IN_HEADERS))
    return [*parts, b"\r\n"]


def _compile(parts: Sequence[bytes | Part]) -> Signer:
    """Literals that touch are merged, then one list is copied and filled for each attempt."""
    template: list[bytes] = []
    writers: list[tuple[int, Part]] = []
    for part in parts:
        if not isinstance(part, bytes):
            writers.append((len(template), part))
            template.append(b"")
        elif template and (not writers or writers[-1][0] != len(template) - 1):
            template[-1] += part
        else:
            template.append(part)

    def sign(event_id: str, at_ms: int, body: bytes, _event_type: str) -> bytes:
        # The only text here that was not checked when the profile or the secrets were read.
        if not event_id.isprintable():
            raise _unprintable()
        ident = event_id.encode()
        filled = template.copy()
        for index, write in writers:
            filled[index] = write(ident, at_ms, body)
        return b"".join(filled)

    return sign


def _with_types(sign: Signer, typed_lines: Sequence[TypedLine]) -> Signer:
    """`sign`, and before its lines those that depend on the event's type."""

    def sign_typed(event_id: str, at_ms: int, body: bytes, event_type: str) -> bytes:
        lines = sign(event_id, at_ms, body, event_type)
        if not event_type.isprintable():
            raise _unprintable()
        ident = event_id.encode()
        return b"".join([*[line(ident, at_ms, body, event_type) for line in typed_lines], lines])

    return sign_typed


def _unprintable() -> InvalidCredential:
    return InvalidCredential("A header value holds a line break, NUL or another control character.")


# --- compiling --------------------------------------------------------------------------------------------------------


def _message(place: str, text: str) -> Part | None:
    """What is signed; None for the body alone."""
    parts: list[bytes | Part] = []
    for piece in parse(place, text):
        reference = single(place, piece)
        parts.append(str(piece).encode() if reference is None else of_attempt(place, reference, IN_SIGNED_TEXTS))
    if not any(part is BODY for part in parts):
        raise Refused(place, f"{text!r} leaves out {{body}}, so anyone could change it")
    if len(parts) == 1:
        return None

    def message(event_id: bytes, at_ms: int, body: bytes) -> bytes:
        return b"".join([part if isinstance(part, bytes) else part(event_id, at_ms, body) for part in parts])

    return message


def _around_sig(place: str, text: str) -> tuple[bytes, bytes]:
    before, found, after = text.partition("{sig}")
    if not found or references(place, before) or references(place, after):
        raise Refused(place, f"{text!r} must hold {{sig}} once and no other reference")
    return check_literal(place, before.encode()), check_literal(place, after.encode())


def _check_value_of(place: str, plan: _SignaturePlan) -> None:
    found = [reference for piece in plan.value if (reference := single(f"{place}.value", piece)) is not None]
    if [reference.name for reference in found].count("signatures") != 1:
        raise Refused(f"{place}.value", "it must hold {signatures} once")
    for reference in found:
        if reference.name != "signatures":
            of_attempt(f"{place}.value", reference, IN_HEADERS)


def _check_agreement(plans: Sequence[_SignaturePlan]) -> None:
    first = plans[0]
    for plan in plans[1:]:
        if plan.join != first.join or plan.value != first.value:
            raise Refused(plan.place, f"signatures on one header must agree in join and value with {first.place}")


def _check_told_apart(plans: Sequence[_SignaturePlan]) -> None:
    """Where a header may hold several signatures, a receiver must see where one ends. Raises Refused."""
    if len(plans) == 1 and not plans[0].credential.overlaps:
        return
    letters = frozenset[str]().union(*(plan.letters for plan in plans))
    if not set(plans[0].join.decode()) - letters:
        raise Refused(
            f"{plans[0].place}.join",
            f"{plans[0].join.decode()!r} does not tell apart the signatures of one header, which are several here:"
            " it needs a character that is neither in `each` nor in the encoding",
        )


def _header_names(document: Document, by_header: Mapping[str, object]) -> frozenset[str]:
    names = set(by_header)
    for index, header in enumerate(document.header):
        name = header.name.lower()
        if name in names:
            raise Refused(f"header.{index}.name", f"there is another header {header.name!r}")
        names.add(name)
    return frozenset(names)


def _known(place: str, name: str, table: Mapping[str, _T]) -> _T:
    if name not in table:
        raise Refused(place, f"{name!r} is not known; known are {', '.join(table)}")
    return table[name]
