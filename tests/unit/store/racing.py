"""Where a race has to be met at one point: somebody else's transaction, which holds a lock until the call waits."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from hookspan.domain.records import Application, Webhook
from hookspan.domain.states import Cause
from hookspan.store.contract import NewAside
from tests.contract.world import World
from tests.unit.store.postgres_nodes import Nodes

ALL_IDS = (1 << 63) - 1
_LOOKS_MAX = 10_000


@contextlib.contextmanager
def beside(nodes: Nodes) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A transaction of somebody else; committed at the end."""
    with psycopg.connect(nodes.url) as connection:
        yield connection


async def waits(nodes: Nodes) -> None:
    """Until somebody waits for a lock."""
    for _ in range(_LOOKS_MAX):
        if nodes.query("select 1 from pg_locks where not granted limit 1"):
            return
        await asyncio.sleep(0)
    pytest.fail("nobody waits")


async def send(world: World, application: Application, webhook: Webhook, event_id: int) -> int:
    new = NewAside(
        id=world.ids.make(),
        application_id=application.id,
        webhook_id=webhook.id,
        event_id=event_id,
        cause=Cause.SEND,
    )
    sent = await world.store.send_aside(new, world.now)
    assert sent is not None
    return sent.run
