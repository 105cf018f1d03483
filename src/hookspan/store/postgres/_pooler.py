"""A pooler between a node and its database: found out at a start, and asked whether it can do what the settings say.

Behind one a transaction is all that belongs together, so what a connection brings along for itself would be lost, and
a statement that was prepared on one server connection is unknown on the next, unless the pooler knows of it: PgBouncer
from 1.22 on gives statements names of its own then. 1.21 does too, but `deallocate all`, which psycopg sends after a
transaction was rolled back, passes it by.
"""

from psycopg.pq import ExecStatus

from hookspan.errors import ConfigurationError
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._options import PostgresOptions
from hookspan.store.postgres._place import Place
from hookspan.store.postgres._statements import statement

_NAME = b"hookspan_check"  # as in read_prepared.sql


def pooler_refusal(where: str) -> ConfigurationError:
    """Of a pooler that the settings do not tell of."""
    return ConfigurationError(
        f"A pooler answers at {where}. Say so: give HOOKSPAN_DATABASE_LISTEN_URL (PostgreSQL's own address) or "
        "HOOKSPAN_DATABASE_PREPARED=false, the same on all nodes."
    )


def check_pooler(connection: Connection, place: Place, options: PostgresOptions) -> None:
    """Raises ConfigurationError where a pooler answers that the settings do not tell of, or one that loses prepared
    statements though they are asked for.
    """
    connection.execute("begin")  # what follows is on one server connection
    try:
        is_direct, is_carried = _ask(connection)
    finally:
        connection.execute("rollback")
    if is_direct:
        return
    if not options.is_pooled:
        raise pooler_refusal(place.where)
    if options.prepare_after is not None and not is_carried:
        raise ConfigurationError(
            f"The pooler at {place.where} loses prepared statements. Set HOOKSPAN_DATABASE_PREPARED=false, or use "
            "PgBouncer 1.22 or newer with max_prepared_statements above 0."
        )


def _ask(connection: Connection) -> tuple[bool, bool]:
    """Whether the server answers itself, and whether a statement has another name there than the one it was given."""
    server = connection.pgconn
    if server.prepare(_NAME, statement("read_prepared").encode()).status != ExecStatus.COMMAND_OK:
        return False, False  # somebody else's of that name was left behind there
    answer = server.exec_prepared(_NAME, None)
    process, is_so_named = answer.get_value(0, 0), answer.get_value(0, 1)
    assert process is not None
    if is_so_named == b"t":
        connection.execute("deallocate hookspan_check")
    return int(process) == connection.info.backend_pid, is_so_named == b"f"
