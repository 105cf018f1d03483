"""A clock that was set back: the repair at a registration goes in bounded transactions."""

import pytest

from hookspan.domain.states import DeliveryState
from tests.unit.store.conftest import Open, inside

pytestmark = pytest.mark.anyio

YEAR_MS = 365 * 86_400_000


async def test_retries_are_brought_forward_part_by_part(open_world: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most so many in one transaction, until all are within reach."""
    world = await open_world(forward_chunk=3)
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=7)
    claimed = await world.claim()
    await world.record(*(world.result(one, DeliveryState.PENDING, retry_in=YEAR_MS) for one in claimed))
    writes = []
    write = inside(world)._write

    async def counted(run: object) -> object:
        writes.append(run)
        return await write(run)

    monkeypatch.setattr(inside(world), "_write", counted)
    back_ms = world.now - 1_000
    await world.store.register_node(back_ms)
    assert len(writes) == 1 + 3
    for one in await world.deliveries(application):
        assert one.next_attempt_at is not None
        assert one.next_attempt_at < back_ms + 600_000
