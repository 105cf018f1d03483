"""The `hookspan` command: finds the subcommand, and turns refusals into one line and an exit code."""

import errno
import importlib
import os
import sys
from typing import Any

import click

from hookspan.cli._output import Exit, say_error
from hookspan.errors import ConfigurationError, HookspanError

COMMANDS = {  # name → module of hookspan.cli that holds it as `command`
    "serve": "serve",
    "demo": "demo",
    "publish": "publish",
    "replay": "replay",
    "pause": "pause",
    "resume": "resume",
    "pauses": "pauses",
    "profiles": "profiles",
    "keys": "keys",
    "users": "users",
    "audit": "audit",
    "db": "db",
    "version": "version",
}
_NO_ROOM = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}


class _Lazy(click.Group):
    """A group that imports a command only when it is used, so that `version` and `--help` answer at once."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found = importlib.import_module(f"hookspan.cli.{COMMANDS[cmd_name]}").command
        return found if isinstance(found, click.Command) else None


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def root() -> None:
    """Hookspan sends webhooks: publish once; kept, signed, delivered, retried, explained.

    \b
    First steps:
      hookspan demo             watch events arrive, verified, in half a minute
      hookspan serve --dev      a server to try things with
      hookspan COMMAND --help   what a command does, with an example

    \b
    Exit codes:
      0 done   1 refused or failed   2 wrong usage   3 can't start   4 no server there   130 interrupted
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit."""
    code = run(arguments)
    try:
        sys.stdout.flush()
    except OSError:  # said already; what is left must not fail once more at the very end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    is_json = "--json" in (sys.argv[1:] if arguments is None else arguments)
    try:
        code: Any = root.main(args=arguments, prog_name="hookspan", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as error:
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("", err=True)
        return Exit.INTERRUPTED
    except HookspanError as error:
        say_error(error, is_json=is_json)
        return Exit.CANT_START if isinstance(error, ConfigurationError) else Exit.FAILED
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        click.echo(f"hookspan: the output can't be written: {error.strerror}", err=True)
        return Exit.FAILED
    return int(code or 0)
