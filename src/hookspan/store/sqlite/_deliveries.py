"""Deliveries and attempts to read; and the two changes a person makes to a delivery."""

import apsw

from hookspan.domain.records import Attempt, Delivery
from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, check_delivery_move
from hookspan.errors import StateForbidden
from hookspan.ids import DELIVERY_PREFIX, to_text
from hookspan.store.contract import WAITING_MAX, NewAside, Page
from hookspan.store.sqlite import _rows as rows
from hookspan.store.sqlite._frozen import changeable
from hookspan.store.sqlite._stalls import hand_on, stalled_heads
from hookspan.store.sqlite._webhooks import is_fifo, waiting

ATTEMPTS_MAX = 200


def read_delivery(connection: apsw.Connection, application_id: int, delivery_id: int) -> Delivery | None:
    bindings = {"id": delivery_id, "application_id": application_id}
    return rows.one(connection, "read_delivery", rows.delivery, bindings)


def deliveries_of_event(connection: apsw.Connection, application_id: int, event_id: int) -> list[Delivery]:
    bindings = {"event_id": event_id, "application_id": application_id}
    return rows.many(connection, "list_deliveries_of_event", rows.delivery, bindings)


def list_deliveries(
    connection: apsw.Connection,
    application_id: int,
    page: Page,
    webhook_id: int | None,
    state: DeliveryState | None,
    event_type: str | None,
) -> list[Delivery]:
    """Newest event first; see `Store.list_deliveries`."""
    low, high = rows.id_range(page)
    event_id, run, before = page.place or (rows.ID_MAX, rows.ID_MAX, rows.ID_MAX)
    bindings = {
        "application_id": application_id,
        "webhook_low": webhook_id or 0,
        "webhook_high": webhook_id or rows.ID_MAX,
        "low": low,
        "high": high,
        "before_event": event_id,
        "before_run": run,
        "before": before,
        "type": event_type,
        "state": state,
        "limit": page.limit,
    }
    name = _lister(connection, application_id, bindings, state)
    return rows.many(connection, name, rows.delivery, bindings)


def _lister(
    connection: apsw.Connection, application_id: int, bindings: dict[str, int | str | None], state: DeliveryState | None
) -> str:
    """The statement for a state: one that does not walk past a million others where there is an index for it."""
    if state in (DeliveryState.FAILED, DeliveryState.CANCELLED):
        return "list_unhappy_deliveries"
    if state is not DeliveryState.PENDING:
        return "list_deliveries"
    webhooks = (application_id, bindings["webhook_low"], bindings["webhook_high"])
    webhook_ids = rows.decode_ids(rows.value(connection, "list_webhook_ids", webhooks))
    count = sum(one.count for one in waiting(connection, webhook_ids).values())
    return "list_pending_deliveries" if count < WAITING_MAX else "list_deliveries"


def attempts_of(connection: apsw.Connection, delivery: Delivery) -> list[Attempt]:
    if delivery.last_attempt_id is None:
        return []
    bindings = {"last_attempt_id": delivery.last_attempt_id, "limit": ATTEMPTS_MAX}
    return rows.many(connection, "list_attempts_of", rows.attempt, bindings)[::-1]


def list_attempts(connection: apsw.Connection, webhook_id: int, page: Page) -> list[Attempt]:
    low, high = rows.id_range(page)
    bindings = {
        "webhook_id": webhook_id,
        "low": low,
        "high": high if page.before is None else min(high, page.before),
        "limit": page.limit,
    }
    return rows.many(connection, "list_attempts", rows.attempt, bindings)


def reopen_delivery(
    connection: apsw.Connection, application_id: int, delivery_id: int, cause: Cause, now_ms: int
) -> Delivery | None:
    """See `Store.reopen_delivery`."""
    old = read_delivery(connection, application_id, delivery_id)
    if old is None:
        return None
    changeable(connection, application_id)
    if old.is_claimed:
        raise StateForbidden("The delivery is being sent right now.")
    fifo = is_fifo(connection, old.webhook_id)
    if not old.is_aside:
        _check_head(connection, old)
    bindings = {"id": delivery_id, "cause": cause, "now": now_ms}
    if old.state is DeliveryState.PENDING:
        rows.run(connection, "hasten_delivery", bindings)
    else:
        check_delivery_move(old.state, DeliveryState.PENDING)
        rows.run(connection, "reopen_delivery", bindings | {"is_fifo": fifo})
    return read_delivery(connection, application_id, delivery_id)


def _check_head(connection: apsw.Connection, delivery: Delivery) -> None:
    """Refuse what would move nothing, since a stalled one comes before it."""
    for head in stalled_heads(connection, [delivery.webhook_id]):
        if head.id < delivery.id:
            raise StateForbidden(
                f"It comes after delivery {to_text(DELIVERY_PREFIX, head.id)}, whose retries have stopped, and this "
                "webhook gets its events in order. Retry that one, or send this event by hand."
            )


def send_aside(connection: apsw.Connection, new: NewAside, now_ms: int) -> Delivery | None:
    """See `Store.send_aside`."""
    changeable(connection, new.application_id)
    is_fifo(connection, new.webhook_id)  # refuses where the webhook was deleted
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
    connection: apsw.Connection, application_id: int, delivery_id: int, reason: DeliveryReason, now_ms: int
) -> Delivery | None:
    """See `Store.cancel_delivery`."""
    old = read_delivery(connection, application_id, delivery_id)
    if old is None:
        return None
    changeable(connection, application_id)
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
