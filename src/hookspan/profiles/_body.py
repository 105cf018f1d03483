"""The rows of a body, compiled: per event type (or once, where the catalog is open) a list of bytes with holes."""

from collections.abc import Callable
from typing import Final

import msgspec

from hookspan import jsontext
from hookspan.errors import Fault, InvalidRequest, SchemaMismatch
from hookspan.profiles._context import context_of, spread
from hookspan.profiles._document import Body, Refused
from hookspan.profiles._facts import CONTENT_WRITERS, WRITERS, Facts, Writer, content_members, context_members
from hookspan.profiles._groups import EventType
from hookspan.profiles._references import CONSTANTS, Choice, Reference, parse, references

SPREAD: Final = "..."  # the key of a row that is many
_MEMBERS: Final = frozenset({"content", "context"})

_encode = msgspec.json.Encoder().encode
_Finder = Callable[[Facts], bytes | None]


class Rows(msgspec.Struct):
    """What compiling has come to: `parts` in order, `demands` those of them that raise where something is missing."""

    parts: list[bytes | Writer] = []
    demands: list[Writer] = []
    names: set[str] = set()

    def name(self, place: str, name: str) -> None:
        if name in self.names:
            raise Refused(place, f"the key {name!r} stands in two rows")
        self.names.add(name)

    def demand(self, writer: Writer) -> Writer:
        self.demands.append(writer)
        return writer


class Renderer:
    """Makes bodies. `template` is the body's pieces in order; `writers` fill the open ones.

    `names` are the keys that a body may have, `context` the members that its context may have, with their types.
    """

    __slots__ = ("_content_index", "_demands", "_template", "_writers", "context", "has_demands", "names")

    def __init__(self, rows: Rows, context: dict[str, str]) -> None:
        self.context = context
        self.names = frozenset(rows.names)
        self.has_demands = bool(rows.demands)
        self._demands = rows.demands
        self._template: list[bytes] = []
        self._writers: list[tuple[int, Writer]] = []
        self._content_index = -1
        for part in rows.parts:
            if isinstance(part, bytes):
                if self._template and (not self._writers or self._writers[-1][0] != len(self._template) - 1):
                    self._template[-1] += part
                else:
                    self._template.append(part)
            else:
                if part in CONTENT_WRITERS and self._content_index < 0:
                    self._content_index = len(self._template)
                self._writers.append((len(self._template), part))
                self._template.append(b"")

    def check(self, facts: Facts) -> None:
        """Raise SchemaMismatch or InvalidRequest where `render` would."""
        for write in self._demands:
            write(facts)

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
    rows = Rows()
    for index, (key_text, text) in enumerate(body.rows):
        place = f"body.rows.{index}"
        if key_text == SPREAD:
            _add_spread(rows, place, text, event_type)
            continue
        name = _key(place, key_text, event_type)
        rows.name(place, name)
        lead = (b"," if index else b"{") + _encode(name) + b":"
        pieces = parse(place, text)
        if len(pieces) != 1 or not isinstance(pieces[0], Choice):
            rows.parts += [lead, *_string(place, text, event_type)]
            continue
        choice = pieces[0]
        if not choice.is_optional:
            rows.parts += [lead, _value(rows, place, choice, body, event_type)]
        elif index:
            rows.parts.append(_optional_row(lead, [_finder(place, one, body) for one in choice.alternatives]))
        else:
            raise Refused(place, "the first row can't be left out")
    rows.parts.append(b"}")
    return Renderer(rows, context_of(body, event_type))


def _key(place: str, text: str, event_type: EventType | None) -> str:
    name = ""
    for piece in parse(place, text):
        if isinstance(piece, str):
            name += piece
        elif len(piece.alternatives) > 1:
            raise Refused(place, f"{text!r}: alternatives are only for values")
        else:
            name += _of_type(place, piece.alternatives[0], event_type)
    return name


def _add_spread(rows: Rows, place: str, text: str, event_type: EventType | None) -> None:
    """The row of a list's members; nothing where the list is empty."""
    found = references(place, text)
    name = found[0].index_of("context") if len(found) == 1 and text == f"{{{found[0].name}}}" else None
    if name is None:
        raise Refused(place, f'{text!r}: "..." goes with {{context[NAME]}} alone, NAME being a list of the group')
    if event_type is None:
        raise Refused(place, "an open catalog has no groups whose lists could be spread")
    members = event_type.lists.get(name)
    if members is None:
        raise Refused(place, f"the group {event_type.group!r} has no list {name!r}; write {name} = [] for none")
    if not rows.names:
        raise Refused(place, "the first row can't be a list, which may be left out")
    for member in members.names:
        rows.name(place, member)
    if members.names:
        write = spread(members)
        rows.parts.append(rows.demand(write) if members.least else write)


def _string(place: str, text: str, event_type: EventType | None) -> list[bytes | Writer]:
    """Text around references, or without any: a JSON string."""
    parts: list[bytes | Writer] = [b'"']
    for piece in parse(place, text):
        if isinstance(piece, str):
            parts.append(_encode(piece)[1:-1])
            continue
        written = _reference(place, piece.alternatives[0], event_type)
        if len(piece.alternatives) > 1 or written is None or written in CONTENT_WRITERS:
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


def _value(rows: Rows, place: str, choice: Choice, body: Body, event_type: EventType | None) -> bytes | Writer:
    """A choice that must come to something."""
    first = choice.alternatives[0]
    written = _reference(place, first, event_type)
    if written is not None:
        if len(choice.alternatives) > 1:
            raise Refused(place, f"{first.name!r} is always there, so what follows it is never reached")
        return written
    finders = [_finder(place, one, body) for one in choice.alternatives]

    def write(facts: Facts) -> bytes:
        for find in finders:
            found = find(facts)
            if found is not None:
                return found
        raise _missing(first)

    return write if choice.alternatives[-1].name in CONSTANTS else rows.demand(write)


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
        return lambda facts: content_members(facts).get(member)
    if member not in body.context:
        raise Refused(place, f"body.context does not declare {member!r}")
    return lambda facts: context_members(facts).get(member)


def _missing(reference: Reference) -> Exception:
    pointer = f"/{reference.root}/{jsontext.escape_pointer(reference.member)}"
    error = SchemaMismatch if reference.root == "content" else InvalidRequest
    detail = f"The profile's body needs {reference.name}."
    return error(detail, errors=(Fault(pointer, "missing", detail),))


def _reference(place: str, reference: Reference, event_type: EventType | None) -> bytes | Writer | None:
    """JSON of a reference to something that is always there; None for what may be missing."""
    if reference.name in CONSTANTS:
        return CONSTANTS[reference.name]
    if reference.root in _MEMBERS and reference.member:
        return None
    if reference.root == "type" and event_type is not None:
        return _encode(_of_type(place, reference, event_type))
    writer = WRITERS.get((reference.name, reference.form))
    if writer is None:
        known = ", ".join("{" + name + (f":{form}" if form else "") + "}" for name, form in WRITERS)
        raise Refused(
            place, f"{reference.text} is not known here; known are {known} and members of content and context"
        )
    if reference.is_optional:
        raise Refused(place, f"{reference.text} is never missing")
    return writer


def _of_type(place: str, reference: Reference, event_type: EventType | None) -> str:
    if reference.root != "type" or reference.form or reference.is_optional or event_type is None:
        raise Refused(place, f"{reference.text} is not known here")
    text = event_type.text(reference.member)
    if text is None:
        lacking = f"the group {event_type.group!r} has no text {reference.member!r}"
        raise Refused(place, f"{reference.text} is not known here: {lacking}")
    return text
