"""JSON as text: is it one, is it unambiguous, and how does it look without white space. Values are never touched.

What publishers send is kept and forwarded as they wrote it (number, escape and order text), so it is checked here,
never decoded and encoded again. Strict means RFC 8259 in UTF-8 without a byte order mark, and besides: no object
names a key twice, no escape is half of a surrogate pair (no UTF-8 can say what it means), depth at most 128.

The usual body costs about a microsecond and a half: msgspec proves the grammar by decoding it, and colons prove the
keys. A decoded object has lost the earlier of two members with one key, so the value, encoded again, has fewer colons
than the text. Colons inside strings are the same in both, but for those written as an escape; only where one may be,
or where the sums differ, is the text parsed once more, exactly.
"""

import json
import re
from typing import Any, Final, NoReturn

import msgspec

from hookspan.errors import DuplicateKey, Fault, InvalidJson

DEPTH_MAX: Final = 128
_KEY_CHARACTERS_SHOWN = 100
_CONTAINERS: Final = (dict, list)

_decode = msgspec.json.Decoder().decode
# Skipping is as strict about the grammar as decoding, but has no limit on the size of numbers, and doesn't look
# at the UTF-8 inside strings.
_skip = msgspec.json.Decoder(msgspec.Raw).decode
_encode = msgspec.json.Encoder().encode
_format = msgspec.json.format

_HIGH_SURROGATES: Final = range(0xD800, 0xDC00)
_LOW_SURROGATES: Final = range(0xDC00, 0xE000)
_split = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

_WHITE_SPACE: Final = (b" ", b"\n", b"\t", b"\r")
_ESCAPED_COLON: Final = b"\\u003"
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_KEY = re.compile(rb'"(?:[^"\\]|\\.)*":', re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")
_BYTE = re.compile(r"(?:JSON is malformed: )?(.*) \(byte (\d+)\)")


def check(raw: bytes) -> None:
    """Raise InvalidJson (the detail has the place) or DuplicateKey (`errors` has the pointer); else return."""
    try:
        value = _decode(raw)
        again = _encode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError):
        _check_exactly(raw)
        return
    colons = raw.count(b":")
    # Every object but the innermost holds its inner one behind a colon, so this is at least the depth.
    if colons + 1 + raw.count(b"[") > DEPTH_MAX and _is_too_deep(value):
        _refuse_depth(raw)
    if colons != again.count(b":") or (raw.find(b"\\") >= 0 and _ESCAPED_COLON in raw):
        _refuse_duplicate(raw)


def compact(raw: bytes) -> bytes:
    """`raw` without white space outside strings; the same object if it has none. Expects a checked text."""
    for space in _WHITE_SPACE:
        if space in raw:
            break
    else:
        return raw
    try:
        formatted = _format(raw, indent=-1)
    except (msgspec.DecodeError, RecursionError):
        _check_exactly(raw)
        raise
    return raw if len(formatted) == len(raw) else formatted


def members(raw: bytes) -> dict[str, bytes]:
    """The members of an object, each as compact text; nothing for a text that is no object. Expects a checked text."""
    if raw.lstrip()[:1] != b"{":
        return {}
    return {key: compact(bytes(value)) for key, value in _split(raw).items()}


def without_null_members(raw: bytes) -> bytes:
    """A compact object without its own members that are null (not those of objects in it), the rest as it was;
    the same object if there are none. Expects a checked, compact text.
    """
    if b"null" not in raw or raw[:1] != b"{":
        return raw
    kept = []
    at = 1
    values = _split(raw).values()
    for value in values:
        text = bytes(value)
        key = _KEY.match(raw, at)
        assert key is not None, "a checked, compact object has a key here"
        end = key.end() + len(text)
        if text != b"null":
            kept.append(raw[at:end])
        at = end + 1
    return raw if len(kept) == len(values) else b"{%b}" % b",".join(kept)


# --- the exact way, for what the fast one could not prove -----------------------------------------------------------


def _check_exactly(raw: bytes) -> None:
    _refuse_depth(raw)
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise InvalidJson(f"Not UTF-8 at byte {error.start}: {error.reason}.") from None
    try:
        _skip(raw)
    except msgspec.DecodeError as error:
        _explain(raw, text, str(error))
    _refuse_duplicate(raw)


