"""The audit log: a line for each change, in the change's own transaction, linked to the one before it.

Several nodes write at once, so the end of a chain is locked before it is read, and until the line is durable. It is the
last lock that a transaction takes, so it is held for the commit only, and nobody who holds it waits for another.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from hookspan.domain.audit import NO_HASH, AuditEntry, AuditLine, detail_text, link
from hookspan.domain.caller import Role
from hookspan.errors import StoreUnavailable
from hookspan.ids import IdMaker
from hookspan.store.audit import PAGE_BYTES_MAX, WALK_MAX, AuditPage, AuditQuery
from hookspan.store.contract import Page
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection

# A line's `at` was taken a little before its id, on a node whose clock may differ from another's by this much.
_CLOCKS_APART_MS = 60_000
_LAST_MS = 1 << 62
# Of chains; what is left of an application's id, so that two may share a lock, which does no harm.
_LOCK_MASK = (1 << 31) - 1
# A line's id is above the one before it in its chain, whatever the clocks of their nodes: it may meet another chain's.
# The steps double, so that a long row of those is soon passed by; so many lead two seconds ahead.
_TRIES_MAX = 32

T = TypeVar("T")


def keeping(run: Callable[[Connection], T], entry: AuditEntry, ids: IdMaker) -> Callable[[Connection], T]:
    """`run`, which keeps `entry` if it has changed something. Both, or neither: an error here undoes the change."""

    def both(connection: Connection) -> T:
        before = connection.changes
        done = run(connection)
        if done is not False and connection.changes != before:
            keep(connection, entry, ids)
        return done

    return both


def keep(connection: Connection, entry: AuditEntry, ids: IdMaker) -> None:
    """Add a line to the end of its chain. Ids rise as sequences do, so that lists by id show a chain without a gap."""
    rows.value(connection, "lock_chain", (entry.application_id & _LOCK_MASK,))
    head = rows.first_row(connection, "read_audit_head", (entry.application_id,))
    last_id, sequence, previous = (0, 0, NO_HASH) if head is None else head
    sequence += 1
    first = max(ids.make(), last_id + 1)
    bindings = {
        "application_id": entry.application_id,
        "sequence": sequence,
        "at": entry.at,
        "application": entry.application,
        "actor_kind": entry.actor_kind,
        "actor_id": entry.actor_id,
        "actor_name": entry.actor_name,
        "role": entry.role,
        "action": entry.action,
        "object_kind": entry.object_kind,
        "object_id": entry.object_id,
        "address": entry.address,
        "request_id": entry.request_id,
        "detail": detail_text(entry.detail).decode(),
        "by_operator": entry.by_operator,
        "previous_hash": previous,
        "hash": link(previous, sequence, entry),
    }
    for turn in range(_TRIES_MAX):
        if rows.run(connection, "insert_audit", bindings | {"id": first + (1 << turn) - 1}):
            return
    raise StoreUnavailable("The audit log has no free id for this change. Nothing of it was stored; send it again.")


def list_audit(connection: Connection, page: Page, query: AuditQuery) -> AuditPage:
    """See `Store.list_audit`. Ids bound the walk; `at` decides."""
    bindings = _bindings(page, query)
    listing, walked = "list_audit", "find_audit_walked"
    if query.application is not None:
        bindings |= {"application": query.application, "application_id": query.application_id}
        listing, walked = "list_audit_of", "find_audit_walked_of"
    found: list[AuditLine] = []
    size = 0
    for row in rows.execute(connection, listing, bindings):
        found.append(line(row))
        size += sum(len(one) for one in row if isinstance(one, str | bytes))
        if size >= PAGE_BYTES_MAX:
            break
    if found and (len(found) >= page.limit or size >= PAGE_BYTES_MAX):
        return AuditPage(tuple(found), found[-1].id)
    return AuditPage(tuple(found), rows.value(connection, walked, bindings))


def _bindings(page: Page, query: AuditQuery) -> dict[str, Any]:
    low, high = rows.id_range(
        msgspec.structs.replace(
            page,
            since=None if page.since is None else page.since - _CLOCKS_APART_MS,
            until=None if page.until is None else page.until + _CLOCKS_APART_MS,
        )
    )
    return {
        "low": low,
        "high": high if page.before is None else min(high, page.before),
        "since": page.since or 0,
        "until": _LAST_MS if page.until is None else page.until,
        "action": query.action,
        "actor_id": query.actor_id,
        "object_id": query.object_id,
        "own_actors": query.own_actors,
        "limit": page.limit,
        "walk": WALK_MAX,
        "chars_max": PAGE_BYTES_MAX,  # never fewer than PAGE_BYTES_MAX of the lines' bytes
    }


def line(row: rows.Values) -> AuditLine:
    """A row of the table."""
    return AuditLine(
        id=row[0],
        sequence=row[2],
        previous_hash=row[15],
        hash=row[16],
        entry=AuditEntry(
            application_id=row[1],
            at=row[3],
            application=row[4],
            actor_kind=row[5],
            actor_id=row[6],
            actor_name=row[7],
            role=Role(row[8]),
            action=row[9],
            object_kind=row[10],
            object_id=row[11],
            address=row[12],
            request_id=row[13],
            detail=msgspec.json.decode(row[14]),
            by_operator=row[17],
        ),
    )
