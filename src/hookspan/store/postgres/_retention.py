"""Retention by rows: the pending expires, visibly; what is old is dropped; what was deleted leaves no traces.

What is in flight is left alone: its outcome is being recorded, and its event stays until then. Each function is a short
transaction of its own; several nodes may be at it, and pass by what another one has locked. Where there is much, whole
partitions go instead: see `_drops`.
"""

import operator

import msgspec

from hookspan.ids import made_at_ms
from hookspan.store.contract import EXPIRED_SHOWN_MS
from hookspan.store.postgres import _lowest
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._idempotency import drop_keys_of
from hookspan.store.postgres._jobs import drop_jobs_of, drop_old_jobs
from hookspan.store.postgres._locks import lock_webhooks
from hookspan.store.postgres._stalls import hand_on, stalled_among, stalled_heads

# Deleted applications looked at in one turn.
ERASED_MAX = 10
# Attempts of one delivery that are dropped with it: a chain longer than that leaves its oldest to their partitions.
CHAIN_MAX = 10_000
_MARK = "retention_mark"

_first = operator.itemgetter(0)


class Borders(msgspec.Struct, frozen=True):
    """What a turn is asked for; see `Store.expire`."""

    expire_below: int
    drop_below: int
    now_ms: int

    @property
    def shown_since(self) -> int:
        """What has expired since then keeps its event."""
        return self.now_ms - EXPIRED_SHOWN_MS


class Findings(msgspec.Struct, frozen=True):
    """What a reader found for a turn to do."""

    expirable: list[int]  # deliveries; each is looked at again before it is changed
    forgettable: list[int]  # deleted webhooks without anything left to show
    erased: list[int]  # applications


class Dropped(msgspec.Struct, frozen=True):
    events: int
    is_cut: bool  # more deliveries hang on these events than go in one turn


def set_mark(connection: Connection, mark_ms: int) -> None:
    """Keep the time that retention obeys."""
    rows.run(connection, "set_fact", (_MARK, mark_ms))


def read_mark(connection: Connection, now_ms: int) -> int:
    """See `Store.retention_mark`."""
    mark = rows.value(connection, "read_fact", (_MARK,))
    if mark is None:
        newest = rows.value(connection, "find_highest_id")
        mark = made_at_ms(newest) if newest else now_ms
    assert isinstance(mark, int)
    return mark


def look(connection: Connection, borders: Borders, limit: int) -> Findings:
    """What there is to do, by a reader."""
    below = max(borders.expire_below, borders.drop_below)
    expirable = {"below": below, "low": _lowest.read(connection), "limit": limit}
    return Findings(
        rows.many(connection, "find_expirable", _first, expirable),
        rows.many(connection, "find_forgettable", _first, (limit,)),
        rows.many(connection, "list_erased", _first, (ERASED_MAX,)),
    )


def find_old(connection: Connection, ranges: list[tuple[int, int]], after: int, limit: int) -> list[int]:
    """The oldest events above an id, within ranges of ids, of which nothing is in flight."""
    found: list[int] = []
    for low, high in ranges:
        if len(found) >= limit:
            break
        if high <= after:
            continue
        bindings = {"after": after, "low": low, "high": high, "limit": limit - len(found)}
        found += rows.many(connection, "find_droppable_events", _first, bindings)
    return found


def expire(connection: Connection, delivery_ids: list[int], now_ms: int) -> int:
    """Those of these deliveries that are still scheduled fail as expired; a stalled head hands its stall on."""
    if not delivery_ids:
        return 0
    webhook_ids = stalled_among(connection, delivery_ids)
    lock_webhooks(connection, webhook_ids)
    heads = stalled_heads(connection, webhook_ids)
    expired = rows.run(connection, "expire_deliveries", {"ids": rows.id_list(delivery_ids), "now": now_ms})
    hand_on(connection, heads)
    return expired


def forget(connection: Connection, webhook_ids: list[int]) -> None:
    """Deleted webhooks of which nothing is left to show."""
    if not webhook_ids:
        return
    idents = rows.id_list(webhook_ids)
    rows.run(connection, "delete_revisions_of_webhooks", (idents,))
    rows.run(connection, "delete_webhooks", (idents,))
    _note(connection, max(webhook_ids))


