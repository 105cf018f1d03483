"""`hookspan version`."""

import platform

import click

from hookspan import __version__
from hookspan.cli._output import json_option, say_json


@click.command("version", short_help="Say which Hookspan this is.")
@json_option
def command(*, is_json: bool) -> None:
    """Say which Hookspan this is, and what it runs on.

    \b
    Example:
      hookspan version --json
    """
    import apsw

    versions = {
        "hookspan": __version__,
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
        "platform": platform.platform(),
    }
    if is_json:
        say_json(versions)
    else:
        click.echo(" · ".join(f"{name} {version}" for name, version in versions.items()))
