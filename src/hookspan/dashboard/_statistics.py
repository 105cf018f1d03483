"""The four numbers of an overview, each with a word of what it means."""

import msgspec

from hookspan.dashboard._shown import duration, share
from hookspan.manage import views


class Number(msgspec.Struct, frozen=True):
    """`state` colours it: "", "good", "bad"; `at` is a time to be shown instead of `value`."""

    label: str
    value: str
    note: str
    state: str = ""
    at: str | None = None


_FINE = 0.99
_POOR = 0.9


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
