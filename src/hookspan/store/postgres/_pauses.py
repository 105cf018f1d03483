"""Where sending is stopped: pauses kept, ended, and what claims pass by because of them."""

from collections.abc import Collection
from typing import Any

import msgspec

from hookspan.domain.pause import Pause, PauseScope
from hookspan.errors import NotFound, StateForbidden
from hookspan.store.pauses import ENDED_KEPT_MS, PAUSES_MAX
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._locks import lock_application

# Who pauses waits for who pauses at the same time, so that a scope is paused once and all of them can be counted.
_PAUSES_LOCK = 0x486F6F6B50617573  # "HookPaus" read as a number


class PassedBy(msgspec.Struct, frozen=True):
    """What a claim leaves alone besides webhooks: everything, or these profiles and applications."""

    is_all: bool
    profiles: list[str]
    applications: list[int]

    @property
    def bindings(self) -> dict[str, Any]:
        """As the statements that claim take them."""
        return {"profiles": self.profiles, "applications": self.applications}


def pauses(connection: Connection, now_ms: int) -> list[Pause]:
    """See `Store.pauses`."""
    return rows.many(connection, "list_pauses", rows.pause, {"since": now_ms - ENDED_KEPT_MS})


def pause(connection: Connection, new: Pause) -> Pause:
    """See `Store.pause`."""
    if new.application_id is not None and lock_application(connection, new.application_id) is None:
        raise NotFound("There is no such application.")
    connection.execute("select pg_advisory_xact_lock(%s)", (_PAUSES_LOCK,))
    bindings = msgspec.structs.asdict(new)
    found = rows.one(connection, "find_pause", rows.pause, bindings)
    if found is not None:
        return found
    if new.scope is not PauseScope.ALL and rows.value(connection, "count_pauses") >= PAUSES_MAX:
        raise StateForbidden(f"{PAUSES_MAX} pauses are in force, and no more can be: end some, or pause everything.")
    rows.run(connection, "insert_pause", bindings)
    return msgspec.structs.replace(new, ended_at=None)


def end_pause(connection: Connection, pause_id: int, now_ms: int) -> Pause | None:
    """See `Store.end_pause`."""
    old = rows.one(connection, "read_pause", rows.pause, {"id": pause_id})
    if old is None:
        return None
    if old.application_id is not None:
        lock_application(connection, old.application_id)
    if not rows.run(connection, "end_pause", {"id": pause_id, "now": now_ms}):
        return None
    ended = msgspec.structs.replace(old, ended_at=now_ms)
    rows.run(connection, "delete_ended_pauses", msgspec.structs.asdict(ended) | {"before": now_ms - ENDED_KEPT_MS})
    return ended


def passed_by(connection: Connection, profiles: Collection[str]) -> PassedBy:
    """What pauses in force cover, and what is of these profiles."""
    is_all, paused, applications = rows.first_row(connection, "read_paused")
    return PassedBy(is_all, [*paused, *profiles], applications)
