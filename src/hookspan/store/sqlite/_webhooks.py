"""Webhooks: made, changed, moved between states, read together with their application."""

from collections.abc import Sequence
from typing import Any

import apsw
import msgspec

from hookspan.domain.records import Application, Webhook, Webhooks
from hookspan.domain.states import DeliveryReason, Order, StatusReason, WebhookStatus, check_webhook_move
from hookspan.errors import ChangedMeanwhile, NotFound, StateForbidden
from hookspan.ids import made_at_ms
from hookspan.store.contract import WAITING_MAX, NewWebhook, Revision, Waiting, WebhookChange
from hookspan.store.sqlite import _rows as rows
from hookspan.store.sqlite._frozen import changeable
from hookspan.store.sqlite._sweep import sweep_webhook

STALLED_LOOK_MAX = 100  # stalled deliveries of one webhook among which the earliest is looked for
RESUMED_MAX = 1_000  # stalled deliveries that are resumed at once
SUCCESS_ATTEMPTS_MAX = 200  # the newest attempts among which the last success is looked for
_MEMBERS = ("name", "url", "events", "order", "rate", "concurrency", "also_sign", "credentials")

_count_decoder = msgspec.json.Decoder(tuple[int, int | None])


def read_webhook(connection: apsw.Connection, webhook_id: int) -> Webhook | None:
    return rows.one(connection, "read_webhook", rows.webhook, (webhook_id,))


def webhooks_of(connection: apsw.Connection, application_id: int) -> Webhooks | None:
    """See `Store.webhooks_of`; at one version because it is read in one transaction."""
    application = changeable(connection, application_id)
    if application is None:
        return None
    found = rows.many(connection, "list_webhooks", rows.webhook, (application_id,))
    return Webhooks(application=application, webhooks=tuple(found))


def create_webhook(connection: apsw.Connection, new: NewWebhook, webhooks_max: int) -> Webhook | None:
    """See `Store.create_webhook`."""
    application = changeable(connection, new.application_id)
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


def _changed(connection: apsw.Connection, webhook_id: int, application_id: int) -> Webhook:
    """Keep the webhook's revision and tell every holder of the application's webhooks; the webhook as it is now."""
    rows.run(connection, "insert_revision", (webhook_id,))
    rows.run(connection, "raise_webhooks_version", (application_id,))
    webhook = read_webhook(connection, webhook_id)
    assert webhook is not None, "it was written in this transaction"
    return webhook


def change_webhook(
    connection: apsw.Connection,
    webhook_id: int,
    change: WebhookChange,
    expected_version: int | None,
    changed_at: int,
    *,
    sweep_chunk: int,
) -> Webhook | None:
    """See `Store.update_webhook`: members, then the status."""
    webhook = _change_members(connection, webhook_id, change, expected_version, changed_at)
    if webhook is None or change.status is msgspec.UNSET:
        return webhook
    return set_webhook_status(
        connection,
        webhook_id,
        change.status,
        change.status_reason,
        keep=change.keep,
        expected_version=None,  # it was checked, and nobody else writes in this transaction
        changed_at=changed_at,
        sweep_chunk=sweep_chunk,
    )


