"""Reading a request: its headers in any case of letters, its body as JSON, and what was wrong with either."""

import dataclasses
import datetime
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn, Protocol, runtime_checkable

from hookspan.verify._errors import VerificationError
from hookspan.verify._text import VALUE_CHARS_MAX, split

HEADERS_MAX = 1000  # servers allow a tenth of that
_SECONDS = re.compile(r"[0-9]{1,14}", re.ASCII)
_WORD = re.compile(r"[!-~]{1,256}", re.ASCII)
_MEMBER = re.compile(r"body\[(?P<key>[^\[\]]+)\]", re.ASCII)


@dataclasses.dataclass(frozen=True)
class VerifiedEvent:
    """What the request says. None where the wire does not carry it; `at` is aware, in UTC. `data` is the content
    that the event is about, `body` the whole parsed JSON.
    """

    type: str | None
    id: str | None
    at: datetime.datetime | None
    data: Any
    body: Any


Pair = tuple[str | bytes, str | bytes]


@runtime_checkable
class _HasItems(Protocol):
    def items(self) -> Iterable[Any]: ...


# A mapping, whatever a framework or the standard library calls headers, or pairs (as ASGI has them).
GivenHeaders = Mapping[str, str] | _HasItems | Iterable[Pair]


class HeaderText:
    """A request's headers."""

    def __init__(self, headers: GivenHeaders) -> None:
        self._values: dict[str, list[str]] = {}
        try:
            pairs = headers.items() if isinstance(headers, _HasItems) else headers
            for index, (name, value) in enumerate(pairs):
                if index == HEADERS_MAX:
                    raise VerificationError("malformed_header", f"The request has more than {HEADERS_MAX} headers.")
                self._values.setdefault(_text(name).lower(), []).append(_text(value))
        except (TypeError, ValueError, AttributeError):
            raise VerificationError(
                "malformed_header", "The headers must be a mapping, have items(), or be pairs of name and value."
            ) from None

    def get(self, name: str, code: str = "missing_header", hint: str = "") -> str:
        """The one value of a header. Raises `code` with `hint` where there is none, else malformed_header."""
        values = self._values.get(name.lower(), [])
        if not values or not values[0]:
            raise VerificationError(code, f"The request has no {name} header.{hint}")
        if len(values) > 1:
            raise VerificationError("malformed_header", f"The request has {len(values)} {name} headers.")
        if len(values[0]) > VALUE_CHARS_MAX:
            raise VerificationError("malformed_header", f"{name} is longer than {VALUE_CHARS_MAX:,} characters.")
        return values[0]


class Reader:
    """Follows a profile's ``[read]`` through one request that is genuine."""

    def __init__(self, headers: HeaderText, body: bytes) -> None:
        self._headers = headers
        try:
            # Decoded here, for the parser would guess among UTF-8, UTF-16 and UTF-32.
            self.body = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise VerificationError(
                "malformed_body", "The request is genuine, but its body is not JSON in UTF-8."
            ) from None
        if not isinstance(self.body, dict):
            raise VerificationError("malformed_body", "The request is genuine, but its body is not a JSON object.")

    def text(self, source: str) -> str | None:
        """References with text around them; None when one of them is not there."""
        parts = [self._value(piece) if is_reference else piece for piece, is_reference in split(source)]
        texts = [part for part in parts if isinstance(part, str)]
        return "".join(texts) if len(texts) == len(parts) else None

    def value(self, source: str) -> Any:
        """What one reference leads to."""
        return self._value(source.strip("{}"))

    def time(self, source: str) -> datetime.datetime | None:
        """A reference with its form, ``{body.created:s}``. Raises malformed_header or malformed_body."""
        reference, _, form = source.strip("{}").rpartition(":")
        value = self._value(reference)
        if reference.startswith("header."):
            return time_in(reference.partition(".")[2], value, form)
        at = _time(value, form)
        if value is not None and at is None:
            raise VerificationError(
                "malformed_body", f"The request is genuine, but its body's {reference.partition('.')[2]} is not a time."
            )
        return at

    def _value(self, reference: str) -> Any:
        root, _, path = reference.partition(".")
        if root == "header":
            value = self._headers.get(path)
            if not _WORD.fullmatch(value):
                raise VerificationError("malformed_header", f"{path} is not a word of at most 256 visible letters.")
            return value
        by_key = _MEMBER.fullmatch(reference)
        if by_key is not None:
            return _member(self.body, _member(self.body, by_key["key"]))
        return _walk(self.body, path.split(".") if path else ())


def _refuse_constant(text: str) -> NoReturn:
    """NaN and Infinity, which Python's parser takes."""
    raise ValueError(text)


def time_in(name: str, value: str, form: str) -> datetime.datetime:
    """The time that a header's text stands for. Raises malformed_header."""
    at = _time(value if form == "iso" else int(value) if _SECONDS.fullmatch(value) else None, form)
    if at is None:
        raise VerificationError("malformed_header", f"{name} is not a time ({_FORMS[form]}).")
    return at


def _walk(value: Any, path: Iterable[str]) -> Any:
    for key in path:
        value = _member(value, key)
    return value


def _member(value: Any, key: Any) -> Any:
    return value.get(key) if isinstance(value, dict) and isinstance(key, str) else None


_FORMS = {
    "s": "whole seconds since 1970",
    "ms": "whole milliseconds since 1970",
    "iso": "ISO 8601 with its offset",
}
_SINCE_1970: dict[str, Callable[[int], datetime.timedelta]] = {
    "s": lambda value: datetime.timedelta(seconds=value),
    "ms": lambda value: datetime.timedelta(milliseconds=value),
}


def _time(value: Any, form: str) -> datetime.datetime | None:
    try:
        if form == "iso" and isinstance(value, str):
            at = datetime.datetime.fromisoformat(value)
            return None if at.tzinfo is None else at.astimezone(datetime.UTC)
        if form in _SINCE_1970 and isinstance(value, int) and not isinstance(value, bool):
            return datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + _SINCE_1970[form](value)
    except (ValueError, OverflowError):
        return None
    return None


def _text(value: str | bytes) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if not isinstance(value, str):
        raise TypeError
    return value
