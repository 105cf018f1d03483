"""Durations as people write them: "15s", "5m", "36h", "5d"."""

import re
from typing import Final

from hookspan.profiles._document import Refused

_DURATION = re.compile(r"(\d{1,9})(ms|s|m|h|d)", re.ASCII)
_UNITS_MS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def duration_ms(key: str, text: str, *, least_ms: int, most_ms: int) -> int:
    """`text` in ms. Raises Refused in the name of `key` when it is none or out of bounds (inclusive)."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise Refused(
            key, f'{text!r} is no duration; write a whole number and a unit, such as "15s", "5m", "36h", "5d"'
        )
    value_ms = int(match[1]) * _UNITS_MS[match[2]]
    if not least_ms <= value_ms <= most_ms:
        raise Refused(key, f"{text!r} is not between {_words(least_ms)} and {_words(most_ms)}")
    return value_ms


def _words(value_ms: int) -> str:
    for unit in ("d", "h", "m", "s"):
        if value_ms and value_ms % _UNITS_MS[unit] == 0:
            return f"{value_ms // _UNITS_MS[unit]}{unit}"
    return f"{value_ms}ms"
