"""What an application's `settings` may change of its profile: the keys that the profile itself lists as settable."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from hookspan.errors import Fault, UnknownField
from hookspan.jsontext import escape_pointer

DEPTH_MAX: Final = 4
_SERIES: Final = frozenset({"first", "factor", "cap", "until"})


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
            inner = table.get(step)
            table[step] = dict(inner) if isinstance(inner, Mapping) else {}
            table = table[step]
        table[path[-1]] = value
    _choose_retry(merged, settings.get("retry"))
    return merged


def pointer_to(path: Sequence[str]) -> str:
    return "/settings" + "".join(f"/{escape_pointer(step)}" for step in path)


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