def _is_too_deep(value: object) -> bool:
    """Level by level, without recursion: a batch is wide, hardly ever deep."""
    level = [value]
    for _ in range(DEPTH_MAX):
        level = [
            inner
            for outer in level
            if isinstance(outer, _CONTAINERS)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, _CONTAINERS)
        ]
        if not level:
            return False
    return True


def _refuse_depth(raw: bytes) -> None:
    """Works without recursion, and on texts that are no JSON too: their brackets are counted all the same."""
    if raw.count(b"[") + raw.count(b"{") <= DEPTH_MAX:
        return
    depth = 0
    end = 0
    for string in _STRING.finditer(raw):
        depth = _follow_brackets(raw, end, string.start(), depth)
        end = string.end()
    _follow_brackets(raw, end, len(raw), depth)


def _follow_brackets(raw: bytes, start: int, end: int, depth: int) -> int:
    for bracket in _BRACKETS.finditer(raw, start, end):
        if bracket.group() in b"[{":
            depth += 1
            if depth > DEPTH_MAX:
                raise InvalidJson(f"Nested more than {DEPTH_MAX} deep at byte {bracket.start()}.")
        else:
            depth -= 1
    return depth


def _explain(raw: bytes, text: str, found: str) -> NoReturn:
    """Say where a text that is no JSON goes wrong.

    The standard library tells the place best; it is silent about half a surrogate pair and about NaN, and only for
    the latter `found`, msgspec's message, is needed.
    """
    try:
        json.loads(text, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        at, what = len(text[: error.pos].encode()), error.msg
    else:
        matched = _BYTE.fullmatch(found)
        at, what = (int(matched[2]), matched[1]) if matched else (0, found)
        lone_at = _lone_surrogate_at(raw)
        if lone_at is not None:
            at, what = lone_at, "an escape that is half of a surrogate pair"
    raise InvalidJson(f"Not JSON at byte {at}: {what}.") from None


def _lone_surrogate_at(raw: bytes) -> int | None:
    high_at = None
    high_end = -1
    for escape in _ESCAPE.finditer(raw):
        if high_at is not None and escape.start() != high_end:
            return high_at
        unit = int(escape[1], 16) if escape[1] else 0
        if unit in _LOW_SURROGATES:
            if high_at is None:
                return escape.start()
            high_at = None
        elif high_at is not None:
            return high_at
        elif unit in _HIGH_SURROGATES:
            high_at, high_end = escape.start(), escape.end()
    return high_at


class _Duplicate:
    """Stands in the parsed tree for an object that names `key` twice."""

    def __init__(self, key: str) -> None:
        self.key = key


def _refuse_duplicate(raw: bytes) -> None:
    """Parse a text that is known to be JSON once more, exactly, and raise DuplicateKey for the first of them."""
    found: list[_Duplicate] = []

    def look(pairs: list[tuple[str, Any]]) -> Any:
        members = dict(pairs)
        if len(members) == len(pairs):
            return members
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        found.append(_Duplicate(twice))
        return found[-1]

    tree: Any = json.loads(raw, object_pairs_hook=look, parse_int=str, parse_float=str)
    if found:
        pointer = _pointer_to_duplicate(tree)
        raise DuplicateKey(
            f"The key at {pointer[:_KEY_CHARACTERS_SHOWN]} appears twice in its object.",
            errors=(Fault(pointer, DuplicateKey.code, "This key appears twice."),),
        )


def _pointer_to_duplicate(tree: Any) -> str:
    """The RFC 6901 pointer of the outermost, first duplicate: an object hides those inside it."""
    trail: list[tuple[Any, str]] = [(tree, "")]
    while trail:
        value, pointer = trail.pop()
        if isinstance(value, _Duplicate):
            return f"{pointer}/{escape_pointer(value.key)}"
        members = value.items() if isinstance(value, dict) else enumerate(value)
        inner = [(child, step) for step, child in members if isinstance(child, dict | list | _Duplicate)]
        trail.extend((child, f"{pointer}/{escape_pointer(str(step))}") for child, step in reversed(inner))
    return ""


def escape_pointer(token: str) -> str:
    """One reference token of an RFC 6901 JSON pointer."""
    return token.replace("~", "~0").replace("/", "~1")
