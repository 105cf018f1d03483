"""Migrations: in order, one node at a time, expand before contract; and partitions."""

import asyncio
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors

from hookspan.errors import ConfigurationError
from hookspan.ids import first_id_at, made_at_ms
from hookspan.store.postgres import _partitions, _rows
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._migrations import (
    MIGRATIONS,
    VERSION,
    check_order,
    migrate,
    read_migration,
    read_version,
    refusal,
)
from hookspan.store.postgres._options import PostgresOptions
from hookspan.store.postgres._partitions import TABLES, Partition, partition_of
from hookspan.store.postgres._place import connect, read_place
from tests.support.clock import VirtualClock
from tests.support.postgres import DATABASES
from tests.unit.store.postgres_nodes import two_nodes

DAY_MS = 86_400_000
QUICK = PostgresOptions(migration_lock_time_max_s=0.2, partition_lock_time_max_s=0.2)


@pytest.fixture
def connection() -> Iterator[Connection]:
    """To an up-to-date database."""
    url = DATABASES.make()
    with connect(read_place(url), QUICK, 30) as connection:
        yield connection
    DATABASES.drop(url)


def more(text: str) -> tuple:
    return (*MIGRATIONS, read_migration(f"{VERSION + 1:04d}_more.sql", text))


def test_a_file_says_what_it_does() -> None:
    """Adds, or takes away what no version since some schema needs; never what the one just before still needs."""
    assert read_migration("0003_a.sql", "-- expand\nselect 1").works_since is None
    assert read_migration("0003_a.sql", "-- contract since 2\nselect 1").works_since == 2
    for text in ("select 1", "-- contract\n", "-- contract since 3\n", "-- contract since 4\n"):
        with pytest.raises(ValueError, match="0003"):
            read_migration("0003_a.sql", text)
    with pytest.raises(ValueError, match="2 is missing"):
        check_order((read_migration("0001_a.sql", "-- expand\n"), read_migration("0003_a.sql", "-- expand\n")))


def test_the_former_version_goes_on_after_an_expansion(connection: Connection) -> None:
    """A migration that adds leaves the database usable by the version before; one that takes away is refused by it."""
    migrate(connection, "here", QUICK, more("-- expand\nalter table webhook add column extra text;"))
    assert read_version(connection, "here") == VERSION + 1
    last = read_migration(f"{VERSION + 2:04d}_last.sql", f"-- contract since {VERSION + 1}\nselect 1;")
    migrate(connection, "here", QUICK, (*more("-- expand\n"), last))
    with pytest.raises(ConfigurationError, match="newer Hookspan"):
        read_version(connection, "here")


def test_a_failure_leaves_the_last_complete_version(connection: Connection) -> None:
    """All of a file or nothing."""
    with pytest.raises(psycopg.Error) as caught:
        migrate(connection, "here", QUICK, more("-- expand\ncreate table more (x int); select 1 / 0;"))
    assert "see the database's log" in refusal(caught.value, "here").detail
    assert read_version(connection, "here") == VERSION
    migrate(connection, "here", QUICK, more("-- expand\ncreate table more (x int);"))


def test_a_table_that_is_held_is_not_waited_for_long(connection: Connection) -> None:
    """Who waits for a table makes everybody else wait behind: it gives up, and says so."""
    with connect(read_place(url_of(connection)), QUICK, 30) as other:
        other.execute("begin; select 1 from webhook")
        with pytest.raises(errors.LockNotAvailable) as caught:
            migrate(connection, "here", QUICK, more("-- expand\nalter table webhook add column extra text;"))
        assert "holds a table" in refusal(caught.value, "here").detail
        other.execute("rollback")
    migrate(connection, "here", QUICK, more("-- expand\nalter table webhook add column extra text;"))


def test_two_nodes_meet_in_an_empty_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """One brings it up to date while the other looks: not another program's for that."""
    url = DATABASES.make(template="template0")
    look = _rows.value

    def look_then_migrate(connection: Connection, name: str, bindings: Any = ()) -> Any:
        found = look(connection, name, bindings)
        monkeypatch.undo()
        with connect(read_place(url), QUICK, 30) as other:
            migrate(other, "here", QUICK)
        return found

    monkeypatch.setattr(_rows, "value", look_then_migrate)
    with connect(read_place(url), QUICK, 30) as connection:
        migrate(connection, "here", QUICK)
        assert read_version(connection, "here") == VERSION
    DATABASES.drop(url)


