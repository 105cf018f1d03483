"""Publishing: events with their deliveries and positions, in one transaction."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from hookspan.domain.records import Webhooks
from hookspan.ids import IdMaker
from hookspan.store.contract import Appended, AppendedEvent, FanOut, NewDelivery, NewEvent, NodeGone
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._columns import blobs, numbers, texts
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._fifo import behind_what_waits
from hookspan.store.postgres._webhooks import webhooks_of

_Counts = dict[int, int]


def append(
    connection: Connection,
    ids: IdMaker,
    node: int,
    events: Sequence[NewEvent],
    versions: dict[int, int],
    fan_out: FanOut,
) -> Appended:
    """Keep the events; see `Store.append`. Raises NodeGone before anything is written. `ids` makes those of deliveries
    whose own would bring a fifo webhook out of order.

    The lock on an application's row is held from the first statement that moves its position on to the commit, and two
    statements lie between them: positions have no gaps, and equal the order of commits.
    """
    counts = Counter(dict.fromkeys(versions, 0))
    counts.update(event.application_id for event in events)
    duplicates: dict[int, AppendedEvent] = {}
    given = [event for event in events if event.publisher_id is not None]
    if given:
        # Locked first, since who waits for another's publisher id must not be waited for by it.
        there = frozenset(rows.many(connection, "lock_applications", _first, (sorted(counts),)))
        duplicates = _take_publisher_ids(connection, [event for event in given if event.application_id in there])
        counts.subtract(event.application_id for event in given if event.id in duplicates)
    positions, stale = _advance(connection, node, counts, versions)
    return _keep(connection, ids, node, events, versions, _Plan(positions, stale, duplicates, fan_out))


class _Plan:
    """What a batch is to become. `positions` are those before it."""

    __slots__ = ("duplicates", "fan_out", "positions", "stale")

    def __init__(
        self,
        positions: dict[int, int],
        stale: dict[int, Webhooks],
        duplicates: dict[int, AppendedEvent],
        fan_out: FanOut,
    ) -> None:
        self.positions = positions
        self.stale = stale
        self.duplicates = duplicates
        self.fan_out = fan_out


def _keep(
    connection: Connection,
    ids: IdMaker,
    node: int,
    events: Sequence[NewEvent],
    versions: dict[int, int],
    plan: _Plan,
) -> Appended:
    positions = plan.positions
    appended = []
    kept: list[tuple[NewEvent, AppendedEvent]] = []
    for event in events:
        application_id = event.application_id
        position = positions.get(application_id)
        if position is None:
            appended.append(AppendedEvent(event.id, 0, False, False, ()))
            continue
        if plan.duplicates and (earlier := plan.duplicates.get(event.id)) is not None:
            appended.append(earlier)
            continue
        positions[application_id] = position = position + 1
        refreshed = plan.stale.get(application_id)
        deliveries = event.deliveries if refreshed is None else plan.fan_out(refreshed, event)
        one = AppendedEvent(event.id, position, False, False, deliveries)
        appended.append(one)
        kept.append((event, one))
    if kept:
        in_order = behind_what_waits(connection, ids, kept)
        if in_order is not kept:
            renumbered = {event.id: one for event, one in in_order}
            appended = [renumbered.get(one.event_id, one) if one.position else one for one in appended]
            kept = in_order
        rows.execute(connection, "insert_published", _event_columns(kept) | _delivery_columns(kept, node))
    unknown = frozenset(versions.keys() - positions.keys())
    frozen = frozenset(rows.many(connection, "list_frozen", _first, (sorted(unknown),))) if unknown else unknown
    return Appended(tuple(appended), tuple(plan.stale.values()), unknown - frozen, frozen)


def _event_columns(kept: list[tuple[NewEvent, AppendedEvent]]) -> dict[str, Any]:
    events = [event for event, _ in kept]
    return {
        "ids": numbers([event.id for event in events]),
        "application_ids": numbers([event.application_id for event in events]),
        "positions": numbers([one.position for _, one in kept]),
        "types": texts([event.type for event in events]),
        "publisher_ids": texts([event.publisher_id for event in events]),
        "occurred_ats": numbers([event.occurred_at for event in events]),
        "accepted_ats": numbers([event.accepted_at for event in events]),
        "contents": blobs([event.content for event in events]),
        "content_ats": numbers([event.content_at for event in events]),
        "content_bytes": numbers([event.content_bytes for event in events]),
        "contexts": blobs([event.context for event in events]),
        "bodies": blobs([event.body for event in events]),
    }


def _delivery_columns(kept: list[tuple[NewEvent, AppendedEvent]], node: int) -> dict[str, Any]:
    pairs: list[tuple[NewEvent, NewDelivery]] = [(event, one) for event, done in kept for one in done.deliveries]
    return {
        "delivery_ids": numbers([one.id for _, one in pairs]),
        "delivery_application_ids": numbers([event.application_id for event, _ in pairs]),
        "webhook_ids": numbers([one.webhook_id for _, one in pairs]),
        "event_ids": numbers([event.id for event, _ in pairs]),
        "nodes": numbers([node if one.is_claimed else 0 for _, one in pairs]),
        "claims": numbers([1 if one.is_claimed else 0 for _, one in pairs]),
        "are_fifo": [one.is_fifo for _, one in pairs],
        "next_attempt_ats": numbers([event.accepted_at for event, _ in pairs]),
    }


def _advance(
    connection: Connection, node: int, counts: _Counts, versions: dict[int, int]
) -> tuple[dict[int, int], dict[int, Webhooks]]:
    """Lock the applications that are there and move them on: the last position of each before, and those whose webhooks
    have changed, as they are now.
    """
    wanted = sorted(counts.items())
    bindings = {
        "node": node,
        "ids": numbers([ident for ident, _ in wanted]),
        "counts": numbers([count for _, count in wanted]),
    }
    moved = rows.execute(connection, "advance_positions", bindings).fetchall()
    if not moved[0][0]:
        raise NodeGone
    positions = {ident: last - counts[ident] for _, ident, _, last in moved if ident is not None}
    stale = {}
    for _, ident, version, _ in sorted(moved):
        if ident is not None and versions.get(ident) != version:
            fresh = webhooks_of(connection, ident)
            assert fresh is not None, "it is locked, in this very transaction"
            stale[ident] = fresh
    return positions, stale


def _take_publisher_ids(connection: Connection, given: list[NewEvent]) -> dict[int, AppendedEvent]:
    """Take the publishers' own ids; what became of the events whose id is taken already, also in this very batch."""
    if not given:
        return {}
    bindings: dict[str, Any] = {
        "application_ids": numbers([event.application_id for event in given]),
        "publisher_ids": texts([event.publisher_id for event in given]),
        "event_ids": numbers([event.id for event in given]),
        "hashes": blobs([event.input_hash for event in given]),
    }
    if rows.run(connection, "insert_publish_keys", bindings) == len(given):
        return {}
    hashes = {event.id: event.input_hash for event in given}
    taken = {}
    for event_id, kept_id, kept_hash in rows.execute(connection, "find_publish_keys", bindings).fetchall():
        if event_id != kept_id:
            is_same = hashes[event_id] == kept_hash
            taken[event_id] = AppendedEvent(kept_id, 0, is_same, not is_same, ())
    return taken


def _first(row: rows.Values) -> int:
    return int(row[0])
