"""How a test gets a store of each kind. A factory makes a new, unopened store over the same database each time."""

from collections.abc import Callable
from pathlib import Path

from hookspan.clock import Clock
from hookspan.ids import IdMaker
from hookspan.store.contract import Store
from hookspan.store.sqlite import SqliteStore

MakeStore = Callable[[], Store]


def sqlite(folder: Path, clock: Clock, ids: IdMaker) -> MakeStore:
    return lambda: SqliteStore(folder / "data" / "hookspan.db", clock=clock, ids=ids)


def postgres(folder: Path, clock: Clock, ids: IdMaker) -> MakeStore:
    from hookspan.store.postgres import PostgresStore
    from tests.support.postgres import DATABASES, OPTIONS

    url = DATABASES.make()
    return lambda: PostgresStore(url, clock=clock, ids=ids, options=OPTIONS)


FACTORIES: dict[str, Callable[[Path, Clock, IdMaker], MakeStore]] = {"sqlite": sqlite, "postgres": postgres}
