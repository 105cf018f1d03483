"""Keys, people, one-time links and sessions, in one transaction each. See `hookspan.store.identity`.

What is counted is counted under a lock: of an application under its row's, of the installation under one that is made
for it. Locks are taken in one order: application, person, sessions, keys; rows of one kind in the order of their ids.
"""

from collections.abc import Mapping
from typing import Any

from hookspan.domain.caller import Role, Scope
from hookspan.domain.identity import Key, Person, Session, SessionKind
from hookspan.errors import NotFound
from hookspan.store.identity import NewKey, NewPerson, NewSession, Used
from hookspan.store.messages import Page
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._locks import hold_application_of, lock_application

OPERATOR = 0  # in the column application_id: belongs to no application
_KEYS, _PEOPLE = 1, 2  # of the installation: what lock_operator tells apart

# --- keys


def create_key(connection: Connection, new: NewKey, keys_max: int) -> Key | None:
    _lock_application(connection, new.application_id)
    if new.scope is Scope.APPLICATION:
        count = rows.value(connection, "count_keys_of_application", (new.application_id,))
    else:
        rows.value(connection, "lock_operator", (_KEYS,))
        count = rows.value(connection, "count_keys_of_operator")
    if count >= keys_max:
        return None
    rows.run(
        connection,
        "insert_key",
        {
            "id": new.id,
            "scope": new.scope,
            "application_id": new.application_id or OPERATOR,
            "name": new.name,
            "role": new.role,
            "digest": new.digest,
            "hint": new.hint,
            "created_at": new.created_at,
        },
    )
    return read_key(connection, new.id)


def read_key(connection: Connection, key_id: int) -> Key | None:
    return rows.one(connection, "read_key", _key, (key_id,))


def list_keys(connection: Connection, page: Page, application_id: int | None) -> list[Key]:
    if application_id is None:
        return rows.many(connection, "list_keys", _key, _range(page))
    bindings = _range(page) | {"application_id": application_id}
    return rows.many(connection, "list_keys_of_application", _key, bindings)


def delete_key(connection: Connection, key_id: int) -> bool:
    hold_application_of(connection, key_id)
    return _drop(connection, "delete_key", (key_id,)) > 0


# --- people


def create_person(connection: Connection, new: NewPerson, people_max: int) -> Person | None:
    _lock_application(connection, new.application_id)
    application_id = new.application_id or OPERATOR
    if application_id == OPERATOR:
        rows.value(connection, "lock_operator", (_PEOPLE,))
    if rows.value(connection, "count_people", (application_id,)) >= people_max:
        return None
    rows.run(
        connection,
        "insert_person",
        {
            "id": new.id,
            "application_id": application_id,
            "name": new.name,
            "role": new.role,
            "link_digest": new.link_digest,
            "link_expires_at": new.link_expires_at,
            "created_at": new.created_at,
        },
    )
    return read_person(connection, new.id)


def read_person(connection: Connection, person_id: int) -> Person | None:
    return rows.one(connection, "read_person", _person, (person_id,))


def list_people(connection: Connection, page: Page, application_id: int | None) -> list[Person]:
    if application_id is None:
        return rows.many(connection, "list_people", _person, _range(page))
    bindings = _range(page) | {"application_id": application_id}
    return rows.many(connection, "list_people_of_application", _person, bindings)


def update_person(connection: Connection, person_id: int, name: str | None, role: Role | None) -> Person | None:
    hold_application_of(connection, person_id)
    old = read_person(connection, person_id) if _lock_person(connection, person_id) else None
    if old is None:
        return None
    bindings = {"id": person_id, "name": old.name if name is None else name, "role": old.role if role is None else role}
    if (old.name, old.role) == (bindings["name"], bindings["role"]):
        return old  # nothing is changed, and no line of the audit log says so
    rows.run(connection, "update_person", bindings)
    return read_person(connection, person_id)


def delete_person(connection: Connection, person_id: int) -> bool:
    hold_application_of(connection, person_id)
    if not _lock_person(connection, person_id):
        return False
    _drop(connection, "delete_sessions_of_person", (person_id,))
    return _drop(connection, "delete_person", (person_id,)) > 0


def replace_link(connection: Connection, person_id: int, digest: bytes, expires_at: int) -> bool:
    hold_application_of(connection, person_id)
    bindings = {"id": person_id, "digest": digest, "expires_at": expires_at}
    return rows.run(connection, "replace_link", bindings) > 0


def find_link(connection: Connection, digest: bytes, now_ms: int) -> Person | None:
    return rows.one(connection, "find_link", _person, {"digest": digest, "now": now_ms})


# --- sessions


def open_session(connection: Connection, link_digest: bytes, new: NewSession, sessions_max: int) -> Session | None:
    spent = rows.first_row(connection, "spend_link", {"digest": link_digest, "now": new.created_at})
    if spent is None:
        return None
    person_id, application_id = spent
    hold_application_of(connection, person_id)
    _drop(connection, "delete_oldest_sessions", (person_id, sessions_max - 1))
    _insert_session(connection, new, person_id, application_id)
    return read_session(connection, new.id, new.created_at)


