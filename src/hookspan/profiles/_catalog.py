"""The catalog: which event types exist, with schema, sample and words. One JSON Schema file for each group.

A group's file is ``GROUP.json``: under ``$defs`` it has one schema for each verb, whose ``title`` and ``description``
are the type's words and whose first ``examples`` member is its sample, kept as written. Other members of ``$defs``
may be shared by ``$ref``. Nothing is ever fetched.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import jsonschema_rs
import msgspec

from hookspan import jsontext
from hookspan.errors import Fault, HookspanError, SchemaMismatch, UnknownEventType
from hookspan.profiles._body import EventType
from hookspan.profiles._document import Catalog as CatalogTable
from hookspan.profiles._document import Group, Refused, Test

FAULTS_MAX: Final = 20
DETAIL_CHARACTERS_MAX: Final = 300
TYPE_CHARACTERS_MAX: Final = 255
SEEN_TYPES_MAX: Final = 4096
_NAME = re.compile(r"[a-zA-Z0-9_]+(?:\.[a-zA-Z0-9_]+)*", re.ASCII)

_decode = msgspec.json.Decoder().decode


class CatalogEntry(msgspec.Struct, frozen=True):
    """An event type for people: `schema` is JSON Schema 2020-12 of its content, `sample` a content that fits it."""

    type: str
    category: str | None
    title: str
    description: str
    since: str | None
    schema: dict[str, Any] | None
    sample: bytes


class _VerbSchema(msgspec.Struct, frozen=True):
    """What the catalog itself reads of a verb's schema; the schema compiler sees the whole."""

    title: str
    description: str
    examples: tuple[msgspec.Raw, ...] = ()


class _GroupFile(msgspec.Struct, frozen=True):
    definitions: dict[str, msgspec.Raw] = msgspec.field(name="$defs")


