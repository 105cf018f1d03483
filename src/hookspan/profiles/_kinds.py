"""Kinds of values in a context: ``string``, ``object?`` and so on, read off a value's text.

Values are never decoded, so that they go out as they came, whatever they hold: a number beyond every float too.
"""

import re
from collections.abc import Callable
from typing import Final

import msgspec

from hookspan.profiles._document import Refused

ANY: Final = "any"  # what a list names may be any value, where it names no kind
_PAIR: Final = 2
_WHOLE = re.compile(rb"-?[0-9]+")

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_items = msgspec.json.Decoder(list[msgspec.Raw]).decode


def _are_pairs(value: bytes) -> bool:
    return value[:1] == b"{" and all(_is_pair(bytes(one)) for one in _members(value).values())


def _is_pair(value: bytes) -> bool:
    return value[:1] == b"[" and len(_items(value)) == _PAIR


# Of a JSON text without white space around it: whether it is one, by its first byte where that suffices.
_KINDS: Final[dict[str, Callable[[bytes], bool]]] = {
    "string": lambda value: value[:1] == b'"',
    "text": lambda value: value[:1] == b'"' and value != b'""',
    "integer": lambda value: _WHOLE.fullmatch(value) is not None,
    "number": lambda value: value[:1] in b"-0123456789",
    "boolean": lambda value: value in {b"true", b"false"},
    "object": lambda value: value[:1] == b"{",
    "array": lambda value: value[:1] == b"[",
    "pairs": _are_pairs,
}
_SAID: Final = {"text": "string, and not empty", "pairs": "object, each of whose members is an array [old, new]"}


def check_kind(place: str, kind: str) -> None:
    """Raise Refused for a kind that is none. ``string?`` may also be null."""
    if kind.removesuffix("?") not in _KINDS:
        known = ", ".join(_KINDS)
        raise Refused(place, f"{kind!r} is no type; types are {known}, each with a ? if it may be null")


def is_of_kind(value: bytes, kind: str) -> bool:
    """Whether the checked JSON text `value`, without white space around it, is of a kind that `check_kind` let pass."""
    return kind == ANY or (value == b"null" and kind.endswith("?")) or _KINDS[kind.removesuffix("?")](value)


def said(kind: str) -> str:
    """A kind in words, for refusals."""
    plain = kind.removesuffix("?")
    return _SAID.get(plain, plain)
