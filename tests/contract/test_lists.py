"""Lists that stay right: whatever comes and goes between two pages, no row twice, and none of those from the start
missing.
"""

import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from hookspan.domain.records import Application, Delivery
from hookspan.domain.states import DeliveryState, WebhookStatus
from hookspan.store.contract import UNDELIVERED_LOOK_MAX, Page, Undelivered
from tests.contract.world import World

pytestmark = pytest.mark.anyio

Read = Callable[[Page], Awaitable[list[Any]]]
BETWEEN_MAX = 5  # rows that come between two pages
SEEDS = range(5)


def place_of(one: Delivery) -> tuple[int, int, int]:
    return one.event_id, one.run, one.id


async def walk(read: Read, after: Callable[[Any], Page], between: Callable[[], Awaitable[None]]) -> list[int]:
    """Every id of the list, page after page, with something happening between them."""
    page, found = Page(limit=3), list[int]()
    while True:
        part = await read(page)
        found += [one.id for one in part]
        if len(part) < page.limit:
            return found
        page = after(part[-1])
        await between()


def is_right(found: list[int], there_at_first: list[int]) -> None:
    assert len(found) == len(set(found))
    assert [one for one in found if one in set(there_at_first)] == there_at_first


def by_id(one: Any) -> Page:
    return Page(limit=3, before=one.id)


@pytest.mark.parametrize("seed", SEEDS)
async def test_applications(world: World, seed: int) -> None:
    """New ones are above the first page."""
    chance = random.Random(seed)
    first = [(await world.application()).id for _ in range(10)][::-1]

    async def between() -> None:
        for _ in range(chance.randrange(BETWEEN_MAX)):
            await world.application()

    is_right(await walk(world.store.list_applications, by_id, between), first)


@pytest.mark.parametrize("seed", SEEDS)
async def test_events_newest_first(world: World, seed: int) -> None:
    """New ones are above; what is dropped takes nothing with it, the row that the page ended with neither."""
    chance = random.Random(seed)
    application = await world.application()
    webhook = await world.webhook(application)
    kept = []
    for number in range(14):
        has_delivery = number % 3 == 0
        [event] = await world.publish(application, *([webhook] if has_delivery else []))
        kept += [event.id] if has_delivery else []  # a waiting delivery holds its event

    async def read(page: Page) -> list[Any]:
        return await world.store.list_events(application.id, page, event_types=None, publisher_id=None)

    async def between() -> None:
        await world.publish(application, count=chance.randrange(1, BETWEEN_MAX))
        await world.store.expire(0, 1 << 62, 1_000, world.now)

    is_right(await walk(read, lambda one: Page(limit=3, before=one.position), between), kept[::-1])


@pytest.mark.parametrize("seed", SEEDS)
async def test_events_oldest_first(world: World, seed: int) -> None:
    """Read on after the last position for as long as they come: all of them, each once, in order."""
    chance = random.Random(seed)
    application = await world.application()
    published = [one.id for one in await world.publish(application, count=4)]
    found: list[int] = []
    position = 0
    while part := await world.store.events_after(application.id, position, chance.randrange(1, 4)):
        found += [one.id for one in part]
        position = part[-1].position
        if len(published) < 20:
            published += [one.id for one in await world.publish(application, count=chance.randrange(3))]
    assert found == published


