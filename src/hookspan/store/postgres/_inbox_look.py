"""A look at the inbox from outside, for `hookspan db inbox`, and what a person may do with what was refused."""

import contextlib
from collections.abc import Iterator, Sequence

import msgspec
import psycopg

from hookspan.errors import ConfigurationError
from hookspan.store.postgres import _inbox
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._migrations import VERSION, read_version, refusal
from hookspan.store.postgres._opening import refused_connection
from hookspan.store.postgres._options import PostgresOptions
from hookspan.store.postgres._place import connect, read_place

_TIME_MAX_S = 30.0
MOVED_MAX = 10_000  # rows that one call puts back, or drops


class RefusedEvent(msgspec.Struct, frozen=True):
    """An event of `hookspan.publish()` that was refused for good. Times in ms."""

    id: int
    application: str
    type: str
    publisher_id: str | None
    published_at: int
    published_by: str
    refused_at: int
    code: str
    detail: str
    pointer: str | None


class InboxLook(msgspec.Struct, frozen=True):
    """What waits and what was refused, counted up to INBOX_COUNTED_MAX, and the newest of the latter."""

    waiting: int
    oldest_at: int | None
    refused: int
    newest: list[RefusedEvent]


def look_at_inbox(url: str, limit: int) -> InboxLook:
    """Raises ConfigurationError where it can't be reached, or was never served from by this version."""
    with _reaching(url) as connection:
        level = _inbox.measure(connection)
        newest = rows.many(connection, "list_inbox_refused", lambda row: RefusedEvent(*row), (limit,))
        return InboxLook(level.waiting, level.oldest_at, level.refused, newest)


def retry_refused(url: str, ids: Sequence[int] | None) -> list[int]:
    """Put refused events back, in their old places; None: all, the oldest MOVED_MAX. Those that were put back."""
    return _change(url, "retry_inbox", ids)


def drop_refused(url: str, ids: Sequence[int] | None) -> list[int]:
    """Forget refused events; None: all, the oldest MOVED_MAX. Those that went."""
    return _change(url, "drop_inbox_refused", ids)


def _change(url: str, name: str, ids: Sequence[int] | None) -> list[int]:
    bindings = {"is_all": ids is None, "ids": list(ids or ()), "limit": MOVED_MAX}
    with _reaching(url) as connection, connection.transaction():
        return sorted(rows.many(connection, name, lambda row: int(row[0]), bindings))


@contextlib.contextmanager
def _reaching(url: str) -> Iterator[Connection]:
    place = read_place(url)
    try:
        connection = connect(place, PostgresOptions(), _TIME_MAX_S)
    except psycopg.Error as error:
        raise refused_connection(error, place) from error
    try:
        with connection:
            version = read_version(connection, place.where)
            if version < VERSION:
                raise ConfigurationError(
                    f"The database at {place.where} has schema {version}; this is of schema {VERSION}. Start a node of "
                    "this version first."
                )
            yield connection
    except psycopg.Error as error:
        raise refusal(error, place.where) from error
