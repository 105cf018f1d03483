"""A whole SQLite database copied into PostgreSQL: all of it, once, the same, and served from only then."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import psycopg
import pytest

from hookspan.cli._output import Exit
from hookspan.cli._root import run
from hookspan.domain.audit import Verifier
from hookspan.domain.caller import Role
from hookspan.domain.identity import SessionKind
from hookspan.domain.notice import NoticeKind
from hookspan.domain.states import DeliveryState, Order, WebhookStatus
from hookspan.errors import ConfigurationError, StoreUnavailable
from hookspan.ids import IdMaker
from hookspan.store import copying
from hookspan.store.audit import AuditQuery
from hookspan.store.contract import NewAside
from hookspan.store.copying import DERIVED, TABLES, Copied, Step, copy_database
from hookspan.store.idempotency import KeyedPublish, KeyState
from hookspan.store.postgres import PostgresStore, PostgresTarget
from hookspan.store.postgres import _target as target_room
from hookspan.store.sqlite import SqliteSource, SqliteStore
from hookspan.store.sqlite import _source as source_room
from hookspan.store.statistics import HourCounts
from tests.contract import jobs
from tests.contract.test_audit import entry
from tests.contract.test_idempotency import use
from tests.contract.test_identity import make_key, make_person, make_portal, sign_in
from tests.contract.test_notices import new as new_notice
from tests.contract.test_pauses import new_pause
from tests.contract.world import ALL, World
from tests.support.clock import VirtualClock
from tests.support.postgres import DATABASES

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000
NOT_COPIED = {"fact", "node", "sqlite_sequence", "idempotency_tally", "profile_in_force"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hookspan.db"


@pytest.fixture
async def url() -> AsyncIterator[str]:
    url = await asyncio.to_thread(DATABASES.make)
    yield url
    await asyncio.to_thread(DATABASES.drop, url)


class Past:
    """A database with something of everything in it, closed in order."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = VirtualClock()
        self.ids = IdMaker(self.clock)
        self.world: World

    async def live(self) -> None:
        store = SqliteStore(self.path, clock=self.clock, ids=self.ids)
        await store.open()
        self.world = world = World(store, self.clock, self.ids)
        await world.register()
        try:
            await self._publish(world)
            await self._manage(world)
        finally:
            await store.close()

    async def _publish(self, world: World) -> None:
        self.application = application = await world.application("app_x", metadata={"a": "é"})
        self.webhook = webhook = await world.webhook(application, rate=2.5)
        fifo = await world.webhook(application, order=Order.FIFO, events=("user.created",))
        self.events = await world.publish(application, webhook, count=20)
        await world.finish(await world.claim(limit=15))
        await world.finish(await world.claim(limit=2), DeliveryState.FAILED)
        self.clock.move(DAY_MS)
        await world.publish(application, webhook, fifo, publisher_id="own-ü", body=bytes(range(256)))
        keyed = world.event(application)
        await world.store.append(
            world.node,
            [keyed],
            await world.versions([keyed]),
            world.fan_out,
            [KeyedPublish(use(world, "keyed"), (keyed.id,), (0,))],
        )
        [self.held] = await world.claim(limit=1)
        await world.store.send_aside(
            NewAside(
                id=world.ids.make(),
                application_id=application.id,
                webhook_id=webhook.id,
                event_id=self.events[0].id,
                cause=self.held.cause,
            ),
            world.now,
        )
        self.job = await jobs.start(world, application, webhook, self.events[:10], rate=100.0)
        await jobs.step(world, self.job, 3)
        await world.move(await world.webhook(application), WebhookStatus.DISABLED)

    async def _manage(self, world: World) -> None:
        application = self.application
        store = world.store
        await store.check_value(b"\x00check")
        await make_key(world, "operators")
        await make_key(world, "theirs", application)
        await make_person(world, "link", application)
        await sign_in(world, "link", "session")
        await make_portal(world, "portal", application)
        for number in range(5):
            await store.keep_audit(entry(world, application if number % 2 else None, f"n{number}"))
        done = await store.take_key(use(world, "done"))
        await store.take_key(use(world, "running"))
        assert done is not None
        await store.finish_key(done.id, KeyState.DONE, b"answer")
        await store.add_statistics([HourCounts(number, 490_000, 1, 2, 3, 4, 5, {8: 1}) for number in range(30)])
        await store.add_notice(new_notice(world, self.webhook, NoticeKind.FAILING))
        await store.pause(new_pause(world, "bridge-lms", "moving"))
        ended = await store.pause(new_pause(world, application))
        await store.end_pause(ended.id, world.now)
        self.pauses = await store.pauses()
        await store.expire(0, 0, 10, world.now, mark_ms=world.now)


