"""Nodes behind a real PgBouncer in transaction mode, where one server connection serves many transactions in turn."""

import asyncio

import pytest

from hookspan.cli._output import Exit
from tests.support.cluster import ENCRYPTION_KEY, Cluster
from tests.support.node import Node
from tests.support.pgbouncer import PgBouncer, carries_prepared
from tests.support.postgres import Server
from tests.support.receiver import Receiver

pytestmark = [pytest.mark.anyio, pytest.mark.alone]


@pytest.fixture
async def server():
    server = Server()
    await asyncio.to_thread(server.make)
    await asyncio.to_thread(server.start)
    server.execute("create database hookspan")
    yield server
    await asyncio.to_thread(server.close)


async def serve_and_lose_one(folder, bouncer, **environment):
    """Two nodes start on an empty database, take in and deliver, and one is killed."""
    async with (
        Receiver() as receiver,
        Cluster(folder, receiver, nodes=2, url=bouncer.url("hookspan"), **environment) as cluster,
    ):
        cluster.publish()
        await cluster.flows(300)
        await cluster.nodes[1].kill()
        await cluster.flows(100)
        await cluster.end()
        await cluster.arrive(cluster.acknowledged, 10)


@pytest.mark.parametrize("hears", [True, False])
async def test_nodes_behind_a_pooler(tmp_path, server, hears):
    """With wake-ups past the pooler, and by looking alone. Fewer server connections than the nodes have: nothing of
    theirs leans on a session.
    """
    more = {"HOOKSPAN_DATABASE_LISTEN_URL": server.url("hookspan")} if hears else {}
    with PgBouncer(server, pool=4) as bouncer:
        await serve_and_lose_one(tmp_path, bouncer, HOOKSPAN_DATABASE_PREPARED="false", **more)


async def test_prepared_statements_where_they_are_carried(tmp_path, server):
    """PgBouncer from 1.22 on carries them between server connections; behind an older one, or where it is told not to,
    a node that would prepare some refuses to start, and says what to do.
    """
    environment = {"HOOKSPAN_DATABASE_LISTEN_URL": server.url("hookspan")}
    if carries_prepared():
        with PgBouncer(server, pool=4, max_prepared_statements="200") as bouncer:
            await serve_and_lose_one(tmp_path, bouncer, **environment)
    settings = {"max_prepared_statements": "0"} if carries_prepared() else {}
    with PgBouncer(server, pool=4, **settings) as bouncer:
        for _ in range(2):  # whatever the one before has left on a server connection
            said = await refused(tmp_path, bouncer.url("hookspan"), **environment)
            assert "loses prepared statements. Set HOOKSPAN_DATABASE_PREPARED=false, or use PgBouncer 1.22" in said


@pytest.mark.parametrize("settings", [{}, {"ignore_startup_parameters": "extra_float_digits,options"}])
async def test_a_pooler_that_nobody_told_of_is_noticed(tmp_path, server, settings):
    """Also one that swallows what a connection brings along, and so its limits on time."""
    with PgBouncer(server, **settings) as bouncer:
        said = await refused(tmp_path, bouncer.url("hookspan"))
    assert "A pooler answers at 127.0.0.1" in said
    assert "HOOKSPAN_DATABASE_LISTEN_URL" in said


async def refused(folder, url, **environment):
    """What a node says that does not start."""
    node = Node(folder, HOOKSPAN_DATABASE_URL=url, HOOKSPAN_ENCRYPTION_KEY=ENCRYPTION_KEY, **environment)
    await node.start()
    assert await node.wait_ended(60) == Exit.CANT_START
    return node.log()
