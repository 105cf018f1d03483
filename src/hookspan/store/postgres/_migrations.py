"""Brings a database to this version's schema: numbered SQL files, each in a transaction of its own, under a lock that
lets one node at a time do it.

Expand before a deploy, contract after. A file's first line says which it is: ``-- expand`` leaves all that the versions
before need, so that their nodes go on, and can start; ``-- contract since N`` takes away what only versions of a schema
older than N need, and these are refused from then on.
"""

import importlib.resources
import re
from typing import LiteralString

import msgspec
import psycopg
from psycopg import sql

from hookspan.errors import ConfigurationError
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._options import PostgresOptions
from hookspan.store.postgres._partitions import MIGRATIONS_LOCK

_KIND = re.compile(r"-- (?:expand|contract since (?P<since>\d+))\n")


class Migration(msgspec.Struct, frozen=True):
    """`works_since`: the oldest schema whose programs can use the database after it; None: as before."""

    number: int
    text: LiteralString
    works_since: int | None


def read_migration(name: str, text: str) -> Migration:
    """A file by its name and text. Raises ValueError for one that does not say what it is, or cuts off the version just
    before it: its nodes still run while this is deployed.
    """
    number = int(name[:4])
    kind = _KIND.match(text)
    if kind is None:
        raise ValueError(f"{name} begins with neither '-- expand' nor '-- contract since N'")
    since = None if kind["since"] is None else int(kind["since"])
    if since is not None and since >= number:
        raise ValueError(f"{name} takes away what the version before still needs")
    return Migration(number, text, since)


def check_order(migrations: tuple[Migration, ...]) -> None:
    """Raises ValueError for a gap."""
    for number, migration in enumerate(migrations, start=1):
        if migration.number != number:
            raise ValueError(f"migration {number} is missing")


def _load() -> tuple[Migration, ...]:
    folder = importlib.resources.files(__package__) / "migrations"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    found = tuple(read_migration(file.name, file.read_text(encoding="utf-8")) for file in files)
    check_order(found)
    return found


MIGRATIONS = _load()
VERSION = len(MIGRATIONS)


def read_version(connection: Connection, where: str, known: int = VERSION) -> int:
    """The schema version of the database, 0 for one that was empty when asked. Raises ConfigurationError when it is not
    ours, or made for newer versions only.
    """
    if not rows.value(connection, "has_table", {"name": "hookspan"}):
        if rows.value(connection, "has_other_tables"):
            raise ConfigurationError(
                f"The database at {where} is another program's. Make one of its own: create database hookspan. "
                "Or, to publish in SQL there, a schema: create schema hookspan authorization …"
            )
        return 0
    version, works_since = rows.first_row(connection, "read_version")
    if works_since > known:
        raise ConfigurationError(
            f"The database at {where} was brought up to date by a newer Hookspan (schema {version}, which needs "
            f"{works_since}; this one knows {known}). Install that version, or restore a backup made before."
        )
    assert isinstance(version, int)
    return version


def migrate(
    connection: Connection, where: str, options: PostgresOptions, migrations: tuple[Migration, ...] = MIGRATIONS
) -> None:
    """Run what is missing. A failure leaves the last complete version; other nodes that start meanwhile wait."""
    while read_version(connection, where, len(migrations)) < len(migrations):
        connection.execute("begin isolation level read committed read write")
        try:
            _run_next(connection, where, options, migrations)
            connection.execute("commit")
        except BaseException:
            if not connection.closed:
                connection.execute("rollback")
            raise


def _run_next(connection: Connection, where: str, options: PostgresOptions, migrations: tuple[Migration, ...]) -> None:
    # Who waits for the lock holds nothing, so it may wait for another node's whole migration.
    _limit(connection, "statement_timeout", options.migration_time_max_s)
    _limit(connection, "lock_timeout", options.migration_time_max_s)
    connection.execute("select pg_advisory_xact_lock(%s)", (MIGRATIONS_LOCK,))
    version = read_version(connection, where, len(migrations))
    if version >= len(migrations):
        return
    # From here on a wait for somebody's table is a wait of all who come after us: give up soon, and start again.
    _limit(connection, "lock_timeout", options.migration_lock_time_max_s)
    if version == 0:
        rows.execute(connection, "create_version")
    # Where that table is all others are made: a schema that has come since may stand before it in the role's path.
    rows.execute(connection, "pin_path")
    migration = migrations[version]
    connection.execute(migration.text)
    rows.run(connection, "set_version", {"version": migration.number, "works_since": migration.works_since})


def _limit(connection: Connection, name: LiteralString, time_s: float) -> None:
    connection.execute(sql.SQL("set local " + name + " = {}").format(sql.Literal(int(time_s * 1000))))


def refusal(error: psycopg.Error, where: str) -> ConfigurationError:
    """Why a migration failed, in one line."""
    if isinstance(error, psycopg.errors.LockNotAvailable):
        detail = "Somebody holds a table of it for too long. End what runs there and start again."
    elif isinstance(error, psycopg.errors.InsufficientPrivilege):
        detail = (
            "The role must own it: alter database … owner to … Or it owns the schema of its tables, and one called "
            "hookspan: create schema hookspan authorization …"
        )
    else:
        detail = f"{type(error).__name__} {error.sqlstate}: see the database's log."
    return ConfigurationError(f"The database at {where} can't be brought up to date. {detail}")
