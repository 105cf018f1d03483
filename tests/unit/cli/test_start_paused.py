"""`serve --paused`: who starts paused, and who does not."""

import socket
from pathlib import Path

import pytest

from hookspan.cli import _serving
from hookspan.cli._output import Exit
from hookspan.cli._root import run
from hookspan.cli._workers import Work
from hookspan.settings import Settings


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Settings]:
    """The settings of the nodes that would have been started."""
    found: list[Settings] = []

    async def serve(settings: Settings, **_: object) -> None:
        found.append(settings)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_serving, "serve", serve)
    return found


def test_by_flag_or_setting(started: list[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    """Not unless it is said."""
    assert run(["serve"]) == Exit.OK
    assert run(["serve", "--paused"]) == Exit.OK
    monkeypatch.setenv("HOOKSPAN_START_PAUSED", "true")
    assert run(["serve"]) == Exit.OK
    assert [one.start_paused for one in started] == [False, True, True]


def test_a_worker_that_takes_another_s_place_pauses_nothing(
    started: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody may have resumed since the first ones started."""

    class Workers:
        def __init__(self, count: int, listener: socket.socket, work: Work) -> None:
            self._count, self._listener, self._work = count, listener, work

        def run(self) -> int:
            with self._listener:
                return max(self._work(self._listener, 0, is_first=number < self._count) for number in range(3))

    monkeypatch.setattr(_serving, "Workers", Workers)
    assert _serving.serve_by_workers(Settings(port=0, start_paused=True), 2) == Exit.OK
    assert [one.start_paused for one in started] == [True, True, False]
