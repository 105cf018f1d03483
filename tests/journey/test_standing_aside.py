"""Two nodes on one PostgreSQL that leave things alone: what is paused, and a profile that is another's to send."""

import asyncio
import shutil
from pathlib import Path

import pytest

from hookspan.profiles import SHIPPED
from tests.support.cluster import Cluster
from tests.support.node import Node
from tests.support.receiver import Receiver

pytestmark = [pytest.mark.anyio, pytest.mark.alone]

FOLLOWED_WITHIN_S = 2.0
ARRIVES_WITHIN_S = 15.0
TAKEN_OVER_WITHIN_S = 15.0
NOTHING_FOR_S = 1.5


def profiles_in(folder: Path, generation: str) -> str:
    """A folder with a profile called ours, that says in a header which of its contents it is."""
    ours = folder / "ours"
    shutil.copytree(SHIPPED / "standard", ours)
    document = ours / "profile.toml"
    header = f'[[header]]\nname = "x-generation"\nvalue = "{generation}"\n[[signature]]\n'
    document.write_text(document.read_text().replace("[[signature]]\n", header, 1))
    return str(folder)


async def publish(node: Node, application: str, *numbers: int) -> None:
    for number in numbers:
        event = {"type": "order.paid", "content": {"number": number}}
        await asyncio.to_thread(node.call, "POST", f"/v1/applications/{application}/events", event)


async def have_arrived(receiver: Receiver, numbers: set[int], within_s: float = ARRIVES_WITHIN_S) -> bool:
    return await receiver.wait_until(lambda: receiver.numbers.keys() >= numbers, within_s)


def generations(receiver: Receiver) -> set[bytes]:
    """By which contents of the profile the requests were made."""
    return {headers[b"x-generation"] for headers, _ in receiver.requests if b"x-generation" in headers}


async def test_one_content_of_a_profile_sends(tmp_path: Path) -> None:
    """A node with other files of it takes events in and leaves the sending to those that have what is in force; when
    the last of them has ended it takes over by itself.
    """
    paths = [profiles_in(tmp_path / name, name) for name in ("old", "new")]
    receiver = Receiver()
    receiver.keeps_requests = True
    async with receiver, Cluster(tmp_path, receiver, nodes=1, HOOKSPAN_PROFILES_PATH=paths[0]) as cluster:
        made = await cluster.call("POST", "/v1/applications", {"name": "theirs", "profile": "ours"})
        path = f"/v1/applications/{made['id']}/webhooks"
        await cluster.call("POST", path, {"url": receiver.url})
        (tmp_path / "later").mkdir()
        old, new = cluster.nodes[0], cluster.node(tmp_path / "later", HOOKSPAN_PROFILES_PATH=paths[1])
        cluster.nodes.append(new)
        await new.start()
        await new.wait_ready()
        assert "another content of a profile is in force" in new.log()
        for number in range(0, 20, 2):
            await publish(old, made["id"], number)
            await publish(new, made["id"], number + 1)
        assert await have_arrived(receiver, set(range(20))), cluster.logs()
        assert generations(receiver) == {b"old"}
        # Of another profile both send: a node stands aside for no more than it must.
        await publish(new, cluster.application, 100)
        assert await receiver.wait_until(lambda: 100 in receiver.numbers, ARRIVES_WITHIN_S), cluster.logs()
        receiver.requests.clear()
        assert await old.terminate() == 0
        assert await receiver.wait_until(lambda: "profile taken over" in new.log(), TAKEN_OVER_WITHIN_S), new.log()
        await publish(new, made["id"], 20, 21)
        assert await have_arrived(receiver, {20, 21}), cluster.logs()
        assert generations(receiver) == {b"new"}
        assert max(receiver.numbers.values()) == 1, "nothing was sent twice"


async def test_a_pause_holds_on_all_nodes(tmp_path: Path) -> None:
    """Made through one node, followed by the other, outlived by a new process of it, ended through that."""
    async with Receiver() as receiver, Cluster(tmp_path, receiver, nodes=2) as cluster:
        first, second = cluster.nodes
        await publish(first, cluster.application, 1)
        await publish(second, cluster.application, 2)
        assert await have_arrived(receiver, {1, 2}), cluster.logs()
        made = await cluster.call("POST", "/v1/pauses", {"scope": "all", "reason": "moving"})
        assert await receiver.wait_until(lambda: "paused" in second.log(), FOLLOWED_WITHIN_S + 1), second.log()
        await publish(first, cluster.application, 3)
        await publish(second, cluster.application, 4)
        assert await second.terminate() == 0
        await second.start()
        await second.wait_ready()
        await publish(second, cluster.application, 5)
        assert not await receiver.wait_until(lambda: len(receiver.numbers) > 2, NOTHING_FOR_S)
        await cluster.call("DELETE", f"/v1/pauses/{made['id']}", node=1)
        assert await have_arrived(receiver, {1, 2, 3, 4, 5}), cluster.logs()
        assert max(receiver.numbers.values()) == 1
