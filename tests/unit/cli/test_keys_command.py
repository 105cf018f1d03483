"""`hookspan keys`."""

import json
from pathlib import Path

import pytest

from hookspan.cli._output import Exit
from hookspan.cli._root import run
from hookspan.keys import with_keys
from hookspan.settings import Settings, decode_encryption_key


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    return f"sqlite:///{tmp_path}/data/hookspan.db"


def test_show_prints_only_the_key(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """So that $(hookspan keys show) works."""
    kept = with_keys(Settings(database_url=url))
    assert run(["keys", "show", "--database-url", url]) == Exit.OK
    assert capsys.readouterr().out == kept.operator_key + "\n"


def test_show_never_shows_the_encryption_key(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON tells where it is, not what it is."""
    kept = with_keys(Settings(database_url=url))
    assert run(["keys", "show", "--json", "--database-url", url]) == Exit.OK
    out = capsys.readouterr().out
    assert json.loads(out)["encryption_key_from"].endswith("encryption.key")
    assert kept.encryption_key not in out


def test_show_before_the_first_start_says_so(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And makes nothing."""
    assert run(["keys", "show", "--database-url", url]) == Exit.CANT_START
    assert "first start" in capsys.readouterr().err


def test_new_changes_nothing_by_itself(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints a fresh key; the kept one stays."""
    kept = with_keys(Settings(database_url=url))
    assert run(["keys", "new", "--database-url", url]) == Exit.OK
    assert capsys.readouterr().out.strip() != kept.operator_key
    assert with_keys(Settings(database_url=url)) == kept


def test_new_can_be_saved(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With --save it is what the next start finds."""
    with_keys(Settings(database_url=url))
    assert run(["keys", "new", "--save", "--database-url", url]) == Exit.OK
    assert with_keys(Settings(database_url=url)).operator_key == capsys.readouterr().out.strip()


def test_a_new_encryption_key_is_never_saved_over_the_old(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """That would lose every sealed secret."""
    assert run(["keys", "new", "--kind", "encryption"]) == Exit.OK
    assert len(decode_encryption_key(capsys.readouterr().out.strip())) == 32
    assert run(["keys", "new", "--kind", "encryption", "--save", "--database-url", url]) == Exit.USAGE
