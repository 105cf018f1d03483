"""Rows of tables as records, and the other way round."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import psycopg

from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._statements import statement
from hookspan.store.rows import (
    ID_MAX,
    Values,
    application,
    attempt,
    decode_ids,
    delivery,
    event,
    id_range,
    json_text,
    pack_also_sign,
    pack_credentials,
    pack_events,
    pause,
    revision,
    to_json,
    webhook,
)

T = TypeVar("T")

__all__ = [
    "ID_MAX",
    "T",
    "Values",
    "application",
    "attempt",
    "decode_ids",
    "delivery",
    "event",
    "execute",
    "first_row",
    "id_list",
    "id_range",
    "is_kept",
    "json_text",
    "many",
    "one",
    "pack_also_sign",
    "pack_credentials",
    "pack_events",
    "pause",
    "revision",
    "run",
    "to_json",
    "value",
    "webhook",
]
_CHANGING = ("INSERT", "UPDATE", "DELETE")


def execute(connection: Connection, name: str, bindings: Any = ()) -> psycopg.Cursor[Values]:
    """Run a statement, with its answer in binary; what it changes is counted. `Connection.changes` sees the command
    that stands last in the statement: a change inside a ``with`` before a ``select`` must be counted by who wrote it.
    """
    cursor = connection.execute(statement(name), bindings or None, binary=True)
    status = cursor.statusmessage
    if status is not None and status.startswith(_CHANGING):
        connection.changes += cursor.rowcount
    return cursor


def one(connection: Connection, name: str, make: Callable[[Values], T], bindings: Any = ()) -> T | None:
    """The record of a statement's only row."""
    row = execute(connection, name, bindings).fetchone()
    return None if row is None else make(row)


def many(connection: Connection, name: str, make: Callable[[Values], T], bindings: Any = ()) -> list[T]:
    """The records of a statement's rows."""
    return [make(row) for row in execute(connection, name, bindings).fetchall()]


def value(connection: Connection, name: str, bindings: Any = ()) -> Any:
    """The first column of a statement's first row, None without a row."""
    row = execute(connection, name, bindings).fetchone()
    return None if row is None else row[0]


def first_row(connection: Connection, name: str, bindings: Any = ()) -> Any:
    """A statement's first row, None without one."""
    return execute(connection, name, bindings).fetchone()


def run(connection: Connection, name: str, bindings: Any = ()) -> int:
    """Run a statement that changes rows; how many it changed."""
    return execute(connection, name, bindings).rowcount


def is_kept(text: str) -> bool:
    """Whether there can be such a text in the database: PostgreSQL keeps none with a NUL."""
    return "\0" not in text


def id_list(idents: Iterable[int]) -> list[int]:
    """Ids as ``= any(%s)`` and ``unnest(%s)`` take them, where their type is said: ``%(ids)s::bigint[]``."""
    return list(idents)
