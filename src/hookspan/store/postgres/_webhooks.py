"""Webhooks: made, changed, moved between states, read together with their application."""

from collections.abc import Sequence
from typing import Any

import msgspec

from hookspan.domain.records import Application, Webhook, Webhooks
from hookspan.domain.states import DeliveryReason, StatusReason, WebhookStatus, check_webhook_move
from hookspan.errors import ChangedMeanwhile, NotFound, StateForbidden
from hookspan.ids import made_at_ms
from hookspan.store.contract import WAITING_MAX, ApplicationFrozen, NewWebhook, Revision, Waiting, WebhookChange
from hookspan.store.postgres import _lowest
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._locks import lock_application, lock_both
from hookspan.store.postgres._sweep import has_pending, sweep_webhook

STALLED_LOOK_MAX = 100  # stalled deliveries of one webhook among which the earliest is looked for
RESUMED_MAX = 1_000  # stalled deliveries that are resumed at once
SUCCESS_ATTEMPTS_MAX = 200  # the newest attempts among which the last success is looked for
_MEMBERS = ("name", "url", "events", "order", "rate", "concurrency", "also_sign", "credentials")


def read_webhook(connection: Connection, webhook_id: int) -> Webhook | None:
    return rows.one(connection, "read_webhook", rows.webhook, (webhook_id,))


def webhooks_of(connection: Connection, application_id: int) -> Webhooks | None:
    """See `Store.webhooks_of`; at one version because it is read in one transaction."""
    application = rows.one(connection, "read_application", rows.application, (application_id,))
    if application is None:
        return None
    if rows.value(connection, "list_frozen", ([application_id],)) is not None:
        raise ApplicationFrozen
    found = rows.many(connection, "list_webhooks", rows.webhook, (application_id,))
    return Webhooks(application=application, webhooks=tuple(found))


def create_webhook(connection: Connection, new: NewWebhook, webhooks_max: int) -> Webhook | None:
    """See `Store.create_webhook`."""
    application = lock_application(connection, new.application_id)
    if application is None:
        raise NotFound("There is no such application.")
    if webhooks_max and rows.value(connection, "count_webhooks", (new.application_id,)) >= webhooks_max:
        return None
    status, position = _start(new, application)
    rows.run(
        connection,
        "insert_webhook",
        {
            "id": new.id,
            "application_id": new.application_id,
            "name": new.name,
            "url": new.url,
            "status": status,
            "status_reason": new.status_reason,
            "events": rows.pack_events(new.events),
            "order": new.order,
            "rate": new.rate,
            "concurrency": new.concurrency,
            "event_epoch": new.event_epoch,
            "also_sign": rows.pack_also_sign(new.also_sign),
            "credentials": rows.pack_credentials(new.credentials),
            "position": position,
            "created_at": new.created_at,
        },
    )
    return _changed(connection, new.id, new.application_id)


def _start(new: NewWebhook, application: Application) -> tuple[WebhookStatus, int]:
    """Where it starts. One that is to be active but starts in the past catches up first, or events would be missed."""
    if new.position is None:
        return new.status, application.last_position
    position = max(0, min(new.position, application.last_position))
    if new.status is WebhookStatus.ACTIVE and position < application.last_position:
        return WebhookStatus.CATCHING_UP, position
    return new.status, position


def _changed(connection: Connection, webhook_id: int, application_id: int) -> Webhook:
    """Keep the webhook's revision and tell every holder of the application's webhooks; the webhook as it is now."""
    rows.run(connection, "insert_revision", (webhook_id,))
    rows.run(connection, "raise_webhooks_version", (application_id,))
    webhook = read_webhook(connection, webhook_id)
    assert webhook is not None, "it was written in this transaction"
    return webhook


