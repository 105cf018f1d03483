"""Counting and logging: plain integers that are read only when /metrics is asked, and structured log lines.

The hot path bumps an attribute (``counters.attempts_succeeded += 1``) and nothing else: a metric object costs 0.7 to
1.2 µs a touch, an integer 0.03. Everything is bumped on the event loop's thread, so no lock is needed.
"""

import bisect
import contextlib
import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any, TextIO

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric


@contextlib.contextmanager
def _leaving_out(package: str) -> Iterator[None]:
    """Imports inside do not find `package`, unless it is loaded already."""
    is_out = package not in sys.modules
    if is_out:
        sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if is_out:
            del sys.modules[package]


# structlog would load rich for tracebacks that show local variables: a tenth of a second of every start, unused.
with _leaving_out("rich"):
    import structlog

log = structlog.get_logger("hookspan")

_COMMIT_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Histogram:
    """Counts of observations per bucket; `bounds` are the buckets' inclusive upper ends, ascending."""

    __slots__ = ("bounds", "buckets", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.buckets = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one observation."""
        self.buckets[bisect.bisect_left(self.bounds, value)] += 1
        self.total += value


class Counters:
    """All that this process has counted since it started. Only ever grows; see docs/metrics.md for the meanings."""

    def __init__(self) -> None:
        self.events_accepted = 0
        self.events_duplicate = 0
        self.events_refused = 0
        self.appends = 0
        self.attempts_succeeded = 0
        self.attempts_retried = 0
        self.attempts_failed = 0
        self.attempts_late = 0
        self.nodes_taken_out = 0
        self.deliveries_claimed = 0
        self.catch_up_events = 0
        self.expired_deliveries = 0
        self.dropped_events = 0
        self.webhooks_disabled = 0
        self.statistics_lost = 0
        self.requests_by_status: dict[str, int] = {}  # "2xx" → requests
        self.refusals_by_code: dict[str, int] = {}  # code of `hookspan.errors` → refusals
        # what became of a notice → notices; "made" counts all, "dropped" those that went for want of room
        self.notices_by_outcome = dict.fromkeys(("made", "dropped", "delivered", "gave_up", "no_url"), 0)
        self.inbox_refused_by_code: dict[str, int] = {}  # code → events published in SQL that were refused for good
        self.errors_by_duty: dict[str, int] = {}  # background duty → turns that failed
        self.readings: list[Callable[[], Mapping[str, float]]] = []  # gauges of this process, asked at scrape
        self.commit_seconds = Histogram(_COMMIT_BOUNDS_S)

    @property
    def deliveries_succeeded(self) -> int:
        """A delivery has exactly one recorded attempt that succeeded in each of its rounds."""
        return self.attempts_succeeded

    @property
    def deliveries_failed(self) -> int:
        """Given up after an attempt, or expired while waiting."""
        return self.attempts_failed + self.expired_deliveries


# attribute of Counters → (metric without "hookspan_", labels, help). Several attributes may share one metric.
_COUNTED: dict[str, tuple[str, dict[str, str], str]] = {
    "events_accepted": ("events_accepted", {}, "Events answered with 202 and kept durably."),
    "events_duplicate": ("events_duplicate", {}, "Events sent again with their publisher_id; not kept twice."),
    "events_refused": ("events_refused", {}, "Events refused; hookspan_refusals_total tells why."),
    "appends": ("appends", {}, "Durable commits that kept events; events per append is the grouping."),
    "attempts_succeeded": ("attempts", {"verdict": "succeeded"}, "Recorded attempts by verdict."),
    "attempts_retried": ("attempts", {"verdict": "retry"}, ""),
    "attempts_failed": ("attempts", {"verdict": "failed"}, ""),
    "nodes_taken_out": ("nodes_taken_out", {}, "Other nodes that stood still and were taken out."),
    "attempts_late": ("attempts_late", {}, "Outcomes that came after the claim was lost; not recorded."),
    "deliveries_succeeded": ("deliveries", {"state": "succeeded"}, "Deliveries that reached a final state."),
    "deliveries_failed": ("deliveries", {"state": "failed"}, ""),
    "deliveries_claimed": (
        "deliveries_claimed",
        {},
        "Own claims found in the store but not in memory, given back.",
    ),
    "catch_up_events": ("catch_up_events", {}, "Events turned into deliveries for a webhook that was activated again."),
    "expired_deliveries": ("expired_deliveries", {}, "Undelivered deliveries that retention failed as expired."),
    "dropped_events": ("dropped_events", {}, "Events dropped by retention."),
    "webhooks_disabled": ("webhooks_disabled", {}, "Webhooks that Hookspan disabled: gone, or failing for too long."),
    "statistics_lost": ("statistics_lost", {}, "Outcomes and events missing in statistics, which could not be kept."),
}
_COUNTED_BY: dict[str, tuple[str, str, str]] = {
    "requests_by_status": ("requests", "status", "HTTP requests answered, by class of status."),
    "refusals_by_code": ("refusals", "code", "Refusals by their code, see docs/errors.md."),
    "notices_by_outcome": ("notices", "outcome", "Notices to applications' people: made, and what became of them."),
    "inbox_refused_by_code": ("inbox_refusals", "code", "Events published in SQL that were refused for good."),
    "errors_by_duty": ("duty_errors", "duty", "Turns of background duties that failed; the log has the reason."),
}
_TIMED: dict[str, tuple[str, str]] = {
    "commit_seconds": ("commit_seconds", "Time of one durable commit of events, waiting for the disk included."),
}
_READ: dict[str, str] = {
    "intake_events": "Events taken in that wait for their commit, or are in it.",
    "intake_bytes": "Bytes of the events taken in that wait for their commit, or are in it.",
    "lane_deliveries": "Deliveries that wait in this node's lanes.",
    "attempts_in_flight": "Requests that were sent and not answered yet.",
    "results_waiting": "Outcomes that wait to be recorded.",
    "pauses_in_force": "What the operator has paused: everything, profiles, applications.",
    "profiles_left": "Profiles that this node leaves to nodes with other files of them.",
    "pending_jobs": "Calls that wait for the store's writer.",
    "database_bytes": "Size of the database file.",
    "wal_bytes": "Size of the database's write-ahead log; at its cap publishing is refused.",
    "inbox_waiting": "Events published in SQL that no node has taken in yet, counted up to 10,000.",
    "inbox_oldest_seconds": "How long the oldest of them has waited.",
    "inbox_refused": "Events published in SQL that were refused and are kept, counted up to 10,000.",
    "free_disk_bytes": "Room left on the database's disk.",
}
METRIC_NAMES = frozenset(
    {f"hookspan_{row[0]}_total" for row in (*_COUNTED.values(), *_COUNTED_BY.values())}
    | {f"hookspan_{name}" for name, _ in _TIMED.values()}
)


class _Collector:
    """Turns one reading into metric families; lives for one scrape."""

    def __init__(self, counters: Counters, gauges: Mapping[str, float]) -> None:
        self._counters = counters
        self._gauges = gauges

    def collect(self) -> Iterable[Metric]:
        gauges = dict(self._gauges)
        for read in self._counters.readings:
            gauges |= read()
        families: dict[str, CounterMetricFamily] = {}
        for attribute, (name, labels, text) in _COUNTED.items():
            if name not in families:
                families[name] = CounterMetricFamily(f"hookspan_{name}", text, labels=tuple(labels))
            families[name].add_metric(tuple(labels.values()), getattr(self._counters, attribute))
        yield from families.values()
        for attribute, (name, label, text) in _COUNTED_BY.items():
            family = CounterMetricFamily(f"hookspan_{name}", text, labels=(label,))
            for value, count in sorted(getattr(self._counters, attribute).items()):
                family.add_metric((value,), count)
            yield family
        for attribute, (name, text) in _TIMED.items():
            yield _histogram(f"hookspan_{name}", text, getattr(self._counters, attribute))
        for name, number in sorted(gauges.items()):
            yield GaugeMetricFamily(f"hookspan_{name}", _READ.get(name, "See docs/metrics.md."), value=number)


def _histogram(name: str, text: str, histogram: Histogram) -> HistogramMetricFamily:
    buckets: list[tuple[str, float]] = []
    running = 0
    for bound, count in zip((*map(str, histogram.bounds), "+Inf"), histogram.buckets, strict=True):
        running += count
        buckets.append((bound, running))
    return HistogramMetricFamily(name, text, buckets=buckets, sum_value=histogram.total)


def render_metrics(counters: Counters, gauges: Mapping[str, float]) -> bytes:
    """The body of /metrics in Prometheus' text format. `gauges` are further readings by name with unit,
    without "hookspan_".
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(counters, gauges))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


