"""A whole database copied into an empty one of another kind, then compared with it, row by row.

Tables are copied one after another in the order of their keys, a part at a time. Each part and the note of how far it
came are one transaction of the target, so that a copy that was interrupted goes on where it stood. At the end both
sides are read through in the same order and hashed in the same way: only then is the target free to be served from.

Not copied: who is registered as a node (nobody is), and what the target derives by itself.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Literal, Protocol

import msgspec

from hookspan.errors import StoreUnavailable

__all__ = ["CHUNK_BYTES", "CHUNK_ROWS", "DERIVED", "TABLES", "Copied", "Progress", "Source", "Step", "Table", "Target"]

CHUNK_ROWS: Final = 2_000  # in one transaction, at most
CHUNK_BYTES: Final = 8 * 1024 * 1024  # and about so many of their texts and bytes
_TOLD_ROWS = 1_000  # rows compared between two looks at the progress

Row = tuple[Any, ...]
Key = tuple[Any, ...]


class Table(msgspec.Struct, frozen=True):
    """A table, and the columns that its rows are in the order of."""

    name: str
    key: tuple[str, ...] = ("id",)


TABLES: Final = (
    Table("application"),
    Table("webhook"),
    Table("webhook_revision", ("webhook_id", "version")),
    Table("event"),
    Table("publish_key", ("application_id", "publisher_id")),
    Table("delivery"),
    Table("attempt"),
    Table("access_key"),
    Table("person"),
    Table("session"),
    Table("audit"),
    Table("idempotency"),
    Table("job"),
    Table("job_part", ("job_id", "number")),
    Table("statistic", ("subject_id", "hour")),
    Table("notice"),
    Table("pause"),
)
# What triggers of the target fill: compared, not copied.
DERIVED: Final = (Table("idempotency_tally", ("application_id", "is_publish")),)


class Progress(msgspec.Struct, frozen=True):
    """How far a copy has come: `rows` of `table`, the last with `key` (None: nothing of it yet). `mark` tells the
    source, as it was when the copy began.
    """

    mark: str
    table: str
    key: Key | None = None
    rows: int = 0


class Step(msgspec.Struct, frozen=True):
    """What is told while it goes on: rows of all tables."""

    phase: Literal["copying", "comparing", "freezing", "draining", "arriving", "arrived", "left"]
    table: str
    done: int
    total: int


class Copied(msgspec.Struct, frozen=True):
    """What a copy has brought: rows by table. In `rows_mended` of this run's a NUL in a text was replaced, which the
    target can't keep.
    """

    rows: dict[str, int]
    rows_mended: int


class Source(Protocol):
    """A database that nobody else uses now."""

    rows_mended: int

    @property
    def mark(self) -> str:
        """Another one when it was in use since."""
        ...

    def columns(self, table: Table) -> tuple[str, ...]: ...

    def count(self, table: Table) -> int: ...

    def rows_after(self, table: Table, key: Key | None) -> list[Row]:
        """The next ones, at most CHUNK_ROWS and about CHUNK_BYTES, at least one; none at the end. As the target keeps
        them: numbers, texts, bytes, None.
        """
        ...

    def all_rows(self, table: Table) -> Iterator[Row]: ...

    def facts(self) -> dict[str, int | bytes]:
        """Those that go along."""
        ...

    def node_number(self) -> int:
        """The highest number that a node ever had: claims stand in them, so none is given again."""
        ...


class Target(Protocol):
    """An empty database, or one that was being copied into."""

    def begin(self, mark: str) -> Progress:
        """Raises ConfigurationError where it is not empty, or what it holds came from elsewhere."""
        ...

    def put(self, table: Table, columns: Sequence[str], rows: Sequence[Row], before: Progress, after: Progress) -> None:
        """Keep rows, and how far it came, in one transaction. Raises ConfigurationError where another copy is under
        way.
        """
        ...

    def all_rows(self, table: Table, columns: Sequence[str]) -> Iterator[Row]:
        """As the source gives them."""
        ...

    def end(self, facts: dict[str, int | bytes], node_number: int) -> None:
        """Everything is there: keep the facts, give out numbers above those that were given, and be served from."""
        ...


def copy_database(source: Source, target: Target, told: Callable[[Step], None]) -> Copied:
    """Copy all, or what is missing of it, and compare. Raises StoreUnavailable where the two differ."""
    counts = {table.name: source.count(table) for table in TABLES}
    total = sum(counts.values())
    noted = target.begin(source.mark)
    names = [table.name for table in TABLES]
    first = names.index(noted.table)
    done = sum(counts[name] for name in names[:first]) + noted.rows
    for table in TABLES[first:]:
        columns = source.columns(table)
        places = [columns.index(name) for name in table.key]
        at = noted if table.name == noted.table else Progress(noted.mark, table.name)
        while rows := source.rows_after(table, at.key):
            key = tuple(rows[-1][place] for place in places)
            at = Progress(noted.mark, table.name, key, at.rows + len(rows))
            target.put(table, columns, rows, noted, at)
            noted = at
            done += len(rows)
            told(Step("copying", table.name, done, total))
    _compare(source, target, total, told)
    target.end(source.facts(), source.node_number())
    return Copied(counts, source.rows_mended)


def _compare(source: Source, target: Target, total: int, told: Callable[[Step], None]) -> None:
    done = 0
    for table in (*TABLES, *DERIVED):
        columns = source.columns(table)
        ours = _digest(source.all_rows(table))
        theirs = _digest(_counted(target.all_rows(table, columns), table, done, total, told))
        if ours != theirs:
            raise StoreUnavailable(
                f"The table {table.name} is not the same on both sides ({ours[0]} rows in the source, {theirs[0]} in "
                "the copy). Something has changed one of them meanwhile: make the target anew, and copy again."
            )
        done += ours[0]
        told(Step("comparing", table.name, min(done, total), total))


def _counted(rows: Iterator[Row], table: Table, done: int, total: int, told: Callable[[Step], None]) -> Iterator[Row]:
    for count, row in enumerate(rows, start=1):
        yield row
        if count % _TOLD_ROWS == 0:
            told(Step("comparing", table.name, min(done + count, total), total))


def _digest(rows: Iterator[Row]) -> tuple[int, bytes]:
    """How many, and a hash of all their values in order."""
    hashed = hashlib.sha256()
    encode = msgspec.msgpack.Encoder().encode
    count = 0
    for row in rows:
        hashed.update(encode(row))
        count += 1
    return count, hashed.digest()
