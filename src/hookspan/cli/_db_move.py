"""`hookspan db move-application`: from one cell to another, while both serve."""

import sys
import time
from pathlib import Path
from typing import Any, Self

import click

from hookspan.cli._options import settings_from, settings_options
from hookspan.cli._output import good, json_option, say_json
from hookspan.errors import ConfigurationError
from hookspan.settings import MOVE_FROM_VARIABLE, MOVE_TO_VARIABLE, decode_encryption_key
from hookspan.store.copying import Step
from hookspan.store.moving import Moved, MoveLimits

_WORDS = {
    "copying": "Copying while it is served",
    "freezing": "Freezing it",
    "draining": "Waiting for what is in flight",
    "comparing": "Copying the rest, and comparing",
    "arriving": "Switching over",
    "arrived": "It is served from the target",
    "left": "The source has let go of it",
}
_WITH_BARS = ("copying", "comparing")
_URL_BYTES_MAX = 65_536


@click.command("move-application", short_help="Move an application to another PostgreSQL, while both serve.")
@click.argument("application", metavar="APPLICATION")
@click.option(
    "--from", "source", metavar="URL", envvar=MOVE_FROM_VARIABLE, help=f"Where it is.  [{MOVE_FROM_VARIABLE}]"
)
@click.option("--to", "target", metavar="URL", envvar=MOVE_TO_VARIABLE, help=f"Where it goes.  [{MOVE_TO_VARIABLE}]")
@click.option("--from-file", "source_file", metavar="FILE", help="Read the URL of --from from a file.")
@click.option("--to-file", "target_file", metavar="FILE", help="Read the URL of --to from a file.")
@click.option(
    "--wait",
    "wait_s",
    metavar="SECONDS",
    type=click.IntRange(1, 3_600),
    help="How long what is in flight may take.  [default: 90]",
)
@click.option("--dry-run", "is_dry", is_flag=True, help="Check both sides and count; write nothing.")
@click.option("--undo", "is_undo", is_flag=True, help="Give up a move that was interrupted: the source goes on.")
@settings_options
@json_option
def move(
    application: str, *, wait_s: int | None, is_dry: bool, is_undo: bool, is_json: bool, **given: str | None
) -> None:
    """Move APPLICATION with all that it has from one PostgreSQL (cell) to another, while nodes serve both.

    \b
    Example:
      hookspan db move-application acme --to postgresql://hookspan@cell2.example.com/hookspan

    Nothing is lost, and nothing is sent twice. For some seconds at the end publishers of this application get 503, then
    404 from the source: send them to the target (docs/operating/cells.md). A run that was interrupted goes on, or is
    given up with --undo. Without --from the application is in the database of the settings. Name servers directly, not
    through a pooler. A password in a URL can be seen in the list of processes: put it into HOOKSPAN_MOVE_FROM and
    HOOKSPAN_MOVE_TO, into files, PGPASSWORD or ~/.pgpass.
    """
    from hookspan.store.postgres import Cell, Move
    from hookspan.vault import Vault

    if is_dry and is_undo:
        raise click.UsageError("--dry-run and --undo exclude each other.")
    here, there = (
        _url("--from", given.pop("source"), given.pop("source_file")),
        _url("--to", given.pop("target"), given.pop("target_file")),
    )
    settings = settings_from(**given)
    if there is None:
        raise click.UsageError(f"Name the database to move to: --to, --to-file or {MOVE_TO_VARIABLE}.")
    if not settings.encryption_key:
        raise ConfigurationError("Both databases must have the same encryption key: give it, HOOKSPAN_ENCRYPTION_KEY.")
    vault = Vault(decode_encryption_key(settings.encryption_key))
    limits = MoveLimits() if wait_s is None else MoveLimits(drain_time_max_s=wait_s)
    with Cell(here or settings.database_url) as from_, Cell(there) as to:
        bars = _Bars(is_quiet=is_json)
        one = Move(from_, to, application, vault.opens_check_value, bars.tell, limits)
        if is_undo:
            one.undo()
            moved = Moved({})
        else:
            with bars:
                moved = one.look() if is_dry else one.run()
    if is_json:
        what = "undone" if is_undo else "counted" if is_dry else "moved"
        say_json({"application": application, "did": what, "rows": moved.rows, **_numbers(moved)})
        return
    _say(application, moved, from_.where, to.where, is_dry=is_dry, is_undo=is_undo)


def _url(option: str, given: str | None, file: str | None) -> str | None:
    if given is not None and file is not None:
        raise click.UsageError(f"{option} and {option}-file exclude each other.")
    if file is None:
        return given
    try:
        with Path(file).open(encoding="utf-8") as opened:
            return opened.read(_URL_BYTES_MAX).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{option}-file: can't read {file}.") from error


def _numbers(moved: Moved) -> dict[str, int]:
    return {"rows_copied": moved.rows_copied, "frozen_ms": moved.frozen_ms}


def _say(application: str, moved: Moved, source: str, target: str, *, is_dry: bool, is_undo: bool) -> None:
    if is_undo:
        click.echo(f"{good('✓')} {application} is served from {source} as before; {target} has forgotten it")
        return
    if is_dry:
        for table, count in moved.rows.items():
            click.echo(f"{table:<17}{count:>15,}")
        click.echo(f"{sum(moved.rows.values()):,} rows would be moved from {source} to {target}")
        return
    click.echo(f"{good('✓')} {application}: {sum(moved.rows.values()):,} rows, the same on both sides")
    if moved.frozen_ms:
        click.echo(f"  served by nobody for {moved.frozen_ms / 1000:.1f} s")
    click.echo(f"  send its publishers to the nodes of {target}")


class _Bars:
    """What is going on, on stderr: a line for each phase, and a bar with rate and time left where it is about rows."""

    def __init__(self, *, is_quiet: bool) -> None:
        self._is_quiet = is_quiet
        self._phase = ""
        self._bar: Any = None
        self._began_s = 0.0

    def tell(self, step: Step) -> None:
        if self._is_quiet:
            return
        if step.phase != self._phase:
            self._begin(step)
        if self._bar is not None:
            self._bar.update(step.done - self._bar.pos, f"{self._rate(step.done):,.0f} rows/s")

    def _begin(self, step: Step) -> None:
        self._end()
        self._phase = step.phase
        self._began_s = time.monotonic()
        if step.phase in _WITH_BARS and sys.stderr.isatty():
            self._bar = click.progressbar(
                length=step.total,
                label=_WORDS[step.phase],
                file=sys.stderr,
                show_pos=True,
                item_show_func=lambda shown: shown,
            )
            self._bar.__enter__()
        else:
            click.echo(_WORDS[step.phase], err=True)

    def _rate(self, done: int) -> float:
        return done / max(time.monotonic() - self._began_s, 0.001)

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
