"""The rows of a body, compiled: per event type (or once, where the catalog is open) a list of bytes with holes."""

import time
from collections.abc import Callable
from typing import Final

import msgspec

from hookspan import jsontext
from hookspan.errors import Fault, InvalidRequest, SchemaMismatch, UnknownField
from hookspan.profiles._document import Body, Refused
from hookspan.profiles._references import CONSTANTS, Choice, Reference, parse

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

_CONTEXT_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
}


class Facts(msgspec.Struct, gc=False):
    """What an event's body is made of. `type` and `content` were checked; the others are ours."""

    type: str
    content: bytes
    context: bytes | None
    event_id: str
    at_ms: int
    application_uuid: str
    content_members: dict[str, bytes] | None = None
    context_members: dict[str, bytes] | None = None


class EventType(msgspec.Struct, frozen=True):
    """A type of a closed catalog, with what `{type.…}` may ask of it."""

    name: str
    group: str
    verb: str


Writer = Callable[[Facts], bytes]
_Finder = Callable[[Facts], bytes | None]


class Renderer:
    """Makes bodies. `template` is the body's pieces in order; `writers` fill the open ones."""

    __slots__ = ("_content_index", "_template", "_writers", "asks_for_members")

    def __init__(self, parts: list[bytes | Writer], *, asks_for_members: bool) -> None:
        self.asks_for_members = asks_for_members
        self._template: list[bytes] = []
        self._writers: list[tuple[int, Writer]] = []
        self._content_index = -1
        for part in parts:
            if isinstance(part, bytes):
                if self._template and (not self._writers or self._writers[-1][0] != len(self._template) - 1):
                    self._template[-1] += part
                else:
                    self._template.append(part)
            else:
                if part in _CONTENT_WRITERS and self._content_index < 0:
                    self._content_index = len(self._template)
                self._writers.append((len(self._template), part))
                self._template.append(b"")

    def render(self, facts: Facts) -> tuple[bytes, int, int]:
        """(body, place of the content as it was given, its length), or (body, -1, 0) when it isn't there verbatim."""
        parts = self._template.copy()
        for index, write in self._writers:
            parts[index] = write(facts)
        body = b"".join(parts)
        index = self._content_index
        content = facts.content
        if index < 0 or parts[index] is not content:
            return body, -1, 0
        return body, len(parts[0]) if index == 1 else sum(map(len, parts[:index])), len(content)


def compile_rows(body: Body, event_type: EventType | None) -> Renderer:
    """Raises Refused, naming the row. `event_type` None: the type is only known with the event."""
    parts: list[bytes | Writer] = []
    asks_for_members = False
    names: set[str] = set()
    for index, (key_text, text) in enumerate(body.rows):
        place = f"body.rows.{index}"
        name = _key(place, key_text, event_type)
        if name in names:
            raise Refused(place, f"the key {name!r} stands in two rows")
        names.add(name)
        lead = (b"," if index else b"{") + _encode(name) + b":"
        pieces = parse(place, text)
        if len(pieces) != 1 or not isinstance(pieces[0], Choice):
            parts += [lead, *_string(place, text, event_type)]
            continue
        choice = pieces[0]
        asks_for_members |= any(one.member and one.root in _MEMBERS for one in choice.alternatives)
        if not choice.is_optional:
            parts += [lead, _value(place, choice, body, event_type)]
        elif index:
            parts.append(_optional_row(lead, [_finder(place, one, body) for one in choice.alternatives]))
        else:
            raise Refused(place, "the first row can't be left out")
    return Renderer([*parts, b"}"], asks_for_members=asks_for_members)


def _key(place: str, text: str, event_type: EventType | None) -> str:
    name = ""
    for piece in parse(place, text):
        if isinstance(piece, str):
            name += piece
        else:
            name += _of_type(place, piece.alternatives[0], event_type)
    return name


