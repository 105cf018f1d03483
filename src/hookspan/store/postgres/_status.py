"""A look at a database from outside, for `hookspan db status`: nothing is written."""

import msgspec
import psycopg

from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._migrations import read_version, refusal
from hookspan.store.postgres._opening import refused_connection
from hookspan.store.postgres._options import PostgresOptions
from hookspan.store.postgres._partitions import partitions
from hookspan.store.postgres._place import connect, read_place

_TIME_MAX_S = 10.0


class Status(msgspec.Struct, frozen=True):
    """`place` is without the password; bytes are of the whole database, with indexes. `nodes` are those registered."""

    place: str
    server: str
    schema_version: int
    database_bytes: int
    nodes: int
    connections: int
    partitions: int


def read_status(url: str) -> Status:
    """Raises ConfigurationError where it can't be reached, or was never served from."""
    place = read_place(url)
    try:
        connection = connect(place, PostgresOptions(), _TIME_MAX_S)
    except psycopg.Error as error:
        raise refused_connection(error, place) from error
    try:
        with connection:
            version = read_version(connection, place.where)
            server, size, connections = rows.first_row(connection, "read_status")
            nodes = rows.value(connection, "count_nodes") if version else 0
            days = len(partitions(connection, "event")) if version else 0
            return Status(place.where, str(server), version, int(size), int(nodes), int(connections), days)
    except psycopg.Error as error:
        raise refusal(error, place.where) from error
