"""Columns of many rows, in the binary form of arrays."""

from collections.abc import Iterator
from typing import Any

import pytest

from hookspan.store.postgres._columns import Column, blobs, numbers, texts
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._faults import is_of_data
from hookspan.store.postgres._options import PostgresOptions
from hookspan.store.postgres._place import connect, read_place
from tests.support.postgres import DATABASES


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    with connect(read_place(DATABASES.server.url("postgres")), PostgresOptions(), 10) as connection:
        yield connection


def back(connection: Connection, column: Column, kind: str) -> Any:
    [found] = connection.execute(f"select %s::{kind}[]".encode(), (column,)).fetchone() or (None,)
    return found


@pytest.mark.parametrize(
    "values", [[], [None], [0, -1, 1], [(1 << 63) - 1, -(1 << 63)], [1, None, 3], list(range(3_000))]
)
def test_numbers(connection: Connection, values: list[int | None]) -> None:
    """What was given comes back, also as a narrower kind, and nulls where they were."""
    assert back(connection, numbers(values), "bigint") == values
    if all(abs(value or 0) < 1 << 15 for value in values):
        assert back(connection, numbers(values), "smallint") == values


@pytest.mark.parametrize("values", [[], [None], ["", "a", 'quo"te\\ {,}'], ["ä€😀", None, "NULL"]])
def test_texts(connection: Connection, values: list[str | None]) -> None:
    """Letters of every kind, and none that would mean something in an array's text."""
    assert back(connection, texts(values), "text") == values


@pytest.mark.parametrize("values", [[], [None], [b"", b"\x00\xff"], [b"a", None, b"\\x00" * 1_000]])
def test_blobs(connection: Connection, values: list[bytes | None]) -> None:
    """Every byte as it is."""
    assert back(connection, blobs(values), "bytea") == values


def test_what_can_not_be_kept_is_of_the_data(connection: Connection) -> None:
    """A number that is too large, half a surrogate pair, a NUL: another row may pass."""
    for make in (lambda: numbers([1 << 63]), lambda: numbers([1 << 63, None]), lambda: texts(["\ud800"])):
        with pytest.raises(Exception, match=r".") as caught:
            make()
        assert is_of_data(caught.value)
    with pytest.raises(Exception, match="0x00") as caught:
        back(connection, texts(["a\x00b"]), "text")
    assert is_of_data(caught.value)
