"""One webhook for each profile, and each recipe's process once, for all tests of recipes."""

import pytest

from tests.receivers._bench import Bench


@pytest.fixture(scope="session")
def bench(capture, tmp_path_factory):
    bench = Bench(capture, tmp_path_factory.mktemp("recipes"))
    yield bench
    bench.close()
