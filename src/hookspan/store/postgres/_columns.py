"""Lists of values as PostgreSQL's arrays, in its binary form, one for each column of many rows.

psycopg's own way looks at each member by itself: 81 us for 100 numbers as text, 25 us in binary. One `struct.pack` for
all of them takes 4 us, and a batch of 100 results has thirty such lists.
"""

import struct
from collections.abc import Sequence

from psycopg import pq
from psycopg.adapt import Buffer, Dumper

_HEAD = struct.Struct("!iiiii")  # dimensions, whether there are nulls, type of the members, their number, first index
_LENGTH = struct.Struct("!i")
_NUMBER = struct.Struct("!iq")
_NULL = _LENGTH.pack(-1)
_NUMBER_BYTES = 8


class Column:
    """An array, ready to be sent."""

    __slots__ = ("image",)

    def __init__(self, image: bytes) -> None:
        self.image = image


class Numbers(Column):
    """bigint[]"""

    __slots__ = ()


class Texts(Column):
    """text[]"""

    __slots__ = ()


class Blobs(Column):
    """bytea[]"""

    __slots__ = ()


class _Dumper(Dumper):
    format = pq.Format.BINARY

    def dump(self, obj: Column) -> Buffer | None:
        return obj.image


class NumbersDumper(_Dumper):
    oid = 1016


class TextsDumper(_Dumper):
    oid = 1009


class BlobsDumper(_Dumper):
    oid = 1001


COLUMN_DUMPERS: tuple[tuple[type[Column], type[Dumper]], ...] = (
    (Numbers, NumbersDumper),
    (Texts, TextsDumper),
    (Blobs, BlobsDumper),
)


def numbers(values: Sequence[int | None]) -> Numbers:
    """Whole numbers of 63 bits and a sign."""
    count = len(values)
    if None in values:
        parts = [_NULL if value is None else _NUMBER.pack(_NUMBER_BYTES, value) for value in values]
        return Numbers(_HEAD.pack(1, 1, 20, count, 1) + b"".join(parts))
    members: list[int | None] = [_NUMBER_BYTES] * (2 * count)
    members[1::2] = values
    return Numbers(_head(20, count) + struct.pack("!" + "iq" * count, *members))


def texts(values: Sequence[str | None]) -> Texts:
    """Raises UnicodeEncodeError for half a surrogate pair; a NUL is refused by the server."""
    return Texts(_sized(25, [None if value is None else value.encode() for value in values]))


def blobs(values: Sequence[bytes | None]) -> Blobs:
    return Blobs(_sized(17, values))


def _head(kind: int, count: int) -> bytes:
    """An empty array has no dimension."""
    return _HEAD.pack(1, 0, kind, count, 1) if count else _HEAD.pack(0, 0, kind, 0, 0)[:12]


def _sized(kind: int, values: Sequence[bytes | None]) -> bytes:
    parts = []
    for value in values:
        if value is None:
            parts.append(_NULL)
        else:
            parts.append(_LENGTH.pack(len(value)))
            parts.append(value)
    if None in values:
        return _HEAD.pack(1, 1, kind, len(values), 1) + b"".join(parts)
    return _head(kind, len(values)) + b"".join(parts)
