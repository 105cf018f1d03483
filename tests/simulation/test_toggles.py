"""Publishing while a webhook is switched off and on thousands of times: none missed, none doubled."""

import asyncio
from collections import Counter

import pytest

from hookspan.domain.states import Order, WebhookStatus

pytestmark = pytest.mark.anyio

TOGGLES = 2_000


@pytest.mark.parametrize(("order", "publishers"), [(Order.ANY, 6), (Order.FIFO, 2)])
async def test_no_event_falls_between_two_versions_of_a_webhook(world, order, publishers):
    """Publishers keep pace with the toggles, so that every moment of a toggle sees a publish."""
    application = await world.application()
    webhook = await world.webhook(application, order=order, concurrency=8)
    await world.webhook(application, url="https://other.example.com/hook", concurrency=8)
    await world.engine.start()
    published: list[int] = []
    toggled = 0

    async def publish(first: int) -> None:
        number = first
        while toggled < TOGGLES:
            await world.publish_soon(application, number)
            published.append(number)
            number += publishers
            seen = toggled
            while toggled == seen:
                await asyncio.sleep(0)

    async def toggle() -> None:
        nonlocal toggled
        while toggled < TOGGLES:
            await world.set_status(webhook, WebhookStatus.DISABLED)
            await world.set_status(webhook, WebhookStatus.CATCHING_UP)
            toggled += 1

    await asyncio.gather(toggle(), *(publish(first) for first in range(publishers)))
    for url in (webhook.url, "https://other.example.com/hook"):
        await _arrives(world, url, len(published))
        arrived = Counter(world.numbers(url))
        assert set(published) - set(arrived) == set(), "none missed"
        assert [number for number, times in arrived.items() if times > 1] == [], "none doubled"
    assert len(published) >= TOGGLES
    if order is Order.FIFO:
        arrived_in_order = world.numbers(webhook.url)
        for first in range(publishers):
            own = [number for number in arrived_in_order if number % publishers == first]
            assert own == sorted(own), "what one publisher sent in order arrives in order"
    await world.engine.stop(5)


async def _arrives(world, url: str, count: int) -> None:
    async with asyncio.timeout(60):
        while len(world.egress.bodies(url)) < count:
            world.clock.move(100)
            world.engine.poller.wake.set()
            world.engine.catch_up.wake.set()
            for _ in range(50):
                await asyncio.sleep(0)
            await world.store.stats()
