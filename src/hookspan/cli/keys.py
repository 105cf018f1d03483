"""`hookspan keys`: show and make the keys of this installation."""

from typing import Any

import click

from hookspan.cli._access import ROLES, all_of, application_option, below, plain, reaching, say_list
from hookspan.cli._options import settings_from, settings_options
from hookspan.cli._output import Exit, good, json_option, say_json
from hookspan.cli._remote import remote, remote_options
from hookspan.errors import ConfigurationError
from hookspan.keys import ENCRYPTION_KEY_FILE, OPERATOR_KEY_FILE, find_operator_key, replace_operator_key
from hookspan.settings import new_encryption_key, new_operator_key

_PATH = "/v1/keys"
_COLUMNS = ("id", "name", "scope", "application_id", "role", "hint", "last_used_at")


@click.group("keys", short_help="Show the operator key; create, list and revoke keys.")
def command() -> None:
    """Show the operator key; create, list and revoke keys.

    The operator key opens the whole API. The encryption key seals webhook credentials in the database; it is never
    shown, and without it they can't be read: back it up too, in another place. These two belong to the installation
    (show, new). Any number of further keys, with a scope and a role each, are made on a running server (create, list,
    revoke).
    """


@command.command("show")
@settings_options
@json_option
def show(*, is_json: bool, **flags: str | None) -> None:
    """Print the operator key, and where the keys are kept.

    \b
    Example:
      curl -H "Authorization: Bearer $(hookspan keys show)" http://127.0.0.1:8400/v1/applications
    """
    settings = settings_from(**flags)
    key = find_operator_key(settings)
    if key is None:
        raise ConfigurationError(
            f"There is no operator key in {settings.data_folder} yet, nor in HOOKSPAN_OPERATOR_KEY; `hookspan serve` "
            "makes one at its first start."
        )
    if is_json:
        given = "HOOKSPAN_OPERATOR_KEY" if settings.operator_key else str(settings.data_folder / OPERATOR_KEY_FILE)
        sealing = (
            "HOOKSPAN_ENCRYPTION_KEY" if settings.encryption_key else str(settings.data_folder / ENCRYPTION_KEY_FILE)
        )
        say_json({"operator_key": key, "operator_key_from": given, "encryption_key_from": sealing})
    else:
        click.echo(key)


@command.command("new")
@click.option("--kind", type=click.Choice(["operator", "encryption"]), default="operator", show_default=True)
@click.option("--save", is_flag=True, help="Keep the new operator key in the data folder instead of the present one.")
@settings_options
def new(*, kind: str, save: bool, **flags: str | None) -> None:
    """Make a fresh key and print it. Nothing changes unless --save is given; then at the server's next start.

    \b
    Examples:
      hookspan keys new --save
      hookspan keys new --kind encryption

    A fresh encryption key is for the first start only: give it as HOOKSPAN_ENCRYPTION_KEY then and at every later
    start, and keep a copy. A database that was begun with one key can't be opened with another.
    """
    if kind == "encryption" and save:
        raise click.UsageError(
            "A new encryption key can't read what the present one sealed, so it is not saved over it."
        )
    key = new_encryption_key() if kind == "encryption" else new_operator_key()
    if save:
        path = replace_operator_key(settings_from(**flags), key)
        click.echo(f"Kept in {path}; a running server takes it when it is started again.", err=True)
    click.echo(key)


@command.command("create")
@click.argument("name")
@click.option("--scope", type=click.Choice(["operator", "publisher", "application"]), required=True, help="Its reach.")
@application_option
@click.option("--role", type=click.Choice(ROLES), default="admin", show_default=True, help="What it may do there.")
@remote_options
@json_option
@reaching
def create(*, name: str, scope: str, application: str | None, role: str, is_json: bool, **flags: Any) -> int:
    """Create a key called NAME and print it, this once.

    A publisher's publishes, to all applications or to --application, and does nothing else. An application's sees only
    that application.

    \b
    Examples:
      hookspan keys create "Shop backend" --scope publisher
      hookspan keys create "Acme's own" --scope application --application app_sample --role support
    """
    given = {"name": name, "scope": scope, "application_id": application, "role": role}
    with remote(**flags) as client:
        made = client.call("POST", _PATH, given)
    if is_json:
        say_json(made)
    else:
        click.echo(f"{made['id']}: keep it now, it is not shown again.", err=True)
        click.echo(made["key"])
    return Exit.OK


@command.command("list", short_help="List the keys within reach, newest first.")
@remote_options
@json_option
@reaching
def list_keys(*, is_json: bool, **flags: Any) -> int:
    """Print the keys within reach, newest first, without their texts: `hint` is the end of each.

    \b
    Example:
      hookspan keys list --json
    """
    with remote(**flags) as client:
        say_list(all_of(client, _PATH), _COLUMNS, is_json=is_json)
    return Exit.OK


@command.command("revoke")
@click.argument("ident", metavar="KEY_ID")
@remote_options
@json_option
@reaching
def revoke(*, ident: str, is_json: bool, **flags: Any) -> int:
    """Revoke a key by its id (key_…), at once.

    \b
    Example:
      hookspan keys revoke key_3ALQkvYdcEn2GvRgFG1Bq5h
    """
    with remote(**flags) as client:
        client.call("DELETE", below(_PATH, ident))
    if is_json:
        say_json({"id": ident, "is_revoked": True})
    else:
        click.echo(f"{good('✓')} {plain(ident)} is revoked.")
    return Exit.OK
