"""What a webhook has before it: deliveries that wait, and events after its position that are no deliveries yet."""

from collections.abc import Callable, Iterator
from typing import Any

from hookspan.domain.records import Event, Webhook
from hookspan.domain.states import Order, WebhookStatus
from hookspan.ids import made_at_ms
from hookspan.store.contract import UPCOMING_LOOK_MAX, WAITING_MAX, Waiting
from hookspan.store.postgres import _lowest
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._sweep import is_swept
from hookspan.store.postgres._webhooks import read_webhook

Asks = Callable[[str], bool]

_CHUNK = 1_000  # events after the position that are read at once
_BEHIND = frozenset({WebhookStatus.DISABLED, WebhookStatus.CATCHING_UP})


def upcoming(connection: Connection, webhook_id: int, asks_for: Asks, wants: Asks, limit: int) -> list[Event]:
    """See `Store.upcoming`; of one moment because it is read in one transaction."""
    webhook = read_webhook(connection, webhook_id)
    if webhook is None:
        return []
    found: dict[int, None] = {}  # an event that goes twice, by a replay, is shown once
    for event_id in _upcoming_ids(connection, webhook, asks_for, wants):
        if len(found) >= limit:
            break
        found[event_id] = None
    events = [
        rows.one(connection, "read_event", rows.event, {"id": one, "application_id": webhook.application_id})
        for one in found
    ]
    return [one for one in events if one is not None]


def _upcoming_ids(connection: Connection, webhook: Webhook, asks_for: Asks, wants: Asks) -> Iterator[int]:
    if not is_swept(connection, webhook.id):  # else what waits is being cancelled
        name = "find_upcoming_fifo" if webhook.order is Order.FIFO else "find_upcoming"
        bindings: dict[str, Any] = {
            "webhook_id": webhook.id,
            "most": UPCOMING_LOOK_MAX,
            "low": _lowest.read(connection),
        }
        for event_id, event_type in rows.many(connection, name, tuple, bindings):
            if wants(event_type):
                yield event_id
    if webhook.status not in _BEHIND:
        return
    position = webhook.position
    for _ in range(UPCOMING_LOOK_MAX // _CHUNK):
        bindings = {
            "application_id": webhook.application_id,
            "position": position,
            "last": rows.ID_MAX,
            "limit": _CHUNK,
        }
        chunk: list[tuple[int, str, int]] = rows.many(connection, "read_next_events", tuple, bindings)
        for event_id, event_type, position in chunk:  # noqa: B007 - the last one is where the next chunk goes on
            if wants(event_type) and asks_for(event_type):
                yield event_id
        if len(chunk) < _CHUNK:
            return


def behind(connection: Connection, webhook_id: int, asks_for: Asks) -> Waiting:
    """See `Store.behind`."""
    webhook = read_webhook(connection, webhook_id)
    if webhook is None or webhook.status not in _BEHIND:
        return Waiting(0, None)
    bindings = {"application_id": webhook.application_id, "position": webhook.position, "most": WAITING_MAX}
    counted: list[tuple[str, int, int]] = rows.many(connection, "count_behind", tuple, bindings)
    asked = [(count, lowest) for event_type, count, lowest in counted if asks_for(event_type)]
    oldest = min((lowest for _, lowest in asked), default=None)
    return Waiting(sum(count for count, _ in asked), None if oldest is None else made_at_ms(oldest))
