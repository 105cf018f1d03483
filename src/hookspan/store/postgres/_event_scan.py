"""Looking through a window of an application's events, a part at a time, each part in a short read of its own."""

from hookspan.domain.jobs import ScannedEvent
from hookspan.ids import first_id_at
from hookspan.store.jobs import IDS_APART_MS, EventScan, Window
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection

# The schema's: an event whose id and time of acceptance are further apart is in the index event_displaced.
_DISPLACED_MS = 60_000
_AROUND_MS = _DISPLACED_MS + IDS_APART_MS


def find_window(connection: Connection, application_id: int, since: int, until: int, last: int) -> Window:
    """See `Jobs.find_window`. By ids, and widened to the events whose ids are not of their time; see decision 9."""
    after = _last_before(connection, application_id, first_id_at(since - _AROUND_MS), last)
    end = _last_before(connection, application_id, first_id_at(until + _AROUND_MS), last)
    bindings = {"application_id": application_id, "since": since, "until": until}
    lowest, highest = rows.first_row(connection, "find_displaced", bindings)
    if lowest is None or lowest > last:
        return Window(after, end)
    return Window(min(after, lowest - 1), max(end, min(highest, last)))


def _last_before(connection: Connection, application_id: int, ident: int, last: int) -> int:
    """The last position up to `last` whose event's id is below `ident`; 0 when none is."""
    bindings = {"application_id": application_id, "ident": ident, "last": last}
    found = rows.value(connection, "find_last_before", bindings)
    assert isinstance(found, int)
    return found


def scan_events(
    connection: Connection,
    application_id: int,
    webhook_id: int,
    window: Window,
    since: int,
    until: int,
    limit: int,
    *,
    with_state: bool,
) -> EventScan:
    """See `Jobs.scan_events`."""
    bindings = {
        "application_id": application_id,
        "webhook_id": webhook_id,
        "after": window.after,
        "last": window.last,
        "since": since,
        "until": until,
        "limit": limit,
        "with_state": with_state,
    }
    looked = rows.many(connection, "scan_events", _scanned, bindings)
    events = [one for one in looked if since <= one.accepted_at < until]
    return EventScan(events, looked[-1].position if len(looked) >= limit else None)


def _scanned(row: rows.Values) -> ScannedEvent:
    return ScannedEvent(*row)
