"""Where sending is stopped: pauses kept, ended, and what claims pass by because of them."""

from collections.abc import Collection
from typing import Any

import apsw
import msgspec

from hookspan.domain.pause import Pause, PauseScope
from hookspan.errors import NotFound, StateForbidden
from hookspan.store.pauses import ENDED_KEPT_MS, PAUSES_MAX
from hookspan.store.sqlite import _rows as rows
from hookspan.store.sqlite._frozen import changeable


class PassedBy(msgspec.Struct, frozen=True):
    """What a claim leaves alone besides webhooks: everything, or these profiles and applications."""

    is_all: bool
    profiles: str
    applications: str

    @property
    def bindings(self) -> dict[str, Any]:
        """As the statements that claim take them."""
        return {"profiles": self.profiles, "applications": self.applications}


def pauses(connection: apsw.Connection, now_ms: int) -> list[Pause]:
    """See `Store.pauses`."""
    return rows.many(connection, "list_pauses", rows.pause, {"since": now_ms - ENDED_KEPT_MS})


def pause(connection: apsw.Connection, new: Pause) -> Pause:
    """See `Store.pause`."""
    if new.application_id is not None and changeable(connection, new.application_id) is None:
        raise NotFound("There is no such application.")
    bindings = msgspec.structs.asdict(new)
    found = rows.one(connection, "find_pause", rows.pause, bindings)
    if found is not None:
        return found
    if new.scope is not PauseScope.ALL and rows.value(connection, "count_pauses") >= PAUSES_MAX:
        raise StateForbidden(f"{PAUSES_MAX} pauses are in force, and no more can be: end some, or pause everything.")
    rows.run(connection, "insert_pause", bindings)
    return msgspec.structs.replace(new, ended_at=None)


def end_pause(connection: apsw.Connection, pause_id: int, now_ms: int) -> Pause | None:
    """See `Store.end_pause`."""
    old = rows.one(connection, "read_pause", rows.pause, {"id": pause_id})
    if old is None:
        return None
    if old.application_id is not None:
        changeable(connection, old.application_id)
    if not rows.run(connection, "end_pause", {"id": pause_id, "now": now_ms}):
        return None
    ended = msgspec.structs.replace(old, ended_at=now_ms)
    rows.run(connection, "delete_ended_pauses", msgspec.structs.asdict(ended) | {"before": now_ms - ENDED_KEPT_MS})
    return ended


def passed_by(connection: apsw.Connection, profiles: Collection[str]) -> PassedBy:
    """What pauses in force cover, and what is of these profiles."""
    is_all, paused, applications = rows.first_row(connection, "read_paused")
    if profiles:
        paused = rows.json_text([*msgspec.json.decode(paused), *profiles])
    return PassedBy(bool(is_all), paused, applications)
