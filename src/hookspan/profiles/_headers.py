"""``[[header]]``: fixed lines of each attempt, from literals, the attempt, the event's type and credentials."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from hookspan.profiles._attempt import IN_HEADERS, Part, check_literal, check_name, check_value, of_attempt, single
from hookspan.profiles._credentials import Credentials, LiveSecret
from hookspan.profiles._document import Header, Refused
from hookspan.profiles._groups import EventType
from hookspan.profiles._references import Piece, Reference, parse

TypedLine = Callable[[bytes, int, bytes, str], bytes]  # (event id, attempt at in ms, body, event type)
EventTypes = Mapping[str, EventType] | None  # None: the catalog is open
_MASK: Final = b"***"


class HeaderPlan:
    """One ``[[header]]``, checked. `credential_names`: whose secrets it shows; `asks_for_type`: whether its line is the
    type's.
    """

    def __init__(self, index: int, table: Header, credentials: Credentials, types: EventTypes) -> None:
        """Raises Refused."""
        place = self.place = f"header.{index}.value"
        self.name = check_name(f"header.{index}.name", table.name)
        self._pieces = parse(place, table.value)
        self._types = types
        self.credential_names = set[str]()
        self.asks_for_type = False
        for piece in self._pieces:
            reference = single(place, piece)
            if reference is None:
                continue
            if reference.root == "credential":
                if reference.member not in credentials.kinds or reference.form or reference.is_optional:
                    raise Refused(place, f"there is no credential {reference.member!r}")
                self.credential_names.add(reference.member)
            elif reference.root == "type":
                _TextOfType(place, reference, types)
                self.asks_for_type = True
            else:
                of_attempt(place, reference, IN_HEADERS)
        pattern = b"".join(
            re.escape(piece.encode()) if isinstance(piece, str) else b"[^\r\n]*" for piece in self._pieces
        )
        self._line = re.compile(rb"(?im)^%b: %b(?=\r?$)" % (re.escape(self.name), pattern))
        shown = b"".join(piece.encode() if isinstance(piece, str) else _MASK for piece in self._pieces)
        self._shown = self.name + b": " + shown

    def parts(self, secrets: Sequence[LiveSecret]) -> list[bytes | Part]:
        """The line of a header that does not ask for the type; nothing when a credential that it needs is not set."""
        newest = self._newest(secrets)
        if newest is None:
            return []
        return [self.name + b": ", *(self._part(piece, newest) for piece in self._pieces), b"\r\n"]

    def typed_line(self, secrets: Sequence[LiveSecret]) -> TypedLine | None:
        """The line of a header that does; empty for a type without what it asks for. None as `parts` gives nothing."""
        newest = self._newest(secrets)
        if newest is None:
            return None
        parts = [self._text_of(piece) or self._part(piece, newest) for piece in self._pieces]
        lead = self.name + b": "

        def line(event_id: bytes, at_ms: int, body: bytes, event_type: str) -> bytes:
            written = [lead]
            for part in parts:
                if isinstance(part, bytes):
                    written.append(part)
                elif isinstance(part, _TextOfType):
                    text = part.of(event_type)
                    if text is None:
                        return b""
                    written.append(text)
                else:
                    written.append(part(event_id, at_ms, body))
            return b"".join([*written, b"\r\n"])

        return line

    def mask(self, lines: bytes) -> bytes:
        return self._line.sub(lambda _match: self._shown, lines)

    def _newest(self, secrets: Sequence[LiveSecret]) -> dict[str, bytes] | None:
        newest = {secret.name: secret.secret for secret in reversed(secrets)}
        return newest if self.credential_names <= newest.keys() else None

    def _part(self, piece: Piece, newest: Mapping[str, bytes]) -> bytes | Part:
        reference = single(self.place, piece)
        if reference is None:
            return str(piece).encode()
        if reference.root == "credential":
            return check_value(newest[reference.member])
        return of_attempt(self.place, reference, IN_HEADERS)

    def _text_of(self, piece: Piece) -> "_TextOfType | None":
        reference = single(self.place, piece)
        return _TextOfType(self.place, reference, self._types) if reference and reference.root == "type" else None


class _TextOfType:
    """``{type}``, ``{type.group}``, ``{type.verb}`` or ``{type.ATTR}`` in a header."""

    def __init__(self, place: str, reference: Reference, types: EventTypes) -> None:
        member = reference.member
        if reference.form or reference.is_optional or (member and types is None):
            known = "{type}" if types is None else "{type}, {type.group}, {type.verb} and attributes of the group"
            raise Refused(place, f"{reference.text} is not known here; known are {known}")
        found = {name: text for name, one in (types or {}).items() if (text := one.text(member)) is not None}
        if member and not found:
            raise Refused(place, f"no group has a text {member!r}")
        self._texts = {name: check_literal(place, text.encode()) for name, text in found.items()}
        self._is_type_itself = member in {"", "group"}

    def of(self, event_type: str) -> bytes | None:
        """A type outside the catalog, such as a test's, is a group of its own."""
        text = self._texts.get(event_type)
        return event_type.encode() if text is None and self._is_type_itself else text