def drop(connection: Connection, event_ids: list[int], shown_since: int, limit: int) -> Dropped:
    """Drop these events with all that hangs on them, at most `limit` deliveries at a time.

    Events are locked first, so that nobody makes a delivery of them any more. One stays of which something is pending
    (it was asked for again), or has expired since `shown_since`; or that somebody else holds at this moment.
    """
    locked = rows.many(connection, "lock_events", _first, (rows.id_list(event_ids),)) if event_ids else []
    if not locked:
        return Dropped(0, is_cut=False)
    bindings = {"event_ids": locked, "shown_since": shown_since}
    kept = set(rows.many(connection, "find_kept_events", _first, bindings))
    bindings = {"event_ids": [ident for ident in locked if ident not in kept], "limit": limit + 1}
    found = rows.many(connection, "lock_deliveries_of_events", tuple, bindings)
    deliveries = found[:limit]
    kept |= {event_id for _, event_id, is_pending, _ in deliveries if is_pending}
    drop_deliveries(connection, [(ident, last) for ident, event_id, _, last in deliveries if event_id not in kept])
    if len(found) > limit:  # their events follow when no delivery is left
        return Dropped(0, is_cut=True)
    return Dropped(_drop_events(connection, [ident for ident in locked if ident not in kept]), is_cut=False)


def drop_deliveries(connection: Connection, deliveries: list[tuple[int, int | None]]) -> None:
    """Drop deliveries, given with their last attempts, and all their attempts."""
    if not deliveries:
        return
    idents = [ident for ident, _ in deliveries]
    rows.run(connection, "count_dropped_of_jobs", (idents,))
    rows.run(connection, "delete_deliveries", (idents,))
    chain = [last for _, last in deliveries if last is not None]
    highest = max(idents + chain)
    for _ in range(CHAIN_MAX):
        if not chain:
            break
        before = rows.many(connection, "delete_attempts", _first, (chain,))
        chain = [ident for ident in before if ident is not None]
    _note(connection, highest)


def _drop_events(connection: Connection, event_ids: list[int]) -> int:
    if not event_ids:
        return 0
    rows.run(connection, "delete_publish_keys", (event_ids,))
    dropped = rows.run(connection, "delete_events", (event_ids,))
    _note(connection, max(event_ids))
    return dropped


def drop_rest(connection: Connection, drop_below: int, limit: int) -> bool:
    """What belongs to no event: tests' attempts, revisions that no attempt refers to, jobs, publisher ids of partitions
    that have gone. True when more is left.
    """
    lowest = rows.value(connection, "find_lowest_event")
    lowest = drop_below if lowest is None else min(lowest, drop_below)
    keys = rows.run(connection, "delete_lone_publish_keys", {"lowest": lowest, "limit": limit})
    attempts = rows.run(connection, "delete_lone_attempts", {"below": drop_below, "limit": limit})
    bindings = {"before": made_at_ms(drop_below), "limit": limit}
    revisions = rows.run(connection, "delete_revisions", bindings)
    jobs = drop_old_jobs(connection, made_at_ms(drop_below), limit)
    return limit in (keys, attempts, revisions) or jobs >= limit


def erase(connection: Connection, application_id: int, limit: int) -> tuple[int, bool]:
    """Drop what a deleted application has left, at most `limit` events. How many, and whether there is more.

    One whose deliveries are not yet cancelled, or in flight, waits for a later turn. What has expired lately is not
    kept for it: nobody can look at it any more.
    """
    if rows.first_row(connection, "lock_erased", (application_id,)) is None:
        return 0, False
    bindings = {"application_id": application_id, "limit": limit}
    event_ids = rows.many(connection, "find_events_of", _first, bindings)
    one = drop(connection, event_ids, rows.ID_MAX, limit)
    if one.is_cut or (len(event_ids) >= limit and one.events):
        return one.events, True
    is_empty = not rows.value(connection, "has_events", (application_id,))
    return one.events, is_empty and _erase_frame(connection, application_id, limit)


def _erase_frame(connection: Connection, application_id: int, limit: int) -> bool:
    """The last of an application without events: its webhooks and itself. True when more is left."""
    bindings = {"application_id": application_id, "limit": limit}
    if rows.run(connection, "delete_attempts_of_application", bindings) >= limit:
        return True
    if drop_jobs_of(connection, application_id, limit) >= limit:
        return True
    if drop_keys_of(connection, application_id, limit) >= limit:
        return True
    newest = rows.value(connection, "find_newest_webhook", (application_id,))
    rows.run(connection, "delete_revisions_of_application", (application_id,))
    rows.run(connection, "delete_notices_of_application", (application_id,))
    rows.run(connection, "delete_webhooks_of_application", (application_id,))
    rows.run(connection, "delete_application", (application_id,))
    _note(connection, max(application_id, newest or 0))
    return False


def _note(connection: Connection, ident: int) -> None:
    """Last in its transaction, for all nodes share that row."""
    rows.run(connection, "raise_highest_dropped", (ident,))
