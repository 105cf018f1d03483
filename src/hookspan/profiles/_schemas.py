"""JSON Schemas of contents: read from a group's file, compiled, and their refusals turned into faults with pointers."""

import json
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import jsonschema_rs
import msgspec

from hookspan import jsontext
from hookspan.errors import Fault, HookspanError, SchemaMismatch
from hookspan.profiles._document import Refused
from hookspan.profiles._expansion import check_expansion
from hookspan.profiles._patterns import LINEAR, LINEAR_ONLY

FAULTS_MAX: Final = 20
DETAIL_CHARACTERS_MAX: Final = 300

_decode = msgspec.json.Decoder().decode


class Sample(msgspec.Struct, frozen=True):
    """An event that the catalog takes: its content, and its context where the body asks for one. Compact JSON."""

    content: bytes
    context: bytes | None = None


class VerbSchema(msgspec.Struct, frozen=True):
    """One verb of a group's file: its words, its sample and its compiled schema."""

    title: str
    description: str
    sample: Sample
    schema: dict[str, Any]
    check: "SchemaCheck"


class _Words(msgspec.Struct, frozen=True):
    """What is read of a verb's schema; the schema compiler sees the whole."""

    title: str
    description: str
    examples: tuple[msgspec.Raw, ...] = ()
    context: msgspec.Raw | msgspec.UnsetType = msgspec.field(name="x-context", default=msgspec.UNSET)


class _GroupFile(msgspec.Struct, frozen=True):
    definitions: dict[str, msgspec.Raw] = msgspec.field(name="$defs")


class GroupSchemas:
    """One ``GROUP.json``: `$defs`, by verb."""

    def __init__(self, place: str, group: str, files: Mapping[str, bytes]) -> None:
        """Raises Refused."""
        self._file: Final = f"{group}.json"
        raw = files.get(self._file)
        if raw is None:
            raise Refused(place, f"the file {self._file} with its schemas and samples is missing")
        try:
            jsontext.check(raw)
        except HookspanError as error:
            raise Refused(self._file, _line_of(raw) or error.detail) from None
        self._definitions = _decode_as(self._file, raw, _GroupFile).definitions
        try:
            self._decoded: Final = {key: _decode(value) for key, value in self._definitions.items()}
        except msgspec.DecodeError:  # a checked text
            raise Refused(self._file, "it holds a number beyond every float") from None

    def __contains__(self, verb: str) -> bool:
        return verb in self._definitions

    def where(self, verb: str) -> str:
        return f"{self._file}: $defs.{verb}"

    def read(self, verb: str) -> VerbSchema:
        """Raises Refused. Whether the sample fits is for the profile to say, which knows the body too."""
        where = self.where(verb)
        if verb not in self._definitions:
            raise Refused(where, "this schema is missing")
        words = _decode_as(where, self._definitions[verb], _Words)
        for name, text in (("title", words.title), ("description", words.description)):
            if not text.strip():
                raise Refused(f"{where}.{name}", "must not be empty: people read it")
        if not words.examples:
            raise Refused(f"{where}.examples", "a sample is missing; write one content that fits the schema")
        check_expansion(where, self._decoded, verb)
        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$ref": f"#/$defs/{verb}",
            "$defs": self._decoded,
        }
        try:
            check = SchemaCheck(schema)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            path = getattr(error, "instance_path", [])  # of what is wrong, which may be another verb's
            place = f"{self._file}: {'.'.join(map(str, path))}" if len(path) > 1 else where
            why = str(error).splitlines()[0]
            if path and path[-1] == "pattern":
                why += f"; a pattern must be {LINEAR_ONLY}"
            raise Refused(place, f"is no JSON Schema: {why}") from None
        context = None if words.context is msgspec.UNSET else jsontext.compact(bytes(words.context))
        sample = Sample(jsontext.compact(bytes(words.examples[0])), context)
        return VerbSchema(words.title, words.description, sample, schema, check)


def _line_of(raw: bytes) -> str | None:
    """Where a text that is no JSON goes wrong, for an editor; None where only its encoding or its keys do."""
    try:
        json.loads(raw)
    except json.JSONDecodeError as error:
        return f"is no JSON: {error.msg} at line {error.lineno}, column {error.colno}"
    except (UnicodeDecodeError, RecursionError):
        pass
    return None


class SchemaCheck:
    """One type's compiled schema."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._validator = jsonschema_rs.validator_for(schema, offline=True, pattern_options=LINEAR)
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


_T = TypeVar("_T")


def _decode_as(where: str, raw: bytes | msgspec.Raw, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise Refused(where, str(error)) from None