class SchemaCheck:
    """One type's compiled schema."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._validator = jsonschema_rs.validator_for(schema, offline=True)
        self._is_valid = self._validator.is_valid

    def __call__(self, content: bytes) -> None:
        """Raise SchemaMismatch, with a pointer into the event (``/content/…``) for each place, at most FAULTS_MAX."""
        try:
            value = _decode(content)
        except msgspec.DecodeError:  # a checked text, so it can only be a number beyond every float
            raise _mismatch(
                [Fault("/content", "number", "A number is too large to be held against the schema.")]
            ) from None
        if self._is_valid(value):
            return
        faults: list[Fault] = []
        for error in self._validator.iter_errors(value):
            faults += _faults(error)
            if len(faults) >= FAULTS_MAX:
                break
        raise _mismatch(faults[:FAULTS_MAX])


def _mismatch(faults: list[Fault]) -> SchemaMismatch:
    return SchemaMismatch(f"{faults[0].pointer}: {faults[0].detail}", errors=tuple(faults))


def _faults(error: jsonschema_rs.ValidationError) -> list[Fault]:
    """What is missing or unknown is pointed at by its own name, everything else by the place of the value."""
    place = "/content" + "".join(f"/{jsontext.escape_pointer(str(step))}" for step in error.instance_path)
    kind = error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        name = jsontext.escape_pointer(kind.property)
        return [Fault(f"{place}/{name}", "required", "This member is required.")]
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        return [
            Fault(f"{place}/{jsontext.escape_pointer(name)}", "unknown_field", "The schema has no such member.")
            for name in kind.unexpected
        ]
    return [Fault(place, str(kind.name), error.message[:DETAIL_CHARACTERS_MAX])]


class ClosedCatalog:
    """Group by verb: every type is listed, with its schema."""

    def __init__(self, table: CatalogTable, files: Mapping[str, bytes]) -> None:
        self.types: Final[dict[str, EventType]] = {}
        self._entries: Final[dict[str, CatalogEntry]] = {}
        self._checks: Final[dict[str, SchemaCheck]] = {}
        if table.type != "{group}.{verb}":
            raise Refused("catalog.type", 'write "{group}.{verb}", or a pattern and open = true')
        if not table.group:
            raise Refused("catalog.group", "a catalog that is not open needs groups")
        for group, one in table.group.items():
            place = f"catalog.group.{group}"
            definitions = _read_group(place, group, files)
            for verb, since in _verbs(place, one):
                self._add(place, group, verb, since or one.since, definitions)

    def _add(
        self, place: str, group: str, verb: str, since: str | None, definitions: Mapping[str, msgspec.Raw]
    ) -> None:
        name = f"{group}.{verb}"
        if not _NAME.fullmatch(name) or len(name) > TYPE_CHARACTERS_MAX:
            raise Refused(place, f"{name!r} can't be the name of an event type")
        if name in self.types:
            other = self.types[name]
            raise Refused(
                place, f"two types are called {name!r}: verb {verb!r} here, verb {other.verb!r} of {other.group!r}"
            )
        where = f"{group}.json: $defs.{verb}"
        if verb not in definitions:
            raise Refused(where, "this schema is missing")
        words = _decode_as(where, definitions[verb], _VerbSchema)
        if not words.examples:
            raise Refused(f"{where}.examples", "a sample is missing; write one content that fits the schema")
        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$ref": f"#/$defs/{verb}",
            "$defs": {key: _decode(value) for key, value in definitions.items()},
        }
        try:
            check = SchemaCheck(schema)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            raise Refused(where, f"is no JSON Schema: {str(error).splitlines()[0]}") from None
        sample = jsontext.compact(bytes(words.examples[0]))
        try:
            check(sample)
        except SchemaMismatch as error:
            raise Refused(f"{where}.examples", f"the sample does not fit the schema: {error.detail}") from None
        self.types[name] = EventType(name, group, verb)
        self._checks[name] = check
        self._entries[name] = CatalogEntry(name, group, words.title, words.description, since, schema, sample)

    def check_type(self, name: str) -> None:
        if name not in self.types:
            raise _unknown_type(name)

    def check_content(self, name: str, content: bytes) -> None:
        self._checks[name](content)

    def category_of(self, name: str) -> str | None:
        event_type = self.types.get(name)
        return None if event_type is None else event_type.group

    def entries(self) -> list[CatalogEntry]:
        return list(self._entries.values())

    def sample(self, name: str) -> bytes:
        self.check_type(name)
        return self._entries[name].sample


class OpenCatalog:
    """A pattern: every type that fits it exists, with any object as its content, and belongs to no category."""

    def __init__(self, table: CatalogTable, test: Test | None) -> None:
        if table.group:
            raise Refused("catalog.group", "an open catalog has no groups")
        try:
            self._fits = re.compile(table.type, re.ASCII).fullmatch
        except re.error as error:
            raise Refused("catalog.type", f"is no regular expression: {error}") from None
        self._seen: set[str] = set()
        self._sample = b"{}" if test is None or test.content is None else jsontext.compact(test.content.encode())
        self._test_type = None if test is None else test.type

    def check_type(self, name: str) -> None:
        if name in self._seen:
            return
        if len(name) > TYPE_CHARACTERS_MAX or not self._fits(name):
            raise _unknown_type(name)
        if len(self._seen) < SEEN_TYPES_MAX:
            self._seen.add(name)

    def check_content(self, name: str, content: bytes) -> None:
        """Any object will do."""

    def category_of(self, name: str) -> str | None:  # noqa: ARG002 - the closed one needs it
        return None

    def entries(self) -> list[CatalogEntry]:
        """Only what this profile itself sends."""
        if self._test_type is None:
            return []
        description = "Sent to see whether a receiver answers and verifies. Every other type is the platform's own."
        return [CatalogEntry(self._test_type, None, "A test", description, None, None, self._sample)]

    def sample(self, name: str) -> bytes:
        """The test event's content, for any type."""
        self.check_type(name)
        return self._sample


Catalog = ClosedCatalog | OpenCatalog


def _unknown_type(name: str) -> UnknownEventType:
    detail = f"The catalog has no event type {name[:100]!r}."
    return UnknownEventType(detail, errors=(Fault("/type", UnknownEventType.code, detail),))


def _verbs(place: str, group: Group) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    for one in group.verbs:
        found += [(one, None)] if isinstance(one, str) else list(one.items())
    names = [verb for verb, _ in found]
    for verb in names:
        if names.count(verb) > 1:
            raise Refused(f"{place}.verbs", f"the verb {verb!r} stands there twice")
    return found


def _read_group(place: str, group: str, files: Mapping[str, bytes]) -> dict[str, msgspec.Raw]:
    name = f"{group}.json"
    raw = files.get(name)
    if raw is None:
        raise Refused(place, f"the file {name} with its schemas and samples is missing")
    try:
        jsontext.check(raw)
    except HookspanError as error:
        raise Refused(name, error.detail) from None
    return _decode_as(name, raw, _GroupFile).definitions


_T = TypeVar("_T")


def _decode_as(where: str, raw: bytes | msgspec.Raw, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise Refused(where, str(error)) from None
