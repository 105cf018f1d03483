"""Commands run in this process see no setting of the machine, and an empty working folder."""

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("HOOKSPAN_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
