"""`hookspan db inbox`: what was published in SQL and waits, or was refused."""

import time

import click
import msgspec

from hookspan.cli._options import settings_from, settings_options
from hookspan.cli._output import Exit, bad, confirm, dim, good, json_option, printable, say_error, say_json
from hookspan.domain import times
from hookspan.errors import ConfigurationError, NotFound

SHOWN = 20
SHOWN_MAX = 1_000


@click.group("inbox", short_help="What was published in SQL and waits, or was refused.", invoke_without_command=True)
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(0, SHOWN_MAX),
    default=SHOWN,
    show_default=True,
    help="Refused ones shown.",
)
@settings_options
@json_option
@click.pass_context
def inbox(context: click.Context, /, *, limit: int, is_json: bool, **flags: str | None) -> None:
    """Say how many events of hookspan.publish() wait to be taken in, since when, and which were refused and why, the
    newest first. On PostgreSQL only.

    \b
    Examples:
      hookspan db inbox --json
      hookspan db inbox retry 1042
      hookspan db inbox drop --all
    """
    if context.invoked_subcommand is not None:
        return
    from hookspan.store.postgres import look_at_inbox

    found = look_at_inbox(_url(flags), limit)
    if is_json:
        say_json(msgspec.to_builtins(found))
        return
    since = "" if found.oldest_at is None else f"  {dim('the oldest for ' + _age(found.oldest_at))}"
    click.echo(f"waiting {found.waiting:>8,}{since}")
    click.echo(f"refused {found.refused:>8,}")
    for one in found.newest:
        where = "" if one.pointer is None else f" {printable(one.pointer)}"
        click.echo(
            f"\n{one.id}  {printable(one.application)}  {printable(one.type)}  {dim(times.to_text(one.refused_at))}"
        )
        click.echo(f"  {bad(one.code)}{where}: {printable(one.detail)}")
        click.echo(f"  {dim(f'published {times.to_text(one.published_at)} by {printable(one.published_by)}')}")


def _age(at_ms: int) -> str:
    return f"{max(0, time.time_ns() // 1_000_000 - at_ms) // 1000:,} s"


@inbox.command("retry", short_help="Put refused events back, to be tried again.")
@click.argument("ids", type=int, nargs=-1, metavar="[ID]...")
@click.option("--all", "is_all", is_flag=True, help="All that were refused.")
@settings_options
@json_option
def retry(ids: tuple[int, ...], *, is_all: bool, is_json: bool, **flags: str | None) -> int:
    """Put refused events back into the inbox, in their old places: when what was wrong was put right."""
    from hookspan.store.postgres import retry_refused

    wanted = _wanted(ids, is_all=is_all)
    return _say("put back", ids, retry_refused(_url(flags), wanted), is_json=is_json)


@inbox.command("drop")
@click.argument("ids", type=int, nargs=-1, metavar="[ID]...")
@click.option("--all", "is_all", is_flag=True, help="All that were refused.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@settings_options
@json_option
def drop(ids: tuple[int, ...], *, is_all: bool, yes: bool, is_json: bool, **flags: str | None) -> int:
    """Forget refused events for good: with --all it asks first. Others go by themselves after 30 days."""
    from hookspan.store.postgres import drop_refused, look_at_inbox

    wanted = _wanted(ids, is_all=is_all)
    if is_all and is_json and not yes:
        raise click.UsageError("--json asks nothing: give --yes with it.")
    url = _url(flags)
    if is_all and not yes and (count := look_at_inbox(url, 0).refused):
        confirm(f"Forget {'1 refused event' if count == 1 else f'{count:,} refused events'} for good?")
    return _say("dropped", ids, drop_refused(url, wanted), is_json=is_json)


def _wanted(ids: tuple[int, ...], *, is_all: bool) -> tuple[int, ...] | None:
    if bool(ids) == is_all:
        raise click.UsageError("Name the events by their numbers, or give --all.")
    return None if is_all else ids


def _say(what: str, ids: tuple[int, ...], done: list[int], *, is_json: bool) -> int:
    missing = sorted(set(ids) - set(done))
    if is_json:
        say_json({"did": what, "ids": done, "missing": missing})
    else:
        if done or not missing:
            click.echo(f"{good('✓')} {len(done):,} {what}")
        for one in missing:
            say_error(NotFound(f"No refused event has the number {one}."), is_json=False)
    return Exit.FAILED if missing else Exit.OK


def _url(flags: dict[str, str | None]) -> str:
    settings = settings_from(**flags)
    if not settings.is_shared:
        raise ConfigurationError("Publishing in SQL needs PostgreSQL, and the database is SQLite: there is no inbox.")
    return settings.database_url
