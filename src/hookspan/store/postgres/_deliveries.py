"""Deliveries and attempts to read; and the two changes a person makes to a delivery."""

import operator

from hookspan.domain.records import Attempt, Delivery, Webhook
from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, Order, check_delivery_move
from hookspan.errors import StateForbidden
from hookspan.ids import DELIVERY_PREFIX, EPOCH_MS, first_id_at, to_text
from hookspan.store.contract import WAITING_MAX, NewAside, Page
from hookspan.store.jobs import IDS_APART_MS
from hookspan.store.postgres import _lowest
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._locks import lock_application, lock_both, lock_webhook
from hookspan.store.postgres._stalls import hand_on, stalled_heads
from hookspan.store.postgres._webhooks import waiting

ATTEMPTS_MAX = 200
# A delivery's id can be so far below its event's, by the clocks of two nodes.
_AHEAD_IDS = first_id_at(EPOCH_MS + IDS_APART_MS)


def read_delivery(connection: Connection, application_id: int, delivery_id: int) -> Delivery | None:
    bindings = {"id": delivery_id, "application_id": application_id}
    return rows.one(connection, "read_delivery", rows.delivery, bindings)


def deliveries_of_event(connection: Connection, application_id: int, event_id: int) -> list[Delivery]:
    bindings = {"event_id": event_id, "application_id": application_id}
    return rows.many(connection, "list_deliveries_of_event", rows.delivery, bindings)


def list_deliveries(
    connection: Connection,
    application_id: int,
    page: Page,
    webhook_id: int | None,
    state: DeliveryState | None,
    event_type: str | None,
) -> list[Delivery]:
    """Newest event first; see `Store.list_deliveries`."""
    if event_type is not None and not rows.is_kept(event_type):
        return []
    low, high = rows.id_range(page)
    event_id, run, before = page.place or (rows.ID_MAX, rows.ID_MAX, rows.ID_MAX)
    bindings = {
        "application_id": application_id,
        "webhook_low": webhook_id or 0,
        "webhook_high": webhook_id or rows.ID_MAX,
        "low": low,
        "high": high,
        "lowest": max(0, low - _AHEAD_IDS),
        "before_event": event_id,
        "before_run": run,
        "before": before,
        "type": event_type,
        "state": state,
        "limit": page.limit,
        "most": WAITING_MAX,
    }
    name = _lister(connection, application_id, bindings, state)
    return rows.many(connection, name, rows.delivery, bindings)


def _lister(
    connection: Connection, application_id: int, bindings: dict[str, int | str | None], state: DeliveryState | None
) -> str:
    """The statement for a state: one that does not walk past a million others where there is an index for it."""
    if state in (DeliveryState.FAILED, DeliveryState.CANCELLED):
        return "list_unhappy_deliveries"
    if state is not DeliveryState.PENDING:
        return "list_deliveries"
    webhooks = (application_id, bindings["webhook_low"], bindings["webhook_high"])
    webhook_ids = rows.many(connection, "list_webhook_ids", operator.itemgetter(0), webhooks)
    count = sum(one.count for one in waiting(connection, webhook_ids).values())
    if count >= WAITING_MAX:
        return "list_deliveries"
    bindings |= {"since": bindings["low"], "low": _lowest.read(connection)}
    return "list_pending_deliveries"


def attempts_of(connection: Connection, delivery: Delivery) -> list[Attempt]:
    if delivery.last_attempt_id is None:
        return []
    bindings = {"last_attempt_id": delivery.last_attempt_id, "limit": ATTEMPTS_MAX}
    return rows.many(connection, "list_attempts_of", rows.attempt, bindings)[::-1]


def list_attempts(connection: Connection, webhook_id: int, page: Page) -> list[Attempt]:
    low, high = rows.id_range(page)
    bindings = {
        "webhook_id": webhook_id,
        "low": low,
        "high": high if page.before is None else min(high, page.before),
        "limit": page.limit,
    }
    return rows.many(connection, "list_attempts", rows.attempt, bindings)


def reopen_delivery(
    connection: Connection, application_id: int, delivery_id: int, cause: Cause, now_ms: int
) -> Delivery | None:
    """See `Store.reopen_delivery`."""
    found = _lock(connection, application_id, delivery_id)
    if found is None:
        return None
    old, webhook = found
    if old.is_claimed:
        raise StateForbidden("The delivery is being sent right now.")
    if webhook is None:
        raise _webhook_is_gone()
    if not old.is_aside:
        _check_head(connection, old)
    bindings = {"id": delivery_id, "cause": cause, "now": now_ms}
    if old.state is DeliveryState.PENDING:
        rows.run(connection, "hasten_delivery", bindings)
    else:
        check_delivery_move(old.state, DeliveryState.PENDING)
        rows.run(connection, "reopen_delivery", bindings | {"is_fifo": webhook.order is Order.FIFO})
        _lowest.lower(connection, delivery_id)
    return read_delivery(connection, application_id, delivery_id)


def _lock(connection: Connection, application_id: int, delivery_id: int) -> tuple[Delivery, Webhook | None] | None:
    """A delivery as it is now, and stays, with its webhook (None: deleted): who claims it, records it or is cancelling
    its head is waited for. None when there is no such delivery.
    """
    found = read_delivery(connection, application_id, delivery_id)
    if found is None:
        return None
    lock_application(connection, application_id)
    webhook = lock_webhook(connection, found.webhook_id)
    rows.first_row(connection, "lock_delivery", (delivery_id,))
    old = read_delivery(connection, application_id, delivery_id)
    return None if old is None else (old, webhook)


def _webhook_is_gone() -> StateForbidden:
    return StateForbidden("The webhook was deleted.")


def _check_head(connection: Connection, delivery: Delivery) -> None:
    """Refuse what would move nothing, since a stalled one comes before it."""
    for head in stalled_heads(connection, [delivery.webhook_id]):
        if head.id < delivery.id:
            raise StateForbidden(
                f"It comes after delivery {to_text(DELIVERY_PREFIX, head.id)}, whose retries have stopped, and this "
                "webhook gets its events in order. Retry that one, or send this event by hand."
            )


def send_aside(connection: Connection, new: NewAside, now_ms: int) -> Delivery | None:
    """See `Store.send_aside`. Under the webhook's lock, so that each gets a run of its own."""
    if lock_both(connection, new.webhook_id) is None:
        raise _webhook_is_gone()
    bindings = {
        "id": new.id,
        "application_id": new.application_id,
        "webhook_id": new.webhook_id,
        "event_id": new.event_id,
        "cause": new.cause,
        "now": now_ms,
    }
    if not rows.run(connection, "insert_aside", bindings):
        return None
    return read_delivery(connection, new.application_id, new.id)


def cancel_delivery(
    connection: Connection, application_id: int, delivery_id: int, reason: DeliveryReason, now_ms: int
) -> Delivery | None:
    """See `Store.cancel_delivery`."""
    found = _lock(connection, application_id, delivery_id)
    if found is None:
        return None
    old, _ = found
    check_delivery_move(old.state, DeliveryState.CANCELLED)
    if old.state is not DeliveryState.PENDING:
        raise StateForbidden(f"The delivery is {old.state.word} already.")
    if old.is_claimed:
        raise StateForbidden("The delivery is being sent right now.")
    heads = stalled_heads(connection, [old.webhook_id])
    rows.run(connection, "cancel_delivery", {"id": delivery_id, "reason": reason, "now": now_ms})
    if not hand_on(connection, heads):
        raise StateForbidden("What comes after it is being given back at this moment: try again.")
    return read_delivery(connection, application_id, delivery_id)
