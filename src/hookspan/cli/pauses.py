"""`hookspan pauses`: what is paused."""

from typing import Any

import click

from hookspan.cli._access import all_of, reaching, say_list
from hookspan.cli._output import Exit, json_option
from hookspan.cli._pausing import PATH
from hookspan.cli._remote import remote, remote_options

_COLUMNS = ("id", "scope", "profile", "application_id", "paused_at", "reason")


@click.command("pauses", short_help="List what is paused.")
@remote_options
@json_option
@reaching
def command(*, is_json: bool, **flags: Any) -> int:
    """Print the pauses in force, newest first.

    \b
    Example:
      hookspan pauses --json
    """
    with remote(**flags) as client:
        found = all_of(client, PATH)
    if found or is_json:
        say_list(found, _COLUMNS, is_json=is_json)
    else:
        click.echo("Nothing is paused.")
    return Exit.OK
