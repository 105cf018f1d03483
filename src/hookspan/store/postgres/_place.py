"""Where a database is: its URL understood, told without the password, and connected to."""

import contextlib
import socket
from collections.abc import Mapping
from typing import LiteralString

import msgspec
import psycopg
from psycopg import conninfo

from hookspan.errors import ConfigurationError
from hookspan.store.postgres._columns import COLUMN_DUMPERS
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._options import PostgresOptions

_PORT = 5432
_SCHEMES = ("postgresql://", "postgres://")


class Place(msgspec.Struct, frozen=True):
    """`parameters` can hold a password: only `where` is shown."""

    where: str
    parameters: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Place({self.where})"


def read_place(url: str) -> Place:
    """Understand a URL. Raises ConfigurationError, which does not repeat it: it can hold a password."""
    if not url.startswith(_SCHEMES):
        raise ConfigurationError("The database URL must begin with postgresql:// and name a host and a database.")
    try:
        found = conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        raise ConfigurationError(
            "The database URL can't be understood. Write it as postgresql://user:password@host:5432/database, with "
            "%-escapes for what is special in a password."
        ) from None
    parameters = {name: str(value) for name, value in found.items() if value is not None}
    name = parameters.get("dbname", parameters.get("user", "its user's name"))
    return Place(f"{_servers(parameters)}/{name}", parameters)


def _servers(parameters: Mapping[str, str]) -> str:
    """Each host with its port, as they stand in a URL."""
    hosts = parameters.get("host", "the local socket").split(",")
    ports = parameters.get("port", "").split(",")
    if len(ports) != len(hosts):
        ports = ports[:1] * len(hosts)  # one for all
    return ",".join(f"{host}:{port}" if port else host for host, port in zip(hosts, ports, strict=True))


def listening_at(url: str) -> list[tuple[str, int]]:
    """Address and port of every host of a URL, looked up now. One without an address is left out, so is a socket."""
    parameters = read_place(url).parameters
    hosts = parameters.get("hostaddr", parameters.get("host", "")).split(",")
    ports = parameters.get("port", "").split(",")
    found = set()
    for number, host in enumerate(hosts):
        text = ports[number] if len(ports) == len(hosts) else ports[0]
        port = int(text) if text.isdecimal() else _PORT
        with contextlib.suppress(OSError, UnicodeError):
            if host and not host.startswith(("/", "@")):
                found |= {(str(at[4][0]).partition("%")[0], port) for at in socket.getaddrinfo(host, port)}
    return sorted(found)


def connect(place: Place, options: PostgresOptions, time_max_s: float) -> Connection:
    """A connection in autocommit: who uses it says where a transaction begins. Raises psycopg.Error."""
    network_ms = int(options.network_time_max_s * 1000)
    defaults = {
        "application_name": "hookspan",
        "connect_timeout": str(max(2, int(options.connect_time_max_s))),
        "keepalives_idle": str(max(1, network_ms // 3000)),
        "keepalives_interval": str(max(1, network_ms // 3000)),
        "keepalives_count": "3",
        "tcp_user_timeout": str(network_ms),
        "client_encoding": "utf8",
        "options": "",
    }
    if "," in place.parameters.get("host", ""):
        defaults["target_session_attrs"] = "read-write"  # whichever of them is the primary now
    given = defaults | dict(place.parameters) | {"client_encoding": "utf8"}
    if not options.is_pooled:
        given["options"] += "".join(f" -c {name}={value}" for name, value in _settings(options, time_max_s))
    if not given["options"]:
        del given["options"]
    connection = Connection.connect(conninfo.make_conninfo("", **given), autocommit=True)
    connection.prepare_threshold = options.prepare_after
    for kind, dumper in COLUMN_DUMPERS:
        connection.adapters.register_dumper(kind, dumper)
    return connection


def _settings(options: PostgresOptions, time_max_s: float) -> tuple[tuple[LiteralString, LiteralString], ...]:
    """What the server is to keep to: its limits, and to plan each statement for what it is given. A plan that is kept
    would be one for the empty day that was made ahead, when that day has come and is full.
    """
    return (
        ("statement_timeout", _digits(int(time_max_s * 1000))),
        ("lock_timeout", _digits(int(options.lock_time_max_s * 1000))),
        ("idle_in_transaction_session_timeout", _digits(int(options.idle_in_transaction_time_max_s * 1000))),
        ("plan_cache_mode", "force_custom_plan"),
    )


def begin_text(mode: LiteralString, options: PostgresOptions, time_max_s: float) -> LiteralString:
    """How transactions begin, in one round trip; through a pooler with their settings, which go when they end."""
    text: LiteralString = "begin isolation level " + mode
    if options.is_pooled:
        for name, value in _settings(options, time_max_s):
            text += "; set local " + name + " = " + value
    return text


def _digits(number: int) -> LiteralString:
    digits: tuple[LiteralString, ...] = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
    empty: LiteralString = ""
    return empty.join(digits[int(digit)] for digit in str(number))
