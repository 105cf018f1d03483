"""Times that people type, and the window of time that a list's address asks for.

A field for times (`datetime-local`) has no zone. Without script what it says is UTC. The script shows it in the
viewer's zone and sends what was meant as RFC 3339 beside it, so that an address means the same to whoever opens it.
"""

import datetime
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from hookspan.domain import times
from hookspan.domain.times import to_text
from hookspan.errors import Fault, InvalidRequest

_MINUTE_MS: Final = 60_000
# Name in the address → words and how long in ms.
WITHIN: Final = {"1h": ("Last hour", 3_600_000), "24h": ("24 hours", 86_400_000), "7d": ("7 days", 604_800_000)}
BETWEEN: Final = "between"  # the choice beside those: from and to say it
WINDOW_FIELDS: Final = ("within", "from", "to")
_FIELD_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,3})?)?", re.ASCII)


class Window(msgspec.Struct, frozen=True):
    """RFC 3339, from and below; None is open."""

    since: str | None = None
    until: str | None = None


def window_in(query: Mapping[str, str], now_ms: int) -> Window:
    """What `within`, or `from` and `to`, ask for. `since` keeps the beginning of a list's first page, so that its next
    ones begin where that did. Raises InvalidRequest with /from or /to.
    """
    within = query.get("within", "").strip()
    if within in WITHIN:
        begins = query.get("since") if query.get("cursor") else None
        # By the whole minute, so that the cursor of the first page fits the next ones.
        return Window(begins or to_text((now_ms - WITHIN[within][1]) // _MINUTE_MS * _MINUTE_MS))
    if within not in ("", BETWEEN):
        return Window()
    given = {name: moment_in(query.get(name, "")) for name in ("from", "to")}
    found = {name: times.from_text(text) if text else None for name, text in given.items()}
    faults = [
        Fault(f"/{name}", "invalid_request", "That is no time such as 2026-05-01T12:00, from 1970 to 9999.")
        for name, text in given.items()
        if text and found[name] is None
    ]
    since, until = found["from"], found["to"]
    if since is not None and until is not None and until <= since:
        faults.append(Fault("/to", "invalid_request", "Until is not after From: nothing can be between them."))
    if faults:
        raise InvalidRequest(faults[0].detail, errors=tuple(faults))
    return Window(given["from"] or None, given["to"] or None)


def moment_in(text: str) -> str:
    """A field for times has no zone: it is UTC. What has one (by the script, or by a link) stays as it is."""
    text = text.strip()
    match = _FIELD_MOMENT.fullmatch(text)
    return text if match is None else f"{text}{'' if match[1] else ':00'}Z"


def field_moment(at_ms: int) -> str:
    """As a field for times takes it, in UTC, to the minute."""
    return datetime.datetime.fromtimestamp(at_ms / 1000, tz=datetime.UTC).strftime("%Y-%m-%dT%H:%M")


def shown_in_field(text: str) -> str:
    """What a field for times shows of what was given, in UTC; what is no time stays as it was typed."""
    at_ms = times.from_text(moment_in(text))
    return text if at_ms is None else field_moment(at_ms)
