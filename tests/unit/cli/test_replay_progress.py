"""What `hookspan replay` says while it waits and nobody looks at a bar."""

from typing import Any

import pytest

from hookspan.cli import replay
from hookspan.cli._client import ApiClient
from hookspan.cli.replay import LINE_S, SAME_LINE_S, Lines

JOB: dict[str, Any] = {
    "id": "job_1", "state": "running", "total": 4, "done": 0, "succeeded": 0, "failed": 0, "skipped": 0,
    "problem": None, "finished_at": None,
}  # fmt: skip


def job(**more: Any) -> dict[str, Any]:
    return {**JOB, **more}


def test_a_line_comes_when_the_counts_have_changed() -> None:
    """At most every LINE_S; the job's own trouble stands there too, and of its end nothing: that is said anyway."""
    lines, now_s = Lines(1000.0), 1000.0 + LINE_S
    assert lines.line(job(), now_s - 0.1) is None
    assert lines.line(job(), now_s) == "  0 of 4; 4 wait for a turn or a retry"
    assert lines.line(job(done=1), now_s + LINE_S - 0.1) is None
    assert lines.line(job(done=3, failed=1), now_s + LINE_S) == "  3 of 4, 1 failed; 1 waits for a turn or a retry"
    paused = job(done=3, failed=1, problem="Sending is paused.")
    assert lines.line(paused, now_s + 2 * LINE_S) == (
        "  3 of 4, 1 failed; 1 waits for a turn or a retry. Sending is paused."
    )
    assert lines.line(job(done=4, finished_at="2026-11-21T20:00:00.000Z"), now_s + 1000 * LINE_S) is None


def test_where_nothing_changes_a_line_is_seldom() -> None:
    """A receiver that refuses for hours fills no log."""
    lines = Lines(0.0)
    said = [now_s for now_s in range(1, 3601) if lines.line(job(), float(now_s)) is not None]
    assert said == [int(LINE_S + number * SAME_LINE_S) for number in range(6)]


class Server:
    """Answers a job that has ended at its third look."""

    def __init__(self) -> None:
        self.looks = 0

    def call(self, *_: Any) -> Any:
        self.looks += 1
        is_over = self.looks == 3
        return job(done=self.looks, succeeded=self.looks, total=3, finished_at="then" if is_over else None)


@pytest.mark.parametrize("is_json", [False, True])
def test_watching_without_a_terminal_says_how_to_leave(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, is_json: bool
) -> None:
    """And how far it is; a program that asked for JSON reads nothing else."""
    server: Any = Server()
    client: ApiClient = server
    monkeypatch.setattr(replay, "POLL_S", 0)
    monkeypatch.setattr(replay, "LINE_S", 0)
    replay._watch(client, job(total=3), is_json=is_json)
    said = capsys.readouterr().err
    assert said == (
        ""
        if is_json
        else "  This waits until each has ended, retries included: maybe days. --no-wait leaves at once.\n"
        "  1 of 3; 2 wait for a turn or a retry\n"
        "  2 of 3; 1 waits for a turn or a retry\n"
    )
