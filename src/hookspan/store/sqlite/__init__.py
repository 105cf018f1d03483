"""The store on SQLite: one file, one process, one writer thread with group commit, a few readers.

Read `store.py` first: each call of the contract is a line there. `_writer.py` and `_readers.py` say on which thread it
runs, the other rooms what it does; the SQL lies in ``sql/``, one statement a file.
"""

from hookspan.store.sqlite._audit import audit_lines
from hookspan.store.sqlite._options import SqliteOptions
from hookspan.store.sqlite._source import SqliteSource
from hookspan.store.sqlite.store import SqliteStore

__all__ = ["SqliteOptions", "SqliteSource", "SqliteStore", "audit_lines"]