def change_webhook(
    connection: Connection,
    webhook_id: int,
    change: WebhookChange,
    expected_version: int | None,
    changed_at: int,
    *,
    sweep_chunk: int,
) -> Webhook | None:
    """See `Store.update_webhook`: members, then the status."""
    locked = lock_both(connection, webhook_id)
    if locked is None:
        return None
    application, old = locked
    _check_version(old, expected_version)
    webhook = _change_members(connection, old, change, changed_at)
    if change.status is msgspec.UNSET:
        return webhook
    return _move(
        connection,
        application,
        webhook,
        change.status,
        change.status_reason,
        keep=change.keep,
        changed_at=changed_at,
        sweep_chunk=sweep_chunk,
    )


def _change_members(connection: Connection, old: Webhook, change: WebhookChange, changed_at: int) -> Webhook:
    members = {name: member for name in _MEMBERS if (member := getattr(change, name)) is not msgspec.UNSET}
    new = msgspec.structs.replace(old, **members)
    if new == old:
        return old
    if new.order is not old.order and _has_pending(connection, old.id):
        raise StateForbidden("The order can't change while deliveries wait.")
    rows.run(
        connection,
        "update_webhook",
        {
            "id": old.id,
            "name": new.name,
            "url": new.url,
            "events": rows.pack_events(new.events),
            "order": new.order,
            "rate": new.rate,
            "concurrency": new.concurrency,
            "also_sign": rows.pack_also_sign(new.also_sign),
            "credentials": rows.pack_credentials(new.credentials),
            "changed_at": changed_at,
        },
    )
    return _changed(connection, old.id, old.application_id)


def _has_pending(connection: Connection, webhook_id: int) -> bool:
    is_waiting, is_in_flight, _ = has_pending(connection, webhook_id)
    return is_waiting or is_in_flight


def _check_version(webhook: Webhook, expected_version: int | None) -> None:
    if expected_version is not None and expected_version != webhook.version:
        raise ChangedMeanwhile(f"The webhook is at version {webhook.version}, not {expected_version}.")


def set_webhook_status(
    connection: Connection,
    webhook_id: int,
    status: WebhookStatus,
    reason: StatusReason | None,
    *,
    keep: bool,
    expected_version: int | None,
    changed_at: int,
    sweep_chunk: int,
) -> Webhook | None:
    """See `Store.set_webhook_status`. The deleted webhook is returned once, as it was taken out."""
    locked = lock_both(connection, webhook_id)
    if locked is None:
        return None
    application, old = locked
    _check_version(old, expected_version)
    return _move(
        connection, application, old, status, reason, keep=keep, changed_at=changed_at, sweep_chunk=sweep_chunk
    )


def _move(
    connection: Connection,
    application: Application,
    old: Webhook,
    status: WebhookStatus,
    reason: StatusReason | None,
    *,
    keep: bool,
    changed_at: int,
    sweep_chunk: int,
) -> Webhook:
    if status is WebhookStatus.ACTIVE and old.status is not WebhookStatus.ACTIVE:
        status = WebhookStatus.CATCHING_UP  # the way to active; catch-up makes it so
    check_webhook_move(old.status, status)
    if status is old.status:
        return old
    sweep_reason = _sweep_reason(status, keep=keep)
    bindings = _moved(old, status, reason)
    bindings["changed_at"] = changed_at
    bindings["sweep_reason"] = sweep_reason
    if status is WebhookStatus.CATCHING_UP:
        bindings["activated_at"] = changed_at
    if sweep_reason is DeliveryReason.SKIPPED:
        bindings["position"] = application.last_position
    rows.run(connection, "move_webhook", bindings)
    if status is WebhookStatus.CATCHING_UP and sweep_reason is None:
        resume_stalled(connection, old.id, changed_at)
    new = _changed_to(connection, old, status, changed_at)
    if sweep_reason is not None:
        sweep_webhook(connection, old.id, sweep_reason, status, changed_at, sweep_chunk)
    return new


def _sweep_reason(status: WebhookStatus, *, keep: bool) -> DeliveryReason | None:
    if status is WebhookStatus.DELETED:
        return DeliveryReason.WEBHOOK_DELETED
    if status is WebhookStatus.CATCHING_UP and not keep:
        return DeliveryReason.SKIPPED
    return None


