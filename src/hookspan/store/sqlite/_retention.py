"""Retention: what is pending too long expires, visibly; what is old is dropped; what was deleted leaves no traces.

What is in flight is left alone: its outcome is being recorded, and its event stays until then.
"""

import apsw
import msgspec

from hookspan.ids import made_at_ms
from hookspan.store.contract import ExpiredTurn
from hookspan.store.sqlite import _rows as rows
from hookspan.store.sqlite._sweep import sweep

# Deleted applications looked at in one turn.
_ERASED_MAX = 10

_found_decoder = msgspec.json.Decoder(list[tuple[int, int, int, int | None]])


class Findings(msgspec.Struct, frozen=True):
    """What a reader found for a turn to do, so that long walks don't hold up the writer."""

    expirable: list[int]  # deliveries; each is looked at again before it is changed
    forgettable: list[int]  # deleted webhooks without anything left to show


def look(connection: apsw.Connection, expire_below: int, limit: int) -> Findings:
    """What there is to do, by a reader."""
    lowest = rows.value(connection, "find_lowest_event")
    expirable = []
    if lowest is not None and lowest < expire_below:
        expirable = rows.decode_ids(rows.value(connection, "find_expirable", (expire_below, limit)))
    return Findings(expirable, rows.decode_ids(rows.value(connection, "find_forgettable", (limit,))))


def turn(connection: apsw.Connection, findings: Findings, drop_below: int, limit: int, now_ms: int) -> ExpiredTurn:
    """One bounded turn; see `Store.expire`."""
    cancelled = sweep(connection, now_ms, limit)
    expired = rows.run(connection, "expire_deliveries", (now_ms, rows.id_list(findings.expirable)))
    _forget(connection, findings.forgettable)
    is_full = cancelled >= limit or len(findings.expirable) >= limit or len(findings.forgettable) >= limit
    budget = limit
    dropped, has_more = _erase(connection, budget, now_ms)
    budget -= dropped
    if not has_more and budget > 0:
        event_ids = rows.decode_ids(rows.value(connection, "find_droppable_events", (drop_below, budget)))
        one = _drop(connection, event_ids, None, limit, now_ms)
        expired += one.expired
        dropped += one.dropped
        has_more = one.has_more or len(event_ids) >= budget
        if not has_more:
            has_more = _drop_rest(connection, drop_below, limit)
    return ExpiredTurn(expired, dropped, not (is_full or has_more))


class _Dropped(msgspec.Struct, frozen=True):
    expired: int
    dropped: int
    has_more: bool


def _drop(
    connection: apsw.Connection, event_ids: list[int], application_id: int | None, limit: int, now_ms: int
) -> _Dropped:
    """Drop these events with all that hangs on them, at most `limit` deliveries at a time. None has anything in flight.

    Events of which something is scheduled stay: it expires first and is dropped in a later turn.
    """
    if not event_ids:
        return _Dropped(0, 0, False)
    bindings = {
        "low": min(event_ids),
        "high": max(event_ids),
        "application_id": application_id,
        "event_ids": rows.id_list(event_ids),
        "limit": limit + 1,
    }
    found = _found_decoder.decode(rows.value(connection, "find_deliveries_between", bindings))
    is_cut = len(found) > limit
    deliveries = found[:limit]
    pending = [ident for ident, _, is_pending, _ in deliveries if is_pending]
    expired = rows.run(connection, "expire_deliveries", (now_ms, rows.id_list(pending))) if pending else 0
    kept = {event_id for _, event_id, is_pending, _ in deliveries if is_pending}
    _drop_deliveries(connection, [(ident, last) for ident, event_id, _, last in deliveries if event_id not in kept])
    if is_cut:  # their events follow when no delivery is left
        return _Dropped(expired, 0, True)
    dropped = _drop_events(connection, [event_id for event_id in event_ids if event_id not in kept])
    return _Dropped(expired, dropped, expired > 0)


def _drop_deliveries(connection: apsw.Connection, deliveries: list[tuple[int, int | None]]) -> None:
    if not deliveries:
        return
    attempts = [last for _, last in deliveries if last is not None]
    rows.run(connection, "delete_attempts_of", (rows.id_list(attempts),))
    rows.run(connection, "delete_deliveries", (rows.id_list(ident for ident, _ in deliveries),))
    rows.run(connection, "raise_highest_dropped", (max(max(ident, last or 0) for ident, last in deliveries),))


def _drop_events(connection: apsw.Connection, event_ids: list[int]) -> int:
    if not event_ids:
        return 0
    idents = rows.id_list(event_ids)
    rows.run(connection, "delete_publish_keys", (idents,))
    rows.run(connection, "raise_highest_dropped", (max(event_ids),))
    return rows.run(connection, "delete_events", (idents,))


def _drop_rest(connection: apsw.Connection, drop_below: int, limit: int) -> bool:
    """What belongs to no event: tests' attempts and revisions that no attempt refers to. True when more is left."""
    attempts = rows.run(connection, "delete_lone_attempts", (drop_below, limit))
    revisions = rows.run(connection, "delete_revisions", (made_at_ms(drop_below), limit))
    return attempts >= limit or revisions >= limit


def _erase(connection: apsw.Connection, limit: int, now_ms: int) -> tuple[int, bool]:
    """Drop what deleted applications have left, at most `limit` events. How many, and whether there is more.

    An application whose deliveries are not yet cancelled, or in flight, waits for a later turn.
    """
    dropped = 0
    erased = rows.decode_ids(rows.value(connection, "list_erased", (_ERASED_MAX,)))
    for application_id in erased:
        budget = limit - dropped
        if budget <= 0:
            return dropped, True
        event_ids = rows.decode_ids(rows.value(connection, "find_events_of", (application_id, budget)))
        one = _drop(connection, event_ids, application_id, limit, now_ms)
        dropped += one.dropped
        if one.has_more or (len(event_ids) >= budget and one.dropped):
            return dropped, True
        is_empty = not rows.value(connection, "has_events", (application_id,))
        if is_empty and _erase_frame(connection, application_id, limit):
            return dropped, True
    return dropped, False


def _erase_frame(connection: apsw.Connection, application_id: int, limit: int) -> bool:
    """The last of an application without events: its webhooks and itself. True when more is left."""
    if rows.run(connection, "delete_attempts_of_application", (application_id, limit)) >= limit:
        return True
    rows.run(connection, "raise_highest_dropped", (application_id,))
    newest = rows.value(connection, "find_newest_webhook", (application_id,))
    if newest is not None:
        rows.run(connection, "raise_highest_dropped", (newest,))
    rows.run(connection, "delete_revisions_of_application", (application_id,))
    rows.run(connection, "delete_webhooks_of_application", (application_id,))
    rows.run(connection, "delete_application", (application_id,))
    return False


def _forget(connection: apsw.Connection, webhook_ids: list[int]) -> None:
    if not webhook_ids:
        return
    idents = rows.id_list(webhook_ids)
    rows.run(connection, "raise_highest_dropped", (max(webhook_ids),))
    rows.run(connection, "delete_revisions_of_webhooks", (idents,))
    rows.run(connection, "delete_webhooks", (idents,))
