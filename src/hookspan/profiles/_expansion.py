"""How large a schema is once every ``$ref`` in it is written out: what checking one content may come to.

A definition that refers twice to one that refers twice to the next doubles with each, and forty lines would keep a
processor busy for ever. A definition that refers to itself, as a tree does, counts once on its way: it goes on only as
deep as the content does.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hookspan.profiles._document import Refused

EXPANDED_MAX: Final = 20_000  # parts; the largest that ships has a few hundred
REFS_DEEP_MAX: Final = 50  # of references that lead to references
_DATA: Final = frozenset({"const", "default", "enum", "examples", "x-context"})  # values, whatever they look like
_NAMES: Final = frozenset({"$defs", "dependentSchemas", "patternProperties", "properties"})  # tables of schemas
_ELSEWHERE: Final = ("$anchor", "$dynamicAnchor", "$dynamicRef", "$id")


def check_expansion(where: str, definitions: Mapping[str, Any], name: str) -> None:
    """Raise Refused in the name of `where` when the definition `name` is too large, or refers to what is not there."""
    waiting: list[tuple[Any, tuple[str, ...]]] = [(definitions[name], (f"#/$defs/{name}",))]
    count = 0
    while waiting:
        value, way = waiting.pop()
        count += 1
        if count > EXPANDED_MAX:
            raise Refused(where, f"with every $ref written out it has more than {EXPANDED_MAX:,} parts")
        waiting += [(part, way) for part in _parts(where, value)]
        target = value.get("$ref") if isinstance(value, dict) else None
        if target is None or target in way:
            continue
        if len(way) > REFS_DEEP_MAX:
            raise Refused(where, f"its $refs lead from one to the next more than {REFS_DEEP_MAX} times")
        waiting.append((_found(where, definitions, target), (*way, target)))


def _parts(where: str, value: Any) -> Iterator[Any]:
    """Schemas inside a schema, or inside a list or table of them."""
    if isinstance(value, list):
        yield from value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in _ELSEWHERE:
                raise Refused(where, f"{key} is not for profiles: share definitions by $ref, as #/$defs/NAME")
            if key in _NAMES and isinstance(inner, dict):
                yield from inner.values()
            elif key not in _DATA:
                yield inner


def _found(where: str, definitions: Mapping[str, Any], target: Any) -> Any:
    """What a reference leads to: a definition of the same file, or a place in one."""
    root, _, path = target.partition("/") if isinstance(target, str) else ("", "", "")
    found: Any = {"$defs": definitions}
    for step in path.split("/") if root == "#" else [""]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and key.isdecimal() and int(key) < len(found):
            found = found[int(key)]
        elif isinstance(found, dict) and key in found:
            found = found[key]
        else:
            raise Refused(where, f"$ref {target!r} leads to nothing: write #/$defs/NAME, of this file")
    return found
