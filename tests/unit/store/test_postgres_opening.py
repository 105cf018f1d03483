"""Opening: what is not safe, or not ours, is refused in one line that says what to do and never the password."""

import asyncio
from collections.abc import Iterator

import psycopg
import pytest

from hookspan.errors import ConfigurationError, StoreUnavailable
from hookspan.store.postgres import PostgresStore, _opening
from hookspan.store.postgres._migrations import VERSION
from tests.support.clock import VirtualClock
from tests.support.ports import free_port
from tests.support.postgres import DATABASES, OPTIONS, Server

pytestmark = pytest.mark.anyio

SECRET = "s3cret-of-a-test"


@pytest.fixture
def url() -> Iterator[str]:
    url = DATABASES.make(template="template0")
    yield url
    DATABASES.drop(url)


def store_at(url: str) -> PostgresStore:
    return PostgresStore(url, clock=VirtualClock(), options=OPTIONS)


async def refused(url: str) -> str:
    """The line that it is refused with; once more it is refused the same way."""
    with pytest.raises(ConfigurationError) as caught:
        await store_at(url).open()
    detail = caught.value.detail
    assert "\n" not in detail
    assert len(detail) < 400
    assert DATABASES.server.password not in detail
    assert SECRET not in detail
    return detail


def name_of(url: str) -> str:
    return url.rpartition("/")[2]


async def test_a_new_database_is_brought_up_to_date(url: str) -> None:
    """It can be opened again, and by several at once."""
    stores = [store_at(url) for _ in range(3)]
    await asyncio.gather(*(store.open() for store in stores))
    assert await asyncio.gather(*(store.register_node(1) for store in stores))
    for store in stores:
        await store.close()


@pytest.mark.parametrize("wrong", ["mysql://u:{}@h/d", "postgresql://u:%zz{}@h/d", "host=h password={}"])
async def test_a_url_that_is_none(wrong: str) -> None:
    """It is not repeated: it can hold a password."""
    with pytest.raises(ConfigurationError) as caught:
        store_at(wrong.format(SECRET))
    assert SECRET not in caught.value.detail


async def test_a_server_that_is_not_there() -> None:
    """Host and port are named."""
    port = free_port()
    detail = await refused(f"postgresql://u:{SECRET}@127.0.0.1:{port}/d")
    assert f"127.0.0.1:{port}" in detail
    assert "Check that it runs" in detail


async def test_a_password_that_is_wrong(url: str) -> None:
    """The role and its password are what to look at."""
    detail = await refused(DATABASES.server.url(name_of(url), password=SECRET))
    assert "does not let this role in" in detail


async def test_a_database_that_is_not_there() -> None:
    """The line says how it is made."""
    assert "create database" in await refused(DATABASES.server.url("nothing_there"))


async def test_a_role_without_rights(url: str) -> None:
    """It may connect, and make nothing."""
    DATABASES.server.execute(f"drop role if exists guest_{name_of(url)}")
    DATABASES.server.execute(f"create role guest_{name_of(url)} login password '{SECRET}'")
    DATABASES.server.execute("revoke create on schema public from public", database=name_of(url))
    detail = await refused(DATABASES.server.url(name_of(url), user=f"guest_{name_of(url)}", password=SECRET))
    assert "must own it" in detail


async def test_a_role_that_may_not_enter(url: str) -> None:
    """The server knows it, and that database is not for it."""
    role = f"guest_{name_of(url)}"
    DATABASES.server.execute(f"drop role if exists {role}")
    DATABASES.server.execute(f"create role {role} login password '{SECRET}'")
    DATABASES.server.execute(f"revoke connect on database {name_of(url)} from public")
    detail = await refused(DATABASES.server.url(name_of(url), user=role, password=SECRET))
    assert "does not let this role into that database" in detail
    assert "alter database" in detail


async def test_a_server_without_tls(url: str) -> None:
    """Where the URL asks for it; the tests' server has none. What to look at is named on both sides."""
    detail = await refused(f"{url}?sslmode=require")
    assert "There is no TLS" in detail
    assert "sslmode" in detail
    assert "ssl in postgresql.conf" in detail


