"""`hookspan keys`: show and make the keys of this installation."""

import click

from hookspan.cli._options import settings_from, settings_options
from hookspan.cli._output import json_option, say_json
from hookspan.errors import ConfigurationError
from hookspan.keys import ENCRYPTION_KEY_FILE, OPERATOR_KEY_FILE, find_operator_key, replace_operator_key
from hookspan.settings import new_encryption_key, new_operator_key


@click.group("keys", short_help="Show the operator key, make new keys.")
def command() -> None:
    """Show the operator key, make new keys.

    The operator key opens the whole API. The encryption key seals webhook credentials in the database; it is never
    shown, and without it they can't be read: back it up beside the database.
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
            f"There is no operator key in {settings.data_folder} yet; `hookspan serve` makes one at its first start."
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
