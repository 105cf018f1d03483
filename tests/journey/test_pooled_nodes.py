"""Nodes behind a real PgBouncer in transaction mode, where one server connection serves many transactions in turn."""

import asyncio

import pytest

from tests.support.cluster import Cluster
from tests.support.pgbouncer import PgBouncer
from tests.support.postgres import Server
from tests.support.receiver import Receiver

pytestmark = [pytest.mark.anyio, pytest.mark.alone]


@pytest.mark.parametrize("hears", [True, False])
async def test_nodes_behind_a_pooler(tmp_path, hears):
    """Two nodes start on an empty database, take in and deliver, and one is killed; with wake-ups past the pooler, and
    by looking alone. Fewer server connections than the nodes have: nothing of theirs leans on a session.
    """
    server = Server()
    await asyncio.to_thread(server.make)
    await asyncio.to_thread(server.start)
    try:
        server.execute("create database hookspan")
        with PgBouncer(server, pool=4) as bouncer:
            more = {"HOOKSPAN_DATABASE_LISTEN_URL": server.url("hookspan")} if hears else {}
            environment = {"HOOKSPAN_DATABASE_PREPARED": "false", **more}
            async with (
                Receiver() as receiver,
                Cluster(tmp_path, receiver, nodes=2, url=bouncer.url("hookspan"), **environment) as cluster,
            ):
                cluster.publish()
                await cluster.flows(300)
                await cluster.nodes[1].kill()
                await cluster.flows(100)
                await cluster.end()
                await cluster.arrive(cluster.acknowledged, 10)
    finally:
        await asyncio.to_thread(server.close)
