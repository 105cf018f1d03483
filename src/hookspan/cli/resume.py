"""`hookspan resume`: let sending go on."""

from typing import Any

import click

from hookspan.cli._access import all_of, below, plain, reaching
from hookspan.cli._client import ApiClient
from hookspan.cli._output import Exit, dim, good, json_option, say_json
from hookspan.cli._pausing import PATH, Pause, begun, is_same, scope_options, wanted, what
from hookspan.cli._remote import remote, remote_options
from hookspan.errors import StateForbidden

_NAMED_MAX = 10


@click.command("resume", short_help="Let sending go on that was paused.")
@scope_options
@click.option("--all-pauses", is_flag=True, help="End every pause, whatever it is of.")
@remote_options
@json_option
@reaching
def command(*, profile: str | None, application: str | None, all_pauses: bool, is_json: bool, **flags: Any) -> int:
    """Let sending go on: end the pause of everything, or of one profile, or of one application.

    What has waited leaves, in each webhook's order and rate. Pauses of another scope stay in force, unless --all-pauses
    ends them all.

    \b
    Examples:
      hookspan resume
      hookspan resume --application app_sample
      hookspan resume --all-pauses
    """
    if all_pauses and (profile is not None or application is not None):
        raise click.UsageError("--all-pauses ends them all: name no profile and no application with it.")
    asked = wanted(profile, application)
    with remote(**flags) as client:
        found = all_of(client, PATH)
        ending = found if all_pauses else [one for one in found if is_same(one, asked)]
        if not ending and not all_pauses:
            raise StateForbidden(f"Not paused: {what(asked)}. {_others(len(found))}".rstrip())
        ended = [_end(client, one) for one in ending]
    if is_json:
        say_json(ended)
        return Exit.OK
    others = [one for one in found if one not in ending]
    for one in ended:
        click.echo(f"{good('✓')} {_said(one, others)}")
    if not ended:
        click.echo("Nothing is paused.")
    elif others:
        click.echo(dim(f"  {_others(len(others))}"), err=True)
    return Exit.OK


def _end(client: ApiClient, pause: Pause) -> Pause:
    ended: Pause = client.call("DELETE", below(PATH, pause["id"]))
    return ended


def _said(ended: Pause, others: list[Pause]) -> str:
    """What goes on, and what does not: a pause of all, or of a profile, holds whom it is about also without others."""
    if not others:
        return f"{begun(what(ended))} goes on."
    names = [_name(one) for one in others[:_NAMED_MAX]]
    if len(others) > _NAMED_MAX:
        names.append(f"{len(others) - _NAMED_MAX:,} more")
    if ended["scope"] == "all":
        return f"Sending goes on, but for: {', '.join(names)}."
    return f"The pause of {what(ended)} is over. Paused still: {', '.join(names)}."


def _name(pause: Pause) -> str:
    match pause["scope"]:
        case "profile":
            return f"profile {plain(pause['profile'])}"
        case "application":
            return plain(pause["application_id"] or "an application that is deleted")
        case _:
            return "all sending"


def _others(count: int) -> str:
    if not count:
        return ""
    if count == 1:
        return "1 other pause is in force; `hookspan pauses` shows it."
    return f"{count:,} other pauses are in force; `hookspan pauses` lists them."
