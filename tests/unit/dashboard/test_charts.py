"""Charts: what happened, as geometry that stays within the picture, with the same as text."""

from typing import Any

import pytest

from hookspan.clock import SystemClock
from hookspan.dashboard import _charts
from hookspan.dashboard._charts import HEIGHT, WIDTH, Chart, charts_of, count_text
from hookspan.dashboard._render import environment
from hookspan.dashboard._shown import NOTHING
from hookspan.domain.times import to_text
from hookspan.manage import views

DAY = 1_795_219_200_000  # 2026-11-21T00:00:00Z
HOUR = 3_600_000


def part(at_ms: int, attempts: int = 0, succeeded: int = 0, latency: float | None = None) -> views.StatisticsPart:
    spread = None
    if latency is not None:
        spread = views.Percentiles(p50=latency, p90=latency * 2, p95=latency * 3, p99=latency * 10)
    return views.StatisticsPart(
        at=to_text(at_ms),
        events=None,
        attempts=attempts,
        attempts_succeeded=succeeded,
        deliveries=views.DeliveryCounts(succeeded=succeeded, failed=0),
        success_rate=succeeded / attempts if attempts else None,
        latency_ms=spread,
    )


def statistics(parts: list[views.StatisticsPart], by: str = "hour") -> views.Statistics:
    attempts, succeeded = sum(one.attempts for one in parts), sum(one.attempts_succeeded for one in parts)
    return views.Statistics(
        since=to_text(DAY),
        until=to_text(DAY),
        events=None,
        attempts=attempts,
        attempts_succeeded=succeeded,
        deliveries=views.DeliveryCounts(succeeded=succeeded, failed=0),
        success_rate=succeeded / attempts if attempts else None,
        latency_ms=next((one.latency_ms for one in parts if one.latency_ms), None),
        waiting=0,
        oldest_waiting_at=None,
        by_hour=parts if by == "hour" else None,
        by_day=parts if by == "day" else None,
    )


def hours(*values: tuple) -> list[views.StatisticsPart]:
    return [part(DAY + place * HOUR, *value) for place, value in enumerate(values)]


def inside(chart: Chart) -> bool:
    """Everything lies within the picture."""
    for bar in chart.bars:
        assert 0 <= bar.x <= bar.x + bar.width <= WIDTH
        assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT
    for line in chart.lines:
        numbers = [float(one) for one in line.path.replace("M", " ").replace("L", " ").split()]
        assert all(0 <= x <= WIDTH for x in numbers[::2] + [x for x, _ in line.dots])
        assert all(0 <= y <= HEIGHT for y in numbers[1::2] + [y for _, y in line.dots])
    assert all(0 <= one.at <= WIDTH for one in chart.times.ticks)
    return all(0 <= one.at <= HEIGHT for one in chart.levels)


@pytest.mark.parametrize("by", ["hour", "day"])
def test_nothing_was_sent(by: str) -> None:
    """No picture of nothing: the page says so in words."""
    assert charts_of(statistics([], by)) == []
    assert charts_of(statistics(hours((), ()), by)) == []


def test_one_attempt() -> None:
    """One point is a bar and a dot, not a line of no length; the axis of counts has no halves."""
    volume, success, latency = charts_of(statistics(hours((), (1, 1, 12.0), ())))
    assert all(inside(one) for one in (volume, success, latency))
    assert [one.kind for one in volume.bars] == ["good"]
    assert [one.text for one in volume.levels] == ["0", "1"]
    assert (success.lines[0].path, len(success.lines[0].dots)) == ("", 1)
    assert [len(one.dots) for one in latency.lines] == [1, 1, 1]


def test_an_hour_without_attempts_is_a_gap() -> None:
    """Nothing measured is neither 0 % nor 100 %: the line breaks."""
    found = charts_of(statistics(hours((4, 2, 9.0), (4, 4, 9.0), (), (4, 4, 9.0), (4, 1, 9.0), (), (2, 2, 9.0))))
    assert all(inside(one) for one in found)
    line = found[1].lines[0]
    assert line.path.count("M") == 2
    assert len(line.dots) == 1
    assert found[1].times.rows[2] == ["21 Nov, 02:00 UTC", NOTHING]


