"""The inbox in its database: whatever the role and the schema, on the way up, and when an application moves."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from hookspan.clock import SystemClock
from hookspan.errors import ConfigurationError
from hookspan.ids import first_id_at
from hookspan.store.inbox import InboxRefusal
from hookspan.store.postgres._drops import drop_whole
from hookspan.store.postgres._migrations import MIGRATIONS, VERSION, migrate
from hookspan.store.postgres._opening import open_database
from hookspan.store.postgres._partitions import DAY_MS, partition_of
from hookspan.store.postgres._place import connect, read_place
from hookspan.store.postgres._retention import Borders
from tests.contract.factories import MakeStore, sqlite
from tests.support.platform import page_blocks, platform, publish
from tests.support.postgres import DATABASES, OPTIONS
from tests.unit.store.moving import two_cells
from tests.unit.store.postgres_nodes import two_nodes

pytestmark = pytest.mark.anyio

NAMES = (
    "select distinct relnamespace::regnamespace::text from pg_class"
    " where relkind in ('r', 'p') and relnamespace::regnamespace::text not like 'pg\\_%' and"
    " relnamespace::regnamespace::text <> 'information_schema'"
)


@contextlib.contextmanager
def owned(*statements: str, role: str = "hookspan", is_owner: bool = True) -> Iterator[tuple[str, str]]:
    """An empty database with a role that is called as everybody's is; the role's URL, and the superuser's."""
    server = DATABASES.server
    server.execute(f"create role {role} login password 'p'")
    server.execute("create database own template template0")
    if is_owner:
        server.execute(f"alter database own owner to {role}")
    server.execute("select 1", *statements, database="own")
    try:
        yield server.url("own", user=role, password="p"), server.url("own")
    finally:
        server.execute("drop database own with (force)", f"drop role {role}")


def ask(url: str, text: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql.SQL(text), values or None)
        return cursor.fetchall() if cursor.description else []


def test_a_role_of_the_schema_s_name_keeps_its_tables_where_they_are() -> None:
    """Such a role looks into the schema `hookspan` first, once that is there; tables are made beside the others."""
    now_ms = SystemClock().now_ms()
    with owned() as (url, _):
        open_database(read_place(url), OPTIONS, now_ms)
        assert ask(url, "select current_schema()::text") == [("hookspan",)]
        assert ask(url, NAMES) == [("public",)]
        open_database(read_place(url), OPTIONS, now_ms + 40 * DAY_MS)
        assert ask(url, NAMES) == [("public",)]
        with connect(read_place(url), OPTIONS, 30) as connection:
            more = (*MIGRATIONS, type(MIGRATIONS[0])(VERSION + 1, "create table more (x int)", None))
            migrate(connection, "here", OPTIONS, more)
        assert ask(url, NAMES) == [("public",)]
        assert ask(url, "select hookspan.publish('acme', 'order.paid', '{}')") == [(1,)]


def test_a_former_node_s_partition_is_dropped_wherever_it_is() -> None:
    """A node of the version before makes it first in its role's path: it is used like any, and goes like any."""
    now_ms = SystemClock().now_ms()
    old = partition_of("event", first_id_at(now_ms - 90 * DAY_MS))
    with owned() as (url, _):
        open_database(read_place(url), OPTIONS, now_ms)
        ask(url, f"create table {old.name} (like event including all)")
        ask(url, f"alter table event attach partition {old.name} for values from ({old.low}) to ({old.high})")
        assert ask(url, f"select '{old.name}'::regclass::text") == [(old.name,)]
        assert ("hookspan",) in ask(url, NAMES)
        with connect(read_place(url), OPTIONS, 30) as connection:
            below = first_id_at(now_ms - 30 * DAY_MS)
            assert drop_whole(connection, old, Borders(below, below, now_ms), OPTIONS) == 0
        assert ask(url, NAMES) == [("public",)]


def test_in_a_platform_s_own_database_all_is_in_one_schema() -> None:
    """A schema called hookspan that the role owns is enough: no right in the database, and none on the platform's."""
    layout = (
        "create table customer (id int)",
        "create schema hookspan authorization hookspan",
        "revoke create on database own from public",
        "revoke create on schema public from public",
    )
    with owned(*layout, is_owner=False) as (url, _):
        open_database(read_place(url), OPTIONS, SystemClock().now_ms())
        assert ask(url, NAMES + " order by 1") == [("hookspan",), ("public",)]
        assert ask(url, "select hookspan.publish('acme', 'order.paid', '{}')") == [(1,)]
        assert ask(url, "select count(*) from hookspan.inbox") == [(1,)]


def test_a_role_that_may_not_make_the_schema_is_told_how() -> None:
    """Nothing is half done, and the message has the statement."""
    layout = ("create schema elsewhere authorization hooks", "alter role hooks set search_path = elsewhere")
    with owned(*layout, role="hooks", is_owner=False) as (url, superuser):
        with pytest.raises(ConfigurationError, match="create schema hookspan authorization"):
            open_database(read_place(url), OPTIONS, SystemClock().now_ms())
        ask(superuser, "create schema hookspan authorization hooks")
        open_database(read_place(url), OPTIONS, SystemClock().now_ms())
        assert ask(url, "select hookspan.publish('acme', 'order.paid', '{}')") == [(1,)]
        assert ask(url, "select count(*) from elsewhere.inbox") == [(1,)]


def test_nobody_may_publish_before_it_is_granted() -> None:
    """Neither the schema nor the function is everybody's."""
    with platform() as shop:
        shop.query(f"revoke usage on schema hookspan from {shop.role}")
        with shop.connect() as connection, pytest.raises(errors.InsufficientPrivilege):
            publish(connection, "acme", "order.paid", "{}")


