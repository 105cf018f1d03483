"""`hookspan audit`: what it lists, and that it finds whatever was done to the log behind the server's back."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journey.test_cli import Served, hookspan

LINES = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A server with a log of some lines in the sample application's chain."""
    folder = tmp_path_factory.mktemp("audit")
    with Served(folder) as served:
        for number in range(LINES):
            served.post("webhooks", {"url": f"http://127.0.0.1:9/{number}", "name": f"n{number}"})
        (folder / "url").write_text(served.url)
        yield folder


def audit(folder: Path, *arguments: str) -> dict:
    """`hookspan audit … --json` with its exit code."""
    done = hookspan("audit", *arguments, "--json", folder=folder)
    assert done.stderr == ""
    return {"code": done.returncode, "said": json.loads(done.stdout)}


def test_list(folder: Path) -> None:
    """Newest first, filtered, for people and for programs."""
    url = (folder / "url").read_text()
    done = hookspan("audit", "list", "--url", url, "--application", "app_sample", "--limit", "2", folder=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("by operator key") == 2, "whatever was done last: other tests do things too"
    found = audit(folder, "list", "--url", url, "--action", "webhook.created", "--limit", "600")["said"]
    assert [one["detail"]["name"] for one in found] == [f"n{number}" for number in reversed(range(LINES))]
    assert audit(folder, "list", "--url", url, "--object", "nobody")["said"] == []
    created = ("--url", url, "--action", "webhook.created")
    assert len(audit(folder, "list", *created, "--since", "2h")["said"]) == LINES
    assert audit(folder, "list", *created, "--until", "2h")["said"] == []
    assert hookspan("audit", "list", *created, "--since", "yesterday", folder=folder).returncode == 2
    done = hookspan("audit", "list", "--url", url, "--action", "webhook.create", folder=folder)
    assert done.returncode == 1
    assert "webhook.created" in done.stderr


def test_verify_says_what_is_whole(folder: Path) -> None:
    """By the server and by the file alike; the heads it prints are found again."""
    url = (folder / "url").read_text()
    asked = audit(folder, "verify", "--url", url)
    read = audit(folder, "verify", "--offline")
    assert asked == read
    assert (asked["code"], asked["said"]["is_whole"]) == (0, True)
    heads = [one["head"] for one in asked["said"]["chains"]]
    expected = [flag for head in heads for flag in ("--expect", head)]
    assert audit(folder, "verify", "--url", url, *expected)["code"] == 0
    [sample] = [one for one in asked["said"]["chains"] if one["application_id"] == "app_sample"]
    bare = sample["head"].partition("@")[2]
    assert audit(folder, "verify", "--offline", "--application", "app_sample", "--expect", bare)["code"] == 0
    words = hookspan("audit", "verify", "--offline", folder=folder).stdout
    assert "app_sample" in words
    assert sample["head"] in words
    wrong = sample["head"][:-1] + ("0" if sample["head"][-1] != "0" else "1")
    assert audit(folder, "verify", "--url", url, "--expect", wrong)["code"] == 1


def test_what_went_wrong_with_asking(folder: Path) -> None:
    """No server, no such head: each has its exit code."""
    assert hookspan("audit", "verify", "--url", "http://127.0.0.1:1", folder=folder).returncode == 4
    assert hookspan("audit", "list", "--url", "http://127.0.0.1:1", folder=folder).returncode == 4
    url = (folder / "url").read_text()
    for where in (("--offline",), ("--url", url)):
        done = hookspan("audit", "verify", "--application", "nope", *where, folder=folder)
        assert (done.returncode, done.stdout) == (1, "")
        assert "There is no line of application 'nope'" in done.stderr
        done = hookspan("audit", "verify", "--application", "nope", "--json", *where, folder=folder)
        assert (done.returncode, done.stdout) == (1, "")
        assert json.loads(done.stderr)["code"] == "not_found"
    for head in ("x", "1:00", "nobody@1:" + "0" * 64, "0:" + "0" * 64):
        assert hookspan("audit", "verify", "--offline", "--expect", head, folder=folder).returncode == 2


def test_an_application_s_own_key_can_not_verify(folder: Path) -> None:
    """It is not shown all that the hashes are made of; that is said, and is no broken chain."""
    url = (folder / "url").read_text()
    made = hookspan(
        "keys",
        "create",
        "own",
        "--scope",
        "application",
        "--application",
        "app_sample",
        "--url",
        url,
        "--json",
        folder=folder,
    )
    key = json.loads(made.stdout)["key"]
    done = hookspan("audit", "verify", "--url", url, "--key", key, folder=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert "a key of the operator's" in done.stderr


CHAIN = "application_id <> 0"
DROP = "drop trigger audit_unchanged; drop trigger audit_kept;"


RENUMBERED = (
    f"update audit set sequence = 100 - sequence where sequence in (3, 4) and {CHAIN};"
    f"update audit set sequence = case sequence when 97 then 4 else 3 end where sequence > 90 and {CHAIN}"
)
EXCHANGED = (
    "update audit set detail = (select detail from audit other where other.sequence = 7 - audit.sequence and"
    f" other.{CHAIN}) where sequence in (3, 4) and {CHAIN}"
)
CLOSED_UP = (
    f"delete from audit where sequence = 3 and {CHAIN};"
    f"update audit set sequence = sequence - 1 where sequence > 3 and {CHAIN}"
)


@pytest.mark.parametrize(
    ("script", "line"),
    [
        (f"update audit set detail = '{{}}' where sequence = 3 and {CHAIN}", 3),
        (f"update audit set actor_name = 'nobody' where sequence = 1 and {CHAIN}", 1),
        (f"update audit set hash = zeroblob(32) where sequence = 5 and {CHAIN}", 5),
        (f"delete from audit where sequence = 2 and {CHAIN}", 2),
        (f"delete from audit where sequence = 1 and {CHAIN}", 1),
        (RENUMBERED, 3),
        (EXCHANGED, 3),
        (CLOSED_UP, 3),
    ],
)
def test_tampering_is_found(folder: Path, tmp_path: Path, script: str, line: int) -> None:
    """At the first line of the chain that is not right, by its number."""
    copy = tampered(folder, tmp_path, script)
    found = audit(tmp_path, "verify", "--offline", "--database-url", copy)
    assert found["code"] == 1
    [broken] = [one for one in found["said"]["chains"] if not one["is_whole"]]
    assert broken["application_id"] == "app_sample"
    assert broken["broken_at"] == line, broken
    words = hookspan("audit", "verify", "--offline", "--database-url", copy, folder=tmp_path)
    assert broken["problem"] in words.stdout
    assert words.returncode == 1


def test_cutting_off_the_end_is_found_by_a_noted_head(folder: Path, tmp_path: Path) -> None:
    """What is left is whole in itself; also where all of a chain is gone."""
    whole = audit(folder, "verify", "--offline")["said"]["chains"]
    [head] = [one["head"] for one in whole if one["application_id"] == "app_sample"]
    last = f"select max(sequence) from audit where {CHAIN}"
    for number, script in enumerate((f"delete from audit where sequence = ({last}) and {CHAIN}",
                                     f"delete from audit where {CHAIN}")):  # fmt: skip
        (tmp_path / str(number)).mkdir()
        copy = tampered(folder, tmp_path / str(number), script)
        assert audit(tmp_path, "verify", "--offline", "--database-url", copy)["code"] == 0
        found = audit(tmp_path, "verify", "--offline", "--database-url", copy, "--expect", head)
        assert found["code"] == 1
        [broken] = [one for one in found["said"]["chains"] if not one["is_whole"]]
        assert "cut off" in broken["problem"]


def test_a_row_that_is_no_line_is_said(folder: Path, tmp_path: Path) -> None:
    """In one line, not by a crash."""
    copy = tampered(folder, tmp_path, f"update audit set detail = 'nonsense' where sequence = 2 and {CHAIN}")
    done = hookspan("audit", "verify", "--offline", "--database-url", copy, folder=tmp_path)
    assert done.returncode == 1
    assert "Line 2" in done.stderr
    assert "Traceback" not in done.stderr


def tampered(folder: Path, to: Path, script: str) -> str:
    """A copy of the database after `script`, as somebody with the file alone could write it."""
    done = hookspan("db", "backup", str(to / "copy.db"), folder=folder)
    assert done.returncode == 0, done.stderr
    database = sqlite3.connect(to / "copy.db")
    with pytest.raises(sqlite3.DatabaseError, match="never"):
        database.executescript(script)
    database.rollback()
    database.executescript(DROP + script)
    database.commit()
    database.close()
    return f"sqlite:///{to / 'copy.db'}"
