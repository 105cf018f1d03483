"""One of the two databases that an application moves between, beside the nodes that serve it.

Rows are looked at by part: a minute or so of one table, counted and hashed by the server. So what has to be brought is
found without a note of how far a copy had come, and nothing can go stale that says so. Statements are made here: names
of tables and columns are the schema's.
"""

from collections.abc import Iterator, Sequence
from typing import Final, LiteralString, Self

import msgspec
import psycopg
from psycopg import sql

from hookspan.errors import ConfigurationError, StoreUnavailable
from hookspan.ids import EPOCH_MS, first_id_at
from hookspan.store.postgres import _partitions
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._migrations import VERSION, read_version
from hookspan.store.postgres._nodes import CELL_FACT
from hookspan.store.postgres._opening import check_server, refused_connection
from hookspan.store.postgres._options import PostgresOptions
from hookspan.store.postgres._partitions import Partition, partitions
from hookspan.store.postgres._place import connect, read_place

_TIME_MAX_S = 86_400.0  # for one statement
_PART_MS = 1 << 16  # the time in which the rows of one part were made
_PART_IDS: Final = first_id_at(EPOCH_MS + _PART_MS)
_PART_SHIFT = _PART_IDS.bit_length() - 1

# Whose rows a table's are. Values are literals, for COPY takes no parameters.
_OF_APPLICATION: LiteralString = "application_id = {application}"
_OF_WEBHOOKS: LiteralString = "webhook_id = any({webhooks}::bigint[])"
_CONDITIONS: Final[dict[str, LiteralString]] = {
    "application": "id = {application}",
    "webhook_revision": _OF_WEBHOOKS,
    "delivery": _OF_WEBHOOKS,
    "attempt": _OF_WEBHOOKS,
    "job_part": "job_id in (select id from job where application_id = {application})",
    "statistic": "(subject_id = {application} or subject_id = any({webhooks}::bigint[]))",
}
# By which column of time a large table is cut into parts, and the table whose days it follows.
_CUTS: Final[dict[str, tuple[LiteralString, str]]] = {
    "event": ("id", "event"),
    "publish_key": ("event_id", "event"),
    "delivery": ("id", "delivery"),
    "attempt": ("id", "attempt"),
}
# What is not taken over as it is: nobody is frozen in the target, and nothing is held there by a node of the source.
_CHANGED: Final[dict[tuple[str, str], LiteralString]] = {
    ("application", "frozen_at"): "null::bigint",
    ("webhook", "is_frozen"): "false",
    ("delivery", "node"): "0::bigint",
    ("idempotency", "state"): "(case when state = 1 then 3 else state end)::smallint",
    ("idempotency", "node"): "0::bigint",
}
_ALL: Final = sql.SQL("true")
# Their rows are made once and dropped once.
NEVER_CHANGED: Final = frozenset({"event", "publish_key", "attempt"})
# Given out by the target itself.
_LEFT_OUT: Final = {("idempotency", "id")}
# Of a table that never forgets a line: those that are there already stay.
_KEPT: Final = "audit"


class Owned(msgspec.Struct, frozen=True):
    """Whose rows are meant."""

    application_id: int
    webhook_ids: tuple[int, ...]


class Part(msgspec.Struct, frozen=True):
    """How many rows there are, and the sum of their hashes."""

    count: int
    sum: int


class Range(msgspec.Struct, frozen=True):
    """Ids from `low`, below `high`, of a table's column of time."""

    low: int
    high: int


