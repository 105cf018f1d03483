"""An application moves to another database while nodes serve both and publishers go on: nothing is lost or doubled."""

import asyncio
import os
import signal
import sys

import pytest

from tests.support.cluster import ENCRYPTION_KEY, Cluster
from tests.support.receiver import Receiver

pytestmark = [pytest.mark.anyio, pytest.mark.alone]

ARRIVES_WITHIN_S = 10.0
TOOL_ENDS_WITHIN_S = 60.0
# What the tool says when a phase begins, in order; it is killed at each.
PHASES = (b"Copying while", b"Freezing", b"Copying the rest", b"Switching over", b"It is served from the target")


class Cells:
    """The cluster's node serves the first database; a second node another on the same server. Publishers know both, and
    ask the other one where they get no 202: what an operator's router does.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    async def open(self, folder) -> None:
        cluster = self.cluster
        assert cluster.server is not None
        cluster.server.execute("create database cell_1")
        folder.mkdir()
        node = cluster.node(folder, HOOKSPAN_DATABASE_URL=cluster.server.url("cell_1"), HOOKSPAN_CELL="1")
        cluster.nodes.append(node)
        await node.start()
        await node.wait_ready()

    async def tool(self, *flags: str, killed_at: bytes | None = None) -> tuple[int, str]:
        """Run it, to its end or until it says something. Its exit code and what it said."""
        server = self.cluster.server
        assert server is not None
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HOOKSPAN_")}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hookspan", "db", "move-application", self.cluster.application, *flags),
            env=kept
            | {
                "HOOKSPAN_MOVE_FROM": server.url("hookspan"),
                "HOOKSPAN_MOVE_TO": server.url("cell_1"),
                "HOOKSPAN_ENCRYPTION_KEY": ENCRYPTION_KEY,
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said = b""
        assert process.stdout is not None
        async with asyncio.timeout(TOOL_ENDS_WITHIN_S):
            async for line in process.stdout:
                said += line
                if killed_at is not None and line.startswith(killed_at):
                    process.send_signal(signal.SIGKILL)
            return await process.wait(), said.decode()


@pytest.fixture
async def cells(tmp_path):
    async with Receiver() as receiver, Cluster(tmp_path, receiver, nodes=1) as cluster:
        made = Cells(cluster)
        await made.open(tmp_path / "cell1")
        yield made


async def settled(cells: Cells) -> None:
    """Publishers end; all that was acknowledged has arrived, each once."""
    cluster = cells.cluster
    await cluster.end()
    await cluster.arrive(cluster.acknowledged, ARRIVES_WITHIN_S)
    assert cluster.doubled == 0


async def test_it_moves_under_load(cells):
    """Publishers are served again as soon as it has arrived; what was acknowledged before and after arrives once."""
    cluster = cells.cluster
    cluster.publish()
    await cluster.flows(300)
    code, said = await cells.tool()
    assert code == 0, said
    assert "the same on both sides" in said
    await cluster.flows(300)
    await settled(cells)
    path = f"/v1/applications/{cluster.application}"
    assert (await cluster.call("GET", path, node=1))["id"] == cluster.application
    assert cluster.server.execute("select count(*) from event", database="cell_1")[0][0] == len(cluster.acknowledged)


async def test_a_tool_that_is_killed_goes_on(cells):
    """With -9, as each of its phases begins; the run after the last finishes, and nothing is lost or doubled."""
    cluster = cells.cluster
    cluster.publish()
    await cluster.flows(200)
    for phase in PHASES:
        code, said = await cells.tool(killed_at=phase)
        assert code == -signal.SIGKILL, said
    code, said = await cells.tool()
    assert code == 0, said
    await cluster.flows(200)
    await settled(cells)


async def test_one_that_was_killed_is_undone(cells):
    """The source goes on, with all that it had; a dry run before and after changes nothing; later it moves."""
    cluster = cells.cluster
    cluster.publish()
    await cluster.flows(200)
    code, said = await cells.tool("--dry-run")
    assert code == 0, said
    code, said = await cells.tool(killed_at=b"Switching over")
    assert code == -signal.SIGKILL, said
    code, said = await cells.tool("--undo")
    assert code == 0, said
    await cluster.flows(100)
    code, said = await cells.tool("--json")
    assert code == 0, said
    assert '"did": "moved"' in said
    await cluster.flows(100)
    await settled(cells)
