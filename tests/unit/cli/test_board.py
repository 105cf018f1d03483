"""The demo's live table."""

import io

import click
import pytest

from hookspan.cli._board import Board, Row, Stage


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def rows() -> list[Row]:
    return [Row("Standard", "order.paid"), Row("Standard", "order.shipped"), Row("Bridge API", "item.created")]


def settle(row: Row) -> None:
    row.stage, row.note = Stage.VERIFIED, "120 bytes in 4 ms"


def test_a_pipe_gets_each_row_once_when_it_is_settled() -> None:
    """No escape codes, nothing twice, each group titled."""
    out, all_rows = io.StringIO(), rows()
    board = Board(all_rows, {"Standard": "app_1"}, out)
    board.update()
    assert out.getvalue() == ""
    for row in all_rows:
        row.stage = Stage.PUBLISHED
        board.update()
        settle(row)
        board.update()
        board.update()
    shown = click.unstyle(out.getvalue())
    assert [shown.count(row.event_type) for row in all_rows] == [1, 1, 1]
    assert shown.count("Standard  app_1") == 1
    assert "✓ order.paid     verified  120 bytes in 4 ms" in shown


def test_a_terminal_without_room_gets_each_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has scrolled off can't be drawn again."""
    monkeypatch.setenv("LINES", "7")
    out, all_rows = Terminal(), rows()
    board = Board(all_rows, {}, out)
    board.update()
    settle(all_rows[0])
    board.update()
    assert click.unstyle(out.getvalue()).count("order.paid") == 1
    assert "\x1b[7F" not in out.getvalue()


def test_a_terminal_is_redrawn_in_place() -> None:
    """The cursor goes up by exactly what was drawn before."""
    out, all_rows = Terminal(), rows()
    board = Board(all_rows, {}, out)
    board.update()
    assert out.getvalue().count("\n") == 7  # three rows, two groups with a blank line each
    settle(all_rows[0])
    board.update()
    assert out.getvalue().count("\x1b[7F") == 1
    assert out.getvalue().count("\n") == 14


def test_a_failed_row_says_why() -> None:
    """The note takes the place of the tick."""
    row = Row("Standard", "order.paid")
    row.stage, row.note = Stage.FAILED, "did not arrive"
    assert "✗ order.paid  did not arrive" in click.unstyle(row.text(10))
