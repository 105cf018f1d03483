"""Events to read: newest first, oldest first, and those that have not arrived everywhere."""

from collections.abc import Collection
from typing import Any

from hookspan.domain.records import Event
from hookspan.store.contract import UNDELIVERED_LOOK_MAX, Page, Undelivered
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._event_scan import find_window

_LAST_MS = 1 << 62


def read_event(connection: Connection, application_id: int, event_id: int) -> Event | None:
    return rows.one(connection, "read_event", rows.event, {"id": event_id, "application_id": application_id})


def list_events(
    connection: Connection,
    application_id: int,
    page: Page,
    event_types: Collection[str] | None,
    publisher_id: str | None,
) -> list[Event]:
    """See `Store.list_events`."""
    if publisher_id is not None:
        return _event_of_publisher(connection, application_id, page, event_types, publisher_id)
    return rows.many(connection, "list_events", rows.event, _bindings(connection, application_id, page, event_types))


def _bindings(
    connection: Connection, application_id: int, page: Page, event_types: Collection[str] | None
) -> dict[str, Any]:
    since, until = _times(page)
    after, below = 0, rows.ID_MAX if page.before is None else page.before
    if page.since is not None or page.until is not None:
        window = find_window(connection, application_id, since, until, below - 1)
        after, below = window.after, window.last + 1
    return {
        "application_id": application_id,
        "after": after,
        "below": below,
        "since": since,
        "until": until,
        "types": _list(event_types),
        "limit": page.limit,
    }


def _times(page: Page) -> tuple[int, int]:
    """The page's times of acceptance: from, and below."""
    return page.since or 0, _LAST_MS if page.until is None else page.until


def _list(event_types: Collection[str] | None) -> list[str] | None:
    return None if event_types is None else [one for one in event_types if rows.is_kept(one)]


def _event_of_publisher(
    connection: Connection,
    application_id: int,
    page: Page,
    event_types: Collection[str] | None,
    publisher_id: str,
) -> list[Event]:
    if not rows.is_kept(publisher_id):
        return []
    event_id = rows.value(connection, "find_publisher_event", (application_id, publisher_id))
    event = None if event_id is None else read_event(connection, application_id, event_id)
    since, until = _times(page)
    if (
        event is None
        or not since <= event.accepted_at < until
        or (page.before is not None and event.position >= page.before)
    ):
        return []
    return [event] if (event_types is None or event.type in event_types) and page.limit > 0 else []


def events_after(
    connection: Connection,
    application_id: int,
    position: int,
    limit: int,
    event_types: Collection[str] | None,
) -> list[Event]:
    """See `Store.events_after`."""
    bindings = {
        "application_id": application_id,
        "position": position,
        "types": _list(event_types),
        "limit": limit,
    }
    return rows.many(connection, "list_events_after", rows.event, bindings)


def undelivered(
    connection: Connection, application_id: int, page: Page, event_types: Collection[str] | None
) -> Undelivered:
    """See `Store.undelivered`."""
    bindings = _bindings(connection, application_id, page, event_types) | {"limit": UNDELIVERED_LOOK_MAX}
    looked: list[tuple[int, int, bool]] = rows.many(connection, "find_undelivered", tuple, bindings)
    found: list[Event] = []
    for event_id, position, is_undelivered in looked:
        if is_undelivered:
            event = read_event(connection, application_id, event_id)
            if event is not None:
                found.append(event)
        if len(found) >= page.limit:
            return Undelivered(tuple(found), position)
    is_end = len(looked) < UNDELIVERED_LOOK_MAX
    return Undelivered(tuple(found), None if is_end else looked[-1][1])
