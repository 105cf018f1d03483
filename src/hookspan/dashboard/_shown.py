"""Times, sizes, durations and ids as people read them. Pure."""

import datetime
import re

from markupsafe import Markup, escape

from hookspan.domain import times

NOTHING = "\N{EN DASH}"  # where there is no value
_SECOND, _MINUTE, _HOUR, _DAY = 1000, 60_000, 3_600_000, 86_400_000
_STEPS = ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"), (_SECOND, "second"))
_KIB = 1024
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z)", re.ASCII)
_TIME = Markup('<time datetime="{}" title="{}" data-moment>{}</time>')
_ID_HEAD, _ID_TAIL, _ID_SHORT = 8, 4, 16


def relative(text: str, now_ms: int) -> str:
    """Such as "3 minutes ago", "in 36 hours", "now"; days from two on, as one alone may be almost two."""
    at_ms = times.from_text(text)
    if at_ms is None:
        return text
    apart = abs(now_ms - at_ms)
    for unit_ms, word in _STEPS:
        if apart >= unit_ms * (2 if unit_ms == _DAY else 1):
            count = apart // unit_ms
            span = f"{count} {word}{'' if count == 1 else 's'}"
            return f"{span} ago" if at_ms <= now_ms else f"in {span}"
    return "now"


def lasting(text: str, now_ms: int) -> str:
    """How long something has lasted, to stand after "for": "3 minutes"."""
    said = relative(text, now_ms).removesuffix(" ago")
    return "a moment" if said == "now" else said


def exact(text: str) -> str:
    """The time to the millisecond, for the title: "Sat 21 Nov 2026, 16:46:07.123 UTC"."""
    at_ms = times.from_text(text)
    if at_ms is None:
        return text
    moment = datetime.datetime.fromtimestamp(at_ms / 1000, tz=datetime.UTC)
    return f"{moment:%a %d %b %Y, %H:%M:%S}.{at_ms % 1000:03d} UTC"


def sentence(text: str) -> Markup:
    """A sentence of ours whose moments become times that the viewer's browser may tell in its own zone."""
    parts = _MOMENT.split(text)
    shown = [
        _TIME.format(part, exact(part), _moment(part)) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    ]
    return Markup("").join(shown)


def _moment(text: str) -> str:
    at_ms = times.from_text(text)
    if at_ms is None:
        return text
    return f"{datetime.datetime.fromtimestamp(at_ms / 1000, tz=datetime.UTC):%d %b, %H:%M:%S} UTC"


def duration(duration_ms: float) -> str:
    """Such as "12 ms", "1.25 s", "3 min 20 s"."""
    if duration_ms < 10:  # noqa: PLR2004 - below it a tenth counts
        return f"{duration_ms:.1f} ms"
    if duration_ms < _SECOND:
        return f"{duration_ms:.0f} ms"
    if duration_ms < _MINUTE:
        return f"{duration_ms / _SECOND:.2f} s"
    return f"{int(duration_ms // _MINUTE)} min {int(duration_ms % _MINUTE // _SECOND)} s"


def window(window_ms: int) -> str:
    """A span in its largest whole unit: "36 hours", "5 days"."""
    for unit_ms, word in _STEPS:
        if window_ms >= unit_ms * (2 if unit_ms == _DAY else 1):
            count = round(window_ms / unit_ms, 1)
            return f"{count:g} {word}{'' if count == 1 else 's'}"
    return f"{window_ms} ms"


def size(count: int) -> str:
    """Such as "312 bytes", "1.4 KiB"."""
    if count < _KIB:
        return f"{count} byte{'' if count == 1 else 's'}"
    if count < _KIB * _KIB:
        return f"{count / _KIB:.1f} KiB"
    return f"{count / _KIB / _KIB:.1f} MiB"


def short_id(text: str) -> str:
    """An id shortened in the middle: its kind, its time, its end."""
    return text if len(text) <= _ID_SHORT else f"{text[:_ID_HEAD]}…{text[-_ID_TAIL:]}"


def share(rate: float | None) -> str:
    """A share as per cent; 100 only if it is all."""
    if rate is None:
        return NOTHING
    if rate in {0, 1}:
        return f"{rate:.0%}"
    return f"{min(max(rate, 0.001), 0.999):.1%}"


def host_of(url: str) -> str:
    """Where a URL leads, for a dense table: host with port, without the path."""
    return url.partition("://")[2].partition("/")[0].partition("?")[0] or url
