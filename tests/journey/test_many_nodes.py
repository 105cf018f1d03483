"""Several nodes on one PostgreSQL, under load, while one of them or the database fails: what was taken in arrives."""

import asyncio
import os
import signal
import time

import pytest

from hookspan.store.postgres import PostgresOptions
from tests.support.cluster import CONCURRENCY, TRUST_WINDOW_S, Cluster
from tests.support.postgres import Server
from tests.support.proxy import proxy_to
from tests.support.receiver import Receiver

pytestmark = [pytest.mark.anyio, pytest.mark.alone]

COMMITTED = b"COMMIT\x00"  # the server's word that it is durable
KILLS = int(os.environ.get("HOOKSPAN_TEST_NODE_KILLS", "10"))
TOGGLES = int(os.environ.get("HOOKSPAN_TEST_TOGGLES", "40"))
DOUBTS = int(os.environ.get("HOOKSPAN_TEST_DOUBTS", "5"))
AWAY_S = float(os.environ.get("HOOKSPAN_TEST_DATABASE_AWAY_S", "5"))
ORPHANS_WITHIN_S = TRUST_WINDOW_S + 5
BACK_WITHIN_S = 5.0


async def test_a_node_killed_loses_nothing(tmp_path):
    """Of three nodes one is killed with -9, again and again: what it had acknowledged is delivered by the others soon
    after the trust window, and doubled is at most what was in flight.
    """
    async with Receiver() as receiver, Cluster(tmp_path, receiver) as cluster:
        cluster.publish()
        for round_ in range(KILLS):
            await cluster.flows(60 + round_ * 13 % 50)
            victim = cluster.nodes[round_ % len(cluster.nodes)]
            await victim.kill()
            held = cluster.acknowledged
            await cluster.arrive(held, ORPHANS_WITHIN_S)
            await victim.start()
            await victim.wait_ready()
        await cluster.flows(50)
        await cluster.end()
        await cluster.arrive(cluster.acknowledged, ORPHANS_WITHIN_S)
        assert cluster.doubled <= KILLS * CONCURRENCY


async def test_a_paused_node_is_fenced(tmp_path):
    """A node that stood still beyond the trust window has lost what it held: others have sent it, and what came of its
    own requests is refused. Then it goes on under a new registration.
    """
    async with Receiver() as receiver, Cluster(tmp_path, receiver, nodes=2) as cluster:
        cluster.publish()
        await cluster.flows(100)
        paused = cluster.nodes[1]
        paused.signal(signal.SIGSTOP)
        held = cluster.acknowledged
        other = cluster.nodes[0]
        # It may have been paused inside a transaction, which the server ends by itself after a while.
        within_s = ORPHANS_WITHIN_S + PostgresOptions().idle_in_transaction_time_max_s
        assert await receiver.wait_until(lambda: "was taken out" in other.log(), within_s), cluster.logs()
        await cluster.arrive(held, ORPHANS_WITHIN_S)
        paused.signal(signal.SIGCONT)
        assert await receiver.wait_until(lambda: "registers anew" in paused.log(), 20), cluster.logs()
        await cluster.flows(100)
        await cluster.end()
        await cluster.arrive(cluster.acknowledged, ORPHANS_WITHIN_S)
        assert cluster.doubled <= CONCURRENCY
        assert await asyncio.to_thread(paused.call, "GET", "/readyz") == {"status": "ready", "reason": None}


