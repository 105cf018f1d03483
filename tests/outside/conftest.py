"""Judges from outside: npm's packages, installed once, and OpenSSL."""

import pytest

from tests.outside._npm import NodeJudges
from tests.outside._openssl import OpenSsl


@pytest.fixture(scope="session")
def node_judges():
    """Judges that run in Node; the test is skipped where there is none."""
    return NodeJudges()


@pytest.fixture
def openssl(tmp_path):
    return OpenSsl(tmp_path)
