"""Partitions of events, deliveries and attempts: ranges of ids, a day of their time each.

They are made ahead, one that is missing on demand, and dropped by retention (`_drops`). A table is made
beside its parent and then attached, which holds up nobody who writes; all of it waits only shortly for those who use
the parent, since everybody else would wait behind.
"""

from typing import LiteralString

import msgspec
from psycopg import sql

from hookspan.ids import first_id_at, made_at_ms
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._options import PostgresOptions

TABLES = ("event", "delivery", "attempt")
DAY_MS = 86_400_000
# Of transaction advisory locks: who changes partitions or migrates. "HookPart" and "HookMigr" read as numbers.
PARTITIONS_LOCK = 0x486F6F6B50617274
MIGRATIONS_LOCK = 0x486F6F6B4D696772
# Deliveries change twice or three times, all soon after they were made: their old versions should go soon too.
_DELIVERY_STORAGE: LiteralString = "alter table {name} set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05)"


class Partition(msgspec.Struct, frozen=True, order=True):
    """One table of a parent, for ids from `low`, below `high`."""

    low: int
    high: int
    parent: str

    @property
    def name(self) -> str:
        return f"{self.parent}_{made_at_ms(self.low) // DAY_MS:06d}"


def partition_of(parent: str, ident: int) -> Partition:
    """The partition in which an id belongs: the day (UTC) in which it was made."""
    day_ms = made_at_ms(ident) // DAY_MS * DAY_MS
    return Partition(first_id_at(day_ms), first_id_at(day_ms + DAY_MS), parent)


def make_ahead(connection: Connection, now_ms: int, options: PostgresOptions) -> int:
    """Make the partitions of today and of some days ahead; how many were missing. Outside of a transaction."""
    days = range(options.partitions_ahead_days + 1)
    wanted = [partition_of(parent, first_id_at(now_ms + day * DAY_MS)) for day in days for parent in TABLES]
    there = {one.name for parent in TABLES for one in partitions(connection, parent)}
    missing = [one for one in wanted if one.name not in there]
    for one in missing:
        _make(connection, one, options)
    return len(missing)


def make_for(connection: Connection, ident: int, options: PostgresOptions) -> None:
    """Make the partitions in which an id belongs. Outside of a transaction."""
    for parent in TABLES:
        _make(connection, partition_of(parent, ident), options)


def partitions(connection: Connection, parent: str) -> list[Partition]:
    """Those that are attached, oldest first."""
    found = rows.many(connection, "list_partitions", lambda row: str(row[0]), {"parent": parent})
    return sorted(_named(parent, name) for name in found if name.removeprefix(f"{parent}_").isdecimal())


def _named(parent: str, name: str) -> Partition:
    day_ms = int(name.removeprefix(f"{parent}_")) * DAY_MS
    return Partition(first_id_at(day_ms), first_id_at(day_ms + DAY_MS), parent)


def _make(connection: Connection, one: Partition, options: PostgresOptions) -> None:
    """Several nodes may want it at once: each looks again when it has the lock."""
    connection.execute("begin isolation level read committed read write")
    try:
        _limit_wait(connection, options)
        connection.execute("select pg_advisory_xact_lock(%s)", (PARTITIONS_LOCK,))
        if one not in partitions(connection, one.parent):
            _make_table(connection, one)
            _attach(connection, one)
        connection.execute("commit")
    except BaseException:
        if not connection.closed:
            connection.execute("rollback")
        raise


def _limit_wait(connection: Connection, options: PostgresOptions) -> None:
    wait_ms = int(options.partition_lock_time_max_s * 1000)
    connection.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(wait_ms)))


def _make_table(connection: Connection, one: Partition) -> None:
    """One that is left over, for its dropping was interrupted, is made anew unless something is in it."""
    if rows.value(connection, "has_table", {"name": one.name}):
        if not _is_empty(connection, one):
            return
        connection.execute(_about(one, "drop table {name}"))
    # Beside its parent: the role's path may begin with another schema, that of `hookspan.publish`.
    home = rows.value(connection, "read_home")
    text = sql.SQL("create table {name} (like {parent} including all)")
    connection.execute(text.format(name=sql.Identifier(home, one.name), parent=sql.Identifier(home, one.parent)))
    if one.parent == "delivery":
        connection.execute(_about(one, _DELIVERY_STORAGE))


def _attach(connection: Connection, one: Partition) -> None:
    connection.execute(_about(one, "alter table {parent} attach partition {name} for values from ({low}) to ({high})"))


def _about(one: Partition, text: LiteralString) -> sql.Composed:
    return sql.SQL(text).format(
        name=sql.Identifier(one.name),
        parent=sql.Identifier(one.parent),
        low=sql.Literal(one.low),
        high=sql.Literal(one.high),
    )


def _is_empty(connection: Connection, one: Partition) -> bool:
    row = connection.execute(_about(one, "select not exists (select 1 from {name})")).fetchone()
    return row is not None and bool(row[0])