@pytest.mark.parametrize("state", [None, DeliveryState.PENDING, DeliveryState.SUCCEEDED, DeliveryState.FAILED])
@pytest.mark.parametrize("of_one", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
async def test_deliveries(world: World, seed: int, *, of_one: bool, state: DeliveryState | None) -> None:
    """New events, and young deliveries of old events by a catch-up; of a state those that stay in it."""
    chance = random.Random(seed)
    application = await world.application()
    webhook, other = await world.webhook(application), await world.webhook(application)
    late = await world.webhook(application, WebhookStatus.DISABLED, position=0)
    await world.publish(application, webhook, other, count=8)
    if state not in (None, DeliveryState.PENDING):
        await world.finish(await world.claim(), state)
    first = [one.id for one in await world.deliveries(application, webhook if of_one else None)]
    steps = iter(range(10))

    async def read(page: Page) -> list[Delivery]:
        return await world.store.list_deliveries(
            application.id, page, webhook_id=webhook.id if of_one else None, state=state, event_type=None
        )

    async def between() -> None:
        await world.publish(application, webhook, other, count=chance.randrange(BETWEEN_MAX))
        if next(steps, None) == 0:
            await world.move(late, WebhookStatus.CATCHING_UP)
        await world.store.catch_up(late.id, 2, lambda _type: True)

    def after(one: Delivery) -> Page:
        return Page(limit=3, place=place_of(one))

    is_right(await walk(read, after, between), first)


async def test_deliveries_whose_events_are_dropped_meanwhile(world: World) -> None:
    """A page goes on below where the last one ended, though that is not there any more: nothing is shown twice."""
    application = await world.application()
    webhook = await world.webhook(application)
    caught_up = await world.webhook(application, WebhookStatus.DISABLED, position=0)
    events = await world.publish(application, webhook, count=6)
    await world.finish(await world.claim())
    await world.move(caught_up, WebhookStatus.CATCHING_UP)
    await world.catch_up(caught_up)  # deliveries younger than all events
    await world.finish(await world.claim())
    everything = await world.deliveries(application)
    first, rest = everything[:6], everything[6:]
    assert [one.event_id for one in first[-2:]] == [events[3].id] * 2
    await world.expire(0, events[4].id)  # the last row of the page, and all below it
    page = Page(limit=100, place=place_of(first[-1]))
    found = await world.store.list_deliveries(application.id, page, webhook_id=None, state=None, event_type=None)
    assert found == []
    assert len(rest) == 6


@pytest.mark.parametrize("seed", SEEDS)
async def test_attempts(world: World, seed: int) -> None:
    """New attempts are above the first page."""
    chance = random.Random(seed)
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook, count=10)

    async def try_some(count: int) -> None:
        claimed = await world.claim(limit=count)
        await world.record(*(world.result(one, DeliveryState.PENDING, retry_in=0) for one in claimed))

    await try_some(10)
    first = [one.id for one in await world.store.list_attempts(webhook.id, Page(limit=100))]

    async def read(page: Page) -> list[Any]:
        return await world.store.list_attempts(webhook.id, page)

    is_right(await walk(read, by_id, lambda: try_some(chance.randrange(1, BETWEEN_MAX))), first)


# --- what has not arrived


async def undelivered(
    world: World, application: Application, page: Page, types: list[str] | None = None
) -> Undelivered:
    return await world.store.undelivered(application.id, page, event_types=types)


async def test_what_has_not_arrived_everywhere(world: World) -> None:
    """Some delivery is pending or failed, or none has succeeded."""
    application, stranger = await world.application(), await world.application()
    webhook, other = await world.webhook(application), await world.webhook(application)
    await world.publish(stranger)
    [alone] = await world.publish(application)  # nobody asked for it
    [arrived] = await world.publish(application, webhook, event_type="b")
    [half] = await world.publish(application, webhook, other)
    [waits] = await world.publish(application, webhook)
    for one in await world.claim():
        fails = one.event_id == half.id and one.webhook_id == other.id
        if one.event_id != waits.id:
            await world.finish([one], DeliveryState.FAILED if fails else DeliveryState.SUCCEEDED)
    [cancelled] = await world.publish(application, webhook)
    for one in await world.claim():
        await world.finish([one], DeliveryState.CANCELLED)
    found = await undelivered(world, application, Page(limit=10))
    assert [one.id for one in found.events] == [cancelled.id, waits.id, half.id, alone.id]
    assert found.next_before is None
    assert arrived.id not in [one.id for one in found.events]
    assert (await undelivered(world, application, Page(limit=10), ["b"])).events == ()
    part = await undelivered(world, application, Page(limit=2))
    assert part.next_before == part.events[-1].position == 4
    rest = await undelivered(world, application, Page(limit=2, before=part.next_before))
    assert [one.id for one in (*part.events, *rest.events)] == [one.id for one in found.events]


async def test_the_search_for_it_is_bounded(world: World) -> None:
    """It looks at so many, and says where to go on though it found nothing."""
    application = await world.application()
    webhook = await world.webhook(application)
    [old] = await world.publish(application)
    for _ in range(2):
        await world.publish(application, webhook, count=UNDELIVERED_LOOK_MAX // 2)
    while claimed := await world.claim():
        await world.finish(claimed)
    found = await undelivered(world, application, Page(limit=10))
    assert (found.events, found.next_before) == ((), 2)
    rest = await undelivered(world, application, Page(limit=10, before=found.next_before))
    assert ([one.id for one in rest.events], rest.next_before) == ([old.id], None)