def _string(place: str, text: str, event_type: EventType | None) -> list[bytes | Writer]:
    """Text around references, or without any: a JSON string."""
    parts: list[bytes | Writer] = [b'"']
    for piece in parse(place, text):
        if isinstance(piece, str):
            parts.append(_encode(piece)[1:-1])
            continue
        written = _reference(place, piece.alternatives[0], event_type)
        if len(piece.alternatives) > 1 or written is None or written in _CONTENT_WRITERS:
            raise Refused(place, f"{text!r}: only what every event has can stand inside text")
        parts.append(_unquoted(written))
    return [*parts, b'"']


def _unquoted(written: bytes | Writer) -> bytes | Writer:
    if isinstance(written, bytes):
        return written[1:-1] if written[:1] == b'"' else written

    def write(facts: Facts) -> bytes:
        value = written(facts)
        return value[1:-1] if value[:1] == b'"' else value

    return write


def _value(place: str, choice: Choice, body: Body, event_type: EventType | None) -> bytes | Writer:
    """A choice that must come to something."""
    first = choice.alternatives[0]
    written = _reference(place, first, event_type)
    if written is not None:
        if len(choice.alternatives) > 1:
            raise Refused(place, f"{first.name!r} is always there, so what follows it is never reached")
        return written
    finders = [_finder(place, one, body) for one in choice.alternatives]
    wanted = first

    def write(facts: Facts) -> bytes:
        for find in finders:
            found = find(facts)
            if found is not None:
                return found
        raise _missing(wanted)

    return write


def _optional_row(lead: bytes, finders: list[_Finder]) -> Writer:
    def write(facts: Facts) -> bytes:
        for find in finders:
            found = find(facts)
            if found is not None:
                return lead + found
        return b""

    return write


def _finder(place: str, reference: Reference, body: Body) -> _Finder:
    """A reference to something that may be missing."""
    constant = CONSTANTS.get(reference.name)
    if constant is not None:
        return lambda _facts: constant
    member = reference.member
    if reference.root not in _MEMBERS or not member or reference.form:
        raise Refused(
            place, f"{reference.name!r} can't be used here; only members of content and context can be missing"
        )
    if reference.root == "content":
        return lambda facts: _content_members(facts).get(member)
    if member not in body.context:
        raise Refused(place, f"body.context does not declare {member!r}")
    return lambda facts: _context_members(facts).get(member)


def _missing(reference: Reference) -> Exception:
    pointer = f"/{reference.root}/{jsontext.escape_pointer(reference.member)}"
    error = SchemaMismatch if reference.root == "content" else InvalidRequest
    detail = f"The profile's body needs {reference.name}."
    return error(detail, errors=(Fault(pointer, "missing", detail),))


# --- what every event has ---------------------------------------------------------------------------------------------


def _reference(place: str, reference: Reference, event_type: EventType | None) -> bytes | Writer | None:
    """JSON of a reference to something that is always there; None for what may be missing."""
    if reference.name in CONSTANTS:
        return CONSTANTS[reference.name]
    if reference.root in _MEMBERS and reference.member:
        return None
    if reference.root == "type" and event_type is not None:
        return _encode(_of_type(place, reference, event_type))
    writer = _WRITERS.get((reference.name, reference.form))
    if writer is None:
        known = ", ".join("{" + name + (f":{form}" if form else "") + "}" for name, form in _WRITERS)
        raise Refused(
            place, f"{{{reference.name}}} is not known here; known are {known} and members of content and context"
        )
    if reference.is_optional:
        raise Refused(place, f"{{{reference.name}}} is never missing")
    return writer


def _of_type(place: str, reference: Reference, event_type: EventType | None) -> str:
    if reference.root == "type" and reference.form is None and event_type is not None:
        match reference.member:
            case "":
                return event_type.name
            case "group":
                return event_type.group
            case "verb":
                return event_type.verb
    raise Refused(place, f"{{{reference.name}}} is not known here")


