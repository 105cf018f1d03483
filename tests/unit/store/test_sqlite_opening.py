"""Opening: what is not safe is refused in one line that says what to change."""
# ruff: noqa: ASYNC220, ASYNC240 - a test's own small files and one child process

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from hookspan.clock import SystemClock
from hookspan.errors import ConfigurationError
from hookspan.store.sqlite import SqliteOptions, SqliteStore
from hookspan.store.sqlite._migrations import APPLICATION_ID, VERSION
from hookspan.store.sqlite._opening import check_version
from tests.unit.store.conftest import Open, inside

pytestmark = pytest.mark.anyio


def store_at(path: Path, options: SqliteOptions | None = None) -> SqliteStore:
    return SqliteStore(path, clock=SystemClock(), options=options)


async def refused(path: Path) -> str:
    """How opening it is refused, in one line."""
    with pytest.raises(ConfigurationError) as caught:
        await store_at(path).open()
    assert "\n" not in caught.value.detail
    return caught.value.detail


async def test_the_settings_are_safe(open_world: Open, path: Path) -> None:
    """Write-ahead log, full fsync, private files and folder."""
    world = await open_world()
    pragmas = await inside(world)._write(
        lambda db: [db.pragma(name) for name in ("journal_mode", "synchronous", "wal_autocheckpoint", "mmap_size")]
    )
    assert pragmas == ["wal", 2, 0, 0]
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


async def test_readers_can_not_write(open_world: Open) -> None:
    """A read that writes is a bug that must not get far."""
    world = await open_world()
    store = inside(world)
    with pytest.raises(Exception, match="can't be used"):
        await store._read(lambda db: db.execute("delete from node"))
    assert await store.beat(world.node)


async def test_a_second_store_names_the_first(open_world: Open, path: Path) -> None:
    """The lock says which process has the database, and leaves the first one alone."""
    world = await open_world()
    assert f"pid {os.getpid()}" in await refused(path)
    assert await world.store.beat(world.node)


CHILD = """
import asyncio, pathlib, sys
from hookspan.clock import SystemClock
from hookspan.store.sqlite import SqliteStore

async def main():
    store = SqliteStore(pathlib.Path(sys.argv[1]), clock=SystemClock())
    await store.open()
    print(await store.register_node(1), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_another_process_holds_the_lock_until_it_dies(path: Path) -> None:
    """Also by kill -9: the operating system lets go of the lock, and the next start examines the file."""
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "1\n"
        assert f"pid {child.pid}" in await refused(path)
    finally:
        child.send_signal(signal.SIGKILL)
        child.communicate()
    store = store_at(path)
    await store.open()
    assert await store.register_node(1) == 2
    await store.close()


async def test_a_file_that_is_no_database(path: Path) -> None:
    """It is not touched."""
    path.parent.mkdir()
    path.write_bytes(b"hello, world\n" * 100)
    assert "no SQLite database" in await refused(path)
    assert path.read_bytes() == b"hello, world\n" * 100


async def test_a_database_of_another_program(path: Path) -> None:
    """It is not touched, whether it names itself or not."""
    path.parent.mkdir()
    connection = apsw.Connection(str(path))
    connection.execute("create table other (x)")
    assert "another program" in await refused(path)
    connection.pragma("application_id", 7)
    connection.close()
    assert "another program" in await refused(path)


async def test_a_database_of_a_newer_version(path: Path) -> None:
    """The line says both versions and what to do; nothing was written."""
    path.parent.mkdir()
    connection = apsw.Connection(str(path))
    connection.execute("create table future (x)")
    connection.pragma("application_id", APPLICATION_ID)
    connection.pragma("user_version", VERSION + 1)
    connection.close()
    detail = await refused(path)
    assert f"schema {VERSION + 1}" in detail
    assert "Install" in detail


async def test_a_damaged_file_is_found_after_an_unclean_end(open_world: Open, path: Path) -> None:
    """A small database is examined when the last run did not end in order."""
    world = await open_world()
    application = await world.application()
    await world.publish(application, count=400, body=b"x" * 500)
    await world.store.close()
    connection = apsw.Connection(str(path))
    connection.execute("update fact set value = 0 where name = 'is_clean'")
    connection.close()
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xa5" * 20_000)
    assert "damaged" in await refused(path)
    large = store_at(path, SqliteOptions(check_bytes_max=1_000))
    await large.open()
    await large.close()


async def test_a_file_cut_short(path: Path) -> None:
    """Half a header is no database that could be used."""
    path.parent.mkdir()
    path.write_bytes(b"SQLite format 3\x00" + b"\x00" * 50)
    assert str(path) in await refused(path)


async def test_a_place_that_can_not_be_written(tmp_path: Path) -> None:
    """A folder in the way, or a file where the folder should be."""
    (tmp_path / "file").write_text("")
    assert "hookspan.db" in await refused(tmp_path / "file" / "hookspan.db")
    (tmp_path / "folder").mkdir()
    assert "folder" in await refused(tmp_path / "folder")


def test_an_old_sqlite_is_refused() -> None:
    """3.51.3 is the first without the corruption when the log starts over."""
    for version in ("3.51.3", "3.52.0", "4.0.0"):
        check_version(version)
    for version in ("3.51.2", "3.50.9", "2.99.99"):
        with pytest.raises(ConfigurationError, match="too old"):
            check_version(version)


async def test_a_failed_open_lets_go(path: Path) -> None:
    """After the cause is gone the same process can open it."""
    path.parent.mkdir()
    path.write_bytes(b"no database at all")
    await refused(path)
    path.unlink()
    store = store_at(path)
    await store.open()
    await store.close()
