"""Rows of tables as records, and the other way round."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import apsw

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
from hookspan.store.sqlite._statements import statement

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
    "first_row",
    "id_list",
    "id_range",
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


def one(connection: apsw.Connection, name: str, make: Callable[[Values], T], bindings: Any) -> T | None:
    """The record of a statement's only row."""
    row = connection.execute(statement(name), bindings).fetchone()
    return None if row is None else make(row)


def many(connection: apsw.Connection, name: str, make: Callable[[Values], T], bindings: Any = ()) -> list[T]:
    """The records of a statement's rows."""
    return [make(row) for row in connection.execute(statement(name), bindings)]


def value(connection: apsw.Connection, name: str, bindings: Any = ()) -> Any:
    """The first column of a statement's first row, None without a row."""
    row = connection.execute(statement(name), bindings).fetchone()
    return None if row is None else row[0]


def first_row(connection: apsw.Connection, name: str, bindings: Any = ()) -> Any:
    """A statement's first row, None without one."""
    return connection.execute(statement(name), bindings).fetchone()


def run(connection: apsw.Connection, name: str, bindings: Any = ()) -> int:
    """Run a statement that changes rows; how many it changed."""
    connection.execute(statement(name), bindings)
    return connection.changes()


def id_list(idents: Iterable[int]) -> str:
    """Ids as a statement's json_each takes them."""
    return json_text(list(idents))
