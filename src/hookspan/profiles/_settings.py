"""What an application's `settings` may change of its profile: the keys that the profile itself lists as settable.

``[[signature]]`` and ``[[header]]`` are lists in the file; settings speak of the one table that such a list has:
``{"signature": {"header": "X-Acme-Signature"}}``.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from hookspan.errors import Fault, UnknownField
from hookspan.jsontext import escape_pointer
from hookspan.profiles._document import Document, Header, Refused, Signature

DEPTH_MAX: Final = 4
_SERIES: Final = frozenset({"first", "factor", "cap", "until"})
_LISTS: Final[dict[str, type[msgspec.Struct]]] = {"signature": Signature, "header": Header}
# Ids, types and rows are what stored events were made from; the others say what kind of profile this is.
_FIXED: Final = frozenset({"format", "title", "management_api", "settable", "ids", "body", "catalog"})
_WHOLE: Final = "*"
_DOCUMENT: Final = msgspec.inspect.type_info(Document)


def check_settable(document: Document) -> None:
    """Raise Refused for an entry of `settable` that names nothing that settings could change."""
    for index, dotted in enumerate(document.settable):
        place = f"settable.{index}"
        path = dotted.split(".")
        if path[0] in _FIXED:
            raise Refused(place, f"{path[0]!r} is the same for all applications")
        if path == [_WHOLE] or not _exists(path, _DOCUMENT):
            raise Refused(place, f"{dotted!r} is no key, nor a section and .*")
        if path[0] in _LISTS and len(getattr(document, path[0])) != 1:
            count = len(getattr(document, path[0]))
            raise Refused(place, f"{dotted!r} speaks of the one [[{path[0]}]], and there are {count}")


def _exists(path: Sequence[str], kind: msgspec.inspect.Type) -> bool:
    """Whether the language has this key; `*` stands for all keys of a table."""
    match kind:
        case msgspec.inspect.UnionType(types):
            return any(_exists(path, one) for one in types)
        case msgspec.inspect.VarTupleType(item_type=msgspec.inspect.StructType() as item):
            return bool(path) and _exists(path, item)
        case msgspec.inspect.StructType(fields=fields):
            if path == [_WHOLE]:
                return True
            return bool(path) and any(path[0] == one.encode_name and _exists(path[1:], one.type) for one in fields)
        case msgspec.inspect.DictType(value_type=value):
            return bool(path) and (path == [_WHOLE] or _exists(path[1:], value))
        case _:
            return not path


def overlay(raw: Mapping[str, Any], settings: Mapping[str, Any], settable: Sequence[str]) -> dict[str, Any]:
    """`raw`, a parsed profile.toml, with `settings` (a tree of the same keys) in place of its own.

    Raises UnknownField with the pointer (``/settings/…``) of a key that is not settable. Values are not looked at.
    """
    merged = dict(raw)
    for path, value in _leaves(settings, ()):
        if value == {} and any(one.startswith(f"{'.'.join(path)}.") for one in settable):
            continue  # a table with nothing in it
        if not _is_settable(path, settable):
            detail = f"{'.'.join(path)!r} can't be set; this profile lets you set {', '.join(settable) or 'nothing'}."
            raise UnknownField(detail, errors=(Fault(pointer_to(path), UnknownField.code, detail),))
        table = merged
        for step in path[:-1]:
            table = _copied(table, step)
        table[path[-1]] = value
    _choose_retry(merged, settings.get("retry"))
    return merged


def _copied(table: dict[str, Any], step: str) -> dict[str, Any]:
    """The table inside `table`, or the only one of a list, made a copy that may be changed."""
    inner = table.get(step)
    if isinstance(inner, list) and len(inner) == 1 and isinstance(inner[0], Mapping):
        copy = dict(inner[0])
        table[step] = [copy]
        return copy
    table[step] = copy = dict(inner) if isinstance(inner, Mapping) else {}
    return copy


def pointer_to(path: Sequence[str]) -> str:
    """A path in the tree of settings as a pointer."""
    return "/settings" + "".join(f"/{escape_pointer(step)}" for step in path)


def pointer_to_key(dotted: str) -> str:
    """A key of the file as a pointer into settings, where the one table of a list has no number."""
    path = dotted.split(".")
    return pointer_to([path[0], *path[2:]] if path[0] in _LISTS else path)


def _leaves(tree: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in tree.items():
        here = (*path, str(key))
        if isinstance(value, Mapping) and value and len(here) < DEPTH_MAX:
            yield from _leaves(value, here)
        else:
            yield here, value


def _is_settable(path: tuple[str, ...], settable: Sequence[str]) -> bool:
    dotted = ".".join(path)
    return any(
        dotted.startswith(one[:-1]) and len(path) > one.count(".") if one.endswith(".*") else dotted == one
        for one in settable
    )


def _choose_retry(merged: dict[str, Any], asked: Any) -> None:
    """A list of delays and a series exclude each other: the kind that settings speak of wins."""
    if not isinstance(asked, Mapping):
        return
    if "delays" in asked:
        dropped = _SERIES - asked.keys()
    elif _SERIES & asked.keys():
        dropped = frozenset({"delays"})
    else:
        return
    merged["retry"] = {key: value for key, value in merged["retry"].items() if key not in dropped}
