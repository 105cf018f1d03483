"""`hookspan db`: look at the database, check it, back it up, copy it."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import click
import msgspec

from hookspan.cli._db_copy import copy
from hookspan.cli._db_inbox import inbox
from hookspan.cli._db_move import move
from hookspan.cli._options import settings_from, settings_options
from hookspan.cli._output import Exit, bad, dim, good, json_option, say_json
from hookspan.errors import ConfigurationError, StoreUnavailable

BUSY_TIMEOUT_MS = 2_000
BACKUP_PAGES = 2_048  # copied between two looks at the progress bar: 8 MiB
PROBLEMS_MAX = 100
_NOTES = {
    "database_bytes": "with its indexes",
    "reusable_bytes": "of these free inside it, for new rows: a file does not shrink",
    "wal_bytes": "beside it, the newest commits; copied into the file as it goes",
    "nodes": "registered now",
    "connections": "of everybody, now",
    "partitions": "days of events that are kept, and those made ahead",
}
_STATES = {
    "empty": "Nothing was ever served from it: `hookspan serve` makes its tables at the first start.",
    "partial": "A copy into it was begun and is not whole (it came to the table {table}). Run `hookspan db copy` "
    "again: it goes on where it stood.",
}


@click.group("db", short_help="Look at the database, check it, back it up.")
def command() -> None:
    """Look at the database, check it, back it up. Safe while a server runs, all but copy: it asks for a stop."""


@command.command("status", short_help="Say where the database is, and how large.")
@settings_options
@json_option
def status(*, is_json: bool, **flags: str | None) -> None:
    """Say where the database is, how large, and which schema it has.

    \b
    Example:
      hookspan db status --json
    """
    settings = settings_from(**flags)
    if settings.is_shared:
        from hookspan.store.postgres import read_status

        found = read_status(settings.database_url)
        _say_facts(msgspec.structs.asdict(found), is_json=is_json)
        if found.state in _STATES and not is_json:
            click.echo(_STATES[found.state].format(table=found.copy_table))
        return
    path = settings.database_path
    with reading(path) as database:
        facts: dict[str, Any] = {
            "path": str(path.resolve()),
            "database_bytes": path.stat().st_size,
            "reusable_bytes": database.pragma("freelist_count") * database.pragma("page_size"),
            "wal_bytes": _bytes_of(path.with_name(path.name + "-wal")),
            "schema_version": database.pragma("user_version"),
            "sqlite": apsw.sqlite_lib_version(),
        }
    _say_facts(facts, is_json=is_json)


def _say_facts(facts: dict[str, Any], *, is_json: bool) -> None:
    if is_json:
        say_json(facts)
        return
    shown = {
        name: f"{value:,}" if isinstance(value, int) else value for name, value in facts.items() if value is not None
    }
    width = max(len(shown[name]) for name in shown if name in _NOTES)
    for name, text in shown.items():
        note = f"  {dim(_NOTES[name])}" if name in _NOTES else ""
        click.echo(f"{name:<15} {text.rjust(width) if note else text}{note}")


def _sqlite_path(flags: dict[str, str | None], instead: str) -> Path:
    """Of a command that is about SQLite's file; `instead` says what PostgreSQL has for it."""
    settings = settings_from(**flags)
    if settings.is_shared:
        raise ConfigurationError(f"The database is PostgreSQL, which has tools of its own for this: {instead}.")
    return settings.database_path


@command.command("check")
@settings_options
@json_option
def check(*, is_json: bool, **flags: str | None) -> int:
    """Read the whole database and look for damage. Exit code 1 when something is found.

    \b
    Example:
      hookspan db check --database-url sqlite:////backup/hookspan.db
    """
    path = _sqlite_path(flags, "pg_amcheck finds damage; see docs/operating/backup.md")
    problems: list[str] = []
    with reading(path) as database:
        found = [str(row[0]) for row in database.execute(f"pragma integrity_check({PROBLEMS_MAX})")]
        problems += [line for line in found if line != "ok"]
        for table, row, parent, _ in database.execute("pragma foreign_key_check"):
            problems.append(f"{table} row {row} refers to a missing row of {parent}")
            if len(problems) >= PROBLEMS_MAX:
                break
    if is_json:
        say_json({"path": str(path), "is_sound": not problems, "problems": problems})
    else:
        for line in problems:
            click.echo(bad(line))
        click.echo(bad(f"✗ {path} is damaged") if problems else f"{good('✓')} {path} is sound")
    return Exit.FAILED if problems else Exit.OK


@command.command("backup", short_help="Copy the database, also while a server runs.")
@click.argument("to", type=click.Path(path_type=Path, dir_okay=False), metavar="TO")
@settings_options
def backup(to: Path, **flags: str | None) -> None:
    """Copy the database to the new file TO, as it is at this moment, also while a server runs.

    \b
    Example:
      hookspan db backup /backup/hookspan-$(date +%F).db

    Keep encryption.key too, in another place: without it webhook credentials in the copy can't be read.
    """
    source = _sqlite_path(flags, "pg_dump or pg_basebackup; see docs/operating/backup.md")
    if to.exists():
        raise click.UsageError(f"{to} exists already; a backup never overwrites a file.")
    partial = to.with_name(to.name + ".partial")
    try:
        with reading(source) as database:
            _copy(database, partial)
        os.link(partial, to)  # the name appears only for a whole copy, and never over another file
    except OSError as error:
        raise ConfigurationError(f"Can't write {to}: {error.strerror}.") from error
    finally:
        for leftover in (partial, partial.with_name(partial.name + "-journal")):
            leftover.unlink(missing_ok=True)
    click.echo(f"{good('✓')} {to} ({to.stat().st_size:,} bytes)")


def _copy(source: apsw.Connection, to: Path) -> None:
    """SQLite's online backup. One read transaction spans it, so that a busy server can't make it start over."""
    to.unlink(missing_ok=True)
    os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    target = apsw.Connection(str(to))
    try:
        source.execute("begin")
        source.pragma("schema_version")  # the snapshot is taken by the first read
        with target.backup("main", source, "main") as copying:
            copying.step(0)
            with click.progressbar(
                length=copying.page_count, label="Copying", file=sys.stderr, hidden=not sys.stderr.isatty()
            ) as bar:
                left = copying.remaining
                while not copying.done:
                    copying.step(BACKUP_PAGES)
                    bar.update(left - copying.remaining)
                    left = copying.remaining
        source.execute("rollback")
        target.pragma("journal_mode", "delete")  # one file, and one file still when somebody has read it
    finally:
        target.close()


@contextlib.contextmanager
def reading(path: Path) -> Iterator[apsw.Connection]:
    """A connection that can't write. SQLite's errors become one line each."""
    if not path.exists():
        raise ConfigurationError(f"There is no database at {path}; `hookspan serve` makes it at its first start.")
    database = None
    try:
        database = apsw.Connection(f"{path.resolve().as_uri()}?mode=ro", flags=_READ_ONLY)
        database.set_busy_timeout(BUSY_TIMEOUT_MS)
        yield database
    except apsw.BusyError as error:
        raise StoreUnavailable(f"{path} is locked by a running server; try again, or stop it first.") from error
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise StoreUnavailable(
            f"{path} is damaged or no SQLite database: {error}. Restore your last backup."
        ) from error
    except apsw.Error as error:
        raise StoreUnavailable(f"{path}: {error}.") from error
    finally:
        if database is not None:
            database.close()


command.add_command(copy)
command.add_command(move)
command.add_command(inbox)
_READ_ONLY = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI


def _bytes_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
