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


FACTORIES: dict[str, Callable[[Path, Clock, IdMaker], MakeStore]] = {"sqlite": sqlite}
