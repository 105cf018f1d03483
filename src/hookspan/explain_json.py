"""What msgspec says of JSON that does not fit a shape, as a refusal that names the place and what would fit there."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec import inspect

from hookspan.errors import Fault, InvalidRequest, UnknownField
from hookspan.jsontext import escape_pointer

NAMED_BYTES_MAX: Final = 65_536  # of a document in which the name of a wrong member is looked for
_UNKNOWN_MEMBER = re.compile(r"unknown field `(?P<name>.*)`", re.DOTALL)
_MISSING_MEMBER = re.compile(r"missing required field `(?P<name>.*)`", re.DOTALL)
_PLACE = re.compile(r"(?P<what>.*?)(?: - at (?P<key>`key` in )?`\$(?P<path>.*)`)?", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>[^.\[\]]+)|\[(?P<index>[0-9]+)\]|(?P<free>\[\.\.\.\])")
_FREE: Final = "[...]"  # how msgspec writes a member of an object whose names are free
_NAME_CHARACTERS_SHOWN = 80
_POINTER_CHARACTERS_SHOWN = 200

_WRONG_WORD = re.compile(r"Invalid enum value (?P<value>.*)", re.DOTALL)
_WRONG_KIND = re.compile(r"Expected `(?P<wanted>[^`]*)`, got `(?P<given>[^`]*)`")
_WRONG_LENGTH = re.compile(r"Expected `(?P<kind>[^`]*)` of length (?P<sign>[<>]=) (?P<bound>\d+)")
_WRONG_FORM = re.compile(r"Expected `str` matching regex (?P<pattern>.*)", re.DOTALL)
_WRONG_SIZE = re.compile(r"Expected `(?:int|float)` (?P<sign>[<>]=?) (?P<bound>\S+)")
_KINDS: Final = {
    "str": "a text", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list",
    "object": "an object",
}  # fmt: skip
_PARTS: Final = {"str": ("character", "characters"), "array": ("entry", "entries"), "object": ("member", "members")}
_SIGNS: Final = {">=": "at least", ">": "more than", "<=": "at most", "<": "less than"}


def explain_validation(
    error: msgspec.ValidationError, shape: Any = None, raw: bytes | None = None
) -> UnknownField | InvalidRequest:
    """With an RFC 6901 pointer. `shape` is the type that was asked for: with it, what is possible in the place is
    listed. `raw` is the document: with it, members whose names are free are pointed at too.
    """
    match = _PLACE.fullmatch(str(error))
    what, path, is_key = (match["what"], match["path"] or "", bool(match["key"])) if match else (str(error), "", False)
    steps = _steps(path)
    there = _types_at(shape, steps)
    if is_key:
        there = [inner for one in _all_flat(there) if isinstance(one, inspect.DictType) for inner in [one.key_type]]
        steps.append(_FREE)
    if raw is not None and _FREE in steps and len(raw) <= NAMED_BYTES_MAX:
        steps = _named(str(error), shape, raw, steps)
    pointer = "".join(f"/{escape_pointer(step)}" for step in steps if step != _FREE)
    unknown = _UNKNOWN_MEMBER.search(what)
    if unknown:
        pointer += "/" + escape_pointer(unknown["name"])
        known = _members(there)
        more = f"; there are: {', '.join(known)}" if known else ""
        detail = f"There is no member {unknown['name'][:_NAME_CHARACTERS_SHOWN]!r} here{more}."
        return UnknownField(detail, errors=(Fault(pointer, UnknownField.code, detail),))
    missing = _MISSING_MEMBER.search(what)
    if missing:
        pointer += "/" + escape_pointer(missing["name"])
        what = "It is missing"
    else:
        what = _say(what, there, "an object")
        what = f"The name {what}" if is_key else what[:1].upper() + what[1:]
    shown = pointer if len(pointer) <= _POINTER_CHARACTERS_SHOWN else f"{pointer[:_POINTER_CHARACTERS_SHOWN]}…"
    return InvalidRequest(f"{shown or 'The body'}: {what}.", errors=(Fault(pointer, InvalidRequest.code, f"{what}."),))


def say_at(what: str, path: str, shape: Any, table: str) -> str:
    """One message of msgspec's in words, without its place: "must be a text, not a list". `path` is the place in
    `shape`, as msgspec writes it, and `table` is what an object is called.
    """
    return _say(what, _types_at(shape, _steps(path)), table)


def members_at(path: str, shape: Any) -> list[str]:
    """The members that an object may have there."""
    return _members(_types_at(shape, _steps(path)))


def _say(what: str, there: Sequence[inspect.Type], table: str) -> str:
    return _in_words(what, [str(word) for one in _all_flat(there) for word in _words(one)], _description(there), table)


def _steps(path: str) -> list[str]:
    return [step["name"] or step["index"] or step["free"] for step in _STEP.finditer(path)]


def _in_words(what: str, words: Sequence[str], description: str, table: str) -> str:
    """`words` are those that are possible in the place, `description` says in words what a pattern says there. A
    message that is not known stays as it is.
    """
    kinds = _KINDS | {"object": table}
    said = what[:1].lower() + what[1:]
    if match := _WRONG_WORD.fullmatch(what):
        value = match["value"][: _NAME_CHARACTERS_SHOWN + 2]
        said = f"{value} is not known here" + (f"; there are: {', '.join(words)}" if words else "")
    elif match := _WRONG_KIND.fullmatch(what):
        wanted = " or ".join(kinds.get(one, one) for one in match["wanted"].split(" | "))
        said = f"must be {wanted}, not {kinds.get(match['given'], match['given'])}"
    elif match := _WRONG_LENGTH.fullmatch(what):
        said = _length(match["kind"], match["sign"], int(match["bound"]))
    elif match := _WRONG_SIZE.fullmatch(what):
        said = f"must be {_SIGNS[match['sign']]} {match['bound'].removesuffix('.0')}"
    elif match := _WRONG_FORM.fullmatch(what):
        form = description[:1].lower() + description[1:]
        said = f"must be {form}" if form else f"must fit the pattern {match['pattern']}"
    return said


def _length(kind: str, sign: str, bound: int) -> str:
    if (sign, bound) == (">=", 1):
        return "must not be empty"
    one, many = _PARTS.get(kind, _PARTS["array"])
    return f"must have {_SIGNS[sign]} {bound:,} {one if bound == 1 else many}"


# --- what may stand there -------------------------------------------------------------------------------------------


def _types_at(shape: Any, steps: list[str]) -> list[inspect.Type]:
    """What may stand at the end of `steps` into a `shape`."""
    found = [] if shape is None else [inspect.type_info(shape)]
    for step in steps:
        found = [_step_into(one, step) for one in _all_flat(found)]
    return found


def _step_into(one: inspect.Type, step: str) -> inspect.Type:
    if isinstance(one, inspect.StructType):
        return next((field.type for field in one.fields if field.encode_name == step), inspect.AnyType())
    if isinstance(one, inspect.DictType):
        return one.value_type
    return one.item_type if isinstance(one, inspect.CollectionType) else inspect.AnyType()


def _all_flat(types: Sequence[inspect.Type]) -> list[inspect.Type]:
    return [inner for one in types for inner in _flat(one)]


def _flat(one: inspect.Type) -> list[inspect.Type]:
    if isinstance(one, inspect.Metadata):
        return _flat(one.type)
    return [inner for kind in one.types for inner in _flat(kind)] if isinstance(one, inspect.UnionType) else [one]


def _members(types: Sequence[inspect.Type]) -> list[str]:
    return [
        field.encode_name for one in _all_flat(types) if isinstance(one, inspect.StructType) for field in one.fields
    ]


def _words(one: inspect.Type) -> list[Any]:
    if isinstance(one, inspect.LiteralType):
        return list(one.values)
    return [member.value for member in one.cls] if isinstance(one, inspect.EnumType) else []


def _description(types: Sequence[inspect.Type]) -> str:
    """The first that `Meta(description=…)` gives one of them."""
    return next((text for one in types for text in _descriptions(one)), "")


def _descriptions(one: inspect.Type) -> Iterator[str]:
    if isinstance(one, inspect.UnionType):
        for inner in one.types:
            yield from _descriptions(inner)
    elif isinstance(one, inspect.Metadata):
        if text := (one.extra_json_schema or {}).get("description"):
            yield text.rstrip(".")
        yield from _descriptions(one.type)


# --- which member it is ---------------------------------------------------------------------------------------------


def _named(message: str, shape: Any, raw: bytes, steps: list[str]) -> list[str]:
    """`steps` with names in the place of those that msgspec does not say: the first member without which the message
    is another. Found by halves, so that many members cost little.
    """
    try:
        document = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return steps
    while _FREE in steps:
        at = steps.index(_FREE)
        members = _inside(document, steps[:at])
        low, high = 0, len(members)
        while low < high:
            middle = (low + high) // 2
            if _says(message, shape, _with_first(document, steps[:at], middle)):
                high = middle
            else:
                low = middle + 1
        if not 1 <= low <= len(members):
            break
        steps = [*steps[:at], list(members)[low - 1], *steps[at + 1 :]]
    return steps


def _says(message: str, shape: Any, document: Any) -> bool:
    try:
        msgspec.json.decode(msgspec.json.encode(document), type=shape)
    except msgspec.ValidationError as error:
        return str(error) == message
    return False


def _inside(document: Any, steps: Sequence[str]) -> dict[str, Any]:
    for step in steps:
        if isinstance(document, list):
            document = document[int(step)]
        else:
            document = document.get(step) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def _with_first(document: Any, steps: Sequence[str], count: int) -> Any:
    """`document` with the first `count` members only of the object that `steps` lead to."""
    if not steps:
        return dict(islice(document.items(), count))
    if isinstance(document, list):
        index = int(steps[0])
        return [*document[:index], _with_first(document[index], steps[1:], count), *document[index + 1 :]]
    return {**document, steps[0]: _with_first(document[steps[0]], steps[1:], count)}
