"""The command `make bench` runs: what it takes, what it refuses, what it asks for."""

import shutil

import pytest
from click.testing import CliRunner

from bench import __main__ as command
from bench._bench import FULL, QUICK
from bench._errors import BenchError
from bench._machine import find_tools
from bench.rows import ROWS


def test_help_names_every_row() -> None:
    """A person learns from --help alone what can be measured."""
    result = CliRunner().invoke(command.main, ["--help"])
    assert result.exit_code == 0
    text = " ".join(result.output.split())
    assert ", ".join(ROWS) in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rows", "single,fastest"], "there is no row fastest"),
        (["--rows", " , "], "no row is named"),
        (["--pairs", "0"], "1<=x"),
        (["--seconds", "100000"], "1<=x"),
        (["--folder", "/nowhere/at/all"], "does not exist"),
        (["--quack"], "No such option"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_runs(arguments: list[str], said: str) -> None:
    """Exit code 2 and the reason; no program is started for them."""
    result = CliRunner().invoke(command.main, arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_missing_tools_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence and the line to type; no traceback."""
    monkeypatch.setattr(shutil, "which", lambda tool, path: None if tool == "wrk" else f"/usr/sbin/{tool}")
    with pytest.raises(BenchError, match=r"(?s)Can't find wrk: .*Debian package: apt install wrk$"):
        find_tools()
    monkeypatch.setattr(shutil, "which", lambda tool, path: None)
    with pytest.raises(BenchError, match=r"(?s)Can't find wrk and nginx.*packages: apt install wrk nginx$"):
        find_tools()
    result = CliRunner().invoke(command.main, ["--quick"])
    assert result.exit_code == 1
    assert "apt install wrk nginx" in result.output


def test_rows_come_in_the_reports_order() -> None:
    """However they were named, and each once."""
    picked = command.main.params[0].process_value(command.main.make_context("bench", []), "storm, single,storm")
    assert picked == ["single", "storm"]


def test_what_is_asked_for_in_particular_wins_over_the_scale() -> None:
    """--quick sets small sizes; --pairs and --seconds change only themselves."""
    quick = command.scale_of(quick=True, pairs=None, seconds=None)
    assert (quick.pairs, quick.seconds) == (2, 3)
    assert quick == QUICK
    some = command.scale_of(quick=False, pairs=7, seconds=None)
    assert (some.pairs, some.seconds, some.applications) == (7, FULL.seconds, 10_000)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "make bench"),
        (["--write"], "make bench ARGS=--write"),
        (["--quick", "--folder", "/home/me/x", "--write"], "make bench ARGS='--quick --write'"),
        (["--folder=/home/me/x", "--rows", "single"], "make bench ARGS='--rows single'"),
    ],
)
def test_the_command_is_shown_without_the_folder(arguments: list[str], line: str) -> None:
    """The page says how to do it again, and nothing about whose machine it was."""
    assert command.command_line(arguments) == line
