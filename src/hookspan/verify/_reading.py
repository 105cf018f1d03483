"""Reading a request: its headers in any case of letters, its body as JSON, and what was wrong with either."""

import dataclasses
import datetime
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

_SECONDS = re.compile(r"[0-9]{1,11}", re.ASCII)  # up to the year 5138


class VerificationError(Exception):
    """The request must not be trusted. `code` is one of missing_header, malformed_header, timestamp_too_old,
    timestamp_in_future, no_match, invalid_secret, malformed_body (signed, but not what the profile sends).
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclasses.dataclass(frozen=True)
class VerifiedEvent:
    """What the request says. None where the wire does not carry it; `at` is aware, in UTC."""

    type: str | None
    id: str | None
    at: datetime.datetime | None
    data: Any


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a receiver finds something: a header, or a member of the body; `form` tells how a time is written."""

    root: str
    name: str
    form: str | None


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
            for name, value in pairs:
                self._values.setdefault(_text(name).lower(), []).append(_text(value))
        except (TypeError, ValueError, AttributeError):
            raise VerificationError(
                "malformed_header", "The headers must be a mapping, have items(), or be pairs of name and value."
            ) from None

    def get(self, name: str) -> str:
        values = self._values.get(name.lower(), [])
        if not values or not values[0]:
            raise VerificationError("missing_header", f"The request has no {name} header.")
        if len(values) > 1:
            raise VerificationError("malformed_header", f"The request has {len(values)} {name} headers.")
        return values[0]

    def source(self, source: Source) -> str:
        return self.get(source.name)

    def time(self, source: Source) -> datetime.datetime:
        text = self.get(source.name)
        at = _time(int(text) if _SECONDS.fullmatch(text) else None, source.form)
        if at is None:
            raise VerificationError("malformed_header", f"{source.name} is not a time in whole seconds since 1970.")
        return at


class Body:
    """A body whose signature was right."""

    def __init__(self, raw: bytes) -> None:
        try:
            self._value = json.loads(raw)
        except (ValueError, RecursionError):
            raise VerificationError("malformed_body", "The signature is right, but the body is not JSON.") from None

    def value(self, source: Source) -> Any:
        return self._value.get(source.name) if isinstance(self._value, dict) else None

    def text(self, source: Source) -> str | None:
        value = self.value(source)
        return value if isinstance(value, str) else None

    def time(self, source: Source) -> datetime.datetime | None:
        value = self.value(source)
        at = _time(value, source.form)
        if value is not None and at is None:
            raise VerificationError("malformed_body", f"The body's {source.name} is not a time.")
        return at


def _time(value: Any, form: str | None) -> datetime.datetime | None:
    try:
        if form == "iso" and isinstance(value, str):
            return datetime.datetime.fromisoformat(value).astimezone(datetime.UTC)
        if form in {"s", "ms"} and isinstance(value, int) and not isinstance(value, bool):
            start = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
            return start + datetime.timedelta(**{"seconds" if form == "s" else "milliseconds": value})
    except (ValueError, OverflowError):
        return None
    return None


def _text(value: str | bytes) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if not isinstance(value, str):
        raise TypeError
    return value
