"""Catch-up: the events after a webhook's position become deliveries, in order, then it is active."""

from collections.abc import Callable
from typing import Any

import apsw
import msgspec

from hookspan.domain.records import Webhook
from hookspan.domain.states import DeliveryReason, Order, WebhookStatus
from hookspan.ids import IdMaker
from hookspan.store.contract import CatchUpTurn
from hookspan.store.sqlite import _rows as rows
from hookspan.store.sqlite._statements import Many
from hookspan.store.sqlite._sweep import is_swept, sweep_webhook
from hookspan.store.sqlite._webhooks import activate, read_webhook

_INSERT_ORIGINALS = Many("insert_originals")
_events_decoder = msgspec.json.Decoder(list[tuple[int, str, int]])


def catch_up(
    connection: apsw.Connection,
    ids: IdMaker,
    webhook_id: int,
    events_max: int,
    asks_for: Callable[[str], bool],
    now_ms: int,
    *,
    version: int | None,
    sweep_chunk: int,
) -> CatchUpTurn:
    """One chunk; see `Store.catch_up`. A webhook that skips is first rid of what waited for it."""
    webhook = read_webhook(connection, webhook_id)
    if webhook is None or webhook.status is not WebhookStatus.CATCHING_UP:
        return CatchUpTurn(0, 0 if webhook is None else webhook.position, True, None)
    if version is not None and version != webhook.version:  # planned with another subscription
        return CatchUpTurn(0, webhook.position, False, None, is_stale=True, webhook=webhook)
    if is_swept(connection, webhook_id):
        sweep_webhook(connection, webhook_id, DeliveryReason.SKIPPED, webhook.status, now_ms, sweep_chunk)
        if is_swept(connection, webhook_id):
            return CatchUpTurn(0, webhook.position, False, None)
    text = rows.value(connection, "read_next_events", (webhook.application_id, webhook.position, events_max))
    events = _events_decoder.decode(text)
    created = _insert(connection, ids, webhook, events, asks_for, now_ms)
    if len(events) < events_max:  # that was the end, and nobody publishes in this transaction
        return _finish(connection, webhook, created)
    position = events[-1][2]
    rows.run(connection, "move_position", {"id": webhook_id, "position": position})
    return CatchUpTurn(created, position, False, None)


def _insert(
    connection: apsw.Connection,
    ids: IdMaker,
    webhook: Webhook,
    events: list[tuple[int, str, int]],
    asks_for: Callable[[str], bool],
    now_ms: int,
) -> int:
    """Original deliveries (run 0) of the events asked for; those that are there already stay. How many are new."""
    is_asked = {event_type: asks_for(event_type) for event_type in {event_type for _, event_type, _ in events}}
    is_fifo = webhook.order is Order.FIFO
    values: list[Any] = []
    for event_id, event_type, _ in events:
        if is_asked[event_type]:
            values += (ids.make(), webhook.application_id, webhook.id, event_id, 0, 0, is_fifo, now_ms)
    before = connection.total_changes()
    _INSERT_ORIGINALS.run(connection, values)
    return connection.total_changes() - before


def _finish(connection: apsw.Connection, webhook: Webhook, created: int) -> CatchUpTurn:
    application = rows.one(connection, "read_application", rows.application, (webhook.application_id,))
    assert application is not None, "a webhook that is there has an application"
    refreshed = activate(connection, webhook, application.last_position)
    return CatchUpTurn(created, application.last_position, True, refreshed)