def _change_members(
    connection: apsw.Connection, webhook_id: int, change: WebhookChange, expected_version: int | None, changed_at: int
) -> Webhook | None:
    old = read_webhook(connection, webhook_id)
    if old is None:
        return None
    changeable(connection, old.application_id)
    _check_version(old, expected_version)
    members = {name: member for name in _MEMBERS if (member := getattr(change, name)) is not msgspec.UNSET}
    new = msgspec.structs.replace(old, **members)
    if new == old:
        return old
    if new.order is not old.order and any(rows.first_row(connection, "has_pending", (webhook_id,))):
        raise StateForbidden("The order can't change while deliveries wait.")
    rows.run(
        connection,
        "update_webhook",
        {
            "id": webhook_id,
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
    return _changed(connection, webhook_id, old.application_id)


def _check_version(webhook: Webhook, expected_version: int | None) -> None:
    if expected_version is not None and expected_version != webhook.version:
        raise ChangedMeanwhile(f"The webhook is at version {webhook.version}, not {expected_version}.")


def set_webhook_status(
    connection: apsw.Connection,
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
    old = read_webhook(connection, webhook_id)
    if old is None:
        return None
    _check_version(old, expected_version)
    if status is WebhookStatus.ACTIVE and old.status is not WebhookStatus.ACTIVE:
        status = WebhookStatus.CATCHING_UP  # the way to active; catch-up makes it so
    check_webhook_move(old.status, status)
    if status is old.status:
        return old
    application = changeable(connection, old.application_id)
    assert application is not None, "a webhook that is there has an application"
    sweep_reason = _sweep_reason(status, keep=keep)
    bindings = _moved(old, status, reason)
    bindings["changed_at"] = changed_at
    bindings["sweep_reason"] = sweep_reason
    if status is WebhookStatus.CATCHING_UP:
        bindings["activated_at"] = changed_at
    if sweep_reason is DeliveryReason.SKIPPED:
        bindings["position"] = application.last_position
    rows.run(connection, "move_webhook", bindings)
    if sweep_reason is DeliveryReason.SKIPPED:
        rows.run(connection, "mark_skipped", (webhook_id,))
    elif status is WebhookStatus.CATCHING_UP:
        resume_stalled(connection, webhook_id, changed_at)
    new = _changed_to(connection, old, status, changed_at)
    if sweep_reason is not None:
        sweep_webhook(connection, webhook_id, sweep_reason, status, changed_at, sweep_chunk)
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


def _changed_to(connection: apsw.Connection, old: Webhook, status: WebhookStatus, changed_at: int) -> Webhook:
    if status is not WebhookStatus.DELETED:
        return _changed(connection, old.id, old.application_id)
    rows.run(connection, "insert_revision", (old.id,))
    rows.run(connection, "raise_webhooks_version", (old.application_id,))
    return msgspec.structs.replace(
        old, status=status, status_reason=None, credentials=(), version=old.version + 1, updated_at=changed_at
    )


def activate(connection: apsw.Connection, webhook: Webhook, position: int) -> Webhooks:
    """The end of a catch-up: active from here on, with all of its application at the new version. The webhook stays at
    its own, since it was made active when it began to catch up.
    """
    rows.run(connection, "end_catch_up", {"id": webhook.id, "position": position})
    rows.run(connection, "raise_webhooks_version", (webhook.application_id,))
    webhooks = webhooks_of(connection, webhook.application_id)
    assert webhooks is not None, "a webhook that is there has an application"
    return webhooks


def waiting(connection: apsw.Connection, webhook_ids: Sequence[int]) -> dict[int, Waiting]:
    """See `Store.waiting`. Of more than 10,000 the oldest is that of the 10,000 that are due first."""
    found = {}
    bindings = {"webhook_ids": rows.id_list(webhook_ids), "most": WAITING_MAX}
    for webhook_id, scheduled, in_flight in rows.many(connection, "count_waiting", tuple, bindings):
        count, oldest = _count_decoder.decode(scheduled)
        held_count, held_oldest = _count_decoder.decode(in_flight)
        idents = [ident for ident in (oldest, held_oldest) if ident is not None]
        oldest_at = made_at_ms(min(idents)) if idents else None
        found[webhook_id] = Waiting(min(count + held_count, WAITING_MAX), oldest_at)
    return found


def stalled(connection: apsw.Connection, webhook_ids: Sequence[int]) -> dict[int, int]:
    """See `Store.stalled`."""
    bindings = {"webhook_ids": rows.id_list(webhook_ids), "most": STALLED_LOOK_MAX}
    return dict(rows.many(connection, "find_stalled", tuple, bindings))


def resume_stalled(connection: apsw.Connection, webhook_id: int, now_ms: int) -> None:
    """A new round for what is stalled. Of very many a part: each of those that succeeds resumes the next ones."""
    rows.run(connection, "resume_stalled", {"webhook_id": webhook_id, "now": now_ms, "limit": RESUMED_MAX})


def last_success_at(connection: apsw.Connection, webhook_ids: Sequence[int]) -> dict[int, int]:
    """When each of these webhooks last took a delivery (its attempt's end, ms), as far as its newest 200 attempts tell:
    bounded, however long the backlog is.
    """
    bindings = {"webhook_ids": rows.id_list(webhook_ids), "most": SUCCESS_ATTEMPTS_MAX}
    found = rows.many(connection, "find_last_successes", tuple, bindings)
    return {webhook_id: at_ms for webhook_id, at_ms in found if at_ms is not None}


def revisions_at(connection: apsw.Connection, webhook_ids: Sequence[int], position: int) -> dict[int, Revision]:
    """See `Store.revisions_at`."""
    bindings = {"webhook_ids": rows.id_list(webhook_ids), "position": position}
    return {one.webhook_id: one for one in rows.many(connection, "list_revisions_at", rows.revision, bindings)}


def is_fifo(connection: apsw.Connection, webhook_id: int) -> bool:
    """Raises StateForbidden for a webhook that was deleted."""
    order = rows.value(connection, "read_webhook_order", (webhook_id,))
    if order is None:
        raise StateForbidden("The webhook was deleted.")
    return Order(order) is Order.FIFO
