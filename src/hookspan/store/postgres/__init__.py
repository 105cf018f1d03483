"""The store on PostgreSQL: many nodes, one truth.

Read `store.py` first: each call of the contract is a line there. `_ways.py` says which lane it takes, `_lanes.py` and
`_lane.py` what a lane is, the other rooms what is done; the SQL lies in ``sql/``, one statement a file.
"""

from hookspan.store.postgres._cell import Cell
from hookspan.store.postgres._inbox_look import InboxLook, RefusedEvent, drop_refused, look_at_inbox, retry_refused
from hookspan.store.postgres._moving import Move
from hookspan.store.postgres._options import PostgresOptions
from hookspan.store.postgres._place import listening_at
from hookspan.store.postgres._status import Status, read_status
from hookspan.store.postgres._target import PostgresTarget
from hookspan.store.postgres.store import PostgresStore

__all__ = [
    "Cell",
    "InboxLook",
    "Move",
    "PostgresOptions",
    "PostgresStore",
    "PostgresTarget",
    "RefusedEvent",
    "Status",
    "drop_refused",
    "listening_at",
    "look_at_inbox",
    "read_status",
    "retry_refused",
]