async def test_a_database_that_ends_hard_loses_nothing(tmp_path):
    """PostgreSQL is stopped as by a crash, stays away, and comes back: publishers are refused at once meanwhile, and
    served again soon after; nothing that was acknowledged is lost.
    """
    async with Receiver() as receiver, Cluster(tmp_path, receiver, nodes=2) as cluster:
        assert cluster.server is not None
        cluster.publish()
        await cluster.flows(100)
        await asyncio.to_thread(cluster.server.stop, signal.SIGQUIT)
        away_until_s = time.monotonic() + AWAY_S
        answers_s = []
        while time.monotonic() < away_until_s:
            status, took_s = await asyncio.to_thread(cluster.nodes[0].publish_once, cluster.application)
            assert status == 503
            answers_s.append(took_s)
        assert max(answers_s[1:]) < 1.0, answers_s  # the first may have been under way
        await asyncio.to_thread(cluster.server.start)
        began_s = time.monotonic()
        await cluster.flows(1, BACK_WITHIN_S)
        assert time.monotonic() - began_s <= BACK_WITHIN_S
        await cluster.flows(100)
        await cluster.end()
        await cluster.arrive(cluster.acknowledged, ORPHANS_WITHIN_S)


async def test_connections_that_are_cut_lose_nothing(tmp_path):
    """Every connection to the database is ended by the server, three times: nodes connect anew and go on."""
    async with Receiver() as receiver, Cluster(tmp_path, receiver, nodes=2) as cluster:
        assert cluster.server is not None
        cluster.publish()
        for _ in range(3):
            await cluster.flows(100)
            cluster.server.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = 'hookspan' and pid <> pg_backend_pid()"
            )
            began_s = time.monotonic()
            await cluster.flows(1, BACK_WITHIN_S)
            assert time.monotonic() - began_s <= BACK_WITHIN_S
        await cluster.flows(50)
        await cluster.end()
        await cluster.arrive(cluster.acknowledged, ORPHANS_WITHIN_S)


async def test_a_promoted_standby_has_everything(tmp_path):
    """The primary dies and its synchronous standby is promoted: nodes find it by the second host of their address, and
    nothing that was acknowledged is lost.
    """
    primary = Server()
    try:
        await asyncio.to_thread(primary.make)
        await asyncio.to_thread(primary.start)
        primary.execute("create database hookspan")
        standby = await asyncio.to_thread(primary.make_standby)
        try:
            await asyncio.to_thread(standby.start)
            primary.execute("alter system set synchronous_standby_names = '*'", "select pg_reload_conf()")
            url = primary.url("hookspan").replace(f":{primary.port}/", f":{primary.port},127.0.0.1:{standby.port}/", 1)
            async with (
                Receiver() as receiver,
                Cluster(tmp_path, receiver, nodes=2, url=f"{url}?target_session_attrs=read-write") as cluster,
            ):
                cluster.publish()
                await cluster.flows(200)
                await asyncio.to_thread(primary.stop, signal.SIGQUIT)
                standby.execute("select pg_promote()")
                await cluster.flows(100)
                await cluster.end()
                await cluster.arrive(cluster.acknowledged, ORPHANS_WITHIN_S)
        finally:
            await asyncio.to_thread(standby.close)
    finally:
        await asyncio.to_thread(primary.close)


async def test_commits_in_doubt_are_settled(tmp_path):
    """The connection is cut while COMMIT's answer is on its way, of whatever is being written: publishers get a 503 and
    send again, each event is delivered once, and no claim stays behind.
    """
    server = Server()
    await asyncio.to_thread(server.make)
    await asyncio.to_thread(server.start)
    try:
        server.execute("create database hookspan")
        with proxy_to(server.port) as proxy:
            url = server.url("hookspan", port=proxy.port)
            async with Receiver() as receiver, Cluster(tmp_path, receiver, nodes=1, url=url) as cluster:
                cluster.publish()
                for _ in range(DOUBTS):
                    await cluster.flows(60)
                    before = proxy.cuts
                    proxy.swallow_answer = COMMITTED
                    assert await receiver.wait_until(lambda before=before: proxy.cuts >= before + 3, 20)
                    proxy.swallow_answer = None
                await cluster.flows(60)
                await cluster.end()
                await cluster.arrive(cluster.acknowledged, 20)
                claimed = "select count(*) from delivery where node <> 0 or state = 1"
                settled = time.monotonic() + 20
                while server.execute(claimed, database="hookspan") != [(0,)]:
                    assert time.monotonic() < settled, cluster.logs()
                    await asyncio.to_thread(cluster.nodes[0].call, "GET", "/readyz")
                assert cluster.doubled == 0
                assert max(receiver.numbers.values()) == 1
    finally:
        await asyncio.to_thread(server.close)


