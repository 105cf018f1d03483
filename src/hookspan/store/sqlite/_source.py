"""A SQLite database as what is copied from: nobody else has it meanwhile."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import apsw

from hookspan.errors import ConfigurationError, StoreUnavailable
from hookspan.store.copying import CHUNK_BYTES, CHUNK_ROWS, Key, Row, Table
from hookspan.store.sqlite._lock import ProcessLock
from hookspan.store.sqlite._opening import note_clean_end, open_database
from hookspan.store.sqlite._options import SqliteOptions

# What says something of the file itself.
_OWN_FACTS = frozenset(("is_clean",))
_CHECK_VALUE = "check_value"
_NUL, _MENDED = "\0", "\ufffd"
_CHAINED = "audit"  # its lines' hashes are of their texts


class SqliteSource:
    """`hookspan.store.copying.Source`, between `with` and its end. Brings the file to this version's schema first.

    Its statements are made here: names of tables and columns are the schema's.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = ProcessLock(path)
        self._database: apsw.Connection
        self.rows_mended = 0
        self.mark = ""

    def __enter__(self) -> Self:
        """Raises ConfigurationError where there is no database, or a server runs on it."""
        if not self._path.exists():
            raise ConfigurationError(f"There is no database at {self._path}.")
        self._lock.take()
        try:
            self._database = open_database(self._path, SqliteOptions())
        except BaseException:
            self._lock.release()
            raise
        self.mark = self._made_mark()
        return self

    def __exit__(self, *_: object) -> None:
        note_clean_end(self._database)
        self._database.close()
        self._lock.release()

    def _made_mark(self) -> str:
        """Every server that begins to use it registers a node."""
        check_value = self.facts().get(_CHECK_VALUE, b"")
        return hashlib.sha256(f"{check_value!r} {self.node_number()}".encode()).hexdigest()

    def columns(self, table: Table) -> tuple[str, ...]:
        return tuple(str(row[1]) for row in self._database.execute(f"pragma table_info({table.name})"))

    def count(self, table: Table) -> int:
        found = self._database.execute(f"select count(*) from {table.name}").get  # noqa: S608 - see the class
        assert isinstance(found, int)
        return found

    def rows_after(self, table: Table, key: Key | None) -> list[Row]:
        found: list[Row] = []
        size = 0
        cursor = self._database.execute(self._select(table, key), () if key is None else tuple(key))
        for row in cursor:
            plain = self._plain(table, row)
            self.rows_mended += plain is not row
            found.append(plain)
            size += sum(len(one) for one in row if isinstance(one, str | bytes))
            if len(found) >= CHUNK_ROWS or size >= CHUNK_BYTES:
                break
        cursor.close()
        return found

    def all_rows(self, table: Table) -> Iterator[Row]:
        for row in self._database.execute(self._select(table, None)):
            yield self._plain(table, row)

    def _select(self, table: Table, key: Key | None) -> str:
        names = ", ".join(table.key)
        after = "" if key is None else f" where ({names}) > ({', '.join('?' * len(table.key))})"
        return f"select {', '.join(self.columns(table))} from {table.name}{after} order by {names}"  # noqa: S608 - the same

    def _plain(self, table: Table, row: Row) -> Row:
        """PostgreSQL keeps no NUL in a text. In the audit log there is none, and nothing of it may be changed."""
        if not any(isinstance(one, str) and _NUL in one for one in row):
            return row
        if table.name == _CHAINED:
            raise StoreUnavailable(f"A line of the audit log holds a NUL, which PostgreSQL can't keep (id {row[0]}).")
        return tuple(one.replace(_NUL, _MENDED) if isinstance(one, str) else one for one in row)

    def facts(self) -> dict[str, int | bytes]:
        found: dict[str, Any] = dict(self._database.execute("select name, value from fact"))
        return {name: value for name, value in found.items() if name not in _OWN_FACTS and value is not None}

    def node_number(self) -> int:
        found = self._database.execute("select seq from sqlite_sequence where name = 'node'").get
        return int(found or 0)