# --- logs -----------------------------------------------------------------------------------------------------------

_SECRET_KEYS = frozenset(
    {"authorization", "api_key", "key", "operator_key", "encryption_key", "secret", "token", "password", "private_key"}
)
_SECRET_TEXT = re.compile(r"\b(hk_[a-z]+_|whsec_|whsk_)[A-Za-z0-9+/=_-]{8,}|(?i:(?<=bearer )\S+)")
_HIDDEN = "…"


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last processor before rendering: by name and by shape, no secret reaches a line. A second net: nothing
    should hand one to the log in the first place.
    """
    for name, value in event.items():
        if name.lower() in _SECRET_KEYS:
            event[name] = _HIDDEN
        elif isinstance(value, str):
            event[name] = _SECRET_TEXT.sub(_mask, value)
    return event


def _mask(match: re.Match[str]) -> str:
    return (match.group(1) or "") + _HIDDEN


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """One line for each thing worth telling: JSON for programs, coloured text for a terminal. `level` is a setting.

    Lines of other libraries (through `logging`) take the same way and form; theirs below warning are left out.
    """
    out = stream or sys.stderr
    is_terminal = out.isatty()
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if is_terminal else "iso", utc=not is_terminal),
    ]
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if is_terminal:
        # Plain: the prettier tracebacks print local variables, and those hold keys.
        renderer = structlog.dev.ConsoleRenderer(colors=True, exception_formatter=structlog.dev.plain_traceback)
    closing: list[structlog.typing.Processor] = [
        structlog.processors.UnicodeDecoder(),
        structlog.processors.format_exc_info,
        hide_secrets,
        renderer,
    ]
    structlog.configure(
        processors=[*shared, *closing],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *closing],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.WARNING))
