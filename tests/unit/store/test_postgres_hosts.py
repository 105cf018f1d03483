"""A database URL with several hosts: said as it was written, and the one that takes writes is found."""

import socket
from collections.abc import Iterator

import pytest

from hookspan.errors import ConfigurationError
from hookspan.store.postgres import PostgresStore
from hookspan.store.postgres._place import read_place
from tests.support.clock import VirtualClock
from tests.support.postgres import DATABASES, OPTIONS

pytestmark = pytest.mark.anyio


@pytest.fixture
def dead_port() -> Iterator[int]:
    """Where nobody listens, for as long as the test runs."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def with_hosts(url: str, *ports: int) -> str:
    head, _, rest = url.rpartition("@")
    return f"{head}@{','.join(f'127.0.0.1:{port}' for port in ports)}/{rest.partition('/')[2]}"


@pytest.mark.parametrize(
    ("hosts", "said"),
    [
        ("db", "db"),
        ("db:6432", "db:6432"),
        ("db1,db2", "db1,db2"),
        ("db1:5433,db2:5434", "db1:5433,db2:5434"),
    ],
)
async def test_hosts_are_said_as_they_were_written(hosts: str, said: str) -> None:
    """Each with its own port."""
    assert read_place(f"postgresql://hookspan@{hosts}/h").where == f"{said}/h"
    assert read_place("postgresql://hookspan@db1,db2/h?port=5433").where == "db1:5433,db2:5433/h"


async def test_a_start_passes_by_a_host_that_is_down(dead_port: int) -> None:
    """Whichever stands first in the URL."""
    url = DATABASES.make()
    for ports in ((dead_port, DATABASES.server.port), (DATABASES.server.port, dead_port)):
        store = PostgresStore(with_hosts(url, *ports), clock=VirtualClock(), options=OPTIONS)
        await store.open()
        assert await store.register_node(1)
        await store.close()


async def test_hosts_of_which_none_takes_writes(dead_port: int) -> None:
    """One line says so, and names all of them."""
    url = DATABASES.make()
    DATABASES.server.execute(f"alter database {url.rpartition('/')[2]} set default_transaction_read_only = on")
    store = PostgresStore(with_hosts(url, dead_port, DATABASES.server.port), clock=VirtualClock(), options=OPTIONS)
    with pytest.raises(ConfigurationError, match="takes writes") as caught:
        await store.open()
    assert f"127.0.0.1:{dead_port},127.0.0.1:{DATABASES.server.port}/" in caught.value.detail
    assert DATABASES.server.password not in caught.value.detail
