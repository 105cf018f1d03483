"""`hookspan users`: the people who may come in, on a running server."""

from typing import Any

import click

from hookspan.cli._access import ROLES, all_of, application_option, below, plain, reaching, say_list
from hookspan.cli._output import Exit, good, json_option, say_json
from hookspan.cli._remote import remote, remote_options

_PATH = "/v1/people"
_COLUMNS = ("id", "name", "role", "application_id", "last_seen_at")
_expires_option = click.option(
    "--expires-in", metavar="SECONDS", type=click.IntRange(60, 604_800), help="How long the link works.  [default: 900]"
)


@click.group("users", short_help="Invite people, list, change and remove them.")
def command() -> None:
    """Invite people, list, change and remove them.

    There are no passwords and no mail: a link signs somebody in, once. Hand it over yourself.
    """


@command.command("invite")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What they may do.")
@application_option
@_expires_option
@remote_options
@json_option
@reaching
def invite(
    *, name: str, role: str, application: str | None, expires_in: int | None, is_json: bool, **flags: Any
) -> int:
    """Invite NAME, and print a link that signs them in once. Without --application they are of the operator.

    \b
    Examples:
      hookspan users invite Ada --role admin
      hookspan users invite "Customer's own" --role support --application app_sample --expires-in 86400
    """
    given = {"name": name, "role": role, "application_id": application, **_expiring(expires_in)}
    with remote(**flags) as client:
        _say_link(client.call("POST", _PATH, given), is_json=is_json)
    return Exit.OK


@command.command("link")
@click.argument("person", metavar="PERSON")
@_expires_option
@remote_options
@json_option
@reaching
def link(*, person: str, expires_in: int | None, is_json: bool, **flags: Any) -> int:
    """Print a new link for PERSON, to sign in again. The link before it ends; open sessions stay.

    \b
    Example:
      hookspan users link per_3ALQkvYdcEn2GvRgFG1Bq5h
    """
    with remote(**flags) as client:
        _say_link(client.call("POST", f"{below(_PATH, person)}/link", _expiring(expires_in)), is_json=is_json)
    return Exit.OK


@command.command("list")
@remote_options
@json_option
@reaching
def list_people(*, is_json: bool, **flags: Any) -> int:
    """Print everybody within reach, newest first.

    \b
    Example:
      hookspan users list --json
    """
    with remote(**flags) as client:
        say_list(all_of(client, _PATH), _COLUMNS, is_json=is_json)
    return Exit.OK


@command.command("role")
@click.argument("person", metavar="PERSON")
@click.argument("role", type=click.Choice(ROLES))
@remote_options
@json_option
@reaching
def change_role(*, person: str, role: str, is_json: bool, **flags: Any) -> int:
    """Give PERSON another role. It is in force at once, in open sessions too.

    \b
    Example:
      hookspan users role per_3ALQkvYdcEn2GvRgFG1Bq5h member
    """
    with remote(**flags) as client:
        changed = client.call("PATCH", below(_PATH, person), {"role": role})
    if is_json:
        say_json(changed)
    else:
        click.echo(f"{good('✓')} {plain(changed['name'])} is {changed['role']} now.")
    return Exit.OK


@command.command("remove")
@click.argument("person", metavar="PERSON")
@remote_options
@json_option
@reaching
def remove(*, person: str, is_json: bool, **flags: Any) -> int:
    """Remove PERSON. Their sessions end at once.

    \b
    Example:
      hookspan users remove per_3ALQkvYdcEn2GvRgFG1Bq5h
    """
    with remote(**flags) as client:
        client.call("DELETE", below(_PATH, person))
    if is_json:
        say_json({"id": person, "is_removed": True})
    else:
        click.echo(f"{good('✓')} {plain(person)} is removed; their sessions have ended.")
    return Exit.OK


def _expiring(expires_in: int | None) -> dict[str, int]:
    return {} if expires_in is None else {"expires_in": expires_in}


def _say_link(invited: dict[str, Any], *, is_json: bool) -> None:
    """The link alone goes to standard output, so that a script can take it."""
    if is_json:
        say_json(invited)
        return
    click.echo(f"{plain(invited['name'])} ({invited['id']}) signs in by this, once, until", err=True, nl=False)
    click.echo(f" {invited['link_expires_at']}:", err=True)
    click.echo(invited["link"])
