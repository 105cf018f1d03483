"""A look at a database from outside, for `hookspan db status`: nothing is written."""

from typing import Literal

import msgspec
import psycopg

from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._migrations import read_version, refusal
from hookspan.store.postgres._opening import refused_connection
from hookspan.store.postgres._options import PostgresOptions
from hookspan.store.postgres._partitions import partitions
from hookspan.store.postgres._place import connect, read_place
from hookspan.store.postgres._target import read_progress

_TIME_MAX_S = 10.0


class Status(msgspec.Struct, frozen=True):
    """`place` is without the password; bytes are of the whole database, with indexes. `nodes` are those registered.

    `state`: `empty` before anybody has served from it, and then there are no nodes nor partitions to count; `partial`
    where a copy into it came as far as `copy_table`; else `whole`.
    """

    place: str
    state: Literal["empty", "partial", "whole"]
    server: str
    schema_version: int
    database_bytes: int
    nodes: int | None
    connections: int
    partitions: int | None
    copy_table: str | None


def read_status(url: str) -> Status:
    """Raises ConfigurationError where it can't be reached, or is another program's."""
    place = read_place(url)
    try:
        connection = connect(place, PostgresOptions(), _TIME_MAX_S)
    except psycopg.Error as error:
        raise refused_connection(error, place) from error
    try:
        with connection:
            version = read_version(connection, place.where)
            server, size, connections = rows.first_row(connection, "read_status")
            progress = read_progress(connection) if version else None
            state: Literal["empty", "partial", "whole"]
            state = "empty" if not version else "whole" if progress is None else "partial"
            return Status(
                place=place.where,
                state=state,
                server=str(server),
                schema_version=version,
                database_bytes=int(size),
                nodes=int(rows.value(connection, "count_nodes")) if version else None,
                connections=int(connections),
                partitions=len(partitions(connection, "event")) if version else None,
                copy_table=None if progress is None else progress.table,
            )
    except psycopg.Error as error:
        raise refusal(error, place.where) from error