@pytest.fixture
async def past(path: Path) -> Past:
    past = Past(path)
    await past.live()
    return past


def copy(path: Path, url: str, steps: list[Step] | None = None, stop_after: int | None = None) -> Copied:
    """`stop_after` so many steps it is interrupted."""
    told = [] if steps is None else steps

    def tell(step: Step) -> None:
        told.append(step)
        if stop_after is not None and len(told) >= stop_after:
            raise KeyboardInterrupt

    with SqliteSource(path) as source, PostgresTarget(url, VirtualClock().now_ms()) as target:
        return copy_database(source, target, tell)


async def open_copy(past: Past, url: str) -> World:
    store = PostgresStore(url, clock=past.clock, ids=past.ids)
    await store.open()
    return World(store, past.clock, past.ids)


async def test_everything_is_there_and_goes_on(past: Past, url: str) -> None:
    """What was kept is read as before, and the work goes on where it stood."""
    copied = await asyncio.to_thread(copy, past.path, url)
    assert all(copied.rows[table.name] for table in TABLES), "the past has something of everything"
    world = await open_copy(past, url)
    store = world.store
    try:
        assert await store.check_value(b"another") == b"\x00check"
        assert await store.pauses() == past.pauses
        old_node = past.world.node
        assert await world.register() > old_node
        application = await store.get_application("app_x")
        assert application is not None
        assert not (await world.delivery(application, past.held.id)).is_claimed, "its claim was freed"
        [event] = await store.list_events(application.id, ALL, event_types=None, publisher_id="own-ü")
        assert event.body == bytes(range(256))
        states = {one.state for one in await world.deliveries(application)}
        assert states == {DeliveryState.PENDING, DeliveryState.SUCCEEDED, DeliveryState.FAILED}
        last = application.last_position
        [again] = await world.publish(application, past.webhook)
        assert (await world.append(world.event(application, publisher_id="own-ü"))).events[0].is_conflict
        assert await world.last_position(application) == last + 1
        assert again.id in {one.event_id for one in await world.deliveries(application)}
        await store.keep_audit(entry(world, None, "after"))
        verifier = Verifier()
        for line in (await store.list_audit(ALL, AuditQuery())).lines:
            verifier.take(line)
        assert [one.broken for one in verifier.end()] == [None, None]
        taken = await store.take_key(use(world, "running"))
        assert taken is not None
        assert taken.state is KeyState.INTERRUPTED
        fresh = await store.take_key(use(world, "fresh"))
        assert fresh is not None
        assert fresh.id > taken.id
        assert (await jobs.step(world, past.job)).made == 1, "at its rate"
        sessions = await store.list_sessions(
            ALL, world.now, SessionKind.PERSON, application_id=application.id, person_id=None
        )
        assert [one.role for one in sessions] == [Role.MEMBER]
    finally:
        await store.close()


