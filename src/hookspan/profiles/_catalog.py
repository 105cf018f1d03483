"""The catalog: which event types exist, with schema, sample and words. One JSON Schema file for each group.

A group's file is ``GROUP.json``: under ``$defs`` it has one schema for each verb, whose ``title`` and ``description``
are the type's words, whose first ``examples`` member is its sample, kept as written, and whose ``x-context`` is the
sample's context. Other members of ``$defs`` may be shared by ``$ref``. Nothing is ever fetched.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from hookspan import jsontext
from hookspan.errors import Fault, UnknownEventType
from hookspan.profiles._document import Catalog as CatalogTable
from hookspan.profiles._document import Group, Refused, Test
from hookspan.profiles._groups import Attributes, EventType, ReadGroup, read_group
from hookspan.profiles._near import did_you_mean
from hookspan.profiles._patterns import BadPattern, whole_matcher
from hookspan.profiles._schemas import GroupSchemas, Sample, VerbSchema

TYPE_CHARACTERS_MAX: Final = 255
SEEN_TYPES_MAX: Final = 4096
_NAME = re.compile(r"[a-zA-Z0-9_]+(?:\.[a-zA-Z0-9_]+)*", re.ASCII)


class CatalogEntry(msgspec.Struct, frozen=True):
    """An event type for people: `schema` is JSON Schema 2020-12 of its content, `sample` a content that fits it, and
    `context` what goes beside it where the body asks for one.
    """

    type: str
    category: str | None
    title: str
    description: str
    since: str | None
    schema: dict[str, Any] | None
    sample: bytes
    context: bytes | None


class CatalogGroup(msgspec.Struct, frozen=True):
    """A group of event types for people: the verbs that are listed, in the profile's order."""

    name: str
    title: str
    verbs: tuple[str, ...]


class ClosedCatalog:
    """Group by verb: every type is listed, with its schema; those of `every` exist beside them. `profile` is the
    profile's name, for refusals.
    """

    def __init__(self, profile: str, table: CatalogTable, files: Mapping[str, bytes], asked: Attributes) -> None:
        """Raises Refused."""
        self._profile: Final = profile
        self.types: Final[dict[str, EventType]] = {}
        self._entries: Final[list[CatalogEntry]] = []
        self.groups: Final[list[CatalogGroup]] = []
        self._schemas: Final[dict[str, VerbSchema]] = {}
        self._places: Final[dict[str, str]] = {}
        if table.type != "{group}.{verb}":
            raise Refused("catalog.type", 'write "{group}.{verb}", or a pattern and open = true')
        if not table.group:
            raise Refused("catalog.group", "a catalog that is not open needs groups")
        _refuse_twice("catalog.every", table.every)
        for name, raw in table.group.items():
            place = f"catalog.group.{name}"
            group = read_group(place, raw, asked)
            schemas = GroupSchemas(place, name, files)
            self._add_group(place, name, group, schemas, table.every)

    def _add_group(
        self, place: str, name: str, group: ReadGroup, schemas: GroupSchemas, every: tuple[str, ...]
    ) -> None:
        listed = _verbs(place, group.table)
        self.groups.append(CatalogGroup(name, group.table.title, tuple(verb for verb, _ in listed)))
        for verb, since in listed:
            event_type = self._add(place, EventType(f"{name}.{verb}", name, verb, group.texts, group.lists))
            schema = self._schemas[event_type.name] = schemas.read(verb)
            self._places[event_type.name] = schemas.where(verb)
            self._entries.append(_entry(event_type, schema, since or group.table.since))
        first = listed[0][0]
        for verb in every:
            if any(verb == one for one, _ in listed):
                continue
            event_type = self._add(place, EventType(f"{name}.{verb}", name, verb, group.texts, group.lists))
            like = verb if verb in schemas else first
            self._schemas[event_type.name] = self._schemas[f"{name}.{first}"] if like == first else schemas.read(verb)
            self._places[event_type.name] = schemas.where(like)

    def _add(self, place: str, event_type: EventType) -> EventType:
        name = event_type.name
        if not _NAME.fullmatch(name) or len(name) > TYPE_CHARACTERS_MAX:
            raise Refused(place, f"{name!r} can't be the name of an event type")
        other = self.types.get(name)
        if other is not None:
            here, there = f"verb {event_type.verb!r} here", f"verb {other.verb!r} of {other.group!r}"
            raise Refused(place, f"two types are called {name!r}: {here}, {there}")
        self.types[name] = event_type
        return event_type

    def has(self, name: str) -> bool:
        return name in self.types

    def check_type(self, name: str) -> None:
        if name not in self.types:
            raise _unknown_type(name, f"{did_you_mean(name, self.types)} {where_types_are(self._profile)}")

    def check_content(self, name: str, content: bytes) -> None:
        self._schemas[name].check(content)

    def category_of(self, name: str) -> str | None:
        event_type = self.types.get(name)
        return None if event_type is None else event_type.group

    def entries(self) -> list[CatalogEntry]:
        return self._entries.copy()

    def sample(self, name: str) -> Sample:
        self.check_type(name)
        return self._schemas[name].sample

    def place_of(self, name: str) -> str:
        """Where a type's schema is written, for a refusal."""
        return self._places[name]


