"""Bounds of single reads, hit with small ones."""

import pytest

from hookspan.domain.notice import NoticeKind
from hookspan.ids import IdMaker
from hookspan.store.notices import NewNotice
from hookspan.store.sqlite import SqliteStore, _notices, _statistics
from tests.contract.world import World
from tests.support.clock import VirtualClock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(tmp_path):
    clock = VirtualClock()
    ids = IdMaker(clock)
    store = SqliteStore(tmp_path / "hookspan.db", clock=clock, ids=ids)
    await store.open()
    made = World(store, clock, ids)
    await made.register()
    yield made
    await store.close()


async def test_what_waits_in_all_is_counted_up_to_a_bound(world, monkeypatch):
    """In flight and scheduled together."""
    monkeypatch.setattr(_statistics, "WAITING_ALL_MAX", 3)
    application = await world.application()
    await world.publish(application, await world.webhook(application), count=5)
    assert (await world.store.waiting_of_all()).count == 3
    await world.claim(limit=2)
    assert (await world.store.waiting_of_all()).count == 3


async def test_due_notices_are_looked_at_up_to_a_bound(world, monkeypatch):
    """The rest is found when these are under way."""
    monkeypatch.setattr(_notices, "DUE_LOOK_MAX", 2)
    application = await world.application(notify="https://people.example.com/")
    for _ in range(3):
        webhook = await world.webhook(application)
        new = NewNotice(
            id=world.ids.make(),
            application_id=application.id,
            webhook_id=webhook.id,
            kind=NoticeKind.FAILING,
            was=None,
            body=b"{}",
            created_at=world.now,
            has_url=True,
        )
        assert await world.store.add_notice(new) == 0
    taken = [await world.store.take_notices(world.now, world.now + 1_000, 9, 9) for _ in range(3)]
    assert [len(one) for one in taken] == [2, 1, 0]