async def test_one_that_was_interrupted_goes_on(past: Past, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it was stopped: nothing is served from it before it is whole, and nothing is there twice."""
    monkeypatch.setattr(source_room, "CHUNK_ROWS", 4)
    steps: list[Step] = []
    for stop_after in (1, 3, 9, 2, 14):
        turn: list[Step] = []
        with pytest.raises(KeyboardInterrupt):
            await asyncio.to_thread(copy, past.path, url, turn, stop_after)
        steps += turn
        store = PostgresStore(url, clock=past.clock, ids=past.ids)
        with pytest.raises(ConfigurationError, match="is not whole"):
            await store.open()
    copied = await asyncio.to_thread(copy, past.path, url, steps)
    told = [step for step in steps if step.phase == "copying"]
    assert [step.done for step in told] == sorted({step.done for step in told})
    assert told[-1].done == told[-1].total == sum(copied.rows.values())
    await (await open_copy(past, url)).store.close()


async def test_a_part_is_of_so_many_bytes(past: Past, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large rows go one by one."""
    monkeypatch.setattr(source_room, "CHUNK_BYTES", 1)
    steps: list[Step] = []
    copied = await asyncio.to_thread(copy, past.path, url, steps)
    parts = [step for step in steps if (step.phase, step.table) == ("copying", "event")]
    assert len(parts) == copied.rows["event"]


async def test_progress_is_told_while_it_is_compared(past: Past, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to the whole."""
    monkeypatch.setattr(copying, "_TOLD_ROWS", 3)
    steps: list[Step] = []
    await asyncio.to_thread(copy, past.path, url, steps)
    compared = [step.done for step in steps if step.phase == "comparing"]
    assert compared == sorted(compared)
    assert compared[-1] == steps[-1].total


async def test_only_an_empty_one_is_copied_into(past: Past, url: str) -> None:
    """Not one that was served from, also before there was anything else in it."""
    world = await open_copy(past, url)
    await world.register()
    with pytest.raises(ConfigurationError, match=r"not empty: Hookspan was served from it .* in the table node\)"):
        await asyncio.to_thread(copy, past.path, url)
    await world.application()
    await world.store.deregister_node(world.node, world.now)
    await world.store.close()
    with pytest.raises(ConfigurationError, match=r"in the table application\)\. Copy into a new one: create database"):
        await asyncio.to_thread(copy, past.path, url)


async def test_a_copy_that_is_whole_is_told_from_others(past: Past, url: str, tmp_path: Path) -> None:
    """Of this very file there is nothing left to do; of another one, or of this one as it was before, there is no way
    but a new database.
    """
    await asyncio.to_thread(copy, past.path, url)
    with pytest.raises(ConfigurationError, match="whole copy of this very file already: nothing is to be copied"):
        await asyncio.to_thread(copy, past.path, url)
    other = Past(tmp_path / "other.db")
    await other.live()
    store = SqliteStore(other.path, clock=other.clock, ids=other.ids)
    await store.open()
    await store.register_node(other.clock.now_ms())
    await store.close()
    with pytest.raises(ConfigurationError, match="whole copy of another SQLite database"):
        await asyncio.to_thread(copy, other.path, url)


async def test_another_programs_is_not_copied_into(past: Past) -> None:
    """Nothing is made in it."""
    url = await asyncio.to_thread(DATABASES.make, template="template0")
    name = url.rpartition("/")[2]
    DATABASES.server.execute("create table other (x int)", database=name)
    with pytest.raises(ConfigurationError, match=r"another program's\. Make one of its own"):
        await asyncio.to_thread(copy, past.path, url)
    tables = DATABASES.server.execute("select count(*) from pg_tables where schemaname = 'public'", database=name)
    assert tables == [(1,)]
    await asyncio.to_thread(DATABASES.drop, url)


@pytest.mark.usefixtures("no_settings")
async def test_status_tells_a_part_from_a_whole(
    past: Past, url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For people and programs: while it is a part, how far it came and what goes on with it."""
    monkeypatch.setattr(source_room, "CHUNK_ROWS", 4)
    with pytest.raises(KeyboardInterrupt):
        await asyncio.to_thread(copy, past.path, url, None, 7)
    facts, shown = await status(url, capsys)
    assert (facts["state"], facts["copy_table"]) == ("partial", "event")
    assert "not whole (it came to the table event). Run `hookspan db copy` again" in shown
    await asyncio.to_thread(copy, past.path, url)
    facts, shown = await status(url, capsys)
    assert (facts["state"], facts["copy_table"], facts["nodes"]) == ("whole", None, 0)
    assert "copy" not in shown


async def status(url: str, capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, object], str]:
    """As JSON, and as people see it."""
    assert await asyncio.to_thread(run, ["db", "status", "--json", "--database-url", url]) == Exit.OK
    facts = json.loads(capsys.readouterr().out)
    assert await asyncio.to_thread(run, ["db", "status", "--database-url", url]) == Exit.OK
    return facts, capsys.readouterr().out


async def test_a_source_that_was_served_from_meanwhile_is_refused(past: Past, url: str) -> None:
    """What was copied before may have changed."""
    with pytest.raises(KeyboardInterrupt):
        await asyncio.to_thread(copy, past.path, url, None, 2)
    store = SqliteStore(past.path, clock=past.clock, ids=past.ids)
    await store.open()
    await store.register_node(past.clock.now_ms())
    with pytest.raises(ConfigurationError, match="in use by another process"):
        await asyncio.to_thread(copy, past.path, url)
    await store.close()
    with pytest.raises(ConfigurationError, match="Make it anew"):
        await asyncio.to_thread(copy, past.path, url)


async def test_what_differs_is_found(past: Past, url: str) -> None:
    """One byte of one row, changed behind its back; and it is not served from."""

    def copy_and_change() -> None:
        def tell(step: Step) -> None:
            if (step.phase, step.done) == ("copying", step.total):
                with psycopg.connect(url) as beside:
                    beside.execute("update attempt set response_body = 'x' where id = (select max(id) from attempt)")

        with SqliteSource(past.path) as source, PostgresTarget(url, past.clock.now_ms()) as target:
            copy_database(source, target, tell)

    with pytest.raises(StoreUnavailable, match="The table attempt is not the same"):
        await asyncio.to_thread(copy_and_change)
    with pytest.raises(ConfigurationError, match="is not whole"):
        await open_copy(past, url)


async def test_two_at_once_do_not_mix(past: Past, url: str) -> None:
    """Who comes second is told, and nothing is there twice."""
    with PostgresTarget(url, past.clock.now_ms()) as target:
        noted = target.begin("mark")
        after = copying.Progress("mark", "application", (1,), 1)
        target.put(TABLES[0], ("id",), [], noted, after)
        with pytest.raises(ConfigurationError, match="Somebody else"):
            target.put(TABLES[0], ("id",), [], noted, after)


async def test_a_nul_in_a_text_is_replaced(past: Past, url: str) -> None:
    """PostgreSQL keeps none; in the audit log nothing is changed, so there it is refused."""
    database = apsw.Connection(str(past.path))
    database.execute("update webhook set name = 'a' || char(0) || 'b' where id = ?", (past.webhook.id,))
    database.close()
    copied = await asyncio.to_thread(copy, past.path, url)
    assert copied.rows_mended == 1
    with psycopg.connect(url) as beside:
        row = beside.execute("select name from webhook where id = %s", (past.webhook.id,)).fetchone()
    assert row == ("a\ufffdb",)
    database = apsw.Connection(str(past.path))
    database.execute("drop trigger audit_unchanged")
    database.execute("update audit set actor_name = char(0)")
    database.close()
    other = await asyncio.to_thread(DATABASES.make)
    with pytest.raises(StoreUnavailable, match="audit log holds a NUL"):
        await asyncio.to_thread(copy, past.path, other)


async def test_every_table_and_column_is_thought_of(past: Past, url: str) -> None:
    """A table that is added to the schema is copied too, or said not to be; columns have the same names."""
    database = apsw.Connection(str(past.path))
    names = {row[0] for row in database.execute("select name from sqlite_master where type = 'table'")}
    assert {table.name for table in TABLES} == names - NOT_COPIED
    with PostgresTarget(url, past.clock.now_ms()) as target:
        for table in (*TABLES, *DERIVED):
            ours = {row[1] for row in database.execute(f"pragma table_info({table.name})")}
            theirs = {column for name, column in target._types if name == table.name}
            assert ours <= theirs, table.name
    database.close()
    assert set(target_room._LOADED) >= {"bigint", "smallint", "double precision", "boolean"}


@pytest.mark.usefixtures("no_settings")
async def test_the_command_copies(
    past: Past, url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Says how many, for people and programs; refuses in one line."""
    source = f"sqlite:///{past.path}"
    monkeypatch.setenv("HOOKSPAN_COPY_TO", url)
    assert await asyncio.to_thread(run, ["db", "copy", "--database-url", source, "--json"]) == Exit.OK
    assert json.loads(capsys.readouterr().out)["rows"]["event"] == 22
    assert await asyncio.to_thread(run, ["db", "copy", "--to", url, "--database-url", source]) == Exit.CANT_START
    assert "whole copy of this very file" in capsys.readouterr().err
    other = await asyncio.to_thread(DATABASES.make)
    assert await asyncio.to_thread(run, ["db", "copy", "--to", other, "--database-url", source]) == Exit.OK
    assert "the same on both sides" in capsys.readouterr().out
    missing = ["db", "copy", "--to", other, "--database-url", f"{source}.missing"]
    assert await asyncio.to_thread(run, missing) == Exit.CANT_START
    assert "There is no database" in capsys.readouterr().err
    assert await asyncio.to_thread(run, ["db", "copy", "--to", url, "--database-url", other]) == Exit.CANT_START
    assert "PostgreSQL already" in capsys.readouterr().err
