"""Below which id no delivery is pending: what keeps claims out of the partitions of a whole month.

A claim looks into every partition that could have something due, and to plan that costs a millisecond for each. The
note is kept in the database, rises by whole days, and is lowered in the transaction that makes an old delivery pending
again, so that no claim passes one by.
"""

from typing import LiteralString

from psycopg import sql

from hookspan.ids import first_id_at
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._partitions import DAY_MS, Partition, partition_of, partitions

# Clocks of nodes differ by less than this: new deliveries are not older.
_KEPT_MS = 2 * DAY_MS
# Partitions that one turn looks into.
_LOOK_MAX = 400
_HAS_PENDING: LiteralString = """
select
  exists (select 1 from {name} where state = 1 and node = 0)
  or exists (select 1 from {name} where node <> 0)
"""


def read(connection: Connection) -> int:
    found = rows.value(connection, "read_lowest_pending")
    assert isinstance(found, int)
    return found


def lower(connection: Connection, delivery_id: int) -> None:
    """This delivery is pending again. To be called after it was changed, in the same transaction."""
    rows.run(connection, "lower_lowest_pending", {"id": delivery_id})


def rise(connection: Connection, now_ms: int) -> int:
    """Move the note to where the first pending delivery may be, two days ago at the latest; where it is now.

    The note is locked before the days are looked into: who makes something pending meanwhile lowers it afterwards. All
    days are looked into, so that what a node of a wrong clock has made below the note is found.
    """
    lowest = rows.value(connection, "lock_lowest_pending")
    assert isinstance(lowest, int)
    border = partition_of("delivery", first_id_at(now_ms - _KEPT_MS)).low
    came_to = border
    for one in partitions(connection, "delivery")[:_LOOK_MAX]:
        if one.low >= border:
            break
        if _has_pending(connection, one):
            came_to = one.low
            break
    else:
        came_to = lowest  # the border was not reached: there are more days than one turn looks into, or none
    if came_to != lowest:
        rows.run(connection, "set_lowest_pending", (came_to,))
    return came_to


def _has_pending(connection: Connection, one: Partition) -> bool:
    row = connection.execute(sql.SQL(_HAS_PENDING).format(name=sql.Identifier(one.name))).fetchone()
    return row is not None and bool(row[0])