def test_the_page_s_sql_runs() -> None:
    """Each example publishes from a table of the platform's; the view can be read as it is granted."""
    with platform() as shop:
        shop.query(sql.SQL("create schema authorization {}").format(sql.Identifier(shop.role)))
        calls = [block for block in page_blocks() if "hookspan.publish(" in block]
        (view,) = [block for block in page_blocks() if "hookspan.refused" in block]
        with shop.connect(autocommit=True) as connection:
            connection.execute("create table orders (id int, paid_at timestamptz, total numeric)")
            connection.execute("insert into orders values (17, now(), 1.10)")
            for block in calls:
                for text in block.split(";\n"):
                    connection.execute(text)
        assert shop.query("select content::json ->> 'order_id' from inbox") == [("17",)] * len(calls)
        grant, look = view.split(";\n")[:2]
        shop.query(grant.replace("shop", shop.role))
        with shop.connect() as connection:
            assert connection.execute(look).fetchall() == []


def test_the_refused_can_be_shown_to_the_platform() -> None:
    """A grant on the view is enough to read it, with the content; nothing can be changed by it."""
    with platform() as shop:
        shop.query(
            "insert into inbox_refused values (1, 'acme', 'a.b', '{\"n\": 1.10}', 'p', 1000, null, 2000, 'x', 9, 3000,"
            " 'not_found', 'd', '/type')"
        )
        shop.query(f"grant select on hookspan.refused to {shop.role}")
        with shop.connect() as connection:
            row = connection.execute(
                "select id, application, content::text, extract(epoch from occurred_at)::int,"
                " extract(epoch from refused_at)::int, code, pointer from hookspan.refused"
            ).fetchone()
            assert row == (1, "acme", '{"n": 1.10}', 1, 3, "not_found", "/type")
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute("delete from hookspan.refused")


async def test_sqlite_has_none(tmp_path) -> None:
    """And says so: nothing waits, nothing is drawn."""
    from hookspan.ids import IdMaker
    from tests.support.clock import VirtualClock

    clock = VirtualClock()
    make: MakeStore = sqlite(tmp_path, clock, IdMaker(clock))
    store = make()
    await store.open()
    assert not store.has_inbox
    assert await store.inbox_applications(1, "", 10) == []
    assert await store.draw_inbox(1, ["a"], each=1, limit=1, bytes_max=1) == []
    await store.settle_inbox(1, ["a"], [], 1)
    await store.close()


async def test_a_refusal_and_an_event_never_come_of_one_row() -> None:
    """Two nodes decide otherwise at the same moment: the second finds the row gone."""
    async with two_nodes(OPTIONS) as nodes:
        one, two = nodes.worlds
        acme = await one.application("acme")
        for turn in range(10):
            ((row_id,),) = nodes.query("select hookspan.publish('acme', 'order.paid', '{}')")
            event = one.event(acme)
            versions = await one.versions([event])
            refusal = InboxRefusal(row_id, "internal", "d", None)
            appended, _ = await asyncio.gather(
                one.store.append(one.node, [event], versions, one.fan_out, (), {event.id: row_id}),
                two.store.settle_inbox(two.node, ["acme"], [refusal], 1),
            )
            is_kept = bool(appended.events[0].position)
            refused = nodes.query("select count(*) from inbox_refused where id = %s", row_id)
            assert refused == [(0 if is_kept else 1,)], turn
        assert nodes.query("select count(*) from inbox") == [(0,)]


async def test_only_rows_that_became_events_go() -> None:
    """Beside one that was kept: a conflict stays, one that is gone says so, and requests under keys are as ever."""
    async with two_nodes(OPTIONS) as nodes:
        world = nodes.worlds[0]
        acme = await world.application("acme")
        await world.publish(acme, publisher_id="p", body=b'{"a":0}')
        rows = [nodes.query("select hookspan.publish('acme', 'order.paid', '{}')")[0][0] for _ in range(3)]
        kept, conflict, gone, other = (
            world.event(acme),
            world.event(acme, publisher_id="p"),
            world.event(acme),
            world.event(acme),
        )
        nodes.query("with gone as (delete from inbox where id = %s returning 1) select * from gone", rows[2])
        drawn = {kept.id: rows[0], conflict.id: rows[1], gone.id: rows[2]}
        events = [kept, conflict, gone, other]
        appended = await world.store.append(world.node, events, await world.versions(events), world.fan_out, (), drawn)
        assert [(bool(one.position), one.is_conflict) for one in appended.events] == [
            (True, False), (False, True), (False, False), (True, False)
        ]  # fmt: skip
        assert nodes.query("select id from inbox") == [(rows[1],)]


async def test_what_waits_for_an_application_that_moved_is_refused_in_the_source() -> None:
    """It belongs to the database that it was published in: frozen it waits, and is put aside when the move is done."""
    async with two_cells() as cells:
        acme = await cells.old.application("acme")
        cells.query(0, "select hookspan.publish('acme', 'order.paid', '{\"n\": 1}')")
        await cells.move("acme")
        assert cells.query(0, "select application from inbox") == [("acme",)]
        assert cells.query(1, "select count(*) from inbox") == [(0,)]
        assert await cells.old.store.get_application("acme") is None
        event = cells.old.event(acme)
        appended = await cells.old.store.append(
            cells.old.node, [event], {acme.id: 1}, cells.old.fan_out, (), {event.id: 1}
        )
        assert appended.unknown == {acme.id}
        assert cells.query(0, "select application from inbox") == [("acme",)]