def _type(facts: Facts) -> bytes:
    return _encode(facts.type)


def _content(facts: Facts) -> bytes:
    return jsontext.compact(facts.content)


def _content_without_nulls(facts: Facts) -> bytes:
    return jsontext.without_null_members(jsontext.compact(facts.content))


def _event_id(facts: Facts) -> bytes:
    return _encode(facts.event_id)


def _application_uuid(facts: Facts) -> bytes:
    return _encode(facts.application_uuid)


def _at_ms(facts: Facts) -> bytes:
    return b"%d" % facts.at_ms


def _at_s(facts: Facts) -> bytes:
    return b"%d" % (facts.at_ms // 1000)


def _at_iso(facts: Facts) -> bytes:
    return b'"%b"' % iso(facts.at_ms)


_MEMBERS: Final = frozenset({"content", "context"})
_CONTENT_WRITERS: Final = (_content, _content_without_nulls)
_WRITERS: Final[dict[tuple[str, str | None], Writer]] = {
    ("type", None): _type,
    ("content", None): _content,
    ("content", "no_null"): _content_without_nulls,
    ("event.id", None): _event_id,
    ("event.at", "ms"): _at_ms,
    ("event.at", "s"): _at_s,
    ("event.at", "iso"): _at_iso,
    ("application.uuid", None): _application_uuid,
}

_second: tuple[int, bytes] = (0, b"1970-01-01T00:00:00")


def iso(at_ms: int) -> bytes:
    """RFC 3339 in UTC with milliseconds: ``2026-03-01T12:00:00.125Z``."""
    global _second  # noqa: PLW0603 - most events share the last one's second; swapped whole, so threads may race
    at_s, ms = divmod(at_ms, 1000)
    second, text = _second
    if second != at_s:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_s)).encode()
        _second = (at_s, text)
    return b"%b.%03dZ" % (text, ms)


def _content_members(facts: Facts) -> dict[str, bytes]:
    if facts.content_members is None:
        facts.content_members = jsontext.members(facts.content)
    return facts.content_members


def _context_members(facts: Facts) -> dict[str, bytes]:
    if facts.context_members is None:
        facts.context_members = {} if facts.context is None else jsontext.members(facts.context)
    return facts.context_members


# --- context ----------------------------------------------------------------------------------------------------------


def check_context_types(context: dict[str, str]) -> None:
    """Raise Refused for a declared type that is none. ``string?`` may also be null."""
    for name, kind in context.items():
        if kind.removesuffix("?") not in _CONTEXT_TYPES:
            known = ", ".join(_CONTEXT_TYPES)
            raise Refused(
                f"body.context.{name}", f"{kind!r} is no type; types are {known}, each with a ? if it may be null"
            )


def check_context(declared: dict[str, str], context: bytes) -> None:
    """Raise UnknownField for a member that the profile does not name, InvalidRequest for one of the wrong type."""
    value = _decode(context)
    if not isinstance(value, dict):
        raise _wrong("/context", "context must be an object.")
    for name, member in value.items():
        pointer = f"/context/{jsontext.escape_pointer(name)}"
        kind = declared.get(name)
        if kind is None:
            names = ", ".join(declared) or "no context at all"
            detail = f"This profile has no context member {name[:100]!r}; it has {names}."
            raise UnknownField(detail, errors=(Fault(pointer, UnknownField.code, detail),))
        if member is None and kind.endswith("?"):
            continue
        wanted = kind.removesuffix("?")
        is_mistaken_bool = isinstance(member, bool) and wanted != "boolean"
        if is_mistaken_bool or not isinstance(member, _CONTEXT_TYPES[wanted]):
            raise _wrong(pointer, f"context.{name} must be of type {wanted}.")


def _wrong(pointer: str, detail: str) -> InvalidRequest:
    return InvalidRequest(detail, errors=(Fault(pointer, InvalidRequest.code, detail),))
