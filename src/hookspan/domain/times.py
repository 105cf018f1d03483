"""Points in time as people and programs outside see them: RFC 3339, UTC, with milliseconds."""

import datetime
import re

_EPOCH = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - naive, so that its text has no offset
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)


def to_text(at_ms: int) -> str:
    """`2026-01-31T12:00:00.123Z` for milliseconds since 1970."""
    moment = _EPOCH + datetime.timedelta(milliseconds=at_ms)
    return moment.isoformat(timespec="milliseconds") + "Z"


def from_text(text: str) -> int | None:
    """Milliseconds since 1970, cut to whole ones, or None when `text` is not RFC 3339 or before 1970."""
    if not _RFC3339.fullmatch(text):
        return None
    try:
        moment = datetime.datetime.fromisoformat(text.upper())
        elapsed = moment - _EPOCH.replace(tzinfo=datetime.UTC)
    except (ValueError, OverflowError):
        return None
    at_ms = elapsed // datetime.timedelta(milliseconds=1)
    return at_ms if at_ms >= 0 else None