def create_portal_session(connection: Connection, new: NewSession, sessions_max: int) -> Session | None:
    _lock_application(connection, new.application_id)
    if rows.value(connection, "count_portal_sessions", (new.application_id, new.created_at)) >= sessions_max:
        return None
    _insert_session(connection, new, 0, new.application_id)
    return read_session(connection, new.id, new.created_at)


def _insert_session(connection: Connection, new: NewSession, person_id: int, application_id: int | None) -> None:
    rows.run(
        connection,
        "insert_session",
        {
            "id": new.id,
            "kind": new.kind,
            "person_id": person_id,
            "application_id": application_id or OPERATOR,
            "role": new.role,
            "digest": new.digest,
            "origin": new.origin,
            "address": new.address,
            "created_at": new.created_at,
            "expires_at": new.expires_at,
            "ends_at": new.ends_at,
        },
    )


def read_session(connection: Connection, session_id: int, now_ms: int) -> Session | None:
    return rows.one(connection, "read_session", _session, (session_id, now_ms))


def list_sessions(
    connection: Connection,
    page: Page,
    now_ms: int,
    kind: SessionKind,
    application_id: int | None,
    person_id: int | None,
) -> list[Session]:
    bindings = _range(page) | {"now": now_ms}
    if person_id is not None:
        return rows.many(connection, "list_sessions_of_person", _session, bindings | {"person_id": person_id})
    if application_id is None:
        assert kind is SessionKind.PERSON, "portal sessions are listed by application"
        return rows.many(connection, "list_sessions_of_people", _session, bindings)
    bindings |= {"application_id": application_id, "kind": kind}
    return rows.many(connection, "list_sessions_of_application", _session, bindings)


def delete_session(connection: Connection, session_id: int) -> bool:
    hold_application_of(connection, session_id)
    return _drop(connection, "delete_session", (session_id,)) > 0


def drop_sessions(connection: Connection, now_ms: int, limit: int) -> int:
    return _drop(connection, "delete_ended_sessions", (now_ms, limit))


# --- who asks


def find_identity(connection: Connection, digest: bytes, now_ms: int) -> Key | Session | None:
    key = rows.one(connection, "find_key", _key, (digest,))
    return key if key is not None else rows.one(connection, "find_session", _session, (digest, now_ms))


def mark_used(connection: Connection, keys: Mapping[int, int], sessions: Mapping[int, Used]) -> None:
    if sessions:
        bindings = {
            "ids": list(sessions),
            "times": [used.at for used in sessions.values()],
            "ends": [used.expires_at for used in sessions.values()],
        }
        rows.run(connection, "mark_people_seen", bindings)
        rows.run(connection, "mark_sessions_used", bindings)
    if keys:
        rows.run(connection, "mark_keys_used", {"ids": list(keys), "times": list(keys.values())})


def delete_of_application(connection: Connection, application_id: int) -> None:
    """All that lets somebody in to one application only. Who is just signing in holds a person's row: sessions go
    after people, so that one of those is not left behind.
    """
    for name in ("delete_people_of_application", "delete_sessions_of_application", "delete_keys_of_application"):
        _drop(connection, name, (application_id,))


# --- rows


def _lock_application(connection: Connection, application_id: int | None) -> None:
    if application_id is not None and lock_application(connection, application_id) is None:
        raise NotFound("There is no such application.")


def _lock_person(connection: Connection, person_id: int) -> bool:
    return rows.value(connection, "lock_person", (person_id,)) is not None


def _drop(connection: Connection, name: str, bindings: Any) -> int:
    """Run a statement that deletes and returns ids; how many. An id is never given again, also by a clock set back."""
    idents = rows.many(connection, name, lambda row: int(row[0]), bindings)
    if idents:
        rows.run(connection, "raise_highest_dropped", (max(idents),))
    return len(idents)


def _range(page: Page) -> dict[str, int]:
    low, high = rows.id_range(page)
    return {"low": low, "high": high if page.before is None else min(high, page.before), "limit": page.limit}


def _key(row: rows.Values) -> Key:
    ident, name, scope, application_id, application, role, hint, created_at, last_used_at = row
    return Key(
        id=ident,
        name=name,
        scope=Scope(scope),
        application_id=application_id or None,
        application=application,
        role=Role(role),
        hint=hint,
        created_at=created_at,
        last_used_at=last_used_at,
    )


def _person(row: rows.Values) -> Person:
    ident, name, application_id, application, role, created_at, last_seen_at = row
    return Person(
        id=ident,
        name=name,
        application_id=application_id or None,
        application=application,
        role=Role(role),
        created_at=created_at,
        last_seen_at=last_seen_at,
    )


def _session(row: rows.Values) -> Session:
    ident, kind, application_id, application, role, origin, address, created_at, seen_at, expires_at, ends_at = row[:11]
    person_id, name, person_role, *times = row[11:]
    person = None
    if person_id is not None:
        person = _person((person_id, name, application_id, application, person_role, *times))
    return Session(
        id=ident,
        kind=SessionKind(kind),
        person=person,
        application_id=application_id or None,
        application=application,
        role=Role(role) if person is None else person.role,
        origin=origin,
        address=address,
        created_at=created_at,
        last_seen_at=seen_at,
        expires_at=expires_at,
        ends_at=ends_at,
    )
