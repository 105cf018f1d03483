"""The inbox: rows that `hookspan.publish()` wrote, drawn by one node for each application, and turned into events.

A row is locked first, and goes in the transaction that keeps its event: who comes second finds it gone. Rows before
applications, in the order of their ids, so that two who meet wait for each other in one direction only.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from hookspan.store.contract import Appended, AppendedEvent, NewEvent
from hookspan.store.inbox import (
    INBOX_COUNTED_MAX,
    REFUSED_KEPT_MS,
    Drawn,
    InboxApplication,
    InboxRefusal,
    InboxRow,
)
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._columns import numbers, texts
from hookspan.store.postgres._connection import Connection


class Level(msgspec.Struct, frozen=True):
    """What waits and what was refused, counted up to INBOX_COUNTED_MAX. `oldest_at` (ms): None where nothing waits."""

    waiting: int
    oldest_at: int | None
    refused: int


def append_drawn(
    connection: Connection,
    keep: Callable[[Sequence[NewEvent]], Appended],
    events: Sequence[NewEvent],
    drawn: Drawn,
) -> Appended:
    """See `Inbox`. `keep` appends events in this transaction."""
    row_ids = sorted(drawn.values())
    there = set(rows.many(connection, "lock_inbox", _first, (row_ids,)))
    present = [event for event in events if event.id not in drawn or drawn[event.id] in there]
    appended = keep(present)
    outcomes = {event.id: one for event, one in zip(present, appended.events, strict=True)}
    done = [
        row_id
        for event_id, row_id in drawn.items()
        if (one := outcomes.get(event_id)) is not None and (one.position or one.is_duplicate)
    ]
    if done:
        rows.run(connection, "delete_inbox", (done,))
    if len(present) == len(events):
        return appended
    whole = tuple(outcomes.get(event.id) or AppendedEvent(event.id, 0, False, False, ()) for event in events)
    return msgspec.structs.replace(appended, events=whole)


def applications(connection: Connection, node: int, after: str, limit: int) -> list[InboxApplication]:
    """See `Inbox.inbox_applications`."""
    bindings = {"node": node, "after": after, "limit": limit}
    return rows.many(
        connection, "list_inbox_applications", lambda row: InboxApplication(row[0], is_held=row[1]), bindings
    )


def draw(
    connection: Connection, node: int, wanted: Sequence[str], each: int, limit: int, bytes_max: int
) -> list[InboxRow]:
    """See `Inbox.draw_inbox`. The rows are read by a statement of their own, after the one that holds: it sees all that
    who held them before has taken out.
    """
    bindings: dict[str, Any] = {"node": node, "applications": texts(sorted(set(wanted)))}
    held = rows.many(connection, "hold_inbox", _name, bindings)
    if not held:
        return []
    bindings = {"applications": texts(held), "each": each, "limit": limit, "bytes_max": bytes_max}
    return rows.many(connection, "list_inbox", lambda row: InboxRow(*row), bindings)


def settle(
    connection: Connection, node: int, held: Sequence[str], refusals: Sequence[InboxRefusal], now_ms: int
) -> None:
    """See `Inbox.settle_inbox`."""
    if refusals:
        bindings = {
            "ids": numbers([one.row_id for one in refusals]),
            "codes": texts([one.code for one in refusals]),
            "details": texts([one.detail for one in refusals]),
            "pointers": texts([one.pointer for one in refusals]),
            "now": now_ms,
        }
        rows.run(connection, "refuse_inbox", bindings)
    rows.run(connection, "leave_inbox", {"node": node, "applications": texts(list(held))})


def drop_refused(connection: Connection, now_ms: int, limit: int) -> int:
    """What was refused long ago; how many went."""
    return rows.run(connection, "delete_inbox_refused", {"before": now_ms - REFUSED_KEPT_MS, "limit": limit})


def measure(connection: Connection) -> Level:
    """For gauges, and for people."""
    return Level(*rows.first_row(connection, "measure_inbox", {"limit": INBOX_COUNTED_MAX}))


def _first(row: rows.Values) -> int:
    return int(row[0])


def _name(row: rows.Values) -> str:
    return str(row[0])
