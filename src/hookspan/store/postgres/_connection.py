"""What every function of this room is given: a connection inside an open transaction. And how one is ended from
beside.
"""

import contextlib
import os
import socket
from typing import Any

import psycopg


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """`changes` counts the rows that statements have inserted, updated or deleted on it: what has changed something
    is told by the difference. `_rows` keeps it.
    """

    changes: int = 0


def cut(connection: Connection) -> None:
    """Shut a connection's socket while another thread waits on it. Nobody may close the connection meanwhile, for its
    number could be another file's then.
    """
    with contextlib.suppress(OSError, psycopg.Error):
        twin = socket.socket(fileno=os.dup(connection.fileno()))
        with twin:
            twin.shutdown(socket.SHUT_RDWR)
