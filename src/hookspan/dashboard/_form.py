"""What a browser's form sends, read strictly and within bounds; and refusals placed at the fields they are about."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import msgspec

from hookspan.errors import Fault, HookspanError, InvalidRequest, TooLarge, UnknownEventType
from hookspan.explain_json import explain_validation

BODY_BYTES_MAX: Final = 512 * 1024
FIELDS_MAX: Final = 2_000
LINES_MAX: Final = 2_000  # of one field
_KIND: Final = "application/x-www-form-urlencoded"

T = TypeVar("T")


class Form:
    """The fields of a form, in order; a name may be there several times."""

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self.fields: Final = tuple(fields)
        self._by_name: dict[str, list[str]] = {}
        for name, value in self.fields:
            self._by_name.setdefault(name, []).append(value)

    def text(self, name: str, default: str = "") -> str:
        """The first value."""
        return self._by_name.get(name, [default])[0]

    def has(self, name: str) -> bool:
        return name in self._by_name

    def all(self, name: str) -> list[str]:
        return list(self._by_name.get(name, []))

    def lines(self, name: str) -> list[str]:
        """The lines of a text area, without white space around them and without empty ones. Raises InvalidRequest for
        more than LINES_MAX: each is looked at, and shown again.
        """
        lines = self.text(name).split("\n", LINES_MAX)
        if len(lines) > LINES_MAX:
            raise InvalidRequest(f"There are more than {LINES_MAX:,} lines in a field of the form.")
        return [line.strip() for line in lines if line.strip()]


def read_form(kind: str, raw: bytes) -> Form:
    """Raises InvalidRequest for what no form of ours sends, TooLarge."""
    if not raw:
        return Form()
    if kind.partition(";")[0].strip().lower() != _KIND:
        raise InvalidRequest("That is not sent by a form of this page.")
    if len(raw) > BODY_BYTES_MAX:
        raise TooLarge(f"The form is larger than {BODY_BYTES_MAX:,} bytes.", limit=BODY_BYTES_MAX)
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX, separator="&"
        )
    except ValueError:  # too many, or no UTF-8
        raise InvalidRequest(f"The form can't be read: it may have {FIELDS_MAX:,} fields of UTF-8 text.") from None
    return Form(pairs)


def convert(members: Mapping[str, Any], shape: type[T]) -> T:
    """`members` as an input of management's. Raises InvalidRequest with the place, as JSON would."""
    try:
        return msgspec.convert(members, shape)
    except msgspec.ValidationError as error:
        raise explain_validation(error, shape) from None


class FieldErrors:
    """A refusal, spread over a form: by field, and what belongs to no field."""

    def __init__(self, error: HookspanError | None, fields: Mapping[str, str]) -> None:
        """`fields` are JSON pointers and the fields they belong to; what lies below a pointer belongs to it too."""
        self.summary = "" if error is None else error.detail
        self.code = "" if error is None else error.code
        self._by_field: dict[str, list[str]] = {}
        places = [(fault, _field_of(fault, fields)) for fault in (() if error is None else error.errors)]
        for fault, field in places:
            if field is not None:
                self._by_field.setdefault(field, []).append(fault.detail)
        if places and all(field is not None for _, field in places) and self.code != UnknownEventType.code:
            self.summary = "Look at what is marked below."  # of types the whole says more than its parts

    def of(self, field: str) -> str:
        """What is wrong with this field; empty for nothing."""
        return " ".join(self._by_field.get(field, []))

    def __bool__(self) -> bool:
        return bool(self.summary)


NO_ERRORS: Final = FieldErrors(None, {})


def _field_of(fault: Fault, fields: Mapping[str, str]) -> str | None:
    pointer = fault.pointer
    while pointer:
        if pointer in fields:
            return fields[pointer]
        pointer = pointer.rpartition("/")[0]
    return None
