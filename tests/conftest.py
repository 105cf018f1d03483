"""Shared fixtures. Async tests run on asyncio through anyio's plugin."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def capture(tmp_path_factory: pytest.TempPathFactory):
    """One running node with receivers, for tests that look at what it sends; started when first asked for."""
    from tests.support.capture import Capture

    with Capture(tmp_path_factory.mktemp("node")) as capture:
        yield capture