def test_failures_stand_upon_what_succeeded() -> None:
    """Both add up to the attempts; a few among many are seen, and never beyond the top."""
    volume = charts_of(statistics(hours((1_000_000, 999_999, 1.0), (400_000, 0, 1.0))))[0]
    assert inside(volume)
    good, few, bad = volume.bars
    assert (good.kind, few.kind, bad.kind) == ("good", "bad", "bad")
    assert few.height >= 1
    assert few.y <= good.y
    assert volume.times.rows[0][1:] == ["999,999", "1"]


def test_large_numbers_and_slow_answers() -> None:
    """Counts are short on the axis and whole in the table; latencies from under a millisecond to minutes fit."""
    volume, _, latency = charts_of(statistics(hours((7_123_456, 7_000_000, 0.02), (1, 0, 50_000.0))))
    assert inside(volume)
    assert inside(latency)
    assert [one.text for one in volume.levels] == ["0", "4M", "8M"]
    assert [one.text for one in latency.levels] == [
        "0.1 ms",
        "1 ms",
        "10 ms",
        "100 ms",
        "1 s",
        "10 s",
        "100 s",
        "1000 s",
    ]
    assert "7,000,000" in volume.times.rows[0]


def test_a_rate_near_the_top_is_looked_at_closely() -> None:
    """The axis begins at 90 % or 50 % where everything is above, and says so."""
    for succeeded, lowest in ((95, "90%"), (60, "50%"), (20, "0%")):
        success = charts_of(statistics(hours((100, succeeded, 1.0))))[1]
        assert success.levels[0].text == lowest
        assert inside(success)


def test_answers_were_none() -> None:
    """Where nobody listens there are attempts, and no time to answer."""
    latency = charts_of(statistics(hours((3, 0), (2, 0))))[2]
    assert latency.said == "No attempt was answered."
    assert [one.path for one in latency.lines] == ["", "", ""]
    assert inside(latency)


@pytest.mark.parametrize(
    ("count", "step", "by", "first", "most"),
    [
        (24, HOUR, "hour", "00:00", 6),
        (168, HOUR, "hour", "21 Nov", 7),
        (30, 24 * HOUR, "day", "21 Nov", 6),
        (90, 24 * HOUR, "day", "21 Nov", 6),
    ],
)
def test_ticks(count: int, step: int, by: str, first: str, most: int) -> None:
    """The clock within a day, dates beyond; not more than there is room for."""
    parts = [part(DAY + place * step, 1, 1, 5.0) for place in range(count)]
    chart = charts_of(statistics(parts, by))[0]
    assert chart.times.ticks[0].text == first
    assert 2 <= len(chart.times.ticks) <= most
    assert len(chart.times.slots) == len(chart.times.rows) == count


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (0.5, "0.5"), (950, "950"), (2_000, "2k"), (500_000, "500k"), (4e9, "4G")]
)
def test_counts_on_an_axis(count: float, text: str) -> None:
    """Short."""
    assert count_text(count) == text


def test_the_picture_needs_neither_script_nor_style() -> None:
    """What the policy of the pages forbids is not there; the sentence is its name, the table has every value."""
    charts = charts_of(statistics(hours((10, 9, 20.0), (10, 10, 20.0))))
    macros: Any = environment("").get_template("charts.html").make_module({"now_ms": SystemClock().now_ms()})
    for one in charts:
        html = str(macros.chart(one))
        assert "style=" not in html
        assert "<script" not in html
        assert 'role="img"' in html
        assert one.said in html
        assert f'viewBox="0 0 {WIDTH} {_charts.HEIGHT}"' in html
        assert all(cell in html for row in one.times.rows for cell in row)
