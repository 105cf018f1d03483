"""The database's own host and port are no receiver, whatever the operator has opened."""

import pytest

from hookspan.cli._store import database_addresses
from hookspan.egress.address import AddressPolicy, pack
from hookspan.settings import Settings
from hookspan.store.postgres import listening_at


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("postgresql://u@127.0.0.1:6000/x", [("127.0.0.1", 6000)]),
        ("postgresql://u@127.0.0.1/x", [("127.0.0.1", 5432)]),
        ("postgresql://u@127.0.0.1:6000,127.0.0.2:6001/x", [("127.0.0.1", 6000), ("127.0.0.2", 6001)]),
        ("postgresql://u@127.0.0.1,127.0.0.2/x?port=7000", [("127.0.0.1", 7000), ("127.0.0.2", 7000)]),
        ("postgresql://u@[::1]:6000/x", [("::1", 6000)]),
        ("postgresql:///x?host=/run/postgresql", []),
        ("postgresql://u@nowhere.invalid,127.0.0.1/x", [("127.0.0.1", 5432)]),
    ],
)
def test_where_a_database_listens(url, found) -> None:
    """Every host of the URL, by address; names that lead nowhere and sockets are no receivers anyway."""
    assert listening_at(url) == found


def test_nothing_is_sent_there() -> None:
    """Though the network was opened: that port of it stays closed, of every database that is named."""
    settings = Settings(
        database_url="postgresql://u@127.0.0.1:6000/x",
        database_listen_url="postgresql://u@127.0.0.1:6001/x",
        database_replica_url="postgresql://u@127.0.0.2:6002/x",
    )
    policy = AddressPolicy(allow=("127.0.0.0/8",), own=database_addresses(settings))
    for address, port, is_open in (
        ("127.0.0.1", 6000, False),
        ("127.0.0.1", 6001, False),
        ("127.0.0.2", 6002, False),
        ("127.0.0.1", 6003, True),
    ):
        assert policy.allows(pack(address), port) is is_open, (address, port)
    assert database_addresses(Settings()) == []
