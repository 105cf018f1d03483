"""A real PgBouncer in transaction mode before a test's PostgreSQL."""

import os
import pwd
import re
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

from tests.support.ports import free_port
from tests.support.postgres import Server
from tests.support.tools import tool

_UP_S = 20


class PgBouncer:
    """`with PgBouncer(server) as bouncer`. `url(database)` leads through it. `settings` are those of its file."""

    def __init__(self, server: Server, *, pool: int = 5, **settings: str) -> None:
        self._server = server
        self._pool = pool
        self._settings = settings
        self.port = free_port()

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="hookspan-bouncer-")
        folder = Path(self._folder.name)
        (folder / "users").write_text(f'"owner" "{self._server.password}"\n')
        (folder / "pgbouncer.ini").write_text(
            f"""[databases]
* = host=127.0.0.1 port={self._server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {self._pool}
max_client_conn = 200
{"".join(f"{name} = {value}{chr(10)}" for name, value in self._settings.items())}logfile = {folder}/log
pidfile = {folder}/pid
"""
        )
        account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        if account is not None:
            for path in (folder, *folder.iterdir()):
                os.chown(path, account.pw_uid, account.pw_gid)
        self._process = subprocess.Popen(
            [tool("pgbouncer"), "-q", str(folder / "pgbouncer.ini")],
            user=None if account is None else account.pw_uid,
            group=None if account is None else account.pw_gid,
            extra_groups=None if account is None else [],
            stderr=subprocess.DEVNULL,
        )
        until_s = time.monotonic() + _UP_S
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            assert self._process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until_s, "PgBouncer did not start"

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(_UP_S)
        self._folder.cleanup()

    def url(self, database: str) -> str:
        return self._server.url(database, port=self.port)


def carries_prepared() -> bool:
    """Whether the PgBouncer of this machine is one that can carry prepared statements for psycopg: 1.22 or newer."""
    said = subprocess.run([tool("pgbouncer"), "--version"], capture_output=True, text=True, check=True).stdout
    version = re.match(r"PgBouncer (\d+)\.(\d+)", said)
    assert version is not None, said
    return (int(version[1]), int(version[2])) >= (1, 22)
