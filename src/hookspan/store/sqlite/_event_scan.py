"""Looking through a window of an application's events, a part at a time, each part in a short read of its own."""

import apsw
import msgspec

from hookspan.domain.jobs import ScannedEvent
from hookspan.store.jobs import EventScan, Window
from hookspan.store.sqlite import _rows as rows

# Events of one application are accepted in the order of their positions, but for what the clocks of nodes differ.
_AROUND_MS = 60_000

_scan_decoder = msgspec.json.Decoder(list[ScannedEvent])


def find_window(connection: apsw.Connection, application_id: int, since: int, until: int, last: int) -> Window:
    """See `Jobs.find_window`."""
    after = _last_before(connection, application_id, since - _AROUND_MS, last)
    return Window(after, _last_before(connection, application_id, until + _AROUND_MS, last))


def _last_before(connection: apsw.Connection, application_id: int, at_ms: int, last: int) -> int:
    """The last position up to `last` whose event was accepted before `at_ms`; 0 when none was. By halving: events that
    were dropped leave gaps.
    """
    low, high = 0, last
    while low < high:
        middle = (low + high) // 2
        found = rows.first_row(connection, "find_event_after", (application_id, middle))
        if found is None or found[0] >= at_ms:
            high = middle
        else:
            low = min(found[1], last)
    return low


def scan_events(
    connection: apsw.Connection,
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
    events = _scan_decoder.decode(rows.value(connection, "scan_events", bindings))
    return EventScan(events, events[-1].position if len(events) >= limit else None)
