"""Opening the database: connected, checked, migrated. What is not safe is refused with what to change."""

import psycopg

from hookspan.errors import ConfigurationError
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._migrations import migrate, refusal
from hookspan.store.postgres._options import PostgresOptions
from hookspan.store.postgres._partitions import make_ahead
from hookspan.store.postgres._place import Place, connect
from hookspan.store.postgres._pooler import check_pooler, pooler_refusal

# 14 is the first that can detach a partition without stopping those who write.
SERVER_VERSION_MIN = 140_000
_AUTHENTICATION = ("28000", "28P01")
_NO_DATABASE = "3D000"


def open_database(place: Place, options: PostgresOptions, now_ms: int, *, is_to_be_filled: bool = False) -> None:
    """Check and migrate it, make partitions ahead. Raises ConfigurationError, also for one that is but a part of
    another database, unless it `is_to_be_filled` by a copy.
    """
    try:
        connection = connect(place, options, options.migration_time_max_s)
    except psycopg.Error as error:
        raise refused_connection(error, place) from error
    with connection:
        check_server(connection, place)
        check_pooler(connection, place, options)
        try:
            migrate(connection, place.where, options)
            make_ahead(connection, now_ms, options)
            is_part = rows.value(connection, "read_copy") is not None
        except psycopg.Error as error:
            raise refusal(error, place.where) from error
    if is_part and not is_to_be_filled:
        raise ConfigurationError(
            f"A copy into the database at {place.where} was begun and is not whole. Run `hookspan db copy` again: it "
            "goes on where it stood."
        )


def connect_writer(place: Place, options: PostgresOptions, time_max_s: float) -> Connection:
    """A connection to write with, to a server that keeps what it says. Raises ConfigurationError, psycopg.Error."""
    connection = connect(place, options, time_max_s)
    try:
        check_server(connection, place)
    except BaseException:
        connection.close()
        raise
    return connection


def check_server(connection: Connection, place: Place) -> None:
    """Raises ConfigurationError for a server that is too old, forgets what it committed, or takes no writes."""
    version = connection.info.server_version
    if version < SERVER_VERSION_MIN:
        raise ConfigurationError(
            f"PostgreSQL at {place.where} is version {version // 10_000}; {SERVER_VERSION_MIN // 10_000} or newer is "
            "needed. Upgrade it."
        )
    found = rows.first_row(connection, "read_server")
    is_standby, is_read_only, fsync, full_page_writes, synchronous_commit, encoding = found
    if is_standby:
        raise ConfigurationError(f"{place.where} is a standby, which takes no writes. Name the primary.")
    if is_read_only:
        raise ConfigurationError(
            f"{place.where} is read-only: default_transaction_read_only is on. Turn it off for this role and database."
        )
    if encoding != "UTF8":
        raise ConfigurationError(
            f"The database at {place.where} is in {encoding}. Make one with: create database … encoding 'UTF8' "
            "template template0."
        )
    for name, setting in (("fsync", fsync), ("full_page_writes", full_page_writes)):
        if setting != "on":
            raise ConfigurationError(
                f"PostgreSQL at {place.where} runs with {name} = {setting}: a power cut would lose what was accepted. "
                f"Set it to on in postgresql.conf and reload."
            )
    if synchronous_commit == "off":
        raise ConfigurationError(
            f"synchronous_commit is off at {place.where}: what was accepted could be lost. Set it to on, for the "
            "server, this role and this database."
        )


def refused_connection(error: psycopg.Error, place: Place) -> ConfigurationError:
    """Why it could not be connected to. The server's words hold names, never a password."""
    sqlstate = error.sqlstate or ""
    text = " ".join(str(error).split())
    where = place.where
    if "unsupported startup parameter" in text:
        return pooler_refusal(where)
    if sqlstate in _AUTHENTICATION or "authentication failed" in text or "no password supplied" in text:
        said = (
            f"PostgreSQL at {where} does not let this role in. Check user and password of the database URL, and "
            "pg_hba.conf."
        )
    elif sqlstate == _NO_DATABASE or ("does not exist" in text and "database" in text):
        said = f"There is no database at {where}. Check its name in the database URL, or make it: create database …"
    elif "session is read-only" in text or "server is in hot standby mode" in text:
        said = (
            f"No server at {where} takes writes: what answers there are standbys, or read-only. Promote one, or name "
            "the primary."
        )
    elif "permission denied" in text:
        said = (
            f"PostgreSQL at {where} does not let this role into that database. The role must own it: alter database … "
            "owner to … Or, where it has only a schema there: grant connect on database … to …"
        )
    elif "SSL" in text or "certificate" in text:
        said = (
            f"There is no TLS to the database at {where} as the database URL asks for it ({text[:200]}). Check its "
            "sslmode and sslrootcert, and ssl in postgresql.conf."
        )
    else:
        said = (
            f"The database at {where} can't be connected to ({text[:200]}). Check that it runs and that the host and "
            "port of the database URL are right."
        )
    return ConfigurationError(said)