async def test_a_part_of_a_copy(url: str) -> None:
    """Nothing is served from it: the line says how the rest comes."""
    store = store_at(url)
    await store.open()
    await store.close()
    DATABASES.server.execute("insert into fact (name, bytes) values ('copy', '{}')", database=name_of(url))
    detail = await refused(url)
    assert "was begun and is not whole" in detail
    assert "`hookspan db copy` again" in detail


async def test_a_database_of_another_program(url: str) -> None:
    """Nothing is made in it."""
    DATABASES.server.execute("create table other (x int)", database=name_of(url))
    assert "another program" in await refused(url)
    [(count,)] = DATABASES.server.execute(
        "select count(*) from pg_class where relnamespace = 'public'::regnamespace", database=name_of(url)
    )
    assert count == 1


async def test_a_schema_that_only_newer_versions_know(url: str) -> None:
    """Where the newer version has only added, the former one starts; where it took away, it does not."""
    store = store_at(url)
    await store.open()
    await store.close()
    DATABASES.server.execute(f"update hookspan set version = {VERSION + 2}", database=name_of(url))
    again = store_at(url)
    await again.open()
    await again.close()
    DATABASES.server.execute(f"update hookspan set works_since = {VERSION + 1}", database=name_of(url))
    detail = await refused(url)
    assert f"schema {VERSION + 2}" in detail
    assert "Install that version" in detail


async def test_an_encoding_that_keeps_no_names() -> None:
    """Only UTF8 keeps what publishers send."""
    DATABASES.server.execute("create database latin template template0 encoding 'LATIN1'")
    assert "LATIN1" in await refused(DATABASES.server.url("latin"))


@pytest.mark.parametrize(
    ("setting", "words"),
    [("synchronous_commit = off", "could be lost"), ("default_transaction_read_only = on", "read-only")],
)
async def test_settings_of_the_database(url: str, setting: str, words: str) -> None:
    """Also where they are set for this database alone."""
    DATABASES.server.execute(f"alter database {name_of(url)} set {setting}")
    assert words in await refused(url)


async def test_a_server_that_forgets_and_a_standby(tmp_path) -> None:
    """fsync and full_page_writes must be on, and a standby takes no writes; of several hosts the primary is found. A
    server that was set up otherwise after the start is not written to either.
    """
    server = Server()
    standby = None
    try:
        server.make()
        server.start()
        server.execute("create database d")
        url = server.url("d")
        store = store_at(url)
        await store.open()
        for name in ("fsync", "full_page_writes"):
            server.execute(f"alter system set {name} = off", "select pg_reload_conf()")
            await settled(url, name, "off")
            with pytest.raises(ConfigurationError, match=f"{name} = off"):
                await store_at(url).open()
            server.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'hookspan'")
            for _ in range(OPTIONS.writers + 1):
                with pytest.raises(StoreUnavailable):
                    await store.set_failing_since(1, None)
            server.execute(f"alter system reset {name}", "select pg_reload_conf()")
            await settled(url, name, "on")
            async with asyncio.timeout(20):
                while (await store.stats())["connected_writers"] < OPTIONS.writers:
                    await asyncio.sleep(0)
            await store.set_failing_since(1, None)
        await store.close()
        standby = server.make_standby()
        standby.start()
        with pytest.raises(ConfigurationError, match="standby"):
            await store_at(standby.url("d")).open()
        both = store_at(url.replace(f"127.0.0.1:{server.port}", f"127.0.0.1:{standby.port},127.0.0.1:{server.port}"))
        await both.open()
        assert await both.register_node(1)
        await both.close()
    finally:
        if standby is not None:
            standby.close()
        server.close()


def seen(url: str, name: str) -> str:
    with psycopg.connect(url) as connection:
        [value] = connection.execute("select current_setting(%s)", (name,)).fetchone() or ("",)
    return str(value)


async def settled(url: str, name: str, value: str) -> None:
    """A reload reaches new connections a moment later."""
    async with asyncio.timeout(20):
        while await asyncio.to_thread(seen, url, name) != value:
            pass


def test_an_old_server(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both versions are said."""
    monkeypatch.setattr(_opening, "SERVER_VERSION_MIN", 990_000)
    with pytest.raises(ConfigurationError, match=r"version \d+; 99 or newer is needed"):
        asyncio.run(store_at(url).open())
