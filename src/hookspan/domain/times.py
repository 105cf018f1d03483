"""Points in time as people and programs outside see them: RFC 3339, UTC, with milliseconds."""

import datetime
import re

_EPOCH = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - naive, so that its text has no offset
_EPOCH_UTC = _EPOCH.replace(tzinfo=datetime.UTC)
_MILLISECOND = datetime.timedelta(milliseconds=1)
LAST_MS = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z: later ones have no text
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)


def to_text(at_ms: int) -> str:
    """`2026-01-31T12:00:00.123Z` for milliseconds since 1970."""
    moment = _EPOCH + datetime.timedelta(milliseconds=at_ms)
    return moment.isoformat(timespec="milliseconds") + "Z"


def from_text(text: str) -> int | None:
    """Milliseconds since 1970, cut to whole ones; None when `text` is not RFC 3339, or not from 1970 to 9999 in UTC."""
    if not _RFC3339.fullmatch(text):
        return None
    try:
        moment = datetime.datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return from_moment(moment)


def from_moment(moment: datetime.datetime) -> int | None:
    """Milliseconds since 1970 of an aware moment, cut to whole ones; None when it is not from 1970 to 9999 in UTC."""
    try:
        at_ms = (moment - _EPOCH_UTC) // _MILLISECOND
    except OverflowError:
        return None
    return at_ms if 0 <= at_ms <= LAST_MS else None
