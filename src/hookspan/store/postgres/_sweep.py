"""Cancelling what waits for a webhook, a bounded part at a time.

A webhook whose deliveries are to be cancelled bears the reason (`sweep_reason`), and nothing of it is claimed while it
does. The first part is cancelled at once, the rest in turns of retention, or of catch-up where one waits for it.
Whoever does it holds the webhook's row.
"""

import operator

from hookspan.domain.states import DeliveryReason, WebhookStatus
from hookspan.store.postgres import _lowest
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection

# Webhooks looked at in one turn.
_WEBHOOKS_MAX = 1_000


def swept(connection: Connection) -> list[int]:
    """Webhooks that bear a reason."""
    return rows.many(connection, "list_swept", operator.itemgetter(0), (_WEBHOOKS_MAX,))


def sweep_one(connection: Connection, webhook_id: int, now_ms: int, limit: int) -> int:
    """Cancel at most `limit` deliveries of a webhook that bears a reason; how many. 0 where somebody else is at it."""
    found = rows.first_row(connection, "lock_swept", (webhook_id,))
    if found is None:
        return 0
    reason, status = found
    return sweep_webhook(connection, webhook_id, DeliveryReason(reason), WebhookStatus(status), now_ms, limit)


def sweep_application(connection: Connection, application_id: int, now_ms: int, limit: int) -> None:
    """The first part of what waits for an application that was deleted."""
    bindings = (application_id, _WEBHOOKS_MAX)
    for webhook_id in rows.many(connection, "list_swept_of", operator.itemgetter(0), bindings):
        if limit <= 0:
            return
        limit -= sweep_one(connection, webhook_id, now_ms, limit)


def sweep_webhook(
    connection: Connection,
    webhook_id: int,
    reason: DeliveryReason,
    status: WebhookStatus,
    now_ms: int,
    limit: int,
) -> int:
    """Cancel at most `limit` of one webhook's deliveries, and note when nothing is left.

    What is in flight ends by itself. A deleted webhook waits for it, since it may come back for another try. One that
    skips has it marked, which `release` obeys; and since a claim that began before may be committed after the mark was
    made, it ends only when nothing in flight is without.
    """
    low = _lowest.read(connection)
    bindings = {"webhook_id": webhook_id, "reason": reason, "now": now_ms, "limit": limit, "low": low}
    cancelled = rows.run(connection, "cancel_waiting", bindings)
    is_skipped = reason is DeliveryReason.SKIPPED
    if is_skipped:
        rows.run(connection, "mark_skipped", {"webhook_id": webhook_id, "limit": limit, "low": low})
    is_waiting, is_in_flight, is_unmarked = has_pending(connection, webhook_id)
    is_held_up = is_in_flight and status is WebhookStatus.DELETED
    if not is_waiting and not is_held_up and not (is_skipped and is_unmarked):
        rows.run(connection, "end_sweep", (webhook_id,))
    return cancelled


def has_pending(connection: Connection, webhook_id: int) -> tuple[bool, bool, bool]:
    """Whether something of the webhook is scheduled; is in flight; is so, and is not marked as skipped."""
    bindings = {"webhook_id": webhook_id, "low": _lowest.read(connection)}
    is_waiting, is_in_flight, is_unmarked = rows.first_row(connection, "has_pending", bindings)
    return is_waiting, is_in_flight, is_unmarked


def is_swept(connection: Connection, webhook_id: int) -> bool:
    """Whether deliveries of the webhook are still being cancelled."""
    return rows.value(connection, "read_sweep_reason", (webhook_id,)) is not None
