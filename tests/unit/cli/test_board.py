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


def test_a_terminal_without_any_room_gets_each_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has scrolled off can't be drawn again, and nothing can be folded smaller than a line for each profile."""
    monkeypatch.setenv("LINES", "6")
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


def catalog(monkeypatch: pytest.MonkeyPatch, lines: int) -> tuple[Board, Terminal, list[Row]]:
    """Two profiles of 20 types each, in 5 categories, on a terminal of so many lines."""
    monkeypatch.setenv("LINES", str(lines))
    all_rows = [
        Row(profile, f"{category}.verb{number}", category)
        for profile in ("First", "Second")
        for category in ("user", "item", "card", "order", "wallet")
        for number in range(4)
    ]
    out = Terminal()
    return Board(all_rows, {}, out), out, all_rows


def last_drawing(out: Terminal, lines: int) -> list[str]:
    return click.unstyle(out.getvalue()).splitlines()[-lines:]


@pytest.mark.parametrize(("terminal", "drawn"), [(45, 44), (44, 14), (15, 14), (14, 6), (7, 6)])
def test_rows_are_folded_as_far_as_the_terminal_asks(
    monkeypatch: pytest.MonkeyPatch, terminal: int, drawn: int
) -> None:
    """Rows, else a line for each category, else one for each profile: the finest that fits, and one line to spare."""
    board, out, _ = catalog(monkeypatch, terminal)
    board.update()
    assert out.getvalue().count("\n") == drawn
    board.update()
    assert out.getvalue().count(f"\x1b[{drawn}F") == 1


def test_a_folded_line_counts_what_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting, on its way, all there; and the first that failed, with its reason."""
    board, out, all_rows = catalog(monkeypatch, 20)
    board.update()
    assert last_drawing(out, 14)[2].strip() == "· user"
    all_rows[0].stage = Stage.PUBLISHED
    settle(all_rows[1])
    board.update()
    assert "→ user    1 of 4 verified" in last_drawing(out, 14)[2]
    for row in all_rows[:4]:
        settle(row)
    board.update()
    assert "✓ user    4 of 4 verified" in last_drawing(out, 14)[2]
    all_rows[5].stage, all_rows[5].note = Stage.FAILED, "did not arrive"
    board.update()
    assert "✗ item    0 of 4 verified; item.verb1 did not arrive" in last_drawing(out, 14)[3]


def test_failures_without_a_line_of_their_own_are_told_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folding never hides one: each failed row is printed, once; nothing where all went well."""
    board, out, all_rows = catalog(monkeypatch, 20)
    board.update()
    before = len(out.getvalue())
    board.finish()
    assert len(out.getvalue()) == before
    for row in (all_rows[5], all_rows[6]):
        row.stage, row.note = Stage.FAILED, "did not arrive"
    board.finish()
    assert click.unstyle(out.getvalue()[before:]).split("\n")[1:3] == [
        "    ✗ item.verb1  did not arrive",
        "    ✗ item.verb2  did not arrive",
    ]


def test_a_line_that_is_too_long_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal does not wrap while the board is drawn, so the board knows how many lines there are; after it, it
    wraps again.
    """
    board, out, _ = catalog(monkeypatch, 60)
    board.update()
    assert out.getvalue().startswith("\x1b[?7l")
    assert out.getvalue().endswith("\x1b[?7h")


def test_in_a_pipe_groups_come_one_after_the_other() -> None:
    """A row that is settled early waits until the groups before its own are complete; at the end all are there."""
    out, all_rows = io.StringIO(), rows()
    board = Board(all_rows, {}, out)
    for row in (all_rows[2], all_rows[1]):
        settle(row)
        board.update()
    assert "item.created" not in out.getvalue()
    assert "order.shipped" in out.getvalue()
    settle(all_rows[0])
    board.update()
    shown = click.unstyle(out.getvalue())
    assert [line.split()[1] for line in shown.splitlines() if "✓" in line] == [
        "order.shipped",
        "order.paid",
        "item.created",
    ]


def test_a_category_of_one_is_shown_as_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under its type's own name, and in line with the others."""
    monkeypatch.setenv("LINES", "7")
    all_rows = [*(Row("First", f"item.verb{number}", "item") for number in range(8)), Row("First", "user.gone", "user")]
    out = Terminal()
    for row in all_rows:
        settle(row)
    Board(all_rows, {}, out).update()
    assert [line.rstrip() for line in last_drawing(out, 2)] == [
        "    ✓ item       8 of 8 verified",
        "    ✓ user.gone  verified  120 bytes in 4 ms",
    ]
