"""Lanes: bounds, deadlines, connections that are lost, commits that are in doubt."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from hookspan.errors import Overloaded, StoreUnavailable
from hookspan.ids import IdMaker
from hookspan.store.contract import DataRefused
from hookspan.store.postgres import PostgresOptions, PostgresStore
from tests.contract.world import World
from tests.support.clock import VirtualClock
from tests.support.postgres import DATABASES
from tests.support.proxy import Proxy, proxy_to

pytestmark = pytest.mark.anyio

COMMIT = b"\x00\x00\x00\x0bcommit\x00"  # as a message of the protocol


@pytest.fixture
def url() -> Iterator[str]:
    url = DATABASES.make()
    yield url
    DATABASES.drop(url)


@asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[World]:
    clock = VirtualClock()
    ids = IdMaker(clock)
    few = {"writers": 1, "readers": 1, "partitions_ahead_days": 1}
    store = PostgresStore(url, clock=clock, ids=ids, options=PostgresOptions(**(few | options)))
    await store.open()
    world = World(store, clock, ids)
    try:
        await world.register()
        yield world
    finally:
        await store.close()


@asynccontextmanager
async def behind_proxy(url: str, **options: Any) -> AsyncIterator[tuple[World, Proxy]]:
    port = DATABASES.server.port
    with proxy_to(port) as proxy:
        async with opened(url.replace(f":{port}/", f":{proxy.port}/"), **options) as world:
            yield world, proxy


def inside(world: World) -> Any:
    """The store behind the contract, for tests of what is inside."""
    return world.store


def ask(text: str) -> Any:
    return lambda connection: connection.execute(text).fetchone()


async def test_more_than_the_queue_holds_is_refused_at_once(url: str) -> None:
    """Intake first, then all that writes; reads have a bound of their own. Nothing of what was refused is kept."""
    async with opened(url, intake_jobs_max=2, jobs_max=4, reads_max=1) as world:
        store = inside(world)
        free = threading.Event()
        waits: list[Any] = [store._writers.submit(lambda _: free.wait(10)) for _ in range(2)]
        with pytest.raises(Overloaded):
            await world.application()
        with pytest.raises(Overloaded):
            store.check_intake()
        waits += [store._writers.submit(lambda _: free.wait(10)) for _ in range(2)]
        with pytest.raises(Overloaded):
            await store.release(world.node, [1], 0)
        waits.append(store._readers.submit(lambda _: free.wait(10)))
        with pytest.raises(Overloaded):
            await store.get_application("app")
        free.set()
        await asyncio.gather(*waits)
        store.check_intake()
        await world.application()


async def test_a_statement_that_takes_too_long_is_ended_by_the_server(url: str) -> None:
    """The limit goes with the connection; the same connection is used on."""
    async with opened(url, write_time_max_s=1.0) as world:
        with pytest.raises(StoreUnavailable, match="too long"):
            await inside(world)._writers.submit(ask("select pg_sleep(30)"), time_max_s=30)
        await world.application()


async def test_a_server_that_does_not_answer_is_cut_off(url: str) -> None:
    """The caller hears of it at its deadline; what waited behind is told that nothing was stored; the lane comes
    back.
    """
    async with behind_proxy(url, write_time_max_s=1.0, connect_time_max_s=2.0) as (world, proxy):
        proxy.stall = True
        store = inside(world)
        calls = [store._writers.submit(ask("select 1")) for _ in range(3)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(one, StoreUnavailable) for one in answers)
        assert "Nothing of this was stored" in str(answers[2])
        await until(lambda: store._writers.connected_count == 0)
        proxy.stall = False
        proxy.cut()
        await until(lambda: store._writers.connected_count == 1)
        await world.application()


async def test_an_idle_connection_that_was_cut_is_no_reason_to_refuse(url: str) -> None:
    """Before its commit was sent nothing happened, so the call is run again on a new connection."""
    async with behind_proxy(url) as (world, proxy):
        for _ in range(3):
            proxy.cut()
            application = await world.application()
            assert await world.store.get_application(application.public_id) is not None


async def test_a_database_that_is_away_is_refused_at_once_and_comes_back(url: str) -> None:
    """Errors name host and database, and never the password."""
    async with behind_proxy(url, reconnect_interval_s=0.05) as (world, proxy):
        target, proxy._target = proxy._target, 1
        proxy.cut()
        with pytest.raises(StoreUnavailable) as caught:
            await world.application()
        assert "127.0.0.1" in str(caught.value)
        assert DATABASES.server.password not in str(caught.value)
        store = inside(world)
        await until(lambda: store._writers.connected_count == 0)
        with pytest.raises(StoreUnavailable):
            store.check_intake()
        stats = await world.store.stats()
        assert stats["connected_writers"] == 0
        proxy._target = target
        await until(lambda: store._writers.connected_count == 1)
        await world.application()


async def test_a_commit_whose_answer_is_lost_is_in_doubt(url: str) -> None:
    """The caller hears that it is open; it was kept here, and publishing it again makes nothing twice."""
    async with behind_proxy(url) as (world, proxy):
        application = await world.application()
        webhook = await world.webhook(application)
        event = world.event(application, webhook, publisher_id="one", is_claimed=True)
        versions = await world.versions([event])
        proxy.swallow = COMMIT
        with pytest.raises(StoreUnavailable, match="is open"):
            await world.store.append(world.node, [event], versions, world.fan_out)
        assert proxy.cuts == 1
        proxy.swallow = None
        await until(lambda: inside(world)._writers.connected_count == 1)
        again = world.event(application, webhook, publisher_id="one")
        appended = await world.append(again)
        assert [(one.event_id, one.is_duplicate) for one in appended.events] == [(event.id, True)]
        assert len(await world.deliveries(application)) == 1
        assert len(await world.store.unheld(world.node, 10)) == 1, "it can be found, and given back"


async def test_a_record_in_doubt_is_late_when_it_comes_again(url: str) -> None:
    """It was written: written again it meets no claim, and changes nothing."""
    async with behind_proxy(url) as (world, proxy):
        application = await world.application()
        webhook = await world.webhook(application)
        await world.publish(application, webhook)
        [claimed] = await world.claim()
        result = world.result(claimed)
        proxy.swallow = COMMIT
        with pytest.raises(StoreUnavailable, match="is open"):
            await world.record(result)
        proxy.swallow = None
        await until(lambda: inside(world)._writers.connected_count == 1)
        assert await world.record(result) == {claimed.id}
        assert (await world.delivery(application, claimed.id)).attempt_count == 1


async def test_a_commit_with_a_warning_is_in_doubt(url: str) -> None:
    """So does a server tell that the wait for its standby was cancelled: durable here, and maybe nowhere else."""
    DATABASES.server.execute(
        "create function warn() returns trigger language plpgsql as "
        "$$ begin raise warning 'not there'; return null; end $$",
        "create constraint trigger warns after insert on application deferrable initially deferred "
        "for each row execute function warn()",
        database=url.rpartition("/")[2],
    )
    async with opened(url) as world:
        with pytest.raises(StoreUnavailable, match="is open"):
            await world.application()


async def test_a_commit_that_was_a_rollback_is_a_failure(url: str) -> None:
    """A transaction that has failed on the way can't be committed, whoever swallowed its error."""

    def swallow(connection: Any) -> None:
        try:
            connection.execute("select 1 / 0")
        except Exception:  # noqa: BLE001 - what this is about
            return

    async with opened(url) as world:
        with pytest.raises(StoreUnavailable, match="undid"):
            await inside(world)._write(swallow)


