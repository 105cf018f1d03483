"""Looking through the names of many applications stays quick."""

import time

import pytest

from hookspan.store.contract import Page
from tests.unit.store.conftest import Open, inside

pytestmark = pytest.mark.anyio
APPLICATIONS, WEBHOOKS = 10_000, 3
# Some ten times what it takes: a machine under load is no failure. A quadratic look would take minutes.
TIME_MAX_S = 2.0


async def test_ten_thousand_applications(open_world: Open) -> None:
    """Each with three webhooks: a text that nothing has is looked for in all names at once, in some ten ms."""
    world = await open_world()

    def fill(database) -> None:
        database.execute(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < ?) "
            "insert into application (id, public_id, name, profile, uuid, settings, metadata, webhooks_version, "
            "last_position, created_at, updated_at) "
            "select i, 'app_' || i, 'Customer number ' || i, 'standard', '', '{}', '{}', 1, 0, 0, 0 from n",
            (APPLICATIONS,),
        )
        database.execute(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < ?) "
            "insert into webhook (id, application_id, name, url, status, delivery_order, concurrency, credentials, "
            "position, version, created_at, updated_at) "
            "select i, 1 + i % ?, 'Hook of ' || i, 'https://host-' || i || '.example.com/in', 1, 1, 4, x'90', 0, "
            "1, 0, 0 from n",
            (APPLICATIONS * WEBHOOKS, APPLICATIONS),
        )

    await inside(world)._write(fill)
    page = Page(limit=21)
    began = time.perf_counter()
    assert await world.store.search_applications("nobody ä", page) == []
    assert await world.store.search_webhooks("nobody ä", page, None) == []
    spent_s = time.perf_counter() - began
    assert spent_s < TIME_MAX_S
    [found] = await world.store.search_webhooks("HOST-777.EXAMPLE", page, None)
    assert found.application == "app_778"
    assert len(await world.store.search_applications("number 1", page)) == 21
