"""Statistics by the hour: added up as they come, read, dropped; and the numbers that health is made of."""

from collections.abc import Sequence
from typing import Any

import apsw
import msgspec

from hookspan.ids import made_at_ms
from hookspan.store.messages import Waiting
from hookspan.store.sqlite import _rows as rows
from hookspan.store.sqlite import _webhooks as webhooks
from hookspan.store.sqlite._statements import Many
from hookspan.store.statistics import HourCounts, WebhookHealth

WAITING_ALL_MAX = 100_000  # counted exactly up to here: some milliseconds

_ADD = Many("add_statistics")
_Row = tuple[int, int, int, int, int, int, int, dict[int, int]]
_rows_decoder = msgspec.json.Decoder(list[_Row])
_count_decoder = msgspec.json.Decoder(tuple[int, int | None])


def add(connection: apsw.Connection, counts: Sequence[HourCounts], node: int, number: int) -> None:
    """See `Store.add_statistics`."""
    is_new = number == 0 or rows.run(connection, "note_flush", {"node": node, "number": number})
    if not is_new and rows.value(connection, "has_node", (node,)):
        return
    values: list[Any] = []
    for one in counts:
        values += (
            one.subject_id,
            one.hour,
            one.events,
            one.attempts,
            one.attempts_succeeded,
            one.deliveries_succeeded,
            one.deliveries_failed,
            rows.json_text(one.latency),
        )
    _ADD.run(connection, values)


def read(connection: apsw.Connection, subject_id: int, since_hour: int, until_hour: int) -> list[HourCounts]:
    """See `Store.statistics`."""
    found = _rows_decoder.decode(rows.value(connection, "list_statistics", (subject_id, since_hour, until_hour)))
    return [HourCounts(*one) for one in found]


def drop(connection: apsw.Connection, before_hour: int, limit: int) -> int:
    """See `Store.drop_statistics`."""
    return rows.run(connection, "delete_statistics", (before_hour, limit))


def health(connection: apsw.Connection, webhook_ids: Sequence[int], since_hour: int) -> dict[int, WebhookHealth]:
    """See `Store.health`; of one moment, because it is read in one transaction."""
    last = webhooks.last_success_at(connection, webhook_ids)
    stalled = webhooks.stalled(connection, webhook_ids)
    bindings = {"webhook_ids": rows.id_list(webhook_ids), "since": since_hour}
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


def waiting_of_all(connection: apsw.Connection) -> Waiting:
    """See `Store.waiting_of_all`."""
    row = rows.first_row(connection, "count_waiting_all", {"most": WAITING_ALL_MAX})
    parts = [_count_decoder.decode(one) for one in row]
    idents = [oldest for _, oldest in parts if oldest is not None]
    oldest_at = made_at_ms(min(idents)) if idents else None
    return Waiting(min(sum(count for count, _ in parts), WAITING_ALL_MAX), oldest_at)
