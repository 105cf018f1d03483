"""The audit log while several nodes write it: one chain of each application, whoever adds to it."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hookspan.domain.audit import AuditEntry, AuditLine, Verifier, chain_name
from hookspan.domain.caller import Role
from hookspan.domain.records import Application
from hookspan.errors import StoreUnavailable
from hookspan.store.audit import AuditQuery
from hookspan.store.contract import Page, WebhookChange
from hookspan.store.postgres import PostgresStore, _audit
from hookspan.store.postgres._connection import Connection
from tests.contract.world import World
from tests.unit.store.postgres_nodes import Nodes, at_once, two_nodes

pytestmark = pytest.mark.anyio

MINUTE_MS = 60_000


@pytest.fixture
async def nodes() -> AsyncIterator[Nodes]:
    async with two_nodes() as nodes:
        yield nodes


def entry(world: World, application: Application | None, action: str, **members: Any) -> AuditEntry:
    return AuditEntry(
        at=world.now,
        application_id=application.id if application else 0,
        application=application.public_id if application else None,
        actor_kind="key",
        actor_id="key_1",
        actor_name="Ada",
        role=Role.ADMIN,
        action=action,
        object_kind="webhook",
        object_id="x",
        address=None,
        request_id=None,
        detail={},
        **members,
    )


async def lines(world: World, limit: int = 7) -> list[AuditLine]:
    """All of them, page by page as a reader walks them."""
    found: list[AuditLine] = []
    before = None
    while True:
        page = await world.store.list_audit(Page(limit=limit, before=before), AuditQuery())
        found += page.lines
        before = page.before
        if before is None:
            return found


def lengths(found: list[AuditLine]) -> dict[str, int]:
    """The chains with their lengths, all right, and each without a gap from its head down."""
    verifier = Verifier()
    for one in found:
        verifier.take(one)
    chains = verifier.end()
    assert all(one.broken is None for one in chains), chains
    return {one.name: one.head_sequence for one in chains}


@pytest.mark.parametrize("ahead_ms", [0, 10 * MINUTE_MS])
async def test_a_chain_has_no_gap_whoever_adds_to_it(nodes: Nodes, ahead_ms: int) -> None:
    """Two nodes change the same applications at once, one of them with a clock that is ahead."""
    one, other = nodes.worlds
    other.clock.move(ahead_ms)
    applications = [await one.application() for _ in range(3)]
    webhooks = [await one.webhook(application) for application in applications]

    async def change(world: World, number: int) -> None:
        place = number % 3
        store = world.store.audited(entry(world, applications[place], f"n{number}"))
        await store.update_webhook(webhooks[place].id, WebhookChange(name=f"{world.node}/{number}"), None, world.now)
        await world.store.keep_audit(entry(world, None, f"n{number}"))

    await asyncio.gather(*(change(world, number) for number in range(30) for world in nodes.worlds))
    found = await lines(one)
    assert lengths(found) == {"installation": 60} | {chain_name(each.id): 20 for each in applications}
    assert [each.id for each in found] == sorted((each.id for each in found), reverse=True)


async def test_a_change_that_is_done_again_leaves_one_line(nodes: Nodes) -> None:
    """Two audited changes lock two rows against each other: one is undone, done again, and told of once."""
    one, other = nodes.worlds
    applications = [await one.application(name="0"), await one.application(name="0")]
    webhooks = [await one.webhook(each) for each in applications]
    meet = threading.Barrier(2)
    tries: list[int] = []

    def crossing(order: tuple[int, int]) -> Any:
        def run(connection: Connection) -> None:
            tries.append(order[0])
            for step, place in enumerate(order):
                connection.execute("update webhook set failing_since = 1 where id = %s", (webhooks[place].id,))
                connection.changes += 1
                if step == 0 and tries.count(order[0]) == 1:
                    meet.wait(10)

        return run

    def audited(world: World, place: int) -> PostgresStore:
        store = world.store.audited(entry(world, applications[place], f"from {place}"))
        assert isinstance(store, PostgresStore)
        return store

    results = await at_once(
        audited(one, 0)._write(crossing((0, 1))),
        audited(other, 1)._write(crossing((1, 0))),
    )
    assert results == [None, None]
    assert len(tries) > 2
    found = await lines(one)
    assert lengths(found) == {chain_name(each.id): 1 for each in applications}


async def test_a_line_id_that_is_taken_is_passed_over(nodes: Nodes) -> None:
    """A line must be above the one before it, and that place may be another chain's already."""
    one, other = nodes.worlds
    first, second = await one.application(), await one.application()
    other.clock.move(MINUTE_MS)
    await other.store.keep_audit(entry(other, first, "ahead"))
    await other.store.keep_audit(entry(other, second, "beside"))
    await one.store.keep_audit(entry(one, first, "behind"))
    found = await lines(one)
    assert lengths(found) == {chain_name(first.id): 2, chain_name(second.id): 1}
    assert len({each.id for each in found}) == 3


async def test_there_is_an_end_to_looking_for_an_id(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the change is refused as a whole, and the chain stays right."""
    one, other = nodes.worlds
    first, second = await one.application(), await one.application()
    monkeypatch.setattr(_audit, "_TRIES_MAX", 1)
    other.clock.move(MINUTE_MS)
    await other.store.keep_audit(entry(other, first, "ahead"))
    await other.store.keep_audit(entry(other, second, "beside"))
    with pytest.raises(StoreUnavailable, match="no free id"):
        await one.store.audited(entry(one, first, "behind")).create_webhook(one.new_webhook(first), 0)
    assert (await one.webhooks_seen(first.id)).webhooks == ()
    assert lengths(await lines(one)) == {chain_name(first.id): 1, chain_name(second.id): 1}


async def test_a_page_ends_before_it_holds_too_much(nodes: Nodes) -> None:
    """Also on the way from the server: long lines come a part at a time, none is left out."""
    one, _ = nodes.worlds
    text = "x" * 1_500_000
    for number in range(6):
        await one.store.keep_audit(
            AuditEntry(
                at=one.now,
                application_id=0,
                actor_kind="key",
                actor_id=None,
                actor_name="Ada",
                role=Role.ADMIN,
                action=f"n{number}",
                object_kind="x",
                object_id="x",
                address=None,
                request_id=None,
                detail={"text": text},
            )
        )
    page = await one.store.list_audit(Page(limit=100), AuditQuery())
    assert len(page.lines) == 3
    assert page.before == page.lines[-1].id
    assert lengths(await lines(one, 100)) == {"installation": 6}
