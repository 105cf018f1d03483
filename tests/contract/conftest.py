"""A store of each kind, and a small world in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hookspan.ids import IdMaker
from hookspan.store.contract import Store
from tests.contract.factories import FACTORIES, MakeStore
from tests.contract.world import World
from tests.support.clock import VirtualClock


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def ids(clock: VirtualClock) -> IdMaker:
    return IdMaker(clock)


@pytest.fixture(params=sorted(FACTORIES))
def make_store(request: pytest.FixtureRequest, tmp_path: Path, clock: VirtualClock, ids: IdMaker) -> MakeStore:
    return FACTORIES[request.param](tmp_path, clock, ids)


@pytest.fixture
async def store(make_store: MakeStore) -> AsyncIterator[Store]:
    store = make_store()
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def world(store: Store, clock: VirtualClock, ids: IdMaker) -> World:
    world = World(store, clock, ids)
    await world.register()
    return world
