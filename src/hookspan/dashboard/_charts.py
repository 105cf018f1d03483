"""Charts as plain geometry: what happened by the hour or day, for templates/charts.html to draw as SVG. Pure.

Everything is a length in the picture's own units, WIDTH by HEIGHT; colours come from the style sheet by `kind`. A time
in which nothing happened is a gap in a line, never a zero: nothing was measured.
"""

import datetime
import math
from collections.abc import Callable, Sequence
from typing import Final, Literal

import msgspec

from hookspan.dashboard._shown import NOTHING, duration, share
from hookspan.domain import times
from hookspan.manage import views

WIDTH: Final = 360
HEIGHT: Final = 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 352, 8, 128
_EDGE: Final = WIDTH - 18  # a label in the middle of what lies beyond would be cut off
_TICKS_MAX: Final = 6
_HOURS_ONE_DAY: Final = 48  # up to here hours are told by the clock, beyond by the date
_HOUR_STEP: Final = 6
_BAR_SHARE: Final = 0.72  # of a slot, the rest is air
_BAR_LEAST: Final = 1.5  # what is not nothing is seen
_LATENCY_LEAST_MS: Final = 0.1
_FLOORS: Final = (0.9, 0.5)  # where the axis of a success rate may begin, if everything is above
By = Literal["hour", "day"]
Anchor = Literal["middle", "end"]


class Label(msgspec.Struct, frozen=True):
    """On an axis: `at` is x on the lower one, y on the left one."""

    at: float
    text: str
    anchor: Anchor = "middle"


class Bar(msgspec.Struct, frozen=True):
    kind: str
    x: float
    y: float
    width: float
    height: float


class Line(msgspec.Struct, frozen=True):
    """`path` has a stroke for each run of values; a value alone between gaps is one of `dots`."""

    kind: str
    label: str
    path: str
    dots: list[tuple[float, float]]


class Slot(msgspec.Struct, frozen=True):
    """One hour or day: where the pointer finds it, when it began (RFC 3339), and what it says there: the time as the
    server tells it, and what was.
    """

    x: float
    width: float
    at: str
    when: str
    told: str


class Times(msgspec.Struct, frozen=True):
    """The lower axis, and what was at each time: under the pointer, and as a table (the first cell is the time). Parts
    by the hour are told anew by the script, in the viewer's zone; days are those of UTC.
    """

    by: By
    ticks: list[Label]
    slots: list[Slot]
    columns: list[str]
    rows: list[list[str]]


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """`said` describes it in a sentence, `levels` is the left axis; `legend` is a kind and its word for each."""

    title: str
    said: str
    levels: list[Label]
    times: Times
    bars: list[Bar] = []
    lines: list[Line] = []
    legend: list[tuple[str, str]] = []


def charts_of(of: views.Statistics) -> list[Chart]:
    """Volume, success rate and latency; none where nothing was sent."""
    by: By = "hour" if of.by_hour is not None else "day"
    parts = of.by_hour or of.by_day or []
    if not any(one.attempts for one in parts):
        return []
    return [_volume(of, parts, by), _success(of, parts, by), _latency(of, parts, by)]


def _volume(of: views.Statistics, parts: Sequence[views.StatisticsPart], by: By) -> Chart:
    top = _round_up(max(one.attempts for one in parts))
    bars = []
    for place, one in enumerate(parts):
        x, width = _slot(place, len(parts))
        x, width = x + width * (1 - _BAR_SHARE) / 2, width * _BAR_SHARE
        low: float = _BOTTOM
        for kind, count in (("good", one.attempts_succeeded), ("bad", one.attempts - one.attempts_succeeded)):
            if count:
                height = max(count / top * (_BOTTOM - _TOP), _BAR_LEAST)
                low = max(low - height, _TOP)
                bars.append(Bar(kind, round(x, 1), round(low, 1), round(width, 1), round(height, 1)))
    failed, most = of.attempts - of.attempts_succeeded, max(one.attempts for one in parts)
    return Chart(
        title="Attempts",
        said=f"{of.attempts:,} attempts, {failed:,} of them failed; at most {most:,} in one {by}.",
        levels=[_level(share_, count_text(top * share_)) for share_ in ((0, 0.5, 1) if top > 1 else (0, 1))],
        bars=bars,
        legend=[("good", "succeeded"), ("bad", "failed")],
        times=_times(
            parts,
            by,
            ["Succeeded", "Failed"],
            lambda one: [f"{one.attempts_succeeded:,}", f"{one.attempts - one.attempts_succeeded:,}"],
        ),
    )


def _success(of: views.Statistics, parts: Sequence[views.StatisticsPart], by: By) -> Chart:
    rates = [one.success_rate for one in parts]
    least = min(one for one in rates if one is not None)
    floor = next((one for one in _FLOORS if least >= one), 0.0)
    places = [None if one is None else (one - floor) / (1 - floor) for one in rates]
    return Chart(
        title="Success rate",
        said=f"{share(of.success_rate)} of attempts succeeded, at worst {share(least)} in one {by}.",
        levels=[_level(one, f"{floor + one * (1 - floor):.0%}") for one in (0, 0.5, 1)],
        lines=[_line("good", "succeeded", places)],
        times=_times(parts, by, ["Success rate"], lambda one: [share(one.success_rate)]),
    )