def _moved(old: Webhook, status: WebhookStatus, reason: StatusReason | None) -> dict[str, Any]:
    """The members that a move writes. `old.position` is the application's last while it is active, so leaving that
    state keeps the right one, and a catch-up that is broken off stays where it came to.
    """
    is_deleted = status is WebhookStatus.DELETED
    return {
        "id": old.id,
        "status": status,
        "status_reason": reason if status is WebhookStatus.DISABLED else None,
        "position": old.position,
        "credentials": rows.pack_credentials(() if is_deleted else old.credentials),
        # A webhook that starts anew has not failed yet: else its next failure would disable it at once.
        "failing_since": None if status is WebhookStatus.CATCHING_UP else old.failing_since,
        "activated_at": old.activated_at,
    }


def _changed_to(connection: Connection, old: Webhook, status: WebhookStatus, changed_at: int) -> Webhook:
    if status is not WebhookStatus.DELETED:
        return _changed(connection, old.id, old.application_id)
    rows.run(connection, "insert_revision", (old.id,))
    rows.run(connection, "raise_webhooks_version", (old.application_id,))
    return msgspec.structs.replace(
        old, status=status, status_reason=None, credentials=(), version=old.version + 1, updated_at=changed_at
    )


def activate(connection: Connection, webhook: Webhook, position: int) -> Webhooks:
    """The end of a catch-up: active from here on, with all of its application at the new version. The webhook stays at
    its own, since it was made active when it began to catch up.
    """
    rows.run(connection, "end_catch_up", {"id": webhook.id, "position": position})
    rows.run(connection, "raise_webhooks_version", (webhook.application_id,))
    webhooks = webhooks_of(connection, webhook.application_id)
    assert webhooks is not None, "a webhook that is there has an application"
    return webhooks


def waiting(connection: Connection, webhook_ids: Sequence[int]) -> dict[int, Waiting]:
    """See `Store.waiting`. Of more than 10,000 the oldest is that of the 10,000 that are due first."""
    found = {}
    bindings = {"webhook_ids": rows.id_list(webhook_ids), "most": WAITING_MAX, "low": _lowest.read(connection)}
    for webhook_id, count, oldest, held_count, held_oldest in rows.many(connection, "count_waiting", tuple, bindings):
        idents = [ident for ident in (oldest, held_oldest) if ident is not None]
        oldest_at = made_at_ms(min(idents)) if idents else None
        found[webhook_id] = Waiting(min(count + held_count, WAITING_MAX), oldest_at)
    return found


def stalled(connection: Connection, webhook_ids: Sequence[int]) -> dict[int, int]:
    """See `Store.stalled`."""
    bindings = {"webhook_ids": rows.id_list(webhook_ids), "most": STALLED_LOOK_MAX, "low": _lowest.read(connection)}
    return dict(rows.many(connection, "find_stalled", tuple, bindings))


def resume_stalled(connection: Connection, webhook_id: int, now_ms: int) -> None:
    """A new round for what is stalled. Of very many a part: each of those that succeeds resumes the next ones.

    Whoever calls it holds the webhook's row, so that no stall is handed on meanwhile.
    """
    bindings = {"webhook_id": webhook_id, "now": now_ms, "limit": RESUMED_MAX, "low": _lowest.read(connection)}
    rows.run(connection, "resume_stalled", bindings)


def last_success_at(connection: Connection, webhook_ids: Sequence[int]) -> dict[int, int]:
    """When each of these webhooks last took a delivery (its attempt's end, ms), as far as its newest 200 attempts tell:
    bounded, however long the backlog is.
    """
    bindings = {"webhook_ids": rows.id_list(webhook_ids), "most": SUCCESS_ATTEMPTS_MAX}
    return dict(rows.many(connection, "find_last_successes", tuple, bindings))


def revisions_at(connection: Connection, webhook_ids: Sequence[int], position: int) -> dict[int, Revision]:
    """See `Store.revisions_at`."""
    bindings = {"webhook_ids": rows.id_list(webhook_ids), "position": position}
    return {one.webhook_id: one for one in rows.many(connection, "list_revisions_at", rows.revision, bindings)}
