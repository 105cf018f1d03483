"""`hookspan db`, on SQLite files of any kind and on PostgreSQL."""

import json
from pathlib import Path
from typing import Self

import apsw
import pytest

from hookspan.cli import db
from hookspan.cli._output import Exit
from hookspan.cli._root import run
from hookspan.store.postgres._migrations import VERSION
from tests.support.postgres import DATABASES

ROWS = 3_000


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database of some MiB in WAL mode."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "hookspan.db"
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", "wal")
    with connection:
        connection.execute("create table parent (id integer primary key, text blob)")
        connection.execute("create table child (id integer primary key, parent integer references parent)")
        connection.executemany("insert into parent values (?, zeroblob(1000))", ((n,) for n in range(ROWS)))
    connection.close()
    return path


def db_run(*arguments: str, path: Path) -> int:
    return run(["db", *arguments, "--database-url", f"sqlite:///{path}"])


def test_status_tells_the_facts(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Sizes, place and schema, for people and programs."""
    assert db_run("status", "--json", path=path) == Exit.OK
    facts = json.loads(capsys.readouterr().out)
    assert facts["database_bytes"] == path.stat().st_size
    assert (facts["reusable_bytes"], facts["wal_bytes"]) == (0, 0)
    assert facts["path"] == str(path)
    assert db_run("status", path=path) == Exit.OK
    shown = capsys.readouterr().out
    assert str(path) in shown
    assert f"{path.stat().st_size:,}" in shown


def test_check_finds_a_sound_one_sound(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0."""
    assert db_run("check", path=path) == Exit.OK
    assert "is sound" in capsys.readouterr().out


def test_check_finds_a_missing_row(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A reference to nothing is damage: exit code 1 and where it is."""
    connection = apsw.Connection(str(path))
    connection.execute("insert into child values (5, 999999)")
    connection.close()
    assert db_run("check", "--json", path=path) == Exit.FAILED
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert problems == ["child row 5 refers to a missing row of parent"]


def test_check_stops_at_its_bound(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """However much is wrong, the list has an end."""
    connection = apsw.Connection(str(path))
    connection.executemany("insert into child values (?, 999999)", ((n,) for n in range(db.PROBLEMS_MAX + 50)))
    connection.close()
    assert db_run("check", "--json", path=path) == Exit.FAILED
    assert len(json.loads(capsys.readouterr().out)["problems"]) == db.PROBLEMS_MAX


def test_check_finds_damage(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Overwritten pages are told, not a traceback."""
    with path.open("r+b") as file:
        file.seek(8 * 4096)
        file.write(b"\xff" * 40 * 4096)
    assert db_run("check", path=path) == Exit.FAILED
    shown = capsys.readouterr()
    assert "damaged" in shown.out + shown.err


def test_no_database_and_no_sqlite_are_one_line_each(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing file and a file of another kind."""
    assert db_run("status", path=path.with_name("nowhere.db")) == Exit.CANT_START
    other = path.with_name("other.db")
    other.write_bytes(b"something else entirely, long enough to be read as a header of a database" * 20)
    assert db_run("check", path=other) == Exit.FAILED
    assert capsys.readouterr().err.count("\n") == 2


def test_a_backup_is_whole_while_others_write(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy in many steps is the database of its first moment, whatever is committed meanwhile."""
    monkeypatch.setattr(db, "BACKUP_PAGES", 50)
    writer = apsw.Connection(str(path))
    steps = 0

    class WritingBar:
        def __init__(self, **_: object) -> None: ...
        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...
        def update(self, _: int) -> None:
            nonlocal steps
            steps += 1
            assert steps < 1_000, "the copy starts over for ever"
            writer.execute("insert into parent values (?, zeroblob(1000))", (ROWS + steps,))

    monkeypatch.setattr("click.progressbar", WritingBar)
    assert db_run("backup", str(path.with_name("copy.db")), path=path) == Exit.OK
    assert steps > 5
    copy = apsw.Connection(str(path.with_name("copy.db")))
    assert copy.execute("select count(*) from parent").get == ROWS
    assert copy.pragma("integrity_check") == "ok"
    copy.close()
    writer.close()
    assert [file.name for file in path.parent.iterdir() if "partial" in file.name] == []


def test_a_backup_overwrites_nothing(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not even by mistake."""
    there = path.with_name("there.db")
    there.write_text("precious", encoding="utf-8")
    assert db_run("backup", str(there), path=path) == Exit.USAGE
    assert there.read_text(encoding="utf-8") == "precious"
    assert db_run("backup", "/no/such/folder/copy.db", path=path) == Exit.CANT_START
    assert "Can't write" in capsys.readouterr().err


def test_a_locked_database_is_told_in_one_line(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where a server holds the file for itself, the line says that."""
    monkeypatch.setattr(db, "BUSY_TIMEOUT_MS", 1)
    holder = apsw.Connection(str(path))
    holder.pragma("locking_mode", "exclusive")
    holder.execute("begin immediate; insert into parent values (-1, null); commit")
    assert db_run("status", path=path) == Exit.FAILED
    assert "locked by a running server" in capsys.readouterr().err
    holder.close()


# --- on PostgreSQL


def test_status_of_a_shared_database(capsys: pytest.CaptureFixture[str]) -> None:
    """What it is, how large, who works on it; the password is not said."""
    url = DATABASES.make()
    assert run(["db", "status", "--json", "--database-url", url]) == Exit.OK
    text = capsys.readouterr().out
    facts = json.loads(text)
    assert (facts["schema_version"], facts["state"], facts["copy_table"]) == (VERSION, "whole", None)
    assert facts["database_bytes"] > 1_000_000
    assert (facts["nodes"], facts["connections"] >= 1, facts["partitions"] > 1) == (0, True, True)
    assert DATABASES.server.password not in text
    assert run(["db", "status", "--database-url", url]) == Exit.OK
    assert "registered now" in capsys.readouterr().out


def test_an_empty_one_has_no_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """Looking makes none; and what is not there is not counted as zero."""
    url = DATABASES.make(template="template0")
    for _ in range(2):
        assert run(["db", "status", "--json", "--database-url", url]) == Exit.OK
        facts = json.loads(capsys.readouterr().out)
        assert (facts["schema_version"], facts["state"]) == (0, "empty")
        assert (facts["nodes"], facts["partitions"]) == (None, None)
    assert run(["db", "status", "--database-url", url]) == Exit.OK
    shown = capsys.readouterr().out
    assert "Nothing was ever served from it" in shown
    assert "registered now" not in shown


@pytest.mark.parametrize(("arguments", "tool"), [(["check"], "pg_amcheck"), (["backup", "x.db"], "pg_dump")])
def test_what_postgresql_does_itself(
    arguments: list[str], tool: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said by name, rather than "there is no file"."""
    monkeypatch.chdir(tmp_path)
    code = run(["db", *arguments, "--database-url", "postgresql://user:hunter2@127.0.0.1:1/x"])
    said = capsys.readouterr().err
    assert code == Exit.CANT_START
    assert tool in said
    assert "hunter2" not in said


def test_a_database_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, without the password."""
    code = run(["db", "status", "--database-url", "postgresql://user:hunter2@127.0.0.1:1/x"])
    said = capsys.readouterr().err
    assert code == Exit.CANT_START
    assert said.count("\n") == 1
    assert "127.0.0.1:1/x" in said
    assert "hunter2" not in said
