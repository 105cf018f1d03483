"""Retention: what is pending too long expires, visibly; what is old is dropped; what was deleted leaves no traces.

What is in flight is left alone: its outcome is being recorded, and its event stays until then.
"""

import apsw
import msgspec

from hookspan.ids import made_at_ms
from hookspan.store.contract import EXPIRED_SHOWN_MS, ExpiredTurn
from hookspan.store.sqlite import _rows as rows
from hookspan.store.sqlite._idempotency import drop_keys_of
from hookspan.store.sqlite._idempotency import sweep as sweep_keys
from hookspan.store.sqlite._jobs import drop_jobs_of, drop_old_jobs
from hookspan.store.sqlite._stalls import hand_on, heads_among
from hookspan.store.sqlite._sweep import sweep

# Deleted applications looked at in one turn.
_ERASED_MAX = 10
_MARK = "retention_mark"

_found_decoder = msgspec.json.Decoder(list[tuple[int, int, int, int | None]])


class Borders(msgspec.Struct, frozen=True):
    """What a turn is asked for; see `Store.expire`."""

    expire_below: int
    drop_below: int
    now_ms: int


class Findings(msgspec.Struct, frozen=True):
    """What a reader found for a turn to do, so that long walks don't hold up the writer."""

    expirable: list[int]  # deliveries; each is looked at again before it is changed
    old: list[int]  # events below the border of dropping, oldest first, from where the last turn ended
    kept: frozenset[int]  # those of them that something still hangs on
    forgettable: list[int]  # deleted webhooks without anything left to show


def look(connection: apsw.Connection, borders: Borders, after: int, limit: int) -> Findings:
    """What there is to do, by a reader."""
    lowest = rows.value(connection, "find_lowest_event")
    expire_below = max(borders.expire_below, borders.drop_below)
    expirable = []
    old: list[int] = []
    if lowest is not None and lowest < expire_below:
        expirable = rows.decode_ids(rows.value(connection, "find_expirable", (expire_below, limit)))
        bindings = {"after": after, "below": borders.drop_below, "limit": limit}
        old = rows.decode_ids(rows.value(connection, "find_droppable_events", bindings))
    kept = _find_kept(connection, old, borders.now_ms)
    return Findings(expirable, old, kept, rows.decode_ids(rows.value(connection, "find_forgettable", (limit,))))


def _find_kept(connection: apsw.Connection, event_ids: list[int], now_ms: int) -> frozenset[int]:
    """Those that something pending hangs on, or something that has expired so lately that nobody may have seen it."""
    if not event_ids:
        return frozenset()
    bindings = {
        "low": event_ids[0],
        "high": event_ids[-1],
        "event_ids": rows.id_list(event_ids),
        "shown_since": now_ms - EXPIRED_SHOWN_MS,
    }
    return frozenset(rows.decode_ids(rows.value(connection, "find_kept_events", bindings)))


def turn(
    connection: apsw.Connection, findings: Findings, borders: Borders, limit: int, mark_ms: int | None
) -> tuple[ExpiredTurn, int]:
    """One bounded turn, and the event that it came to: 0 at the end of a pass over the old ones, where the next turn
    begins anew with those that stayed.
    """
    now_ms = borders.now_ms
    if mark_ms is not None:
        rows.run(connection, "set_fact", (_MARK, mark_ms))
    cancelled = sweep(connection, now_ms, limit)
    heads = heads_among(connection, findings.expirable)
    expired = rows.run(connection, "expire_deliveries", (now_ms, rows.id_list(findings.expirable)))
    hand_on(connection, heads)
    _forget(connection, findings.forgettable)
    is_full = cancelled >= limit or len(findings.expirable) >= limit or len(findings.forgettable) >= limit
    dropped, has_more = _erase(connection, limit)
    came_to = 0
    if not has_more and dropped < limit:
        old = findings.old[: limit - dropped]
        one = _drop(connection, [ident for ident in old if ident not in findings.kept], None, limit)
        dropped += one.dropped
        has_more = one.is_cut or len(old) < len(findings.old) or len(old) >= limit
        if has_more and old:
            # What is cut off is looked for again; deliveries that were dropped do not come again, so it gets on.
            came_to = old[0] - 1 if one.is_cut else old[-1]
        elif not has_more:
            has_more = _drop_rest(connection, borders.drop_below, limit)
    has_more |= sweep_keys(connection, now_ms, limit)
    return ExpiredTurn(expired, dropped, not (is_full or has_more)), came_to


def read_mark(connection: apsw.Connection, now_ms: int) -> int:
    """See `Store.retention_mark`."""
    mark = rows.value(connection, "read_fact", (_MARK,))
    if mark is None:
        newest = rows.value(connection, "find_highest_id")
        mark = made_at_ms(newest) if newest else now_ms
    assert isinstance(mark, int)
    return mark


