"""A full disk, a failing disk, a log that grows too long: refused, never half kept, and over when it is over."""
# ruff: noqa: ASYNC240 - a test's own small files

import asyncio
import resource
from pathlib import Path

import apsw
import pytest

from hookspan.domain.records import Application
from hookspan.domain.states import DeliveryState
from hookspan.errors import DiskFull, HookspanError, StoreUnavailable
from hookspan.store.sqlite import _faults
from tests.contract.world import World
from tests.unit.store.conftest import Open, inside

pytestmark = pytest.mark.anyio

BIG = b"x" * 20_000


async def refusal(world: World, application: Application) -> HookspanError | None:
    """How publishing a large event is refused, if it is."""
    try:
        await world.publish(application, body=BIG)
    except HookspanError as error:
        return error
    return None


async def fill(world: World, pages: int) -> int:
    """Let the database grow by no more than `pages`; how large it was allowed to be before."""

    def limit(connection: apsw.Connection) -> int:
        before = int(connection.pragma("max_page_count"))
        connection.pragma("max_page_count", int(connection.pragma("page_count")) + pages)
        return before

    found: int = await inside(world)._write(limit)
    return found


async def unfill(world: World, pages: int) -> None:
    await inside(world)._write(lambda db: db.pragma("max_page_count", pages))


async def test_a_full_disk_keeps_nothing_and_is_over_when_there_is_room(open_world: Open) -> None:
    """No event of the refused batch, no position, no publisher id; afterwards it is taken without a restart."""
    world = await open_world()
    application = await world.application()
    webhook = await world.webhook(application)
    before = await fill(world, 3)
    events = [world.event(application, webhook, publisher_id=str(number), body=BIG) for number in range(10)]
    for _ in range(2):
        with pytest.raises(DiskFull):
            await world.append(*events)
    assert await world.last_position(application) == 0
    await unfill(world, before)
    appended = await world.append(*events)
    assert [one.position for one in appended.events] == list(range(1, 11))


async def test_outcomes_are_recorded_from_the_ballast(open_world: Open) -> None:
    """When the disk is full the reserve is given up: the intake of the group is refused, its outcomes are kept."""
    world = await open_world()
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    [claimed] = await world.claim()
    event = world.event(application, webhook, body=BIG)
    versions = await world.versions([event])
    store = inside(world)
    ballast = store._space._ballast
    assert ballast.stat().st_size == store._options.ballast_bytes
    before = await fill(world, 0)
    writer: list[apsw.Connection] = []
    await store._write(writer.append)
    give_up = store._space.give_up_ballast

    def give_up_and_have_room() -> bool:
        writer[0].pragma("max_page_count", before)
        return bool(give_up())

    store._space.give_up_ballast = give_up_and_have_room
    done = await asyncio.gather(
        store.append(world.node, [event], versions, world.fan_out),
        store.record(world.node, [world.result(claimed)]),
        return_exceptions=True,
    )
    assert isinstance(done[0], DiskFull)
    assert done[1] == frozenset()
    assert (await world.delivery(application, claimed.id)).state is DeliveryState.SUCCEEDED
    assert await world.last_position(application) == 1


async def test_the_ballast_comes_back_when_there_is_room(open_world: Open) -> None:
    """Not before, or it would fill the disk itself."""
    free = 1 << 40
    world = await open_world(free_bytes=lambda _folder: free, space_check_interval_s=0)
    store = inside(world)
    ballast: Path = store._space._ballast
    free = store._options.free_bytes_min + store._options.ballast_bytes
    await store.beat(world.node)
    assert store._space.give_up_ballast()
    assert not store._space.give_up_ballast()
    await store.beat(world.node)
    await store.beat(world.node)
    assert not ballast.exists()
    free = 1 << 40
    await store.beat(world.node)
    await store.close()
    assert ballast.exists()


async def test_intake_stops_before_outcomes(open_world: Open) -> None:
    """Below the mark nothing new is taken in, while what is in flight can be recorded."""
    free = 1 << 40
    world = await open_world(free_bytes=lambda _folder: free, space_check_interval_s=0)
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    [claimed] = await world.claim()
    free = inside(world)._options.free_bytes_min - 1
    with pytest.raises(DiskFull):
        await world.append(world.event(application))
    with pytest.raises(DiskFull):
        await world.application()
    with pytest.raises(DiskFull):
        await world.webhook(application)
    await world.finish([claimed])
    assert (await world.store.stats())["free_disk_bytes"] == free
    free += 1
    assert (await world.append(world.event(application))).events[0].position == 2


async def test_a_write_error_is_unavailable_and_passes(open_world: Open, path: Path) -> None:
    """The disk refuses a write in the middle of a commit: nothing of it is kept, and the store goes on."""
    world = await open_world()
    application = await world.application()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    log_bytes = path.with_name(path.name + "-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (log_bytes + 4_096, hard))
    try:
        with pytest.raises(StoreUnavailable):
            await world.append(*(world.event(application, body=BIG) for _ in range(20)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert await world.last_position(application) == 0
    assert (await world.append(world.event(application, body=BIG))).events[0].position == 1


async def test_damage_found_later_is_unavailable_and_loud(
    open_world: Open, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of the file was overwritten: those who meet it get 503, the operator a critical line."""
    lines: list[str] = []
    monkeypatch.setattr(_faults.log, "critical", lambda line, **_: lines.append(line), raising=False)
    world = await open_world()
    application = await world.application()
    await world.publish(application, count=200, body=BIG)
    await world.store.close()
    world = await open_world()
    with path.open("r+b") as file:
        file.seek(4_096)
        file.write(b"\xa5" * (path.stat().st_size - 4_096))
    with pytest.raises(StoreUnavailable):
        await world.store.events_after(application.id, 0, 1_000)
    assert lines


async def test_the_log_has_a_cap(open_world: Open, path: Path) -> None:
    """A reader that holds back the log stops intake at the cap, not the recorder; without it all goes on."""
    cap = 400_000
    world = await open_world(
        checkpoint_pages=10, wal_restart_bytes=100_000, wal_max_bytes=cap, restart_wait_ms=1, checkpoint_retry_s=0
    )
    application = await world.application()
    webhook = await world.webhook(application)
    await world.publish(application, webhook)
    [claimed] = await world.claim()
    holder = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    holder.execute("begin")
    holder.execute("select count(*) from event").fetchall()
    refused = None
    while refused is None:
        refused = await refusal(world, application)
    assert isinstance(refused, StoreUnavailable)
    assert cap < (await world.store.stats())["wal_bytes"] < 2 * cap
    await world.finish([claimed])
    holder.close()
    await world.store.beat(world.node)
    await world.store.beat(world.node)
    await world.publish(application, body=BIG)
    assert (await world.store.stats())["wal_bytes"] < cap


async def test_the_log_starts_over_by_itself(open_world: Open, path: Path) -> None:
    """Under steady writing the log stays near the checkpoint's bound."""
    world = await open_world(checkpoint_pages=50)
    application = await world.application()
    for _ in range(60):
        await world.publish(application, body=BIG, count=5)
    assert path.with_name(path.name + "-wal").stat().st_size < 200 * 4_096
