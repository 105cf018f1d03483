"""What msgspec says of JSON that does not fit a shape, as a refusal that names the place and what would fit there."""

import re
from typing import Any

import msgspec
from msgspec import inspect

from hookspan.errors import Fault, HookspanError, InvalidRequest, UnknownField
from hookspan.jsontext import escape_pointer

_UNKNOWN_MEMBER = re.compile(r"unknown field `(?P<name>.*)`", re.DOTALL)
_MISSING_MEMBER = re.compile(r"missing required field `(?P<name>.*)`", re.DOTALL)
_WRONG_WORD = re.compile(r"Invalid enum value .*", re.DOTALL)
_PLACE = re.compile(r"(?P<what>.*?)(?: - at (?:`key` in )?`\$(?P<path>.*)`)?", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>[^.\[\]]+)|\[(?P<index>[0-9]+)\]|(?P<free>\[\.\.\.\])")
_NAME_CHARACTERS_SHOWN = 80


def explain_validation(error: msgspec.ValidationError, shape: Any = None) -> HookspanError:
    """UnknownField or InvalidRequest, with an RFC 6901 pointer. `shape` is the type that was asked for: with it, what
    is possible in the place is listed.
    """
    match = _PLACE.fullmatch(str(error))
    what, path = (match["what"], match["path"] or "") if match else (str(error), "")
    steps = [step["name"] or step["index"] or step["free"] for step in _STEP.finditer(path)]
    pointer = "".join(f"/{escape_pointer(step)}" for step in steps if step != "[...]")
    there = _types_at(shape, steps)
    unknown = _UNKNOWN_MEMBER.search(what)
    if unknown:
        pointer += "/" + escape_pointer(unknown["name"])
        known = [field.encode_name for one in there if isinstance(one, inspect.StructType) for field in one.fields]
        more = f"; there are: {', '.join(known)}" if known else ""
        detail = f"There is no member {unknown['name'][:_NAME_CHARACTERS_SHOWN]!r} here{more}."
        return UnknownField(detail, errors=(Fault(pointer, UnknownField.code, detail),))
    missing = _MISSING_MEMBER.search(what)
    if missing:
        pointer += "/" + escape_pointer(missing["name"])
        what = "It is missing"
    elif _WRONG_WORD.fullmatch(what):
        words = [str(word) for one in there for word in _words(one)]
        what += f"; there are: {', '.join(words)}" if words else ""
    return InvalidRequest(
        f"{pointer or 'The body'}: {what}.", errors=(Fault(pointer, InvalidRequest.code, f"{what}."),)
    )


def _types_at(shape: Any, steps: list[str]) -> list[inspect.Type]:
    """What may stand at the end of `steps` into a `shape`."""
    found = [] if shape is None else _flat(inspect.type_info(shape))
    for step in steps:
        found = [inner for one in found for inner in _flat(_step_into(one, step))]
    return found


def _step_into(one: inspect.Type, step: str) -> inspect.Type:
    if isinstance(one, inspect.StructType):
        return next((field.type for field in one.fields if field.encode_name == step), inspect.AnyType())
    if isinstance(one, inspect.DictType):
        return one.value_type
    return one.item_type if isinstance(one, inspect.CollectionType) else inspect.AnyType()


def _flat(one: inspect.Type) -> list[inspect.Type]:
    if isinstance(one, inspect.Metadata):
        return _flat(one.type)
    return [inner for kind in one.types for inner in _flat(kind)] if isinstance(one, inspect.UnionType) else [one]


def _words(one: inspect.Type) -> list[Any]:
    if isinstance(one, inspect.LiteralType):
        return list(one.values)
    return [member.value for member in one.cls] if isinstance(one, inspect.EnumType) else []
