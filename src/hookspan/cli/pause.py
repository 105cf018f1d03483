"""`hookspan pause`: stop sending for a while."""

from typing import Any

import click

from hookspan.cli._access import all_of, plain, reaching
from hookspan.cli._output import Exit, dim, good, json_option, say_json
from hookspan.cli._pausing import PATH, begun, is_same, scope_options, wanted, what
from hookspan.cli._remote import remote, remote_options


@click.command("pause", short_help="Stop sending: of everything, a profile or an application.")
@scope_options
@click.option("--reason", metavar="TEXT", default="", help="Why; the applications' people see it too.")
@remote_options
@json_option
@reaching
def command(*, profile: str | None, application: str | None, reason: str, is_json: bool, **flags: Any) -> int:
    """Stop sending: of everything, or of one profile, or for one application.

    Events are taken in and kept meanwhile, and their deliveries wait. The time until `hookspan resume` spends nothing
    of their retries. What is paused already stays so.

    \b
    Examples:
      hookspan pause --reason "Our address changes"
      hookspan pause --application app_sample --reason "Their receiver is being moved"
      hookspan pause --profile standard
    """
    asked = {**wanted(profile, application), "reason": reason}
    with remote(**flags) as client:
        before = all_of(client, PATH)
        made = client.call("POST", PATH, asked)
    is_new = all(one["id"] != made["id"] for one in before if is_same(one, made))
    if is_json:
        say_json(made)
        return Exit.OK
    if is_new:
        click.echo(f"{good('✓')} {begun(what(made))} is paused. Events are taken in and wait.")
        click.echo(dim(f"  {_resume(made)} lets it go on."), err=True)
    else:
        because = f": {plain(made['reason'])}" if made["reason"] else ""
        click.echo(f"{begun(what(made))} is paused already, since {made['paused_at']}{because}")
        if reason and reason != made["reason"]:
            click.echo(f"  The reason given was not taken. To give another, {_resume(made)} first.", err=True)
    return Exit.OK


def _resume(made: dict[str, Any]) -> str:
    flag = {"profile": "--profile", "application": "--application"}.get(made["scope"])
    named = made["profile"] or made["application_id"]
    return "hookspan resume" if flag is None else f"hookspan resume {flag} {plain(named)}"