class OpenCatalog:
    """A pattern: every type that fits it exists, with any object as its content, and belongs to no category."""

    def __init__(self, table: CatalogTable, test: Test | None) -> None:
        """Raises Refused."""
        if table.group or table.every:
            raise Refused("catalog.group" if table.group else "catalog.every", "an open catalog has no groups")
        try:
            self._fits = whole_matcher(table.type)
        except BadPattern as bad:
            raise Refused("catalog.type", f"{table.type[:100]!r} is {bad}") from None
        self._pattern: Final = table.type
        self.types: Final = None
        self._seen: set[str] = set()
        self._test = test if test is not None and test.content is not None else None
        self._sample = Sample(jsontext.compact((test.content or "{}").encode()) if test is not None else b"{}")

    def has(self, name: str) -> bool:
        if name in self._seen:
            return True
        # Printable, because a header may carry it, whatever the pattern allows.
        if len(name) > TYPE_CHARACTERS_MAX or not name.isprintable() or not self._fits(name):
            return False
        if len(self._seen) < SEEN_TYPES_MAX:
            self._seen.add(name)
        return True

    def check_type(self, name: str) -> None:
        if not self.has(name):
            raise _unknown_type(name, f" {self.form}")

    @property
    def form(self) -> str:
        """What a type must look like, as a sentence."""
        return f"Types of this catalog have the form {self._pattern} and at most {TYPE_CHARACTERS_MAX} characters."

    def check_content(self, name: str, content: bytes) -> None:
        """Any object will do."""

    def category_of(self, name: str) -> str | None:  # noqa: ARG002 - the closed one needs it
        return None

    def entries(self) -> list[CatalogEntry]:
        """Only what this profile itself sends."""
        if self._test is None or self._test.type is None:
            return []
        description = "Sent to see whether a receiver answers and verifies. Every other type is the platform's own."
        return [CatalogEntry(self._test.type, None, "A test", description, None, None, self._sample.content, None)]

    def sample(self, name: str) -> Sample:
        """The test event's content, for any type."""
        self.check_type(name)
        return self._sample


Catalog = ClosedCatalog | OpenCatalog


def _entry(event_type: EventType, schema: VerbSchema, since: str | None) -> CatalogEntry:
    return CatalogEntry(
        type=event_type.name,
        category=event_type.group,
        title=schema.title,
        description=schema.description,
        since=since,
        schema=schema.schema,
        sample=schema.sample.content,
        context=schema.sample.context,
    )


def where_types_are(profile: str) -> str:
    """Where the types of a profile are listed, as a sentence."""
    return f"GET /v1/profiles/{profile}/events lists those there are."


def _unknown_type(name: str, more: str) -> UnknownEventType:
    detail = f"The catalog has no event type {name[:100]!r}.{more}"
    return UnknownEventType(detail, errors=(Fault("/type", UnknownEventType.code, detail),))


def _verbs(place: str, group: Group) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    for one in group.verbs:
        found += [(one, None)] if isinstance(one, str) else list(one.items())
    if not found:
        raise Refused(f"{place}.verbs", "a group needs a verb")
    _refuse_twice(f"{place}.verbs", [verb for verb, _ in found])
    return found


def _refuse_twice(place: str, verbs: tuple[str, ...] | list[str]) -> None:
    for verb in verbs:
        if verbs.count(verb) > 1:
            raise Refused(place, f"the verb {verb!r} stands there twice")
