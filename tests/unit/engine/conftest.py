"""What several tests of the engine's duties start from."""

from collections.abc import Iterator

import pytest

from tests.support.platform import Platform, platform


@pytest.fixture
def shop() -> Iterator[Platform]:
    """A platform that publishes in SQL, with a real PostgreSQL."""
    with platform() as made:
        yield made
