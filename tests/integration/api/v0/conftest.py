"""A node with a customer of its own for each test of /v0."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.api.v0.customer import Customer, Served, new_customer, serving


@pytest.fixture(scope="module")
async def served(tmp_path_factory) -> AsyncIterator[Served]:
    async with serving(tmp_path_factory.mktemp("v0")) as served:
        yield served


@pytest.fixture
async def customer(served) -> AsyncIterator[Customer]:
    async with new_customer(served) as customer:
        yield customer
