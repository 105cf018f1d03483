"""`python -m bench.capacity`: what an event costs in CPU and in room, for docs/operating/sizing.md.

Events of 1 KiB are published in batches to some applications with one webhook each, delivered to nginx and recorded.
What the node has used of the processor is told by the system, and so is what PostgreSQL has, where it runs on this
machine; then the database is asked what each table takes, its indexes included.
"""

import http.client
import json
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw
import click
import psycopg

from bench._errors import BenchError
from bench._receiver import Receiver, receiver_running
from bench._subject import Hookspan, hookspan_running

CONTENT_BYTES = 1024
BATCH_EVENTS = 100
PUBLISHERS = 8
APPLICATIONS = 50
TABLES = ("event", "publish_key", "delivery", "attempt")


@click.command()
@click.option("--events", type=click.IntRange(10_000, 10_000_000), default=50_000, show_default=True)
@click.option("--spaced", is_flag=True, help="Publish JSON with spaces in it.")
@click.option("--database-url", metavar="URL", help="An empty PostgreSQL database, instead of a SQLite file.")
def main(events: int, *, spaced: bool, database_url: str | None) -> None:
    """Print what one event costs, delivered to one webhook."""
    nginx = shutil.which("nginx")
    if nginx is None:
        raise click.ClickException("nginx is not on this machine: it is the receiver.")
    try:
        with tempfile.TemporaryDirectory(prefix="hookspan-capacity-") as made:
            folder = Path(made)
            folder.chmod(0o755)  # nginx's workers are somebody else
            log_before = 0 if database_url is None else _log_end(database_url)
            with receiver_running(nginx, folder / "receiver") as receiver:
                used_s, count = fill(receiver, folder / "node", database_url, events, is_compact=not spaced)
            for name, cpu_s in used_s.items():
                click.echo(f"{name:<12} {cpu_s / count * 1e6:>8,.0f} µs of CPU for each event")
            if database_url is None:
                sizes = _sizes_in_file(folder / "node" / "hookspan.db")
            else:
                sizes = _sizes_in_postgresql(database_url) | {"its log": _log_end(database_url) - log_before}
            for name, size in sizes.items():
                click.echo(f"{name:<12} {size / count:>8,.0f} bytes for each event")
    except BenchError as error:
        raise click.ClickException(str(error)) from error


def fill(
    receiver: Receiver, folder: Path, url: str | None, events: int, *, is_compact: bool
) -> tuple[dict[str, float], int]:
    """Publish and deliver: CPU seconds by program, and how many events. When it returns the server has ended, and
    everything is recorded.
    """
    batches = -(-events // BATCH_EVENTS)
    with hookspan_running(folder, url) as hookspan:
        hookspan.add_applications(APPLICATIONS, receiver.url())
        server = None if url is None else _server_of(url)
        before_s = _used_s(hookspan, server)

        def publish_share(share: int) -> None:
            with hookspan.connected() as connection:
                for number in range(share, batches, PUBLISHERS):
                    path = hookspan.paths[number % APPLICATIONS]
                    _publish(hookspan, connection, path, number * BATCH_EVENTS, is_compact=is_compact)

        with ThreadPoolExecutor(PUBLISHERS) as pool:
            list(pool.map(publish_share, range(PUBLISHERS)))
        received, _ = receiver.wait_for(batches * BATCH_EVENTS)
        after_s = _used_s(hookspan, server)
    if received != batches * BATCH_EVENTS:
        raise BenchError(f"{received:,} of {batches * BATCH_EVENTS:,} events arrived.")
    return {name: after_s[name] - before_s[name] for name in after_s}, received


def _used_s(hookspan: Hookspan, server: int | None) -> dict[str, float]:
    used = {"node": hookspan.process.cpu_s()}
    return used if server is None else used | {"PostgreSQL": _family_s(server)}


def _server_of(url: str) -> int | None:
    """The process that PostgreSQL's others come from; None where it is not on this machine."""
    with psycopg.connect(url, autocommit=True) as connection:
        backend = connection.info.backend_pid
        fields = _fields_of(backend)
    return None if fields is None or "postgres" not in fields[0] else int(fields[2])


def _family_s(server: int) -> float:
    """What it and its children have used, those that have ended too."""
    ticks = 0
    pids = [server]
    for children in Path(f"/proc/{server}/task").glob("*/children"):
        pids += [int(child) for child in children.read_text().split()]
    for pid in pids:
        fields = _fields_of(pid)
        if fields is not None:
            ticks += sum(int(field) for field in (fields[12:16] if pid == server else fields[12:14]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _fields_of(pid: int) -> list[str] | None:
    """The name, and what stands behind it in /proc/PID/stat: state, parent, … user, system, and of ended children."""
    try:
        name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition("(")[2].rpartition(")")
    except OSError:
        return None
    return [name, *rest.split()]


def _publish(
    hookspan: Hookspan, connection: http.client.HTTPConnection, path: str, first: int, *, is_compact: bool
) -> None:
    content = {"text": "x" * (CONTENT_BYTES - len('{"text":""}'))}
    batch = [
        {"type": "order.paid", "publisher_id": f"order-{number:012}", "content": content}
        for number in range(first, first + BATCH_EVENTS)
    ]
    headers = {"authorization": f"Bearer {hookspan.key}", "content-type": "application/json"}
    body = json.dumps(batch, separators=(",", ":") if is_compact else None)
    connection.request("POST", path, body, headers)
    response = connection.getresponse()
    answer = response.read()
    if response.status >= http.HTTPStatus.MULTIPLE_CHOICES:
        raise BenchError(f"A batch was answered with {response.status}: {answer.decode(errors='replace')[:500]}")


def _sizes_in_file(database: Path) -> dict[str, int]:
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        found = dict(
            connection.execute(
                "select m.tbl_name, sum(d.pgsize) from dbstat d join sqlite_schema m on m.name = d.name group by 1"
            )
        )
    finally:
        connection.close()
    return {name: found[name] for name in TABLES} | {"the file": database.stat().st_size}


def _sizes_in_postgresql(url: str) -> dict[str, int]:
    """As it lies there: the rows' dead versions are in it until vacuum has been there, and their room stays."""
    with psycopg.connect(url, autocommit=True) as connection:
        return {name: _size_of(connection, name) for name in TABLES}


def _log_end(url: str) -> int:
    """How many bytes the server has ever written to its write-ahead log: of all its databases."""
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint").fetchone()
    return 0 if found is None else int(found[0])


def _size_of(connection: "psycopg.Connection[tuple[int]]", table: str) -> int:
    found = connection.execute(
        "select sum(pg_total_relation_size(relid)) from pg_partition_tree(%(table)s::regclass)", {"table": table}
    ).fetchone()
    if found is None or found[0] is None:  # it has no partitions
        found = connection.execute("select pg_total_relation_size(%(table)s::regclass)", {"table": table}).fetchone()
    return 0 if found is None else int(found[0])


if __name__ == "__main__":
    main()
