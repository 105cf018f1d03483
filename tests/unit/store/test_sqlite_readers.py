"""Readers: bounded in number and time."""

import asyncio
import threading

import apsw
import pytest

from hookspan.errors import Overloaded, StoreUnavailable
from tests.unit.store.conftest import Open, inside

pytestmark = pytest.mark.anyio

TIME_MAX_S = 0.5  # enough for every other read of these tests on a machine that has much else to do
ENDLESS = "with recursive n (x) as (select 1 union all select x + 1 from n) select count(*) from n"


async def test_an_endless_query_is_interrupted(open_world: Open) -> None:
    """And its reader serves the next."""
    world = await open_world(read_time_max_s=TIME_MAX_S, readers=1)
    store = inside(world)
    with pytest.raises(StoreUnavailable, match="too long"):
        await store._read(lambda db: db.execute(ENDLESS).get)
    assert await store.highest_id() == 0


async def test_reads_are_bounded(open_world: Open) -> None:
    """Beyond the bound a read is refused at once, and one that waited past its time is not begun."""
    world = await open_world(reads_max=2, readers=1, read_time_max_s=TIME_MAX_S)
    store = inside(world)
    hang = threading.Event()
    begun: list[int] = []

    def wait(_db: apsw.Connection) -> None:
        begun.append(1)
        hang.wait(30)

    first = asyncio.create_task(store._read(wait))
    second = asyncio.create_task(store._read(wait))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await store.highest_id()
    try:
        for task in (first, second):
            with pytest.raises(StoreUnavailable):
                await task
    finally:
        hang.set()
    assert len(begun) == 1


async def test_a_caller_that_leaves_frees_its_place(open_world: Open) -> None:
    """When its query has ended, not before."""
    world = await open_world(reads_max=1, readers=1)
    store = inside(world)
    hang = threading.Event()
    task = asyncio.create_task(store._read(lambda _db: hang.wait(30)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(Overloaded):
        await store.highest_id()
    hang.set()
    async with asyncio.timeout(5):
        while store._readers._count:
            await asyncio.sleep(0)
    assert await store.highest_id() == 0
