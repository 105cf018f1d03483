"""`hookspan db copy`: from SQLite to PostgreSQL."""

import sys
import time
from typing import Any

import click

from hookspan.cli._options import settings_from, settings_options
from hookspan.cli._output import good, json_option, say_json
from hookspan.errors import ConfigurationError
from hookspan.settings import COPY_TO_VARIABLE
from hookspan.store.copying import Copied, Source, Step, Target, copy_database

_WORDS = {"copying": "Copying", "comparing": "Comparing"}


@click.command("copy", short_help="Copy a SQLite database into an empty PostgreSQL one.")
@click.option(
    "--to",
    "url",
    metavar="URL",
    required=True,
    envvar=COPY_TO_VARIABLE,
    help=f"postgresql://user@host/name of an empty database  [{COPY_TO_VARIABLE}]",
)
@settings_options
@json_option
def copy(url: str, *, is_json: bool, **flags: str | None) -> None:
    """Copy the SQLite database into an empty PostgreSQL one, and compare them row by row.

    \b
    Example:
      hookspan db copy --to postgresql://hookspan@db.example.com/hookspan

    Stop the server first. A copy that was interrupted goes on where it stood when it is run again; nothing is served
    from one that is not whole. A password in the URL can be seen in the list of processes: put it into
    HOOKSPAN_COPY_TO, PGPASSWORD or ~/.pgpass. Start the new servers with the encryption key of the old one: without it
    webhook credentials can't be read.
    """
    from hookspan.store.postgres import PostgresTarget
    from hookspan.store.sqlite import SqliteSource

    settings = settings_from(**flags)
    if settings.is_shared:
        raise ConfigurationError("database_url is PostgreSQL already: name the SQLite database to be copied.")
    with SqliteSource(settings.database_path) as source, PostgresTarget(url, _now_ms()) as target:
        copied = _copy(source, target)
    if is_json:
        say_json({"rows": copied.rows, "rows_mended": copied.rows_mended})
        return
    count = sum(copied.rows.values())
    click.echo(f"{good('✓')} {count:,} rows copied, and the same on both sides")
    if copied.rows_mended:
        click.echo(f"  in {copied.rows_mended:,} of them a NUL was replaced, which PostgreSQL can't keep in a text")
    click.echo("  serve from it with HOOKSPAN_DATABASE_URL and the same HOOKSPAN_ENCRYPTION_KEY")


def _copy(source: Source, target: Target) -> Copied:
    """With a bar for each phase."""
    bar: Any = None
    phase = ""

    def told(step: Step) -> None:
        nonlocal bar, phase
        if step.phase != phase:
            if bar is not None:
                bar.__exit__(None, None, None)
            phase = step.phase
            bar = click.progressbar(
                length=step.total, label=_WORDS[phase], file=sys.stderr, hidden=not sys.stderr.isatty()
            )
            bar.__enter__()
        bar.update(step.done - bar.pos)

    try:
        return copy_database(source, target, told)
    except KeyboardInterrupt:
        click.echo("\nInterrupted. The same command goes on where it stood.", err=True)
        raise
    finally:
        if bar is not None:
            bar.__exit__(None, None, None)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
