"""The SQL of this room by name, read once from ``sql/``: one statement a file, named verb_noun."""

import importlib.resources
import re
from typing import Any

import apsw

# A statement of many rows beats many statements: each execution hands the GIL over, which under a busy event loop
# costs milliseconds. Powers of two, so that any number of rows needs few statements and all of them stay prepared.
SIZES = (256, 128, 64, 32, 16, 8, 4, 2, 1)
_ROW = re.compile(r"(values )(\((?:[?0], )*[?0]\))")
_COMMENT = re.compile(r"^--.*\n", re.MULTILINE)


def _load() -> dict[str, str]:
    folder = importlib.resources.files(__package__) / "sql"
    return {
        file.name.removesuffix(".sql"): _COMMENT.sub("", file.read_text(encoding="utf-8")).strip()
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    }


_SQL = _load()


def statement(name: str) -> str:
    """The text of ``sql/name.sql`` without its comment."""
    return _SQL[name]


def statement_names() -> tuple[str, ...]:
    """Every statement there is, for the test of their plans."""
    return tuple(sorted(_SQL))


class Many:
    """A statement with one row of values, run with as many rows as there are."""

    def __init__(self, name: str) -> None:
        text = statement(name)
        row = _ROW.search(text)
        assert row is not None, f"{name} has no row of values"
        self.width = row[2].count("?")
        # Without spaces: apsw keeps no statement prepared that is longer than 16 KiB.
        values = row[2].replace(" ", "")
        self._texts = tuple(
            (size, text[: row.end(1)] + ",".join([values] * size) + text[row.end(2) :]) for size in SIZES
        )

    def run(self, connection: apsw.Connection, values: list[Any], *tail: Any) -> None:
        """Run it with `values`, rows end to end; `tail` binds what comes after the rows."""
        for text, part in self._parts(values):
            connection.execute(text, (*part, *tail))

    def fetch(self, connection: apsw.Connection, values: list[Any], *tail: Any) -> list[str]:
        """The same for a query that answers with one JSON text a statement."""
        return [connection.execute(text, (*part, *tail)).get for text, part in self._parts(values)]

    def _parts(self, values: list[Any]) -> list[tuple[str, list[Any]]]:
        left = len(values) // self.width
        parts = []
        start = 0
        for size, text in self._texts:
            while left >= size:
                end = start + size * self.width
                parts.append((text, values[start:end]))
                start = end
                left -= size
        return parts
