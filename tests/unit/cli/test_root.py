"""The command line's frame: finding commands, help with examples, errors as one line and an exit code."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from hookspan.cli._output import Exit
from hookspan.cli._root import COMMANDS, root, run


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def every_command() -> list[tuple[str, click.Command]]:
    context = click.Context(root)
    found: list[tuple[str, click.Command]] = []
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            found += [(f"{name} {below}", one) for below, one in command.commands.items()]
        else:
            found.append((name, command))
    return found


def test_the_commands_are_pinned() -> None:
    """Scripts lean on these names."""
    assert [name for name, _ in every_command()] == [
        "serve", "demo", "publish", "replay", "pause", "resume", "pauses", "profiles list", "profiles show",
        "profiles check", "profiles new",
        "keys show", "keys new", "keys create", "keys list", "keys revoke", "users invite", "users link", "users list",
        "users role", "users remove", "audit list", "audit verify", "db status", "db check", "db backup", "db copy",
        "db move-application", "db inbox",
        "version",
    ]  # fmt: skip


@pytest.mark.parametrize("name", [name for name, _ in every_command()])
def test_every_command_s_help_shows_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """--help says what it does and how, with a line to copy."""
    assert run([*name.split(), "--help"]) == Exit.OK
    shown = capsys.readouterr().out
    assert "Example" in shown
    assert f"hookspan {name}" in shown


def test_help_tells_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """A script's author finds them where they look first."""
    assert run(["--help"]) == Exit.OK
    shown = capsys.readouterr().out
    assert "Exit codes:" in shown
    assert all(name in shown for name in COMMANDS)


@pytest.mark.parametrize("arguments", [["nosuch"], ["serve", "--nosuch"], ["publish"], ["keys", "new", "--kind", "x"]])
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """As everywhere else."""
    assert run(arguments) == Exit.USAGE
    assert "Usage:" in capsys.readouterr().err


def test_a_wrong_setting_is_one_line_and_3(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback for what the operator can mend."""
    monkeypatch.setenv("HOOKSPAN_PROT", "1")
    assert run(["serve"]) == Exit.CANT_START
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert "HOOKSPAN_PROT" in shown


def test_errors_are_json_where_json_was_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """Programs get a document on stderr with the code."""
    assert run(["db", "status", "--json"]) == Exit.CANT_START
    document = json.loads(capsys.readouterr().err)
    assert document["code"] == "configuration"
    assert "no database" in document["detail"]


def test_version_says_what_it_runs_on(capsys: pytest.CaptureFixture[str]) -> None:
    """For bug reports."""
    assert run(["version", "--json"]) == Exit.OK
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"hookspan", "python", "sqlite", "platform"}
    assert run(["version"]) == Exit.OK
    assert document["hookspan"] in capsys.readouterr().out


def test_version_and_help_are_light() -> None:
    """Version and help import neither the web framework nor the engine."""
    code = (
        "import sys; from hookspan.cli._root import run; run(['version']); run(['--help']); run(['serve', '--help']); "
        "heavy = {'litestar', 'uvicorn', 'cryptography', 'hookspan.engine'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=20)
