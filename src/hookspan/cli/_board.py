"""The demo's live table: one row for each event, redrawn in place on a terminal that has room; everywhere else each row
is printed once, when it is settled.
"""

import enum
import shutil
import sys
from collections.abc import Sequence
from typing import TextIO

import click

from hookspan.cli._output import bad, dim, good, strong


class Stage(enum.Enum):
    """How far an event has come."""

    WAITING = enum.auto()
    PUBLISHED = enum.auto()
    VERIFIED = enum.auto()
    FAILED = enum.auto()


class Row:
    """One event on the board."""

    def __init__(self, group: str, event_type: str) -> None:
        self.group = group
        self.event_type = event_type
        self.stage = Stage.WAITING
        self.note = ""

    def text(self, width: int) -> str:
        """The row as a line."""
        name = self.event_type.ljust(width)
        match self.stage:
            case Stage.WAITING:
                return dim(f"    · {name}")
            case Stage.PUBLISHED:
                return f"    {click.style('→', fg='yellow')} {name}  {dim('on its way')}"
            case Stage.VERIFIED:
                return f"    {good('✓')} {name}  {good('verified')}  {dim(self.note)}"
            case Stage.FAILED:
                return f"    {bad('✗')} {name}  {bad(self.note)}"


class Board:
    """All rows, by group in the order given. `update` after each change."""

    def __init__(self, rows: Sequence[Row], notes: dict[str, str], stream: TextIO | None = None) -> None:
        self._rows = rows
        self._notes = notes  # beside each group's title
        self._out = stream or sys.stdout
        lines = len(rows) + 2 * len({row.group for row in rows})
        # What has scrolled off the top can't be drawn again.
        self._is_live = self._out.isatty() and lines < shutil.get_terminal_size().lines
        self._width = max((len(row.event_type) for row in rows), default=0)
        self._drawn_lines = 0
        self._told: set[int] = set()

    def update(self) -> None:
        """Show the present state."""
        if self._is_live:
            self._redraw()
        else:
            self._tell_settled()

    def _redraw(self) -> None:
        lines: list[str] = []
        group = None
        for row in self._rows:
            if row.group != group:
                group = row.group
                lines += ["", self._title(group)]
            lines.append(row.text(self._width))
        up = f"\x1b[{self._drawn_lines}F" if self._drawn_lines else ""
        self._out.write(up + "".join(f"\x1b[2K{line}\n" for line in lines))
        self._out.flush()
        self._drawn_lines = len(lines)

    def _tell_settled(self) -> None:
        for number, row in enumerate(self._rows):
            if number in self._told or row.stage not in (Stage.VERIFIED, Stage.FAILED):
                continue
            if not any(self._rows[told].group == row.group for told in self._told):
                click.echo(f"\n{self._title(row.group)}", file=self._out)
            self._told.add(number)
            click.echo(row.text(self._width), file=self._out)

    def _title(self, group: str) -> str:
        return f"  {strong(group)}  {dim(self._notes.get(group, ''))}"
