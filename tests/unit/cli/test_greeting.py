"""`serve --workers`: which of them shows a newcomer the way in."""

import socket
from pathlib import Path

import pytest

from hookspan.cli import _serving
from hookspan.cli._output import Exit
from hookspan.cli._workers import Work
from hookspan.settings import Settings


def test_one_of_several_workers_greets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A link ends the one before, so of four only one shows one, and none that takes another's place."""
    greeted: list[bool] = []

    async def serve(_: Settings, *, greets: bool, **__: object) -> None:
        greeted.append(greets)

    class Workers:
        def __init__(self, count: int, listener: socket.socket, work: Work) -> None:
            self._count, self._listener, self._work = count, listener, work

        def run(self) -> int:
            with self._listener:
                self._work(self._listener, 0, is_first=False)  # one of them died at once
                return max(self._work(self._listener, 0, is_first=True) for _ in range(self._count))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_serving, "serve", serve)
    monkeypatch.setattr(_serving, "Workers", Workers)
    assert _serving.serve_by_workers(Settings(port=0), 4) == Exit.OK
    assert greeted == [False, True, False, False, False]
