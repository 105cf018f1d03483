"""Windows of time are exact by when events were accepted, whatever the clock did and however ids lie."""

import random
from collections.abc import Iterable

import pytest

from hookspan.domain.records import Application, Event
from hookspan.ids import IdMaker
from hookspan.store.contract import NewEvent, Page
from hookspan.store.jobs import IDS_APART_MS, Window
from tests.contract.factories import MakeStore
from tests.contract.world import World
from tests.support.clock import VirtualClock

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000
LEAPS_MS = (2 * HOUR_MS, -2 * HOUR_MS, 40 * HOUR_MS, -HOUR_MS, -39 * HOUR_MS, 30_000, -90_000, 5 * HOUR_MS)


class Restarts:
    """A store whose nodes start again with their clock elsewhere, as the engine does: ids go on after the highest."""

    def __init__(self, make_store: MakeStore, clock: VirtualClock, ids: IdMaker) -> None:
        self._make_store = make_store
        self.clock = clock
        self.world = World(make_store(), clock, ids)
        self.events: list[NewEvent] = []

    async def start(self, slot: int = 0) -> None:
        await self.world.store.open()
        self.world.ids = IdMaker(self.clock, slot)
        self.world.ids.start_after(await self.world.store.highest_id())
        await self.world.register()

    async def leap(self, ms: int) -> None:
        await self.world.store.close()
        self.clock._start_ms += ms
        self.world.store = self._make_store()
        await self.start()

    async def publish(self, application: Application, count: int = 1) -> None:
        for _ in range(count):
            self.events += await self.world.publish(application)


async def scanned(world: World, application: Application, since: int, until: int, last: int, limit: int) -> list[int]:
    """The ids in a window, a part at a time."""
    window = await world.store.find_window(application.id, since, until, last)
    assert 0 <= window.after <= last
    assert window.last <= last
    seen: list[int] = []
    after: int | None = window.after
    while after is not None:
        part = Window(after, window.last)
        scan = await world.store.scan_events(application.id, 0, part, since, until, limit, with_state=False)
        seen += [one.id for one in scan.events]
        assert scan.position is None or scan.position > after
        after = scan.position
    return seen


async def listed(world: World, application: Application, since: int, until: int, limit: int) -> list[int]:
    """The ids in the list of events between two times, page by page."""
    seen: list[Event] = []
    while True:
        page = Page(limit=limit, since=since, until=until, before=seen[-1].position if seen else None)
        found = await world.store.list_events(application.id, page, event_types=None, publisher_id=None)
        seen += found
        if len(found) < limit:
            return [one.id for one in seen]


async def undelivered(world: World, application: Application, since: int, until: int) -> list[int]:
    """The same of the list of events that have not arrived: none of these has."""
    seen: list[int] = []
    before = None
    while True:
        page = Page(limit=1_000, since=since, until=until, before=before)
        found = await world.store.undelivered(application.id, page, event_types=None)
        seen += [one.id for one in found.events]
        before = found.next_before
        if before is None:
            return seen


def inside(events: Iterable[NewEvent], since: int, until: int) -> list[int]:
    """What is right: one event after the other is asked."""
    return [one.id for one in events if since <= one.accepted_at < until]


async def check(world: World, application: Application, events: list[NewEvent], chance: random.Random) -> None:
    """Windows of all sorts, by the events' own times and around them."""
    times = sorted({one.accepted_at for one in events})
    borders = [
        0,
        times[0],
        times[-1],
        times[-1] + 1,
        *(chance.choice(times) + chance.choice((0, 1)) for _ in range(12)),
    ]
    for _ in range(25):
        since, until = sorted(chance.sample(borders, 2))
        right = inside(events, since, until)
        limit = chance.choice((3, 50, 1_000))
        assert await scanned(world, application, since, until, len(events), limit) == right, (since, until)
        assert await listed(world, application, since, until, limit) == right[::-1], (since, until)
        assert await undelivered(world, application, since, until) == right[::-1], (since, until)
        last = chance.randint(1, len(events))
        assert await scanned(world, application, since, until, last, limit) == inside(events[:last], since, until)


