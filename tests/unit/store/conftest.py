"""SQLite stores with small bounds, over a folder of the test's own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from hookspan.ids import IdMaker
from hookspan.store.sqlite import SqliteOptions, SqliteStore
from tests.contract.world import World
from tests.support.clock import VirtualClock

Open = Callable[..., Awaitable[World]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "hookspan.db"


@pytest.fixture
async def open_world(path: Path) -> AsyncIterator[Open]:
    """`await open_world(reads_max=1, …)`: an open store with these options, as `world.store`; closed at the end."""
    opened: list[SqliteStore] = []

    async def make(free_bytes: Callable[[Path], int] | None = None, **options: Any) -> World:
        clock = VirtualClock()
        ids = IdMaker(clock)
        store = SqliteStore(path, clock=clock, ids=ids, options=SqliteOptions(**options), free_bytes=free_bytes)
        await store.open()
        opened.append(store)
        world = World(store, clock, ids)
        await world.register()
        return world

    yield make
    for store in opened:
        await store.close()


def inside(world: World) -> Any:
    """The store behind the contract, for tests of what is inside."""
    return world.store
