"""Two cells with an application in the first, for tests of its move to the second."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import psycopg

from hookspan.ids import IdMaker, node_slot
from hookspan.store.copying import Step
from hookspan.store.moving import Moved, MoveLimits
from hookspan.store.postgres import Cell, Move, PostgresStore
from tests.contract.world import World
from tests.support.clock import VirtualClock
from tests.support.postgres import DATABASES, OPTIONS

CHECK_VALUE = b"check"
LIMITS = MoveLimits(drain_time_max_s=1.0, chunk_rows=10)


class Cells:
    """`old` and `new` are worlds of one node each."""

    def __init__(self, urls: tuple[str, str], worlds: tuple[World, World]) -> None:
        self.urls = urls
        self.old, self.new = worlds
        self.steps: list[Step] = []

    def query(self, which: int, text: Any, *values: Any) -> list[tuple[Any, ...]]:
        """Look into a database from beside."""
        with psycopg.connect(self.urls[which], autocommit=True) as connection:
            cursor = connection.execute(text, values)
            return cursor.fetchall() if cursor.description else []

    async def move(
        self,
        public_id: str,
        told: Callable[[Step], None] | None = None,
        *,
        what: str = "run",
        urls: tuple[str, str] | None = None,
        **limits: Any,
    ) -> Moved:
        """Run, undo or look."""

        def tell(step: Step) -> None:
            self.steps.append(step)
            if told is not None:
                told(step)

        def work() -> Any:
            source, target = urls or self.urls
            with Cell(source, OPTIONS) as from_, Cell(target, OPTIONS) as to:
                chosen = msgspec.structs.replace(LIMITS, **limits)
                return getattr(Move(from_, to, public_id, CHECK_VALUE.__eq__, tell, chosen), what)()

        return await asyncio.to_thread(work)


@contextlib.asynccontextmanager
async def two_cells() -> AsyncIterator[Cells]:
    urls = [await asyncio.to_thread(DATABASES.make) for _ in range(2)]
    worlds = []
    clock = VirtualClock()
    async with contextlib.AsyncExitStack() as stack:
        for cell, url in enumerate(urls):
            stack.callback(DATABASES.drop, url)
            ids = IdMaker(clock, node_slot(cell, 1))
            store = PostgresStore(url, clock=clock, ids=ids, options=msgspec.structs.replace(OPTIONS, cell=cell))
            await store.open()
            stack.push_async_callback(store.close)
            assert await store.check_value(CHECK_VALUE) == CHECK_VALUE
            world = World(store, clock, ids)
            await world.register()
            worlds.append(world)
        yield Cells((urls[0], urls[1]), (worlds[0], worlds[1]))