class Cell:
    """Used between `with` and its end. `snapshot` makes all that is read of one moment."""

    def __init__(self, url: str, options: PostgresOptions | None = None) -> None:
        self._options = options or PostgresOptions()
        self._place = read_place(url)
        self._columns: dict[str, list[str]] = {}
        self.connection: Connection

    @property
    def where(self) -> str:
        return self._place.where

    def __enter__(self) -> Self:
        """Raises ConfigurationError for a database that is not one of this version's, or that no node has served."""
        options = msgspec.structs.replace(self._options, idle_in_transaction_time_max_s=_TIME_MAX_S)
        try:
            self.connection = connect(self._place, options, _TIME_MAX_S)
        except psycopg.Error as error:
            raise refused_connection(error, self._place) from error
        try:
            self._check()
        except BaseException:
            self.connection.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def _check(self) -> None:
        check_server(self.connection, self._place)
        version = read_version(self.connection, self.where)
        if version != VERSION:
            raise ConfigurationError(
                f"The database at {self.where} has schema {version}, and this version's is {VERSION}. Start a node of "
                "this version there first."
            )
        if self.cell is None or self.check_value is None:
            raise ConfigurationError(
                f"No node has ever served the database at {self.where}. Start one there first, with its own "
                "HOOKSPAN_CELL and the same encryption key."
            )
        found: list[tuple[str, str, str]] = rows.many(self.connection, "list_columns", tuple)
        for table, column, _ in sorted(found):
            if (table, column) not in _LEFT_OUT:
                self._columns.setdefault(table, []).append(column)

    @property
    def cell(self) -> int | None:
        found: int | None = rows.value(self.connection, "read_fact", (CELL_FACT,))
        return found

    @property
    def check_value(self) -> bytes | None:
        found: bytes | None = rows.value(self.connection, "read_check_value")
        return found

    # --- looking

    def count(self, table: str, owned: Owned) -> int:
        row = self.connection.execute(self._about("select count(*) from {table} where {condition}", table, owned))
        return _number(row.fetchone())

    def days(self, table: str) -> list[Partition]:
        """Where a table's rows are, by the day of their ids, oldest first."""
        return partitions(self.connection, _CUTS[table][1])

    def parts(self, table: str, owned: Owned, within: Range, *, by_ids: bool = False) -> dict[int, Part]:
        """The parts of a large table by the lower ends of their ranges. `by_ids`: of a table
        whose rows never change only these are looked at, which is cheap.
        """
        text = self._about(
            "select {cut} >> {shift}, count(*), sum({proof})::text from {table} "
            "where {condition} and {cut} >= {low} and {cut} < {high} group by 1 order by 1",
            table,
            owned,
            within,
            proof=_IDS if by_ids and table in NEVER_CHANGED else None,
        )
        found = self.connection.execute(text).fetchall()
        return {number << _PART_SHIFT: Part(count, int(total)) for number, count, total in found}

    def whole(self, table: str, owned: Owned) -> Part:
        """A small table's rows as one part."""
        text = self._about(
            "select count(*), coalesce(sum({proof}), 0)::text from {table} where {condition}", table, owned
        )
        row = self.connection.execute(text).fetchone()
        assert row is not None
        return Part(row[0], int(row[1]))

    # --- bringing

    def make_day(self, ident: int) -> None:
        """The partitions in which an id belongs."""
        _partitions.make_for(self.connection, ident, self._options)

    def bring(self, source: "Cell", table: str, owned: Owned, within: Range) -> None:
        """Make a range of a large table what it is in the source, in one transaction."""
        drop = self._about(
            "delete from {table} where {condition} and {cut} >= {low} and {cut} < {high}", table, owned, within
        )
        given = source._about(  # noqa: SLF001 - its own kind
            "copy (select {values} from {table} where {condition} and {cut} >= {low} and {cut} < {high}) "
            "to stdout (format binary)",
            table,
            owned,
            within,
        )
        with self.connection.transaction():
            self.connection.execute(drop)
            self._pipe(source, given, table)

    def bring_whole(self, source: "Cell", table: str, owned: Owned) -> int:
        """Make a small table's rows what they are in the source; how many these are. In the caller's transaction.
        Raises StoreUnavailable where they are not the same afterwards.
        """
        more: sql.Composable = _ALL
        if table == _KEPT:
            row = self.connection.execute(
                self._about("select coalesce(max(sequence), 0) from {table} where {condition}", table, owned)
            )
            more = sql.SQL("sequence > {}").format(sql.Literal(_number(row.fetchone())))
        else:
            self.connection.execute(self._about("delete from {table} where {condition}", table, owned))
        text = source._about(  # noqa: SLF001 - its own kind
            "copy (select {values} from {table} where {condition} and {more}) to stdout (format binary)",
            table,
            owned,
            more=more,
        )
        self._pipe(source, text, table)
        ours, theirs = self.whole(table, owned), source.whole(table, owned)
        if ours != theirs:
            raise StoreUnavailable(
                f"The table {table} is not the same on both sides ({theirs.count} rows in the source, {ours.count} in "
                "the target). Nothing was moved."
            )
        return ours.count

    def drop(self, table: str, owned: Owned, within: Range) -> None:
        """What an undone move has left in a range of a large table."""
        self.connection.execute(
            self._about(
                "delete from {table} where {condition} and {cut} >= {low} and {cut} < {high}", table, owned, within
            )
        )

    def _pipe(self, source: "Cell", given: sql.Composed, table: str) -> None:
        """The server's own format, passed on as it is: both have the same schema."""
        into = sql.SQL("copy {} ({}) from stdin (format binary)").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, self._columns[table]))
        )
        with (
            source.connection.cursor() as reading,
            reading.copy(given) as out,
            self.connection.cursor() as writing,
            writing.copy(into) as back,
        ):
            for data in out:
                back.write(data)

    def _about(
        self,
        text: LiteralString,
        table: str,
        owned: Owned,
        within: Range | None = None,
        *,
        more: sql.Composable = _ALL,
        proof: LiteralString | None = None,
    ) -> sql.Composed:
        values = sql.SQL(", ").join(
            sql.SQL(_CHANGED[table, name]) if (table, name) in _CHANGED else sql.Identifier(name)
            for name in self._columns[table]
        )
        cut = sql.SQL(_CUTS[table][0] if table in _CUTS else "id")
        known = {"application": sql.Literal(owned.application_id), "webhooks": sql.Literal(list(owned.webhook_ids))}
        return sql.SQL(text).format(
            table=sql.Identifier(table),
            condition=sql.SQL(_CONDITIONS.get(table, _OF_APPLICATION)).format(**known),
            values=values,
            proof=sql.SQL(proof or _HASH).format(values=values, cut=cut),
            cut=cut,
            low=sql.Literal(within.low if within else 0),
            high=sql.Literal(within.high if within else 0),
            shift=sql.Literal(_PART_SHIFT),
            more=more,
        )


# Of a whole row as text, so that of both sides the same are equal whatever their order.
_HASH: LiteralString = (
    "('x' || encode(substr(sha256(convert_to(row({values})::text, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint::numeric"
)
_IDS: LiteralString = "{cut}::numeric"


def _number(row: Sequence[int] | None) -> int:
    assert row is not None
    return int(row[0])


def differing(
    theirs: dict[int, Part], ours: dict[int, Part], within: Range, rows_max: int
) -> Iterator[tuple[Range, int]]:
    """Ranges in which the sides differ, and how many rows the source has there. Neighbours go together, up to about
    `rows_max`; parts that are the same lie between ranges. A part may reach beyond its day, a range does not.
    """
    low: int | None = None
    high = count = 0
    for start in sorted(theirs.keys() | ours.keys()):
        part = theirs.get(start)
        is_same = part == ours.get(start)
        if low is not None and (is_same or count >= rows_max):
            yield Range(low, high), count
            low = None
        if not is_same:
            if low is None:
                low, count = max(start, within.low), 0
            high = min(start + _PART_IDS, within.high)
            count += 0 if part is None else part.count
    if low is not None:
        yield Range(low, high), count
