"""Two nodes on one PostgreSQL, for tests of what they do at the same moment."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import psycopg

from hookspan.ids import IdMaker
from hookspan.store.postgres import PostgresOptions, PostgresStore
from tests.contract.world import World
from tests.support.clock import VirtualClock
from tests.support.postgres import DATABASES


class Nodes:
    """`worlds` are two, each with a store, a clock, ids and a registration of its own."""

    def __init__(self, url: str, worlds: tuple[World, World]) -> None:
        self.url = url
        self.worlds = worlds

    def query(self, text: Any, *values: Any) -> list[tuple[Any, ...]]:
        """Look into the database from beside."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(text, values).fetchall()


@contextlib.asynccontextmanager
async def two_nodes(options: PostgresOptions | None = None) -> AsyncIterator[Nodes]:
    url = await asyncio.to_thread(DATABASES.make)
    worlds = []
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(DATABASES.drop, url)
        for slot in (0, 1):
            clock = VirtualClock()
            ids = IdMaker(clock, slot)
            store = PostgresStore(url, clock=clock, ids=ids, options=options)
            await store.open()
            stack.push_async_callback(store.close)
            world = World(store, clock, ids)
            await world.register()
            worlds.append(world)
        yield Nodes(url, (worlds[0], worlds[1]))


async def at_once(*calls: Awaitable[Any]) -> list[Any]:
    """The values of all of them, or the errors that they raised."""
    return await asyncio.gather(*calls, return_exceptions=True)