async def test_transactions_that_meet_in_a_ring_are_run_again(url: str) -> None:
    """A deadlock costs time, and no call fails of it."""
    async with opened(url, writers=2) as world:
        first, second = await world.application(), await world.application()
        meet = threading.Barrier(2)
        runs: list[int] = []

        def lock(one: int, other: int) -> Any:
            def run(connection: Any) -> None:
                runs.append(one)
                connection.execute("update application set name = 'x' where id = %s", (one,))
                if len(runs) <= 2:
                    meet.wait(10)
                connection.execute("update application set name = 'y' where id = %s", (other,))

            return run

        store = inside(world)
        await asyncio.gather(store._write(lock(first.id, second.id)), store._write(lock(second.id, first.id)))
        assert len(runs) == 3


async def test_what_is_refused_again_and_again_ends(url: str) -> None:
    """Runs of one transaction are bounded."""
    runs = 0

    def clash(connection: Any) -> None:
        nonlocal runs
        runs += 1
        connection.execute("do $$ begin raise exception using errcode = '40001'; end $$")

    async with opened(url, reruns_max=3) as world:
        with pytest.raises(StoreUnavailable, match="again and again"):
            await inside(world)._write(clash)
        assert runs == 3


async def test_a_text_with_a_nul_is_refused_as_data(url: str) -> None:
    """PostgreSQL keeps none; nothing of the call is kept, and others pass."""
    async with opened(url) as world:
        with pytest.raises(DataRefused) as caught:
            await world.application(name="a\x00secret")
        assert "secret" not in str(caught.value)
        await world.application(name="a")


