"""Commands run in this process see no setting of the machine, and an empty working folder."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, no_settings: None, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
