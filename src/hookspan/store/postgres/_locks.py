"""Locks, in the one order that everybody keeps: the application's row, then webhooks by id, then deliveries.

With its application a webhook is locked against publishes, which count their events in that row; alone it is locked
against every change of it and of what waits for it, and nobody who publishes waits.
"""

from collections.abc import Sequence

from hookspan.domain.records import Application, Webhook
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection


def lock_application(connection: Connection, application_id: int) -> Application | None:
    """The application as it is now, and stays until the commit. None when there is none."""
    return rows.one(connection, "lock_application", rows.application, (application_id,))


def lock_both(connection: Connection, webhook_id: int) -> tuple[Application, Webhook] | None:
    """A webhook with its application. None when there is no such webhook (any more)."""
    application = rows.one(connection, "lock_application_of_webhook", rows.application, (webhook_id,))
    webhook = lock_webhook(connection, webhook_id)
    return None if application is None or webhook is None else (application, webhook)


def lock_webhook(connection: Connection, webhook_id: int) -> Webhook | None:
    """The webhook alone, or after its application. None when there is no such webhook (any more)."""
    return rows.one(connection, "lock_webhook", rows.webhook, (webhook_id,))


def lock_webhooks(connection: Connection, webhook_ids: Sequence[int]) -> None:
    """Several, deleted ones too."""
    if webhook_ids:
        rows.first_row(connection, "lock_webhooks", (rows.id_list(webhook_ids),))
