"""Shared fixtures. Async tests run on asyncio through anyio's plugin."""

import os

import pytest
from hypothesis import settings

# The same examples at every run, however slow the machine is: what is new is looked for by the long runs.
settings.register_profile("steady", deadline=None, database=None, derandomize=True)
settings.register_profile("soak", deadline=None, database=None)
settings.load_profile("soak" if os.environ.get("HOOKSPAN_SOAK") else "steady")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that run in this process see no setting of the machine, nor what the suite itself is told by."""
    for name in [name for name in os.environ if name.startswith("HOOKSPAN_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def capture(tmp_path_factory: pytest.TempPathFactory):
    """One running node with receivers, for tests that look at what it sends; started when first asked for."""
    from tests.support.capture import Capture

    with Capture(tmp_path_factory.mktemp("node")) as capture:
        yield capture
