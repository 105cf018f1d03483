"""Applications: made, changed, taken out of reach."""

from typing import Any, Literal

import msgspec

from hookspan.domain.records import Application
from hookspan.domain.states import DeliveryReason
from hookspan.errors import StateForbidden
from hookspan.store.contract import NewApplication
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._identity import delete_of_application
from hookspan.store.postgres._locks import lock_application
from hookspan.store.postgres._sweep import sweep_application

_OWNERS = {
    "event": "find_application_of_event",
    "webhook": "find_application_of_webhook",
    "delivery": "find_application_of_delivery",
}


def create_application(connection: Connection, new: NewApplication) -> Application | None:
    """None when the public id is taken."""
    is_made = rows.run(
        connection,
        "insert_application",
        {
            "id": new.id,
            "public_id": new.public_id,
            "name": new.name,
            "profile": new.profile,
            "uuid": new.uuid,
            "settings": rows.json_text(new.settings),
            "metadata": rows.json_text(new.metadata),
            "notify": new.notify,
            "created_at": new.created_at,
        },
    )
    return read_application(connection, new.id) if is_made else None


def find_application(connection: Connection, public_id: str) -> Application | None:
    return rows.one(connection, "find_application", rows.application, (public_id,)) if rows.is_kept(public_id) else None


def application_of(connection: Connection, kind: Literal["event", "webhook", "delivery"], ident: int) -> str | None:
    """See `Store.application_of`."""
    found: str | None = rows.value(connection, _OWNERS[kind], (ident,))
    return found


def read_application(connection: Connection, application_id: int) -> Application | None:
    return rows.one(connection, "read_application", rows.application, (application_id,))


def update_application(
    connection: Connection, application_id: int, changed_at: int, members: dict[str, Any]
) -> Application | None:
    """Write `members`, those that are to change. Raises StateForbidden for another profile after the first event."""
    old = lock_application(connection, application_id)
    if old is None:
        return None
    new = msgspec.structs.replace(old, **members)
    if new == old:
        return old
    if new.profile != old.profile and old.last_position:
        raise StateForbidden(f"The profile is fixed after the first event; it stays {old.profile}.")
    rows.run(
        connection,
        "update_application",
        {
            "id": application_id,
            "name": new.name,
            "profile": new.profile,
            "uuid": new.uuid,
            "settings": rows.json_text(new.settings),
            "metadata": rows.json_text(new.metadata),
            "notify": new.notify,
            "changed_at": changed_at,
        },
    )
    return read_application(connection, application_id)


def freeze_application(connection: Connection, application_id: int, frozen_at: int | None) -> bool:
    """See `Store.freeze_application`."""
    bindings = {"id": application_id, "frozen_at": frozen_at}
    if rows.first_row(connection, "lock_application", (application_id,)) is None:
        return False
    rows.run(connection, "set_webhooks_frozen", bindings)
    return rows.run(connection, "set_frozen", bindings) > 0


def delete_application(connection: Connection, application_id: int, now_ms: int, sweep_chunk: int) -> bool:
    """Out of reach at once; its deliveries are cancelled and its events dropped turn by turn."""
    if lock_application(connection, application_id) is None:
        return False
    take_out(connection, application_id, now_ms, sweep_chunk)
    return True


def take_out(connection: Connection, application_id: int, now_ms: int, sweep_chunk: int) -> None:
    """`delete_application` of one that is locked."""
    rows.run(connection, "mark_application_deleted", {"id": application_id, "now": now_ms})
    bindings = {
        "application_id": application_id,
        "credentials": rows.pack_credentials(()),
        "sweep_reason": DeliveryReason.ERASED,
        "now": now_ms,
    }
    rows.run(connection, "mark_webhooks_deleted", bindings)
    rows.run(connection, "insert_revisions", (application_id,))
    delete_of_application(connection, application_id)
    rows.run(connection, "delete_pauses_of_application", (application_id,))
    sweep_application(connection, application_id, now_ms, sweep_chunk)
