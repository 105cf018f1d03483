"""docs/operating/backup.md, done as it stands there: PostgreSQL is lost, and brought back to a moment."""

import asyncio
import itertools
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.cluster import Cluster
from tests.support.node import Node, Publisher
from tests.support.page import blocks, put
from tests.support.postgres import Server
from tests.support.receiver import Receiver
from tests.support.tools import environment

pytestmark = [pytest.mark.anyio, pytest.mark.alone]

PAGE = "operating/backup.md"
WITHIN_S = 30.0
ROLE_PASSWORD = "of-the-nodes"
LOST = set(range(100_000, 100_020))  # accepted after the moment
RESENT = set(range(100_000, 100_005))


class Operator:
    """Someone at the database's machine, under PostgreSQL's account: does what the page says, with places of here."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.backup = server.folder / "backup"

    def do(self, commands: str, data: Path, **places: str) -> None:
        text = put(commands, {"/backup": str(self.backup)} | places)
        environment = {"PGHOST": "127.0.0.1", "PGPORT": str(self.server.port), "PGUSER": "owner"}
        self.server.shell(text, PGDATA=str(data), PGPASSWORD=self.server.password, **environment)

    def archive(self) -> None:
        """The server's configuration, before its first start."""
        (settings, _) = blocks(PAGE, "Base backup and archived WAL")
        self.server.shell(f"mkdir -p {self.backup}/wal")
        configuration = self.server.data / "postgresql.conf"
        text = configuration.read_text() + put(settings, {"/backup": str(self.backup)})
        configuration.write_text(text)

    def take_base_backup(self) -> None:
        (_, commands) = blocks(PAGE, "Base backup and archived WAL")
        self.do(commands, self.server.data)

    def wait_archived(self) -> None:
        """What is in the log now has been archived; `archive_timeout` would do it within a minute."""
        [(segment,)] = self.server.execute("select pg_walfile_name(pg_switch_wal())")
        until_s = time.monotonic() + WITHIN_S
        while self.server.execute("select last_archived_wal >= $$" + segment + "$$ from pg_stat_archiver") != [(True,)]:
            assert time.monotonic() < until_s, self.server.execute("select * from pg_stat_archiver")

    def restore(self, moment: str) -> Server:
        """On another server, which is running and takes writes when this returns."""
        (commands,) = blocks(PAGE, "To a moment, with archived WAL")
        restored = self.server.make_beside()
        self.do(commands, restored.data, **{"2026-11-21 14:05:00+00": moment})
        restored.start()
        until_s = time.monotonic() + WITHIN_S
        while restored.execute("select pg_is_in_recovery()") != [(False,)]:
            assert time.monotonic() < until_s, "still in recovery"
        return restored


