"""Locks, in the one order that everybody keeps: the application's row, then webhooks by id, then deliveries.

With its application a webhook is locked against publishes, which count their events in that row; alone it is locked
against every change of it and of what waits for it, and nobody who publishes waits.
"""

from collections.abc import Sequence

from hookspan.domain.records import Application, Webhook
from hookspan.store.contract import ApplicationFrozen
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection


def lock_application(connection: Connection, application_id: int) -> Application | None:
    """The application as it is now, and stays until the commit. None when there is none; ApplicationFrozen."""
    return _thawed(rows.first_row(connection, "lock_application", (application_id,)))


def lock_both(connection: Connection, webhook_id: int) -> tuple[Application, Webhook] | None:
    """A webhook with its application. None when there is no such webhook (any more); ApplicationFrozen."""
    application = _thawed(rows.first_row(connection, "lock_application_of_webhook", (webhook_id,)))
    webhook = lock_webhook(connection, webhook_id)
    return None if application is None or webhook is None else (application, webhook)


def lock_application_of_job(connection: Connection, job_id: int) -> None:
    """Before anything else of a job is read. Raises ApplicationFrozen."""
    _check(rows.first_row(connection, "lock_application_of_job", (job_id,)))


def hold_application_of(connection: Connection, ident: int) -> None:
    """That of a key, a person or a session is not frozen before the commit. Raises ApplicationFrozen."""
    _check(rows.first_row(connection, "hold_application_of", {"id": ident}))


def _thawed(row: rows.Values | None) -> Application | None:
    """`frozen_at` is the last of its values."""
    _check(row)
    return None if row is None else rows.application(row[:-1])


def _check(row: rows.Values | None) -> None:
    if row is not None and row[-1] is not None:
        raise ApplicationFrozen


def lock_webhook(connection: Connection, webhook_id: int) -> Webhook | None:
    """The webhook alone, or after its application. None when there is no such webhook (any more)."""
    return rows.one(connection, "lock_webhook", rows.webhook, (webhook_id,))


def lock_webhooks(connection: Connection, webhook_ids: Sequence[int]) -> None:
    """Several, deleted ones too."""
    if webhook_ids:
        rows.first_row(connection, "lock_webhooks", (rows.id_list(webhook_ids),))
