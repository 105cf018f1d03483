"""The four numbers of an overview, each with a word of what it means, and the charts with their choice of a time."""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from hookspan.dashboard._charts import By, Chart, charts_of
from hookspan.dashboard._shown import duration, share
from hookspan.domain.times import to_text
from hookspan.manage import views
from hookspan.manage.inputs import StatisticsQuery


class Number(msgspec.Struct, frozen=True):
    """`state` colours it: "", "good", "bad"; `at` is a time to be shown instead of `value`."""

    label: str
    value: str
    note: str
    state: str = ""
    at: str | None = None


_FINE = 0.99
_POOR = 0.9
_HOUR_MS: Final = 3_600_000
# Name in the address → words, how many hours, by what. The last part is the present one, so one less lies before it.
_SPANS: Final[dict[str, tuple[str, int, By]]] = {
    "24h": ("24 hours", 24, "hour"),
    "7d": ("7 days", 168, "hour"),
    "30d": ("30 days", 720, "day"),
    "90d": ("90 days", 2160, "day"),
}
_DEFAULT: Final = "24h"
SPAN: Final = "span"  # in the address


class Shown(msgspec.Struct, frozen=True):
    """The charts of the time that was asked for; `spans` are those that may be, each with its words."""

    span: str
    is_by_day: bool
    spans: list[tuple[str, str]]
    charts: list[Chart]


Ask = Callable[[StatisticsQuery], Awaitable[views.Statistics]]


async def numbers_and_charts(ask: Ask, asked: str, now_ms: int) -> tuple[list[Number], Shown]:
    """Of whatever `ask` counts. `asked` is the span in the address; what is none means a day."""
    day = await ask(StatisticsQuery())
    is_other = asked in _SPANS and asked != _DEFAULT
    charts = await charts_in(ask, asked, now_ms) if is_other else _shown(_DEFAULT, day)
    return four_numbers(day), charts


async def charts_in(ask: Ask, asked: str, now_ms: int) -> Shown:
    """The charts alone."""
    span = asked if asked in _SPANS else _DEFAULT
    _, hours, by = _SPANS[span]
    part_ms = _HOUR_MS if by == "hour" else 24 * _HOUR_MS
    since_ms = (now_ms // part_ms + 1) * part_ms - hours * _HOUR_MS
    return _shown(span, await ask(StatisticsQuery(since=to_text(since_ms), by=by)))


def _shown(span: str, of: views.Statistics) -> Shown:
    spans = [(name, words) for name, (words, _, _) in _SPANS.items()]
    return Shown(span, _SPANS[span][2] == "day", spans, charts_of(of))


def four_numbers(of: views.Statistics) -> list[Number]:
    """Events in, deliveries out, success rate, oldest waiting; of the last 24 hours."""
    rate = of.success_rate
    state = "" if rate is None or _POOR <= rate < _FINE else "good" if rate >= _FINE else "bad"
    failed = of.deliveries.failed
    latency = of.latency_ms
    return [
        Number("Events", f"{of.events or 0:,}", "published in 24 hours"),
        Number(
            "Deliveries",
            f"{of.deliveries.succeeded:,}",
            f"arrived, {failed:,} given up" if failed else "arrived, none given up",
            "bad" if failed else "",
        ),
        Number(
            "Success rate",
            share(rate),
            f"of {of.attempts:,} attempts" + ("" if latency is None else f", half within {duration(latency.p50)}"),
            state,
        ),
        Number(
            "Waiting",
            f"{of.waiting:,}",
            "the oldest came" if of.oldest_waiting_at else "nothing waits",
            at=of.oldest_waiting_at,
        ),
    ]
