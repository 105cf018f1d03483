"""What `keys` and `users` share: lists from a running server, as tables or JSON."""

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import click

from hookspan.cli._client import ApiClient, Unreachable
from hookspan.cli._output import Exit, dim, printable, say_error, say_json

ROLES = ("admin", "support", "member")
_PAGE = 500
_PAGES_MAX = 100
_NAME_CHARS = 40

application_option = click.option("--application", metavar="APP", help="An application's id.")


def reaching(function: Callable[..., int]) -> Callable[..., int]:
    """A command that says so, and ends with the right code, where no server answers."""

    @functools.wraps(function)
    def reached(*, is_json: bool, **arguments: Any) -> int:
        try:
            return function(is_json=is_json, **arguments)
        except Unreachable as error:
            say_error(error, is_json=is_json)
            return Exit.UNREACHABLE

    return reached


def all_of(client: ApiClient, path: str) -> list[dict[str, Any]]:
    """A list of the API in whole, newest first."""
    return list(itertools.chain.from_iterable(_pages(client, path)))


def _pages(client: ApiClient, path: str) -> Iterator[list[dict[str, Any]]]:
    cursor = None
    for _ in range(_PAGES_MAX):
        page = client.call("GET", f"{path}?limit={_PAGE}" + (f"&cursor={quote(cursor, safe='')}" if cursor else ""))
        yield page["data"]
        cursor = page["next"]
        if cursor is None:
            return


def below(path: str, ident: str) -> str:
    """The address of one of a list. Whatever was typed is one part of it."""
    return f"{path}/{quote(ident, safe='')}"


def say_list(found: list[dict[str, Any]], columns: tuple[str, ...], *, is_json: bool) -> None:
    """A table with a line for each, or JSON."""
    if is_json:
        say_json(found)
        return
    rows = [columns, *(tuple(_cell(one[column]) for column in columns) for one in found)]
    widths = [max(len(row[number]) for row in rows) for number in range(len(columns))]
    for number, row in enumerate(rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.echo(dim(line) if number == 0 else line)


def plain(text: str) -> str:
    """A name as a terminal may show it, and not too long of it."""
    shown = printable(text)
    return shown if len(shown) <= _NAME_CHARS else f"{shown[: _NAME_CHARS - 1]}…"


def _cell(value: Any) -> str:
    return "-" if value is None else plain(str(value))
