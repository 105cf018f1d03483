"""Groups of event types and their attributes: what ``{type.…}`` and ``{context[…]}`` may ask of a type.

A group's table holds `title`, `since` and `verbs`, and beside them attributes of the profile's own: a text, which
``{type.NAME}`` writes, or a list of texts, whose members of the context ``{context[NAME]}`` spreads into the body.
An attribute that nothing refers to would do nothing, so it is taken for a typo and refused.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from hookspan.profiles._document import Document, Group, Refused, UnknownKey, convert
from hookspan.profiles._kinds import ANY, check_kind
from hookspan.profiles._references import references

LIST_LENGTH_MAX: Final = 50
_LEAST: Final = "_min"
_KNOWN: Final = frozenset(Group.__struct_fields__)
_OF_EVERY_TYPE: Final = frozenset({"group", "verb"})


class Members(msgspec.Struct, frozen=True):
    """A list attribute: which members of the context, how many of them must be there, and of what kind each is."""

    names: tuple[str, ...]
    least: int
    kinds: Mapping[str, str]


class EventType(msgspec.Struct, frozen=True):
    """A type of a closed catalog, with what `{type.…}` may ask of it."""

    name: str
    group: str
    verb: str
    texts: Mapping[str, str] = {}
    lists: Mapping[str, Members] = {}

    def text(self, member: str) -> str | None:
        """The text of ``{type}``, ``{type.group}``, ``{type.verb}`` or ``{type.ATTR}``; None where there is none."""
        match member:
            case "":
                return self.name
            case "group":
                return self.group
            case "verb":
                return self.verb
        return self.texts.get(member)


class Attributes(msgspec.Struct, frozen=True):
    """Those that a profile's rows and headers ask of every group."""

    texts: frozenset[str]
    lists: frozenset[str]


class ReadGroup(msgspec.Struct, frozen=True):
    """A group as the catalog needs it: its words, and the attributes of all its types."""

    table: Group
    texts: Mapping[str, str]
    lists: Mapping[str, Members]


def attributes_of(document: Document) -> Attributes:
    """What rows and headers refer to. Raises Refused for a text that can't be read."""
    texts = [(f"body.rows.{index}", text) for index, row in enumerate(document.body.rows) for text in row]
    texts += [(f"header.{index}.value", one.value) for index, one in enumerate(document.header)]
    found = [one for place, text in texts for one in references(place, text)]
    lists = {name for one in found if (name := one.index_of("context")) is not None}
    return Attributes(
        texts=frozenset(one.member for one in found if one.root == "type" and one.member) - _OF_EVERY_TYPE,
        lists=frozenset(lists),
    )


def read_group(place: str, raw: dict[str, Any], asked: Attributes) -> ReadGroup:
    """The table of one group. Raises Refused."""
    table = convert(place, {key: value for key, value in raw.items() if key in _KNOWN}, Group)
    texts: dict[str, str] = {}
    lists: dict[str, Members] = {}
    for key, value in raw.items():
        here = f"{place}.{key}"
        stem = key.removesuffix(_LEAST)
        if key in asked.lists:
            lists[key] = _members(here, value, raw.get(f"{key}{_LEAST}"))
        elif key in asked.texts:
            texts[key] = _text(here, value)
        elif stem in asked.lists and stem not in raw:
            raise Refused(here, f"the list {stem!r} that it is about is missing")
        elif key not in _KNOWN and stem not in asked.lists:
            raise UnknownKey(here, f"there is no such key, and nothing refers to {{type.{key}}} or {{context[{key}]}}")
    return ReadGroup(table, texts, lists)


def _text(here: str, value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise Refused(here, "must be a text without line breaks, for {type.…} writes it")
    return value


def _members(here: str, value: Any, least: Any) -> Members:
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise Refused(here, "must be a list of names, for {context[…]} spreads the members that it names")
    if len(value) > LIST_LENGTH_MAX:
        raise Refused(here, f"has {len(value)} names, {LIST_LENGTH_MAX} are possible")
    kinds: dict[str, str] = {}
    for one in value:
        name, colon, kind = one.partition(":")
        if not name or name in kinds:
            raise Refused(here, f"{name!r} stands there twice" if name else f"{one!r} names no member")
        if colon:
            check_kind(here, kind)
        kinds[name] = kind or ANY
    if least is None:
        return Members(tuple(kinds), len(kinds), kinds)
    if type(least) is not int or not 0 <= least <= len(value):
        raise Refused(f"{here}{_LEAST}", f"must be a whole number from 0 to {len(value)}, the length of the list")
    return Members(tuple(kinds), least, kinds)
