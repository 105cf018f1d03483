"""The SQL of this room by name, read once from ``sql/``: one statement a file, named verb_noun.

Placeholders are psycopg's, ``%(name)s`` or ``%s``. Lists of ids are given as lists to ``= any(%(ids)s)``, many rows as
one list a column to ``unnest(%(ids)s::bigint[], …)``: one round trip, whatever their number.
"""

import importlib.resources
import re
from typing import LiteralString

_COMMENT = re.compile(r"^--.*\n", re.MULTILINE)


def _load() -> dict[str, LiteralString]:
    folder = importlib.resources.files(__package__) / "sql"
    return {
        file.name.removesuffix(".sql"): _COMMENT.sub("", file.read_text(encoding="utf-8")).strip()
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    }


_SQL = _load()


def statement(name: str) -> LiteralString:
    """The text of ``sql/name.sql`` without its comment."""
    return _SQL[name]


def statement_names() -> tuple[str, ...]:
    """Every statement there is, for the test of their plans."""
    return tuple(sorted(_SQL))
