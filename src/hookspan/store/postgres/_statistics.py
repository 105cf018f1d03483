"""Statistics by the hour: added up as they come, read, dropped; and the numbers that health is made of.

Several nodes add to the same rows. They take them in one order, the row of everything last, so that none waits for
another in a ring and the one that all meet in is held for little more than a commit.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from hookspan.domain.latency import add_to
from hookspan.ids import made_at_ms
from hookspan.store.messages import Waiting
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres import _webhooks as webhooks
from hookspan.store.postgres._connection import Connection
from hookspan.store.statistics import ALL, HourCounts, WebhookHealth

WAITING_ALL_MAX = 100_000  # counted exactly up to here: some milliseconds

_ByHour = dict[tuple[int, int], HourCounts]  # by subject and hour
_latency_decoder = msgspec.json.Decoder(dict[int, int])


class BroughtBefore(Exception):
    """A flush that is kept already; whatever was added of it again is undone."""


def add(connection: Connection, counts: Sequence[HourCounts], node: int, number: int) -> None:
    """See `Store.add_statistics`. Raises BroughtBefore where these are kept already.

    The node's row is changed last: its heartbeat must not wait until this has got through to the rows of everybody. A
    call that comes again while its first one still runs waits for that at the first row of theirs.
    """
    bindings = {"node": node, "number": number}
    last = rows.value(connection, "read_flush", bindings) if number else None
    if last is not None and last >= number:
        raise BroughtBefore
    merged = _merged(counts)
    _add_to_own(connection, {key: one for key, one in merged.items() if one.subject_id != ALL})
    of_all = [one for one in merged.values() if one.subject_id == ALL]
    if of_all:
        rows.run(connection, "add_statistics", _columns(of_all))
    if number and not _is_noted(connection, bindings):
        raise BroughtBefore


def _is_noted(connection: Connection, bindings: dict[str, int]) -> bool:
    """With the node's row, or where that was taken out: whoever does so keeps the number, and has waited for us."""
    if rows.run(connection, "note_flush", bindings):
        return True
    return not rows.value(connection, "has_node", (bindings["node"],)) and bool(
        rows.run(connection, "note_flush_of_gone", bindings)
    )


def _add_to_own(connection: Connection, counts: _ByHour) -> None:
    """Histograms are added up here, for the database is what all nodes share: there it costs ten times as much."""
    if not counts:
        return
    keys = {"subjects": [subject_id for subject_id, _ in counts], "hours": [hour for _, hour in counts]}
    rows.run(connection, "insert_statistics", keys)
    summed = []
    for subject_id, hour, text in rows.many(connection, "lock_statistics", tuple, keys):
        latency = _latency_decoder.decode(text)
        one = counts[subject_id, hour]
        add_to(latency, one.latency)
        summed.append(msgspec.structs.replace(one, latency=latency))
    rows.run(connection, "raise_statistics", _columns(summed))


def _merged(counts: Sequence[HourCounts]) -> _ByHour:
    """One of a subject and hour: a statement can't change a row twice."""
    found: _ByHour = {}
    for one in counts:
        key = (one.subject_id, one.hour)
        other = found.get(key)
        found[key] = one if other is None else _sum(other, one)
    return found


def _sum(one: HourCounts, other: HourCounts) -> HourCounts:
    latency = dict(one.latency)
    add_to(latency, other.latency)
    return HourCounts(
        one.subject_id,
        one.hour,
        one.events + other.events,
        one.attempts + other.attempts,
        one.attempts_succeeded + other.attempts_succeeded,
        one.deliveries_succeeded + other.deliveries_succeeded,
        one.deliveries_failed + other.deliveries_failed,
        latency,
    )


def _columns(counts: Sequence[HourCounts]) -> dict[str, Any]:
    return {
        "subjects": [one.subject_id for one in counts],
        "hours": [one.hour for one in counts],
        "events": [one.events for one in counts],
        "attempts": [one.attempts for one in counts],
        "attempts_succeeded": [one.attempts_succeeded for one in counts],
        "deliveries_succeeded": [one.deliveries_succeeded for one in counts],
        "deliveries_failed": [one.deliveries_failed for one in counts],
        "latencies": [rows.json_text(one.latency) for one in counts],
    }


def read(connection: Connection, subject_id: int, since_hour: int, until_hour: int) -> list[HourCounts]:
    """See `Store.statistics`."""
    bindings = (subject_id, since_hour, until_hour)
    return rows.many(connection, "list_statistics", _counts, bindings)


def _counts(row: rows.Values) -> HourCounts:
    subject_id, hour, events, attempts, attempts_succeeded, succeeded, failed, latency = row
    counted = _latency_decoder.decode(latency)
    return HourCounts(subject_id, hour, events, attempts, attempts_succeeded, succeeded, failed, counted)


def drop(connection: Connection, before_hour: int, limit: int) -> int:
    """See `Store.drop_statistics`."""
    return rows.run(connection, "delete_statistics", (before_hour, limit))


def health(connection: Connection, webhook_ids: Sequence[int], since_hour: int) -> dict[int, WebhookHealth]:
    """See `Store.health`; of one moment, because it is read in one transaction."""
    last = webhooks.last_success_at(connection, webhook_ids)
    stalled = webhooks.stalled(connection, webhook_ids)
    bindings = {"webhook_ids": list(webhook_ids), "since": since_hour}
    sums = {one[0]: one[1:] for one in rows.many(connection, "sum_attempts", tuple, bindings)}
    return {
        ident: WebhookHealth(
            last_success_at=last.get(ident),
            stalled_since=stalled.get(ident),
            attempts=sums.get(ident, (0, 0))[0],
            attempts_succeeded=sums.get(ident, (0, 0))[1],
        )
        for ident in webhook_ids
    }


def waiting_of_all(connection: Connection) -> Waiting:
    """See `Store.waiting_of_all`."""
    scheduled, oldest, held, oldest_held = rows.first_row(connection, "count_waiting_all", {"most": WAITING_ALL_MAX})
    idents = [ident for ident in (oldest, oldest_held) if ident is not None]
    oldest_at = made_at_ms(min(idents)) if idents else None
    return Waiting(min(scheduled + held, WAITING_ALL_MAX), oldest_at)
