"""What may be changed: an application that is frozen may not. See `Store.freeze_application`."""

import apsw

from hookspan.domain.records import Application
from hookspan.store.contract import ApplicationFrozen
from hookspan.store.sqlite import _rows as rows


def freeze_application(connection: apsw.Connection, application_id: int, frozen_at: int | None) -> bool:
    """See `Store.freeze_application`."""
    bindings = {"id": application_id, "frozen_at": frozen_at}
    if not rows.run(connection, "set_frozen", bindings):
        return False
    rows.run(connection, "set_webhooks_frozen", bindings)
    return True


def frozen_of(connection: apsw.Connection, application_ids: list[int]) -> frozenset[int]:
    """Those that are frozen."""
    return frozenset(rows.many(connection, "list_frozen", lambda row: int(row[0]), (rows.json_text(application_ids),)))


def changeable(connection: apsw.Connection, application_id: int) -> Application | None:
    """The application, which is about to be changed. None when there is none; raises ApplicationFrozen."""
    if frozen_of(connection, [application_id]):
        raise ApplicationFrozen
    return rows.one(connection, "read_application", rows.application, (application_id,))


def check_application_of(connection: apsw.Connection, ident: int) -> None:
    """Of a key, a person or a session that is about to be changed. Raises ApplicationFrozen."""
    row = rows.first_row(connection, "read_application_of", {"id": ident})
    if row is not None and row[1] is not None:
        raise ApplicationFrozen
