"""A world per test, in a folder of its own."""

import pytest

from tests.support.world import World


@pytest.fixture
async def world(tmp_path):
    async with World(tmp_path) as made:
        yield made


@pytest.fixture
def make_world(tmp_path):
    def make(**options) -> World:
        return World(tmp_path, **options)

    return make
