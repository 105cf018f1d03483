"""How the command line speaks: exit codes, one-line errors, JSON for programs."""

import enum
import sys
from typing import Any

import click
import msgspec

from hookspan.errors import HookspanError


class Exit(enum.IntEnum):
    """What a script can count on. 2, wrong usage, is click's own."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CANT_START = 3
    UNREACHABLE = 4
    INTERRUPTED = 130


json_option = click.option("--json", "is_json", is_flag=True, help="Print JSON for programs.")


def say_json(value: Any) -> None:
    """Print one JSON document."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def say_error(error: HookspanError, *, is_json: bool) -> None:
    """One line on stderr, and one more for each place that is wrong; or one JSON document."""
    if is_json:
        document = {"code": error.code, "detail": error.detail, "errors": error.errors, **error.data}
        click.echo(msgspec.json.encode(document), err=True)
        return
    click.echo(f"{click.style('hookspan:', fg='red', bold=True)} {error.detail}", err=True)
    sentence = error.data.get("detail", error.detail)  # a server's, before status and code were put behind it
    for fault in error.errors:
        said = "" if fault.detail == sentence else f": {fault.detail}"
        if fault.pointer or said:
            click.echo(f"  at {fault.pointer or '/'}{said}", err=True)


def confirm(question: str) -> None:
    """Ask on standard error. Raises click.Abort for no, and click.UsageError where nobody is there to ask."""
    try:
        is_wanted = click.confirm(question, err=True)
    except click.Abort:  # Ctrl-C, or the end of the input
        if sys.stdin.isatty():
            raise
        click.echo("", err=True)
        raise click.UsageError("There is no terminal to ask on: give --yes.") from None
    if not is_wanted:
        raise click.Abort


def printable(text: str) -> str:
    """What others have written, as a terminal may show it: names take any text, and some texts command terminals."""
    return "".join(letter if letter.isprintable() else "·" for letter in text)


def good(text: str) -> str:
    """Green, for what went well."""
    return click.style(text, fg="green")


def bad(text: str) -> str:
    """Red, for what did not."""
    return click.style(text, fg="red")


def dim(text: str) -> str:
    """Grey, for what is beside the point."""
    return click.style(text, dim=True)


def strong(text: str) -> str:
    """Bold."""
    return click.style(text, bold=True)
