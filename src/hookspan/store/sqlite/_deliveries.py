"""Events, deliveries and attempts to read; and the two changes a person makes to a delivery."""

import apsw

from hookspan.domain.records import Attempt, Delivery, Event
from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, check_delivery_move
from hookspan.errors import StateForbidden
from hookspan.store.contract import NewAside, Page
from hookspan.store.sqlite import _rows as rows
from hookspan.store.sqlite._webhooks import WAITING_MAX, is_fifo, waiting

ATTEMPTS_MAX = 200


def read_event(connection: apsw.Connection, application_id: int, event_id: int) -> Event | None:
    return rows.one(connection, "read_event", rows.event, {"id": event_id, "application_id": application_id})


def list_events(
    connection: apsw.Connection,
    application_id: int,
    page: Page,
    event_type: str | None,
    publisher_id: str | None,
) -> list[Event]:
    """Newest first by position. A `before` that was dropped has nothing older left behind it."""
    if publisher_id is not None:
        return _event_of_publisher(connection, application_id, page, event_type, publisher_id)
    below = rows.ID_MAX
    if page.before is not None:
        below = rows.value(connection, "find_position", (page.before, application_id)) or 0
    low, high = rows.id_range(page)
    bindings = {
        "application_id": application_id,
        "below": below,
        "low": low,
        "high": high,
        "type": event_type,
        "limit": page.limit,
    }
    return rows.many(connection, "list_events", rows.event, bindings)


def _event_of_publisher(
    connection: apsw.Connection, application_id: int, page: Page, event_type: str | None, publisher_id: str
) -> list[Event]:
    event_id = rows.value(connection, "find_publisher_event", (application_id, publisher_id))
    event = None if event_id is None else read_event(connection, application_id, event_id)
    low, high = rows.id_range(page)
    if event is None or not low <= event.id < min(high, page.before or rows.ID_MAX):
        return []
    return [event] if event_type in (None, event.type) and page.limit > 0 else []


def events_after(connection: apsw.Connection, application_id: int, position: int, limit: int) -> list[Event]:
    bindings = {"application_id": application_id, "position": position, "limit": limit}
    return rows.many(connection, "list_events_after", rows.event, bindings)


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
    event_id, run, before = _place(connection, application_id, page)
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


def _place(connection: apsw.Connection, application_id: int, page: Page) -> tuple[int, int, int]:
    """Where the page starts: below (event, run, delivery). Behind a delivery that was dropped nothing is left but
    what belongs to older events, and an event is older than its deliveries.
    """
    if page.before is None:
        return rows.ID_MAX, rows.ID_MAX, rows.ID_MAX
    place = rows.first_row(connection, "find_place", (page.before, application_id))
    return (page.before, 0, 0) if place is None else (*place, page.before)


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
    if old.is_claimed:
        raise StateForbidden("The delivery is being sent right now.")
    fifo = is_fifo(connection, old.webhook_id)
    bindings = {"id": delivery_id, "cause": cause, "now": now_ms}
    if old.state is DeliveryState.PENDING:
        rows.run(connection, "hasten_delivery", bindings)
    else:
        check_delivery_move(old.state, DeliveryState.PENDING)
        rows.run(connection, "reopen_delivery", bindings | {"is_fifo": fifo})
    return read_delivery(connection, application_id, delivery_id)


def send_aside(connection: apsw.Connection, new: NewAside, now_ms: int) -> Delivery | None:
    """See `Store.send_aside`."""
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
    check_delivery_move(old.state, DeliveryState.CANCELLED)
    if old.state is not DeliveryState.PENDING:
        raise StateForbidden(f"The delivery is {old.state.word} already.")
    if old.is_claimed:
        raise StateForbidden("The delivery is being sent right now.")
    rows.run(connection, "cancel_delivery", {"id": delivery_id, "reason": reason, "now": now_ms})
    return read_delivery(connection, application_id, delivery_id)