class _Dropped(msgspec.Struct, frozen=True):
    dropped: int
    is_cut: bool  # more deliveries hang on these events than go in one turn


def _drop(connection: apsw.Connection, event_ids: list[int], application_id: int | None, limit: int) -> _Dropped:
    """Drop these events with all that hangs on them, at most `limit` deliveries at a time. None has anything in flight.

    Events of which something is scheduled stay: since a reader found them they were asked for again, or, of a deleted
    application, they are not yet cancelled.
    """
    if not event_ids:
        return _Dropped(0, is_cut=False)
    bindings = {
        "low": min(event_ids),
        "high": max(event_ids),
        "application_id": application_id,
        "event_ids": rows.id_list(event_ids),
        "limit": limit + 1,
    }
    found = _found_decoder.decode(rows.value(connection, "find_deliveries_between", bindings))
    deliveries = found[:limit]
    kept = {event_id for _, event_id, is_pending, _ in deliveries if is_pending}
    gone = [(ident, last) for ident, event_id, _, last in deliveries if event_id not in kept]
    _drop_deliveries(connection, gone)
    if len(found) > limit:  # their events follow when no delivery is left
        return _Dropped(0, is_cut=bool(gone))
    return _Dropped(_drop_events(connection, [ident for ident in event_ids if ident not in kept]), is_cut=False)


def _drop_deliveries(connection: apsw.Connection, deliveries: list[tuple[int, int | None]]) -> None:
    if not deliveries:
        return
    attempts = [last for _, last in deliveries if last is not None]
    rows.run(connection, "delete_attempts_of", (rows.id_list(attempts),))
    idents = rows.id_list(ident for ident, _ in deliveries)
    rows.run(connection, "count_dropped_of_jobs", (idents,))
    rows.run(connection, "delete_deliveries", (idents,))
    rows.run(connection, "raise_highest_dropped", (max(max(ident, last or 0) for ident, last in deliveries),))


def _drop_events(connection: apsw.Connection, event_ids: list[int]) -> int:
    if not event_ids:
        return 0
    idents = rows.id_list(event_ids)
    rows.run(connection, "delete_publish_keys", (idents,))
    rows.run(connection, "raise_highest_dropped", (max(event_ids),))
    return rows.run(connection, "delete_events", (idents,))


def _drop_rest(connection: apsw.Connection, drop_below: int, limit: int) -> bool:
    """What belongs to no event: tests' attempts, revisions that no attempt refers to, jobs. True when more is left."""
    attempts = rows.run(connection, "delete_lone_attempts", (drop_below, limit))
    revisions = rows.run(connection, "delete_revisions", (made_at_ms(drop_below), limit))
    jobs = drop_old_jobs(connection, made_at_ms(drop_below), limit)
    return attempts >= limit or revisions >= limit or jobs >= limit


def _erase(connection: apsw.Connection, limit: int) -> tuple[int, bool]:
    """Drop what deleted applications have left, at most `limit` events. How many, and whether there is more.

    An application whose deliveries are not yet cancelled, or in flight, waits for a later turn. What has expired
    lately is not kept for it: nobody can look at it any more.
    """
    dropped = 0
    erased = rows.decode_ids(rows.value(connection, "list_erased", (_ERASED_MAX,)))
    for application_id in erased:
        budget = limit - dropped
        if budget <= 0:
            return dropped, True
        event_ids = rows.decode_ids(rows.value(connection, "find_events_of", (application_id, budget)))
        one = _drop(connection, event_ids, application_id, limit)
        dropped += one.dropped
        if one.is_cut or (len(event_ids) >= budget and one.dropped):
            return dropped, True
        is_empty = not rows.value(connection, "has_events", (application_id,))
        if is_empty and _erase_frame(connection, application_id, limit):
            return dropped, True
    return dropped, False


def _erase_frame(connection: apsw.Connection, application_id: int, limit: int) -> bool:
    """The last of an application without events: its webhooks and itself. True when more is left."""
    if rows.run(connection, "delete_attempts_of_application", (application_id, limit)) >= limit:
        return True
    if drop_jobs_of(connection, application_id, limit) >= limit:
        return True
    if drop_keys_of(connection, application_id, limit) >= limit:
        return True
    rows.run(connection, "raise_highest_dropped", (application_id,))
    newest = rows.value(connection, "find_newest_webhook", (application_id,))
    if newest is not None:
        rows.run(connection, "raise_highest_dropped", (newest,))
    rows.run(connection, "delete_revisions_of_application", (application_id,))
    rows.run(connection, "delete_notices_of_application", (application_id,))
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