def url_of(connection: Connection) -> str:
    return DATABASES.server.url(connection.info.dbname)


# --- partitions


def test_a_partition_is_a_day_of_ids() -> None:
    """Of UTC, whatever the hour; the next begins where it ends."""
    clock = VirtualClock()
    one = partition_of("event", first_id_at(clock.now_ms() + 5))
    assert one == partition_of("event", first_id_at(clock.now_ms() + DAY_MS) - 1)
    assert one.high == partition_of("event", one.high).low
    assert made_at_ms(one.high) - made_at_ms(one.low) == DAY_MS
    assert partition_of("event", 0).low == 0


def days(connection: Connection, parent: str) -> list[Partition]:
    return _partitions.partitions(connection, parent)


def test_days_are_made_ahead(connection: Connection) -> None:
    """Those that are missing, of each table; asked again there is nothing to do."""
    now_ms = VirtualClock().now_ms() + 100 * DAY_MS
    assert _partitions.make_ahead(connection, now_ms, QUICK) == 3 * (QUICK.partitions_ahead_days + 1)
    assert _partitions.make_ahead(connection, now_ms, QUICK) == 0
    for parent in TABLES:
        assert partition_of(parent, first_id_at(now_ms + QUICK.partitions_ahead_days * DAY_MS)) in days(
            connection, parent
        )


def test_a_table_that_is_left_over_is_taken_up(connection: Connection) -> None:
    """One whose dropping was broken off: what is in it is there again, and an empty one is made anew."""
    far = first_id_at(VirtualClock().now_ms() + 200 * DAY_MS)
    _partitions.make_for(connection, far, QUICK)
    one = partition_of("attempt", far)
    connection.execute(
        "insert into attempt (id, webhook_id, number, round, cause, webhook_version, started_at, duration_us, verdict,"
        " request_headers, response_bytes) values (%s, 1, 1, 0, 1, 1, 1, 1, 1, '', 0)",
        (far,),
    )
    for count in (1, 0):
        connection.execute(f"alter table attempt detach partition {one.name}".encode())
        if not count:
            connection.execute(f"truncate {one.name}".encode())
        _partitions.make_for(connection, far, QUICK)
        assert one in days(connection, "attempt")
        assert connection.execute("select count(*) from attempt").fetchone() == (count,)


def test_who_uses_the_table_is_not_waited_for_long(connection: Connection) -> None:
    """A partition that can't be made now is no reason to make everybody wait; it is made when the table is free."""
    far = first_id_at(VirtualClock().now_ms() + 200 * DAY_MS)
    with connect(read_place(url_of(connection)), QUICK, 30) as other:
        other.execute("begin; lock table event in access exclusive mode")
        with pytest.raises(errors.LockNotAvailable):
            _partitions.make_for(connection, far, QUICK)
        other.execute("rollback; begin; select count(*) from event")
        _partitions.make_for(connection, far, QUICK)
        other.execute("rollback")


@pytest.mark.anyio
async def test_days_are_made_ahead_as_time_goes_on() -> None:
    """By the turns of retention, of whichever node comes first."""
    async with two_nodes() as nodes:
        one, two = nodes.worlds
        for world in (one, two):
            world.clock.move(50 * DAY_MS)
            await world.store.expire(0, 0, 10, world.now)
        ahead = partition_of("delivery", first_id_at(one.now + DAY_MS))
        assert nodes.query("select to_regclass(%s) is not null", ahead.name) == [(True,)]


@pytest.mark.anyio
async def test_a_missing_day_is_made_when_it_is_needed() -> None:
    """By whoever comes first, while others come too: a clock that leaps stops nobody."""
    async with two_nodes() as nodes:
        applications = []
        for world in nodes.worlds:
            world.clock.move(1_000 * DAY_MS)
            application = await world.application()
            applications.append((world, application, await world.webhook(application)))
        await asyncio.gather(*(world.publish(one, webhook, count=5) for world, one, webhook in applications * 3))
        for world, one, _ in applications:
            claimed = await world.claim(limit=15)
            await world.finish(claimed)
            assert len(claimed) == 15
            assert await world.last_position(one) == 15
