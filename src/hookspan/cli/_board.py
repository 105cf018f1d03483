"""The demo's live table: one row for each event, redrawn in place on a terminal that has room.

In a smaller one rows are folded, to one line for each group of event types or for each profile. Where nothing can be
redrawn, as in a pipe, each row is printed once, when it is settled.
"""

import enum
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import TextIO

import click

from hookspan.cli._output import bad, dim, good, strong

# A line that is too long is cut off rather than wrapped: the board must know how many lines it has drawn.
_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"


class Stage(enum.Enum):
    """How far an event has come."""

    WAITING = enum.auto()
    PUBLISHED = enum.auto()
    VERIFIED = enum.auto()
    FAILED = enum.auto()


class Row:
    """One event on the board: of a profile (`group`) and, where its catalog has them, of a `category` there."""

    def __init__(self, group: str, event_type: str, category: str | None = None) -> None:
        self.group = group
        self.event_type = event_type
        self.category = category or event_type
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


class _Line:
    """What the board draws as one line: a row, or several under one name."""

    def __init__(self, group: str, name: str) -> None:
        self.group = group
        self._name = name
        self.rows: list[Row] = []

    @property
    def name(self) -> str:
        return self.rows[0].event_type if len(self.rows) == 1 else self._name

    def text(self, width: int) -> str:
        if len(self.rows) == 1:
            return self.rows[0].text(width)
        name = self.name.ljust(width)
        stages = [row.stage for row in self.rows]
        verified = f"{stages.count(Stage.VERIFIED)} of {len(stages)} verified"
        failed = [row for row in self.rows if row.stage is Stage.FAILED]
        if failed:
            return f"    {bad('✗')} {name}  {bad(f'{verified}; {failed[0].event_type} {failed[0].note}')}"
        if all(stage is Stage.VERIFIED for stage in stages):
            return f"    {good('✓')} {name}  {good(verified)}"
        if all(stage is Stage.WAITING for stage in stages):
            return dim(f"    · {name}")
        waited_for = next((row.event_type for row in self.rows if row.stage is Stage.PUBLISHED), "")
        return f"    {click.style('→', fg='yellow')} {name}  {dim(f'{verified}  {waited_for}')}"


# How rows may be put together, the finest first: the names of their lines.
_FOLDS: tuple[Callable[[Row], str], ...] = (
    lambda row: row.event_type,
    lambda row: row.category,
    lambda _row: "event types",
)


class Board:
    """All rows, by group in the order given. `update` after each change, `finish` after the last."""

    def __init__(self, rows: Sequence[Row], notes: dict[str, str], stream: TextIO | None = None) -> None:
        self._rows = rows
        self._notes = notes  # beside each group's title
        self._out = stream or sys.stdout
        self._lines = _fitting(rows, shutil.get_terminal_size().lines) if self._out.isatty() else None
        self._widths: dict[str, int] = {}  # of each group's names
        for line in self._lines or _folded(rows, _FOLDS[0]):
            self._widths[line.group] = max(len(line.name), self._widths.get(line.group, 0))
        self._drawn_lines = 0
        self._told: set[int] = set()

    def update(self) -> None:
        """Show the present state."""
        if self._lines is not None:
            self._redraw(self._lines)
        else:
            self._tell_settled()

    def finish(self) -> None:
        """Every row that failed, by itself, where the board had no room for it."""
        failed = [row for row in self._rows if row.stage is Stage.FAILED]
        if failed and self._lines is not None and len(self._lines) < len(self._rows):
            width = max(len(row.event_type) for row in failed)
            click.echo("\n" + "\n".join(row.text(width) for row in failed), file=self._out)

    def _redraw(self, board: Sequence[_Line]) -> None:
        lines: list[str] = []
        group = None
        for line in board:
            if line.group != group:
                group = line.group
                lines += ["", self._title(group)]
            lines.append(line.text(self._widths[line.group]))
        up = f"\x1b[{self._drawn_lines}F" if self._drawn_lines else ""
        self._out.write(_NO_WRAP + up + "".join(f"\x1b[2K{line}\n" for line in lines) + _WRAP)
        self._out.flush()
        self._drawn_lines = len(lines)

    def _tell_settled(self) -> None:
        """Group by group: a row that is settled before those of an earlier group waits for them."""
        unsettled = None
        for number, row in enumerate(self._rows):
            if unsettled is not None and row.group != unsettled:
                return
            if row.stage not in (Stage.VERIFIED, Stage.FAILED):
                unsettled = row.group
            elif number not in self._told:
                if row.group not in {self._rows[told].group for told in self._told}:
                    click.echo(f"\n{self._title(row.group)}", file=self._out)
                self._told.add(number)
                click.echo(row.text(self._widths[row.group]), file=self._out)

    def _title(self, group: str) -> str:
        return f"  {strong(group)}  {dim(self._notes.get(group, ''))}"


def _fitting(rows: Sequence[Row], terminal_lines: int) -> list[_Line] | None:
    """The finest lines that fit, with a title and an empty line for each group; what has scrolled off the top can't be
    drawn again.
    """
    titles = 2 * len({row.group for row in rows})
    boards = (_folded(rows, fold) for fold in _FOLDS)
    return next((lines for lines in boards if len(lines) + titles < terminal_lines), None)


def _folded(rows: Sequence[Row], name_of: Callable[[Row], str]) -> list[_Line]:
    lines: dict[tuple[str, str], _Line] = {}
    for row in rows:
        name = name_of(row)
        lines.setdefault((row.group, name), _Line(row.group, name)).rows.append(row)
    return list(lines.values())
