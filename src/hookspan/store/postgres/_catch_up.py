"""Catch-up: the events after a webhook's position become deliveries, in order, then it is active.

While there is much before it a chunk holds the webhook's row only, so that publishes go on: what was committed up to a
position stays so. The last chunk, and it alone, holds the application's row too: nobody publishes until the webhook is
active.
"""

from collections.abc import Callable

from hookspan.domain.records import Webhook
from hookspan.domain.states import DeliveryReason, Order, WebhookStatus
from hookspan.ids import IdMaker
from hookspan.store.contract import CatchUpTurn
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._locks import lock_application, lock_webhook
from hookspan.store.postgres._sweep import is_swept, sweep_webhook
from hookspan.store.postgres._webhooks import activate, read_webhook

LAST_EVENTS_MAX = 200  # those who publish wait for so many at most

Asks = Callable[[str], bool]


def catch_up(
    connection: Connection,
    ids: IdMaker,
    webhook_id: int,
    events_max: int,
    asks_for: Asks,
    now_ms: int,
    *,
    version: int | None,
    sweep_chunk: int,
) -> CatchUpTurn:
    """One chunk; see `Store.catch_up`. A webhook that skips is first rid of what waited for it."""
    seen = read_webhook(connection, webhook_id)
    if seen is None or seen.status is not WebhookStatus.CATCHING_UP:
        return _nothing_to_do(seen)
    last = _last_position(connection, seen)
    is_last = last - seen.position < min(events_max, LAST_EVENTS_MAX)
    if is_last:
        application = lock_application(connection, seen.application_id)
        last = seen.position if application is None else application.last_position
    webhook = lock_webhook(connection, webhook_id)
    if webhook is None or webhook.status is not WebhookStatus.CATCHING_UP:
        return _nothing_to_do(webhook)
    if version is not None and version != webhook.version:  # planned with another subscription
        return CatchUpTurn(0, webhook.position, False, None, is_stale=True, webhook=webhook)
    if is_swept(connection, webhook_id):
        sweep_webhook(connection, webhook_id, DeliveryReason.SKIPPED, webhook.status, now_ms, sweep_chunk)
        if is_swept(connection, webhook_id):
            return CatchUpTurn(0, webhook.position, False, None)
    bindings = {
        "application_id": webhook.application_id,
        "position": webhook.position,
        "last": last,
        "limit": events_max,
    }
    events: list[tuple[int, str, int]] = rows.many(connection, "read_next_events", tuple, bindings)
    created = _insert(connection, ids, webhook, events, asks_for, now_ms)
    if is_last and len(events) < events_max:  # that was the end, and nobody publishes in this transaction
        return CatchUpTurn(created, last, True, activate(connection, webhook, last))
    # Fewer than asked for are all of them up to `last`: where some were dropped there are gaps.
    position = events[-1][2] if len(events) == events_max else max(last, webhook.position)
    rows.run(connection, "move_position", {"id": webhook_id, "position": position})
    return CatchUpTurn(created, position, False, None)


def _nothing_to_do(webhook: Webhook | None) -> CatchUpTurn:
    return CatchUpTurn(0, 0 if webhook is None else webhook.position, True, None)


def _last_position(connection: Connection, webhook: Webhook) -> int:
    """The application's last one, up to which everything is committed and can be seen."""
    application = rows.one(connection, "read_application", rows.application, (webhook.application_id,))
    return webhook.position if application is None else application.last_position


def _insert(
    connection: Connection,
    ids: IdMaker,
    webhook: Webhook,
    events: list[tuple[int, str, int]],
    asks_for: Asks,
    now_ms: int,
) -> int:
    """Original deliveries (run 0) of the events asked for; those that are there already stay. How many are new."""
    is_asked = {event_type: asks_for(event_type) for event_type in {event_type for _, event_type, _ in events}}
    wanted = [event_id for event_id, event_type, _ in events if is_asked[event_type]]
    if not wanted:
        return 0
    is_fifo = webhook.order is Order.FIFO
    if is_fifo:  # its order is that of ids, and another node may have made those before with a clock that is ahead
        ids.start_after(rows.value(connection, "read_fifo_tail", (webhook.id,)) or 0)
    bindings = {
        "ids": ids.make_many(len(wanted)),
        "event_ids": wanted,
        "low": min(wanted),
        "high": max(wanted),
        "application_id": webhook.application_id,
        "webhook_id": webhook.id,
        "is_fifo": is_fifo,
        "now": now_ms,
    }
    return rows.run(connection, "insert_originals", bindings)