def _latency(of: views.Statistics, parts: Sequence[views.StatisticsPart], by: By) -> Chart:
    """By decades: answers take from a millisecond to many seconds, and slow ones must not hide the rest."""
    found = [one.latency_ms for one in parts]
    values = [value for one in found if one is not None for value in (one.p50, one.p99)]
    lowest = math.floor(math.log10(max(min(values, default=1), _LATENCY_LEAST_MS)))
    highest = max(math.ceil(math.log10(max(max(values, default=1), _LATENCY_LEAST_MS))), lowest + 1)

    def place(value_ms: float) -> float:
        return (math.log10(max(value_ms, _LATENCY_LEAST_MS)) - lowest) / (highest - lowest)

    def line(kind: str, label: str, value: Callable[[views.Percentiles], float]) -> Line:
        return _line(kind, label, [None if one is None else place(value(one)) for one in found])

    return Chart(
        title="Time to answer",
        said=_latency_said(of.latency_ms),
        levels=[_level((one - lowest) / (highest - lowest), _decade(one)) for one in range(lowest, highest + 1)],
        lines=[
            line("p50", "p50", lambda one: one.p50),
            line("p95", "p95", lambda one: one.p95),
            line("p99", "p99", lambda one: one.p99),
        ],
        legend=[("p50", "p50"), ("p95", "p95"), ("p99", "p99")],
        times=_times(parts, by, ["p50", "p95", "p99"], lambda one: _latency_cells(one.latency_ms)),
    )


def _latency_said(of: views.Percentiles | None) -> str:
    if of is None:
        return "No attempt was answered."
    return (
        f"Half of the answers came within {duration(of.p50)}, 95 of 100 within {duration(of.p95)}, "
        f"99 of 100 within {duration(of.p99)}."
    )


def _latency_cells(of: views.Percentiles | None) -> list[str]:
    return [NOTHING] * 3 if of is None else [duration(of.p50), duration(of.p95), duration(of.p99)]


def _times(
    parts: Sequence[views.StatisticsPart],
    by: By,
    columns: list[str],
    cells: Callable[[views.StatisticsPart], list[str]],
) -> Times:
    rows = [[_when(one.at, by), *cells(one)] for one in parts]
    slots = []
    for place, (part, row) in enumerate(zip(parts, rows, strict=True)):
        x, width = _slot(place, len(parts))
        told = ", ".join(f"{name} {value}" for name, value in zip(columns, row[1:], strict=True))
        slots.append(Slot(round(x, 2), round(width, 2), part.at, row[0], told))
    return Times(by, _ticks(parts, by), slots, columns, rows)


def _slot(place: int, count: int) -> tuple[float, float]:
    """Where one of `count` parts begins, and how wide it is."""
    width = (_RIGHT - _LEFT) / count
    return _LEFT + place * width, width


def _level(share_: float, text: str) -> Label:
    return Label(round(_BOTTOM - share_ * (_BOTTOM - _TOP), 1), text, "end")


def _line(kind: str, label: str, places: Sequence[float | None]) -> Line:
    """`places` are from 0, the lower edge, to 1."""
    runs: list[list[tuple[float, float]]] = [[]]
    for number, place in enumerate(places):
        if place is None:
            runs.append([])
            continue
        x, width = _slot(number, len(places))
        inside = min(max(place, 0.0), 1.0)
        runs[-1].append((round(x + width / 2, 1), round(_BOTTOM - inside * (_BOTTOM - _TOP), 1)))
    path = " ".join("M" + " L".join(f"{x} {y}" for x, y in run) for run in runs if len(run) > 1)
    return Line(kind, label, path, [run[0] for run in runs if len(run) == 1])


def _ticks(parts: Sequence[views.StatisticsPart], by: By) -> list[Label]:
    """Round times of the clock, or dates; as many as there is room for."""
    moments = [_moment(one.at) for one in parts]
    if by == "hour" and len(parts) <= _HOURS_ONE_DAY:
        places = [place for place, at in enumerate(moments) if at.hour % _HOUR_STEP == 0]
    elif by == "hour":
        places = [place for place, at in enumerate(moments) if at.hour == 0]
    else:
        places = list(range(len(parts)))
    step = -(-len(places) // _TICKS_MAX) if places else 1
    labels = []
    for place in places[::step]:
        x, width = _slot(place, len(parts))
        x = round(x + width / 2, 1)
        anchor: Anchor = "end" if x > _EDGE else "middle"
        is_clock = by == "hour" and len(parts) <= _HOURS_ONE_DAY
        labels.append(Label(x, f"{moments[place]:%H:%M}" if is_clock else _date(moments[place]), anchor))
    return labels


def _moment(at: str) -> datetime.datetime:
    return datetime.datetime.fromtimestamp((times.from_text(at) or 0) / 1000, tz=datetime.UTC)


def _date(at: datetime.datetime) -> str:
    return f"{at.day} {at:%b}"


def _when(at: str, by: By) -> str:
    """The first column, and what the pointer reads."""
    moment = _moment(at)
    return f"{_date(moment)}, {moment:%H:%M} UTC" if by == "hour" else _date(moment)


def _round_up(count: int) -> int:
    """The next of 1, 2, 4, 6, 8, 10, 20, 40 …: half of it is whole too."""
    power: int = 10 ** (len(str(count)) - 1)
    return next(one * power for one in (1, 2, 4, 6, 8, 10) if one * power >= count)


def _decade(power: int) -> str:
    """10 to the power, in ms, as an axis says it."""
    return f"{10 ** (power - 3)} s" if power >= 3 else f"{10**power} ms" if power >= 0 else f"{10.0**power:g} ms"  # noqa: PLR2004 - a second has 10³ ms


def count_text(count: float) -> str:
    """Short enough for an axis: 950, 1.2k, 40M."""
    for unit, word in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if count >= unit:
            return f"{count / unit:g}{word}"
    return f"{count:g}"
