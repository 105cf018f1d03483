"""A trust window that is too short for the slowest profile is said at the start, and refused by nobody."""

from pathlib import Path

import pytest
import structlog

from hookspan.cli.node import _engine_options
from hookspan.profiles import load_profiles
from hookspan.settings import Settings

URL = "postgresql://h/d"


@pytest.mark.parametrize(("window_s", "is_short"), [(2, True), (22, True), (23, False), (30, False)])
def test_the_shipped_profiles(window_s: int, *, is_short: bool) -> None:
    """They take 15 s at most."""
    settings = Settings(database_url=URL, trust_window=window_s)
    with structlog.testing.capture_logs() as lines:
        options = _engine_options(settings, load_profiles())
    assert options.trust_window_s == window_s
    assert [(line["log_level"], line["advised"], line["timeout_s"]) for line in lines] == [
        ("warning", 23, 15.0)
    ] * is_short


def test_a_slower_profile_of_ones_own(tmp_path: Path) -> None:
    """It is named."""
    shipped = Path(load_profiles.__code__.co_filename).parent / "data" / "standard"
    mine = tmp_path / "slow"
    for file in sorted(shipped.rglob("*")):
        if file.is_file():
            copy = mine / file.relative_to(shipped)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    text = (mine / "profile.toml").read_text(encoding="utf-8")
    (mine / "profile.toml").write_text(text.replace('timeout = "15s"', 'timeout = "60s"'), encoding="utf-8")
    with structlog.testing.capture_logs() as lines:
        _engine_options(Settings(database_url=URL), load_profiles(tmp_path))
    assert [(line["profile"], line["advised"]) for line in lines] == [("slow", 90)]


def test_one_process_has_no_window() -> None:
    """On SQLite there is nobody who could take it for dead."""
    with structlog.testing.capture_logs() as lines:
        _engine_options(Settings(trust_window=2), load_profiles())
    assert lines == []
