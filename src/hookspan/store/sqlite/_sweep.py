"""Cancelling what waits for a webhook, a bounded part at a time.

A webhook whose deliveries are to be cancelled bears the reason (`sweep_reason`), and nothing of it is claimed while it
does. The first part is cancelled at once, the rest in turns of retention, or of catch-up where one waits for it.
"""

import apsw

from hookspan.domain.states import DeliveryReason, WebhookStatus
from hookspan.store.sqlite import _rows as rows

# Webhooks looked at in one turn.
_WEBHOOKS_MAX = 1_000


def sweep(connection: apsw.Connection, now_ms: int, limit: int) -> int:
    """Cancel at most `limit` deliveries of webhooks that bear a reason; how many were cancelled."""
    cancelled = 0
    swept: list[tuple[int, int, int]] = rows.many(connection, "list_swept", tuple, (_WEBHOOKS_MAX,))
    for webhook_id, reason, status in swept:
        if cancelled >= limit:
            break
        cancelled += sweep_webhook(
            connection, webhook_id, DeliveryReason(reason), WebhookStatus(status), now_ms, limit - cancelled
        )
    return cancelled


def sweep_webhook(
    connection: apsw.Connection,
    webhook_id: int,
    reason: DeliveryReason,
    status: WebhookStatus,
    now_ms: int,
    limit: int,
) -> int:
    """Cancel at most `limit` of one webhook's deliveries, and note when nothing is left.

    What is in flight ends by itself. A deleted webhook waits for it, since it may come back for another try.
    """
    cancelled = rows.run(
        connection, "cancel_waiting", {"webhook_id": webhook_id, "reason": reason, "now": now_ms, "limit": limit}
    )
    is_waiting, is_in_flight = rows.first_row(connection, "has_pending", (webhook_id,))
    if not is_waiting and not (is_in_flight and status is WebhookStatus.DELETED):
        rows.run(connection, "end_sweep", (webhook_id,))
    return cancelled


def is_swept(connection: apsw.Connection, webhook_id: int) -> bool:
    """Whether deliveries of the webhook are still being cancelled."""
    return rows.value(connection, "read_sweep_reason", (webhook_id,)) is not None
