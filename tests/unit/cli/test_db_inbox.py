"""`hookspan db inbox`: what waits, what was refused and why, and what a person may do about it."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hookspan.cli._output import Exit
from hookspan.cli._root import run
from tests.support.platform import Platform, platform

REFUSED = (
    "insert into inbox_refused values ({}, 'acme', 'order.paid', '{{}}', null, null, null, 1000, 'shop', 9, {},"
    " 'schema_mismatch', 'total is missing.', '/content')"
)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    monkeypatch.chdir(tmp_path)
    with platform() as made:
        for number in (1, 2, 3):
            made.query(REFUSED.format(number, 1_000 * number))
        made.query("select setval('inbox_id_seq', 10)")
        yield made


def inbox(shop: Platform, *arguments: str) -> int:
    return run(["db", "inbox", *arguments, "--database-url", shop.url])


def test_it_tells_what_waits_and_what_was_refused(shop: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts, the oldest that waits, and the refused ones newest first with code, place and sentence."""
    shop.publish("acme", "order.paid", "{}")
    assert inbox(shop, "--json", "--limit", "2") == Exit.OK
    found = json.loads(capsys.readouterr().out)
    assert (found["waiting"], found["refused"], [one["id"] for one in found["newest"]]) == (1, 3, [3, 2])
    assert found["newest"][0]["pointer"] == "/content"
    assert inbox(shop) == Exit.OK
    shown = capsys.readouterr().out
    assert "schema_mismatch /content: total is missing." in shown
    assert "the oldest for" in shown


def test_what_was_published_commands_no_terminal(shop: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """A refusal repeats names of the content, and a type is nearly any text."""
    shop.query(
        "update inbox_refused set detail = %s, pointer = %s, type = %s", "no \x1b[2J", "/\x1b]0;x\x07", "a\x9b2J"
    )
    assert inbox(shop) == Exit.OK
    shown = capsys.readouterr().out
    assert "no ·[2J" in shown
    assert [text for text in ("\x1b]", "\x1b[2J", "\x9b", "\x07") if text in shown] == []


def test_retry_puts_back_in_the_old_place(shop: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """As it was published; a number that was not refused is said."""
    assert inbox(shop, "retry", "2", "99", "--json") == Exit.FAILED
    assert json.loads(capsys.readouterr().out) == {"did": "put back", "ids": [2], "missing": [99]}
    assert inbox(shop, "retry", "99") == Exit.FAILED
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "hookspan: No refused event has the number 99.\n")
    assert shop.query("select id, application, content from inbox") == [(2, "acme", "{}")]
    assert inbox(shop, "retry", "--all") == Exit.OK
    assert shop.query("select id from inbox order by id") == [(1,), (2,), (3,)]
    assert shop.query("select count(*) from inbox_refused") == [(0,)]


def test_drop_forgets(shop: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """Some, or all."""
    assert inbox(shop, "drop", "1") == Exit.OK
    assert inbox(shop, "drop", "--all", "--yes") == Exit.OK
    assert "2 dropped" in capsys.readouterr().out
    assert shop.query("select (select count(*) from inbox), (select count(*) from inbox_refused)") == [(0, 0)]


def test_all_are_dropped_by_a_yes_only(
    shop: Platform, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It asks, and tells how many; a no, nobody to ask, and a program that did not say so leave all there."""
    for typed, code, said in (("n\n", Exit.INTERRUPTED, "Forget 3 refused events"), ("", Exit.USAGE, "give --yes")):
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        assert inbox(shop, "drop", "--all") == code
        assert said in capsys.readouterr().err
    assert inbox(shop, "drop", "--all", "--json") == Exit.USAGE
    assert shop.query("select count(*) from inbox_refused") == [(3,)]
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert inbox(shop, "drop", "--all") == Exit.OK
    assert inbox(shop, "drop", "--all") == Exit.OK, "what is not there is not asked for"
    assert shop.query("select count(*) from inbox_refused") == [(0,)]


def test_it_must_be_said_which(shop: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither numbers nor all, or both, is no order."""
    assert inbox(shop, "drop") == Exit.USAGE
    assert inbox(shop, "retry", "1", "--all") == Exit.USAGE
    assert "--all" in capsys.readouterr().err
    assert shop.query("select count(*) from inbox_refused") == [(3,)]


def test_sqlite_has_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says what is needed."""
    assert run(["db", "inbox", "--database-url", f"sqlite:///{tmp_path}/hookspan.db"]) == Exit.CANT_START
    assert "needs PostgreSQL" in capsys.readouterr().err


def test_a_database_of_a_version_before_has_none_yet(shop: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """The first node of this version brings it."""
    shop.query("update hookspan set version = 3, works_since = 1")
    assert inbox(shop) == Exit.CANT_START
    assert "Start a node of this version first" in capsys.readouterr().err