@pytest.mark.parametrize("is_pooled", [False, True])
async def test_limits_go_with_the_connection_or_with_each_transaction(url: str, is_pooled: bool) -> None:
    """Through a pooler nothing is left behind in a session, for it may be another's next."""
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")

    def settings(connection: Any) -> list[str]:
        return [connection.execute("select current_setting(%s)", (name,)).fetchone()[0] for name in names]

    async with opened(url, is_pooled=is_pooled, read_time_max_s=4.0) as world:
        store = inside(world)
        for lanes, time in ((store._writers, "15s"), (store._readers, "4s"), (store._pulse, "5s")):
            assert await lanes.submit(settings) == [time, "5s", "5s"]
            assert await lanes.submit(settings, is_alone=True) == (["0", "0", "0"] if is_pooled else [time, "5s", "5s"])
        parameters = await store._writers.submit(lambda db: db.info.get_parameters())
        assert parameters["tcp_user_timeout"] == "10000"
        assert parameters["keepalives_count"] == "3"
        assert await store._writers.submit(lambda db: db.prepare_threshold) is None
        assert store._bell.can_hear is not is_pooled


async def test_readers_change_nothing(url: str) -> None:
    """A read runs in a transaction that can't write, and sees one state of the database."""
    async with opened(url) as world:
        with pytest.raises(StoreUnavailable):
            await inside(world)._read(lambda db: db.execute("update application set name = 'x'"))


async def test_closing_finishes_what_was_accepted(url: str) -> None:
    """Then calls are refused; closing twice is one."""
    async with opened(url) as world:
        calls = [asyncio.ensure_future(world.application()) for _ in range(20)]
        await asyncio.sleep(0)
        await world.store.close()
        assert len({one.id for one in await asyncio.gather(*calls)}) == 20
        with pytest.raises(StoreUnavailable, match="closed"):
            await world.application()
        await world.store.close()


async def test_a_ring_reaches_other_nodes_and_not_its_own(url: str) -> None:
    """Many rings close together are one; who rings is not woken by it."""
    async with opened(url) as one, opened(url) as two:
        heard: dict[int, int] = {1: 0, 2: 0}
        woken = asyncio.Event()

        def hear(number: int) -> None:
            heard[number] += 1
            woken.set()

        await until(lambda: inside(one)._bell.is_heard and inside(two)._bell.is_heard)
        await asyncio.gather(one.store.beat(one.node), two.store.beat(two.node))  # what rang before was told by now
        one.store.on_ring = lambda: hear(1)
        two.store.on_ring = lambda: hear(2)
        for _ in range(50):
            one.store.ring()
        async with asyncio.timeout(10):
            await woken.wait()
        await two.store.beat(two.node)
        assert heard == {1: 0, 2: 1}


async def until(is_so: Any) -> None:
    """Wait for what a thread does, by looking each time that the loop comes round."""
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0.01)


async def test_an_outage_is_a_line_at_its_beginning_and_one_at_its_end(url: str) -> None:
    """However often each connection is tried meanwhile; the reason is told, the password never."""
    async with behind_proxy(url, writers=2, readers=2, reconnect_interval_s=0.01) as (world, proxy):
        with capture_logs() as lines:
            proxy.turn_away(True)
            store = inside(world)
            all_lanes = (store._writers, store._readers, store._pulse)
            while proxy.turned_away < 60 or any(lanes.connected_count for lanes in all_lanes):
                # Who is not asked does not notice that its connection is gone.
                asked = (store.beat(1), store.set_failing_since(1, None), store.get_webhook(1))
                await asyncio.gather(*asked, return_exceptions=True)
                await asyncio.sleep(0.005)
            proxy.turn_away(False)
            while not all(lanes.connected_count for lanes in all_lanes) or not store._bell.is_heard:
                await asyncio.sleep(0.005)
        said = Counter((one["event"], one.get("lanes")) for one in lines)
        for name in ("writer", "reader", "pulse"):
            assert said["the database can't be reached", name] == 1, said
            assert said["the database is reached again", name] == 1, said
        assert said["wake-ups of other nodes are not heard for now", None] == 1, said
        away = next(one for one in lines if one["event"] == "the database can't be reached")
        assert "connection" in away["problem"]
        assert DATABASES.server.password not in str(lines)
