"""Counting: plain integers in, Prometheus' text out."""

import pytest

from hookspan.telemetry import METRIC_NAMES, Counters, Histogram, render_metrics


def lines(counters: Counters, **gauges: float) -> list[str]:
    return render_metrics(counters, gauges).decode().splitlines()


def test_a_fresh_process_shows_its_zeros() -> None:
    """Series exist before anything happened, so that rates have a beginning."""
    shown = lines(Counters())
    assert "hookspan_events_accepted_total 0.0" in shown
    assert 'hookspan_attempts_total{verdict="retry"} 0.0' in shown
    assert 'hookspan_deliveries_total{state="failed"} 0.0' in shown


def test_what_was_counted_is_read_at_scrape() -> None:
    """Attributes, dicts and the histogram show their present values."""
    counters = Counters()
    counters.events_accepted += 3
    counters.attempts_succeeded += 2
    counters.attempts_failed += 1
    counters.expired_deliveries += 4
    counters.requests_by_status["2xx"] = 7
    counters.refusals_by_code["overloaded"] = 5
    counters.commit_seconds.observe(0.002)
    shown = lines(counters, pending_deliveries=12)
    assert "hookspan_events_accepted_total 3.0" in shown
    assert 'hookspan_attempts_total{verdict="succeeded"} 2.0' in shown
    assert 'hookspan_deliveries_total{state="succeeded"} 2.0' in shown
    assert 'hookspan_deliveries_total{state="failed"} 5.0' in shown
    assert 'hookspan_requests_total{status="2xx"} 7.0' in shown
    assert 'hookspan_refusals_total{code="overloaded"} 5.0' in shown
    assert 'hookspan_commit_seconds_bucket{le="0.001"} 0.0' in shown
    assert 'hookspan_commit_seconds_bucket{le="0.0025"} 1.0' in shown
    assert 'hookspan_commit_seconds_bucket{le="+Inf"} 1.0' in shown
    assert "hookspan_commit_seconds_sum 0.002" in shown
    assert "hookspan_pending_deliveries 12.0" in shown


def test_every_counter_is_exported() -> None:
    """No attribute of Counters is counted in vain: bumping each one changes the output."""
    counted = {name: value for name, value in vars(Counters()).items() if name != "readings"}
    for name, value in counted.items():
        counters = Counters()
        before = lines(counters)
        if isinstance(value, int):
            setattr(counters, name, 1)
        elif isinstance(value, dict):
            value_dict: dict[str, int] = getattr(counters, name)
            value_dict["x"] = 1
        else:
            getattr(counters, name).observe(1)
        hookspan = [line for line in lines(counters) if line.startswith("hookspan_")]
        assert hookspan != [line for line in before if line.startswith("hookspan_")], name


def test_readings_are_asked_at_scrape() -> None:
    """What waits in this process is read when somebody looks, and only then."""
    counters = Counters()
    asked = iter(range(1, 9))
    counters.readings.append(lambda: {"intake_events": next(asked)})
    assert "hookspan_intake_events 1.0" in lines(counters)
    assert "hookspan_intake_events 2.0" in lines(counters)


def test_every_metric_is_named() -> None:
    """METRIC_NAMES, which the docs are tested against, is what is rendered."""
    shown = {line.split()[2] for line in lines(Counters()) if line.startswith("# TYPE hookspan_")}
    assert {name.removesuffix("_total") for name in METRIC_NAMES} == {name.removesuffix("_total") for name in shown}


@pytest.mark.parametrize(("value", "bucket"), [(0.0, 0), (1.0, 0), (1.5, 1), (2.0, 1), (2.1, 2)])
def test_a_bucket_s_upper_end_is_inclusive(value: float, bucket: int) -> None:
    """As Prometheus means `le`."""
    histogram = Histogram((1.0, 2.0))
    histogram.observe(value)
    assert histogram.buckets[bucket] == 1
    assert sum(histogram.buckets) == 1


def test_gauges_say_what_they_are() -> None:
    """In the words of docs/metrics.md, not a reference to it."""
    shown = "\n".join(lines(Counters(), lane_deliveries=1))
    assert "# HELP hookspan_lane_deliveries Deliveries that wait in this node's lanes." in shown
