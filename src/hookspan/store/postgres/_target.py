"""A PostgreSQL database as what is copied into: empty at first, not served from before all is there."""

from collections.abc import Iterator, Sequence
from typing import Any, LiteralString, Self

import msgspec
import psycopg
from psycopg import sql

from hookspan.errors import ConfigurationError
from hookspan.store.copying import TABLES, Progress, Row, Table
from hookspan.store.postgres import _partitions
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._opening import open_database
from hookspan.store.postgres._options import PostgresOptions
from hookspan.store.postgres._place import connect, read_place

COPY_FACT = "copy"  # while it is there, the database is not whole
COPIED_FACT = "copied"  # the mark of the source that a whole copy was made of
_TIME_MAX_S = 86_400.0  # for one statement: a table is read through in one
_STREAM_ROWS = 100  # fetched at once
_LOADED = {"bigint": "int8", "smallint": "int2", "double precision": "float8", "boolean": "bool"}
_progress_decoder = msgspec.json.Decoder(Progress)


def read_progress(connection: Connection) -> Progress | None:
    """How far a copy into this database has come; None where none is under way."""
    noted = rows.value(connection, "read_copy")
    return None if noted is None else _progress_decoder.decode(noted)


class PostgresTarget:
    """`hookspan.store.copying.Target`, between `with` and its end. Brings the database to this version's schema first.

    Its statements are made here: names of tables and columns are the schema's.
    """

    def __init__(self, url: str, now_ms: int, options: PostgresOptions | None = None) -> None:
        self._options = options or PostgresOptions()
        self._place = read_place(url)
        self._now_ms = now_ms
        self._connection: Connection
        self._types: dict[tuple[str, str], str] = {}
        self._mark = ""
        self._days: set[int] = set()

    def __enter__(self) -> Self:
        """Raises ConfigurationError."""
        open_database(self._place, self._options, self._now_ms, is_to_be_filled=True)
        try:
            self._connection = connect(self._place, self._options, _TIME_MAX_S)
        except psycopg.Error as error:
            raise ConfigurationError(f"The database at {self._place.where} can't be connected to any more.") from error
        found: list[tuple[str, str, str]] = rows.many(self._connection, "list_columns", tuple)
        self._types = {(table, column): kind for table, column, kind in found}
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def begin(self, mark: str) -> Progress:
        self._mark = mark
        progress = read_progress(self._connection)
        if progress is None:
            self._check_empty(mark)
            first = Progress(mark, TABLES[0].name)
            rows.run(self._connection, "insert_copy", (msgspec.json.encode(first),))
            return first
        if progress.mark != mark:
            raise ConfigurationError(
                f"The database at {self._place.where} holds a part of another copy, or of this one from before the "
                "source was served from again. Make it anew, and copy again."
            )
        return progress

    def _check_empty(self, mark: str) -> None:
        copied = rows.value(self._connection, "read_copied")
        if copied == mark.encode():
            raise ConfigurationError(
                f"The database at {self._place.where} is a whole copy of this very file already: nothing is to be "
                "copied. Serve from it, with the encryption key of the old one."
            )
        if copied is not None:
            raise ConfigurationError(
                f"The database at {self._place.where} is a whole copy of another SQLite database, or of this one from "
                "before it was served from again. Copy into a new one: create database …"
            )
        for name in ("node", *(table.name for table in TABLES), "fact"):
            text = sql.SQL("select exists (select 1 from {})").format(sql.Identifier(name))
            row = self._connection.execute(text).fetchone()
            if row is not None and row[0]:
                raise ConfigurationError(
                    f"The database at {self._place.where} is not empty: Hookspan was served from it (there is "
                    f"something in the table {name}). Copy into a new one: create database …"
                )

    def put(
        self, table: Table, columns: Sequence[str], given: Sequence[Row], before: Progress, after: Progress
    ) -> None:
        if table.name in _partitions.TABLES:
            self._make_partitions([row[columns.index("id")] for row in given])
        kinds = [self._types[table.name, column] for column in columns]
        flags = [place for place, kind in enumerate(kinds) if kind == "boolean"]
        text = sql.SQL("copy {} ({}) from stdin (format binary)").format(
            sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with self._connection.transaction():
            noted = (msgspec.json.encode(after), msgspec.json.encode(before))
            if not rows.run(self._connection, "move_copy", noted):
                raise ConfigurationError(f"Somebody else is copying into the database at {self._place.where}.")
            with self._connection.cursor() as cursor, cursor.copy(text) as copying:
                copying.set_types([_LOADED.get(kind, kind) for kind in kinds])
                for row in given:
                    copying.write_row(_flagged(row, flags))

    def _make_partitions(self, idents: Sequence[int]) -> None:
        """Those of the days in which these were made: a part of a table is of few days."""
        for ident in idents:
            low = _partitions.partition_of(_partitions.TABLES[0], ident).low
            if low not in self._days:
                _partitions.make_for(self._connection, ident, self._options)
                self._days.add(low)

    def all_rows(self, table: Table, columns: Sequence[str]) -> Iterator[Row]:
        flags = [place for place, column in enumerate(columns) if self._types[table.name, column] == "boolean"]
        text = sql.SQL("select {} from {} order by {}").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.Identifier(table.name),
            sql.SQL(", ").join(map(sql.Identifier, table.key)),
        )
        with self._connection.cursor(binary=True) as cursor:
            for row in cursor.stream(text, size=_STREAM_ROWS):
                yield _numbered(row, flags) if flags else row

    def end(self, facts: dict[str, int | bytes], node_number: int) -> None:
        with self._connection.transaction():
            for name, value in facts.items():
                number, content = (None, value) if isinstance(value, bytes) else (value, None)
                rows.run(self._connection, "insert_copied_fact", (name, number, content))
            # A number that is given once more would be half of a fence, or let a request end another one's key.
            rows.value(self._connection, "set_sequence_of_node", {"highest": node_number})
            rows.value(self._connection, "set_sequence_of_idempotency")
            rows.run(self._connection, "interrupt_idempotency")
            rows.run(self._connection, "delete_copy")
            rows.run(self._connection, "insert_copied_fact", (COPIED_FACT, None, self._mark.encode()))
        analyze: LiteralString = "analyze"
        self._connection.execute(analyze)


def _flagged(row: Row, flags: Sequence[int]) -> Sequence[Any]:
    if not flags:
        return row
    values = list(row)
    for place in flags:
        values[place] = bool(values[place])
    return values


def _numbered(row: Row, flags: Sequence[int]) -> Row:
    values = list(row)
    for place in flags:
        values[place] = int(values[place])
    return tuple(values)