async def test_positions_are_whole_whoever_publishes(tmp_path):
    """Three nodes publish to one application while a reader follows by position: no gap, no repetition, in order."""
    async with Receiver() as receiver, Cluster(tmp_path, receiver) as cluster:
        cluster.publish()
        seen: list[int] = []
        numbers: set[int] = set()
        events = f"/v1/applications/{cluster.application}/events?sort=oldest&limit=200"
        for turn in range(30):
            page = await cluster.call("GET", f"{events}&after={seen[-1] if seen else 0}", node=turn % 3)
            seen += [event["position"] for event in page["data"]]
            numbers |= {event["content"]["number"] for event in page["data"]}
            await cluster.flows(20)
        assert seen == list(range(1, len(seen) + 1))
        assert len(seen) > 300
        assert len(numbers) == len(seen)


async def test_toggles_miss_nothing(tmp_path):
    """A webhook is switched off and on through each node in turn while all three publish: none missed, none doubled."""
    async with Receiver() as receiver, Cluster(tmp_path, receiver) as cluster:
        path = f"/v1/applications/{cluster.application}/webhooks"
        [webhook] = (await cluster.call("GET", path))["data"]
        cluster.publish()
        for turn in range(TOGGLES):
            await cluster.call("PATCH", f"{path}/{webhook['id']}", {"status": "disabled"}, node=turn % 3)
            await cluster.call("PATCH", f"{path}/{webhook['id']}", {"status": "active"}, node=(turn + 1) % 3)
            await cluster.flows(5)
        await cluster.end()
        await cluster.arrive(cluster.acknowledged, 30)
        assert cluster.doubled == 0


async def test_a_change_reaches_the_other_nodes(tmp_path):
    """A webhook that is made through one node gets what another takes in, within two seconds."""
    async with Receiver() as receiver, Cluster(tmp_path, receiver, nodes=2) as cluster:
        publish = f"/v1/applications/{cluster.application}/events"
        await cluster.call("POST", publish, {"type": "a.b", "content": {"number": 1}}, node=1)
        assert await receiver.wait_until(lambda: receiver.numbers[1] == 1, 10), cluster.logs()
        path = f"/v1/applications/{cluster.application}/webhooks"
        await cluster.call("POST", path, {"url": f"{receiver.url}?second"}, node=0)
        began_s = time.monotonic()
        number = 2
        while receiver.numbers[number - 1] < 2:
            assert time.monotonic() - began_s < 4
            await cluster.call("POST", publish, {"type": "a.b", "content": {"number": number}}, node=1)
            assert await receiver.wait_until(lambda number=number: receiver.numbers[number] >= 1, 10)
            number += 1
        assert time.monotonic() - began_s < 3


async def test_roles_divide_the_work(tmp_path):
    """One node takes in and sends nothing, another sends and takes nothing in; together they are one server."""
    async with Receiver() as receiver, Cluster(tmp_path, receiver, nodes=1, HOOKSPAN_ROLE="intake") as cluster:
        cluster.publish()
        await cluster.flows(0)
        assert await receiver.wait_until(lambda: len(cluster.acknowledged) >= 50, 20) or cluster.acknowledged
        assert not receiver.numbers
        folder = tmp_path / "deliver"
        folder.mkdir()
        sender = cluster.node(folder, HOOKSPAN_ROLE="deliver")
        cluster.nodes.append(sender)
        await sender.start()
        await sender.wait_ready()
        await cluster.arrive(cluster.acknowledged, 10)
        status, _ = await asyncio.to_thread(sender.publish_once, cluster.application)
        assert status == 503
        await cluster.end()
        await cluster.arrive(cluster.acknowledged, 10)
        assert cluster.doubled == 0
