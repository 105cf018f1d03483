"""Among how many webhooks what was given up is looked for."""

import pytest

from hookspan.domain.states import DeliveryState
from hookspan.store.sqlite import _watching
from tests.unit.store.conftest import Open

pytestmark = pytest.mark.anyio


async def test_webhooks_of_the_newest_applications_are_looked_at(open_world: Open, monkeypatch) -> None:
    """Beyond the bound an older application's are left out; its own page still has them."""
    world = await open_world()
    old, new = await world.application(), await world.application()
    first, second = await world.webhook(old), await world.webhook(new)
    for application, webhook in ((old, first), (new, second)):
        await world.publish(application, webhook)
        await world.finish(await world.claim(), DeliveryState.FAILED)

    async def found(application_id: int | None) -> set[int]:
        return {one.webhook_id for one in await world.store.given_up(application_id, 0, webhooks=9, each=9)}

    assert await found(None) == {first.id, second.id}
    monkeypatch.setattr(_watching, "GIVEN_UP_LOOK_MAX", 1)
    assert await found(None) == {second.id}
    assert await found(old.id) == {first.id}