@pytest.mark.parametrize("seed", range(8))
async def test_windows_are_exact_whatever_the_clock_did(
    make_store: MakeStore, clock: VirtualClock, ids: IdMaker, seed: int
) -> None:
    """The clock leaps ahead, back and ahead between starts; against asking each event."""
    chance = random.Random(seed)
    restarts = Restarts(make_store, clock, ids)
    await restarts.start()
    application, other = await restarts.world.application(), await restarts.world.application()
    leaps = chance.sample(LEAPS_MS, 5)
    for leap in (0, *leaps):
        if leap:
            await restarts.leap(leap)
        for _ in range(chance.randint(1, 12)):
            await restarts.publish(application, chance.choice((1, 1, 7)))
            await restarts.world.publish(other)
            clock.move(chance.choice((1, 1_000, 59_000, 20 * 60_000)))
    await check(restarts.world, application, restarts.events, chance)
    await restarts.world.store.close()


async def test_a_clock_that_was_two_hours_ahead(make_store: MakeStore, clock: VirtualClock, ids: IdMaker) -> None:
    """What was accepted after it was put right is found, though its ids lie two hours ahead; and nothing else is."""
    restarts = Restarts(make_store, clock, ids)
    await restarts.start()
    application = await restarts.world.application()
    since = clock.now_ms()
    await restarts.publish(application, 20)
    clock.move(60_000)
    await restarts.leap(2 * HOUR_MS)
    await restarts.publish(application, 200)
    clock.move(60_000)
    await restarts.leap(-2 * HOUR_MS)
    await restarts.publish(application, 51)
    until = clock.now_ms() + 1
    right = restarts.events[:20] + restarts.events[-51:]
    ids_of = [one.id for one in right]
    assert await scanned(restarts.world, application, since, until, 271, 10) == ids_of
    assert await listed(restarts.world, application, since, until, 50) == ids_of[::-1]
    assert await scanned(restarts.world, application, since + 50_000, until, 271, 10) == ids_of[20:]
    await restarts.world.store.close()


@pytest.mark.parametrize("seed", range(4))
async def test_ids_of_nodes_may_be_apart(world: World, clock: VirtualClock, seed: int) -> None:
    """Nodes write side by side, each with a clock of its own, up to IDS_APART_MS apart: no event is missed."""
    chance = random.Random(seed)
    application = await world.application()
    apart = [VirtualClock(), VirtualClock(), VirtualClock()]
    for node, ahead in zip(apart, (0, IDS_APART_MS - 1, chance.randint(0, IDS_APART_MS)), strict=True):
        node._start_ms = clock._start_ms + ahead
    makers = [(node, IdMaker(node, slot)) for slot, node in enumerate(apart, start=1)]
    events: list[NewEvent] = []
    for _ in range(150):
        node, ids = chance.choice(makers)
        writer = World(world.store, node, ids)
        writer.node = world.node
        events += await writer.publish(application)
        for one in apart:
            one.move(chance.choice((0, 700)))
    await check(world, application, events, chance)


async def test_an_event_is_found_by_its_publishers_id_within_times(
    make_store: MakeStore, clock: VirtualClock, ids: IdMaker
) -> None:
    """By the time of its acceptance too."""
    restarts = Restarts(make_store, clock, ids)
    await restarts.start()
    application = await restarts.world.application()
    await restarts.publish(application)
    await restarts.leap(2 * HOUR_MS)
    await restarts.publish(application)
    await restarts.leap(-2 * HOUR_MS)
    [event] = await restarts.world.publish(application, publisher_id="mine")
    store = restarts.world.store
    for since, until, is_in in ((0, 1, True), (1, 2, False), (-1, 0, False)):
        page = Page(limit=5, since=event.accepted_at + since, until=event.accepted_at + until)
        found = await store.list_events(application.id, page, event_types=None, publisher_id="mine")
        assert [one.id for one in found] == ([event.id] if is_in else [])
    await store.close()
