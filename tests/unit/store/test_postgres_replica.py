"""Lists from a read replica, against a real standby: while it is fresh, and only then."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from hookspan.clock import SystemClock
from hookspan.ids import IdMaker
from hookspan.store.postgres import PostgresOptions, PostgresStore, _replica
from tests.contract.world import ALL, World
from tests.support.clock import VirtualClock
from tests.support.postgres import Server

pytestmark = pytest.mark.anyio

LAG_S = 1.0
WITHIN_S = 20


class Pair:
    """A primary with its standby, and a store on both."""

    def __init__(self, primary: Server, standby: Server) -> None:
        self.primary, self.standby = primary, standby
        self.store: PostgresStore
        self.world: World

    async def names(self) -> set[str]:
        return {application.public_id for application in await self.store.list_applications(ALL)}

    async def until(self, is_so: Callable[[], Awaitable[bool]]) -> None:
        """Beats go on, as a node's do, until it is so."""
        end_s = time.monotonic() + WITHIN_S
        while not await is_so():
            assert time.monotonic() < end_s
            await self.store.beat(self.world.node)

    async def is_fresh(self) -> bool:
        assert self.store._replica is not None
        return await self.store._replica.is_fresh()

    async def is_behind(self) -> bool:
        return not await self.is_fresh()


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def servers() -> Iterator[Pair]:
    primary = Server()
    try:
        primary.make()
        primary.start()
        standby = primary.make_standby()
        try:
            standby.start()
            yield Pair(primary, standby)
        finally:
            standby.close()
    finally:
        primary.close()


@pytest.fixture
async def pair(servers: Pair, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pair]:
    """With a fresh database, and a replica that has caught up."""
    monkeypatch.setattr(_replica, "_CHECK_INTERVAL_S", 0.0)
    name = f"test_{time.monotonic_ns()}"
    await asyncio.to_thread(servers.primary.execute, f"create database {name}")
    options = PostgresOptions(
        writers=1,
        readers=1,
        partitions_ahead_days=1,
        replica_url=servers.standby.url(name),
        replica_lag_max_s=LAG_S,
        replica_retry_interval_s=0.05,
    )
    clock = VirtualClock(SystemClock().now_ms())
    ids = IdMaker(clock)
    servers.store = PostgresStore(servers.primary.url(name), clock=clock, ids=ids, options=options)
    await servers.store.open()
    servers.world = World(servers.store, clock, ids)
    await servers.world.register()
    await servers.until(servers.is_fresh)
    yield servers
    await servers.store.close()


async def test_lists_come_from_a_fresh_replica(pair: Pair) -> None:
    """What it does not show yet is not in a list, and is on its own page: that one asks the primary."""
    pair.standby.execute("select pg_wal_replay_pause()")
    made = await pair.world.application()
    assert made.public_id not in await pair.names()
    assert await pair.store.get_application(made.public_id) == made
    pair.standby.execute("select pg_wal_replay_resume()")


async def test_one_that_is_behind_is_left_alone(pair: Pair) -> None:
    """Beyond the lag lists come from the primary, until it has caught up."""
    pair.standby.execute("select pg_wal_replay_pause()")
    made = await pair.world.application()
    await pair.until(pair.is_behind)
    assert made.public_id in await pair.names()
    pair.standby.execute("select pg_wal_replay_resume()")
    await pair.until(pair.is_fresh)
    assert made.public_id in await pair.names()


async def test_one_that_is_gone_costs_nothing(pair: Pair) -> None:
    """It ends as by a crash: no list fails, and it is used again when it is back."""
    made = await pair.world.application()
    await asyncio.to_thread(pair.standby.stop, signal.SIGQUIT)
    assert made.public_id in await pair.names()
    assert await pair.is_behind()
    await asyncio.to_thread(pair.standby.start)
    await pair.until(pair.is_fresh)
    assert made.public_id in await pair.names()


async def test_a_store_opens_without_its_replica(servers: Pair) -> None:
    """A convenience that is away is no reason not to serve."""
    await asyncio.to_thread(servers.primary.execute, "create database alone")
    options = PostgresOptions(writers=1, readers=1, partitions_ahead_days=1, replica_url="postgresql://127.0.0.1:1/x")
    clock = VirtualClock()
    store = PostgresStore(servers.primary.url("alone"), clock=clock, options=options)
    await store.open()
    assert await store.list_applications(ALL) == []
    await store.close()
