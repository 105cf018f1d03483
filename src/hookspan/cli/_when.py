"""Times on the command line: RFC 3339, or how long ago."""

import re
import time

import click

from hookspan.domain import times

_AGO = re.compile(r"([1-9][0-9]{0,5})([smhd])", re.ASCII)
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def time_or_ago(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    """RFC 3339 as it is, or so long ago. Raises click.BadParameter."""
    if text is None or times.from_text(text) is not None:
        return text
    ago = _AGO.fullmatch(text)
    if ago is None:
        raise click.BadParameter(
            f"{text!r} is neither a time such as 2026-05-01T00:00:00Z nor how long ago: 30m, 2h, 7d."
        )
    at_ms = time.time_ns() // 1_000_000 - int(ago[1]) * _UNIT_MS[ago[2]]
    return times.to_text(max(0, at_ms))