class Restored:
    """A cluster of one node whose database goes away and comes back elsewhere, as it was."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self._folder = folder
        self.events = f"/v1/applications/{cluster.application}/events"

    async def publish(self, number: int) -> dict[str, Any]:
        """One event more, accepted."""
        body = {"type": "order.paid", "content": {"number": number}, "publisher_id": f"n{number}"}
        return await self.cluster.call("POST", self.events, body)

    async def everything(self, after: int = 0) -> list[dict[str, Any]]:
        """What the application has, read on by position as a program does that mirrors it."""
        found: list[dict[str, Any]] = []
        while True:
            position = found[-1]["position"] if found else after
            page = await self.cluster.call("GET", f"{self.events}?sort=oldest&limit=500&after={position}")
            if not page["data"]:
                return found
            found += page["data"]

    async def begin(self, server: Server, **environment: str) -> None:
        """A node on that server in place of the one that was there."""
        [old] = self.cluster.nodes
        await old.stop()
        folder = self._folder / f"again{len(list(self._folder.iterdir()))}"
        folder.mkdir()
        node = self.cluster.node(folder, **({"HOOKSPAN_DATABASE_URL": server.url("hookspan")} | environment))
        self.cluster.nodes[:] = [node]
        await node.start()
        await node.wait_ready()


def numbers(events: list[dict[str, Any]]) -> set[int]:
    return {event["content"]["number"] for event in events}


@pytest.fixture
async def server():
    server = Server()
    await asyncio.to_thread(server.make)
    yield server
    await asyncio.to_thread(server.close)


async def test_a_restore_to_a_moment(tmp_path, server):
    """With archived WAL and a base backup that was taken while a node was busy: what was accepted before the moment is
    there and is delivered, but nothing before the operator says so; what was accepted after it is gone.
    """
    operator = Operator(server)
    operator.archive()
    await asyncio.to_thread(server.start)
    server.execute("create database hookspan")
    async with (
        Receiver() as receiver,
        Receiver() as slow,
        Cluster(tmp_path, receiver, nodes=1, url=server.url("hookspan")) as cluster,
    ):
        world = Restored(cluster, tmp_path)
        webhooks = f"/v1/applications/{cluster.application}/webhooks"
        limited = await cluster.call("POST", webhooks, {"url": slow.url, "rate": 1})
        cluster.publish()
        await cluster.flows(100)
        await asyncio.to_thread(operator.take_base_backup)
        await cluster.flows(100)
        await cluster.end()
        kept = cluster.acknowledged
        [(moment,)] = server.execute("select clock_timestamp()::text")
        for number in LOST:
            await world.publish(number)
        await cluster.arrive(kept | LOST, WITHIN_S)
        before = await world.everything()
        assert numbers(before) == kept | LOST
        await asyncio.to_thread(operator.wait_archived)

        await cluster.nodes[0].terminate()
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(shutil.rmtree, server.data)
        restored = await asyncio.to_thread(operator.restore, moment)
        try:
            waiting = kept - slow.numbers.keys()
            assert len(waiting) > 50
            await world.begin(restored, HOOKSPAN_START_PAUSED="true")
            there = await world.everything()
            assert [event["id"] for event in there] == [event["id"] for event in before[: len(kept)]]
            assert numbers(there) == kept
            await cluster.call("PATCH", f"{webhooks}/{limited['id']}", {"rate": None})
            assert kept - slow.numbers.keys() == waiting
            await world.begin(restored)  # "take the setting out again": it stays paused
            assert kept - slow.numbers.keys() == waiting
            [pause] = (await cluster.call("GET", "/v1/pauses"))["data"]
            await cluster.call("DELETE", f"/v1/pauses/{pause['id']}")
            assert await slow.wait_until(lambda: slow.numbers.keys() >= kept, WITHIN_S), cluster.logs()
            await go_on(world, before, kept)
            assert await slow.wait_until(lambda: slow.numbers.keys() >= kept | RESENT, WITHIN_S), cluster.logs()
        finally:
            await asyncio.to_thread(restored.close)


async def go_on(world: Restored, before: list[dict[str, Any]], kept: set[int]) -> None:
    """Publishers send again what they have: what was kept is known, the rest comes in anew, under ids that were never
    given, at positions that follow what was kept. So whoever had read on beyond the moment passes by what is new.
    """
    known = set(sorted(kept)[-3:])
    again = {number: await world.publish(number) for number in known | RESENT}
    after = await world.everything()
    assert numbers(after) == kept | RESENT
    assert [event["position"] for event in after] == list(range(1, len(after) + 1))
    ids = {event["id"] for event in before}
    assert {number for number, event in again.items() if event["id"] in ids} == known
    assert {event["id"] for event in after[len(kept) :]} & ids == set()
    assert await world.everything(after=before[-1]["position"]) == []


async def test_a_dump_is_a_database_again(tmp_path, server):
    """`pg_dump` while a node is busy, by the role of the nodes; restored into a database made as for the first start:
    what the page lets read is there, and a node goes on with it.
    """
    await asyncio.to_thread(server.start)
    await asyncio.to_thread(make_role, server)
    url = server.url("hookspan", user="hookspan", password=ROLE_PASSWORD)
    async with Receiver() as receiver, Cluster(tmp_path, receiver, nodes=1, url=url) as cluster:
        world = Restored(cluster, tmp_path)
        cluster.publish()
        await cluster.flows(100)
        sure = cluster.acknowledged
        (dump,) = blocks(PAGE, "A dump")
        address = server.folder / "database-url"
        address.write_text(url)
        await asyncio.to_thread(server.shell, put(dump, {"/etc/hookspan/database-url": str(address)}))
        await cluster.end()
        await cluster.nodes[0].terminate()
        server.execute("drop database hookspan", "drop role hookspan")
        await asyncio.to_thread(make_role, server)
        restore, look = blocks(PAGE, "Try it")
        restore = put(restore, {"localhost": f"127.0.0.1:{server.port}"})
        await asyncio.to_thread(server.shell, restore, PGPASSWORD=ROLE_PASSWORD)
        for question in filter(None, look.split("\n")):
            assert server.execute(question, database="hookspan"), question
        await world.begin(server, HOOKSPAN_DATABASE_URL=url)
        assert sure <= numbers(await world.everything()) <= cluster.acknowledged
        await world.publish(100_000)
        assert await receiver.wait_until(lambda: receiver.numbers[100_000] == 1, WITHIN_S), cluster.logs()


def make_role(server: Server) -> None:
    """As a superuser, by the page on PostgreSQL."""
    statements = blocks("operating/postgresql.md", "From nothing to two nodes")[0]
    server.execute(*filter(None, put(statements, {"a-long-random-text": ROLE_PASSWORD}).split("\n")))


async def test_a_copy_of_sqlite_is_a_server_again(tmp_path):
    """`hookspan db backup` while the node is busy; the folder is lost but for the keys; the copy is put in its place:
    what was accepted before is there, and what had not been delivered is delivered.
    """
    data, backup = tmp_path / "data", tmp_path / "backup"
    for folder in (data, backup):
        folder.mkdir()
    configuration = tmp_path / "hookspan.toml"
    configuration.write_text(f'database_url = "sqlite:///{data}/hookspan.db"\n')
    take, restore = blocks("operating/README.md", "Backup")
    copied = {"/backup": str(backup), "/etc/hookspan/hookspan.toml": str(configuration)}
    async with Receiver() as receiver:
        node = Node(data)
        await node.start()
        try:
            await node.wait_ready()

            async def call(method: str, path: str, body: object = None) -> dict[str, Any]:
                return await asyncio.to_thread(node.call, method, path, body)

            application = (await call("POST", "/v1/applications", {"name": "a"}))["id"]
            path = f"/v1/applications/{application}"
            webhook = await call("POST", f"{path}/webhooks", {"url": receiver.url, "status": "disabled"})
            publisher = Publisher(node, application, itertools.count())
            publishing = asyncio.ensure_future(publisher.run())
            assert await enough(publisher, 100)
            sure = set(publisher.acknowledged)
            await asyncio.to_thread(type_in, put(take, copied), tmp_path)
            assert await enough(publisher, len(publisher.acknowledged) + 20)
            publisher.is_stopped = True
            await publishing
            publisher.close()
            await node.terminate()
            [copy] = backup.iterdir()
            there = {"/backup/hookspan-2026-11-21.db": str(copy), "/var/lib/hookspan": str(data)}
            # There is no service here: its two lines are the node's own end and start.
            lines = [line for line in put(restore, there).splitlines() if not line.startswith("systemctl ")]
            await asyncio.to_thread(type_in, "\n".join(lines), tmp_path)
            await node.start()
            await node.wait_ready()
            await call("PATCH", f"{path}/webhooks/{webhook['id']}", {"status": "active"})
            assert await receiver.wait_until(lambda: receiver.numbers.keys() >= sure, WITHIN_S), node.log()
            assert receiver.numbers.keys() < publisher.acknowledged
        finally:
            await node.stop()


async def enough(publisher: Publisher, count: int) -> bool:
    """So many events were accepted."""
    async with asyncio.timeout(WITHIN_S):
        while len(publisher.acknowledged) < count:
            await asyncio.to_thread(publisher.node.call, "GET", "/readyz")
    return True


def type_in(commands: str, folder: Path) -> None:
    """At a terminal of the operator's, where `hookspan` is at hand."""
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-eu"], input=commands, text=True, capture_output=True, check=False, cwd=folder,
        env=environment(PATH=programs),
    )  # fmt: skip
    assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
