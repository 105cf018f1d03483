"""The audit log: in the change's own transaction, or not at all; chained without a gap."""

import asyncio
from typing import Any

import msgspec
import pytest

from hookspan.domain.audit import AuditEntry, AuditLine, Verifier, chain_name
from hookspan.domain.caller import Role
from hookspan.domain.records import Application
from hookspan.domain.states import WebhookStatus
from hookspan.errors import ChangedMeanwhile, StateForbidden
from hookspan.store.audit import AuditQuery
from hookspan.store.contract import Page, WebhookChange
from hookspan.store.postgres import _audit as postgres_audit
from hookspan.store.sqlite import _audit as sqlite_audit
from tests.contract.test_applications import KEEP
from tests.contract.world import ALL, World

pytestmark = pytest.mark.anyio

EVERY = AuditQuery()
ROOMS = (sqlite_audit, postgres_audit)  # each store's own, for tests that hit its bounds


def entry(
    world: World, application: Application | None = None, action: str = "thing.done", **members: Any
) -> AuditEntry:
    given: dict[str, Any] = {
        "at": world.now,
        "application_id": application.id if application else 0,
        "application": application.public_id if application else None,
        "actor_kind": "key",
        "actor_id": "key_1",
        "actor_name": "Ünï",
        "role": Role.SUPPORT,
        "action": action,
        "object_kind": "thing",
        "object_id": "thg_1",
        "address": "::1",
        "request_id": "req_1",
        "detail": {"b": {"from": 1.5, "to": None}, "a": ["é", "\x01"]},
    }
    return AuditEntry(**(given | members))


async def lines(world: World, query: AuditQuery = EVERY, page: Page = ALL) -> list[AuditLine]:
    return list((await world.store.list_audit(page, query)).lines)


async def actions(world: World, query: AuditQuery = EVERY, page: Page = ALL) -> list[str]:
    return [one.entry.action for one in await lines(world, query, page)]


def verified(found: list[AuditLine]) -> dict[str, int]:
    """The chains with their lengths, all right."""
    verifier = Verifier()
    for one in found:
        verifier.take(one)
    chains = verifier.end()
    assert all(one.broken is None for one in chains), chains
    return {one.name: one.head_sequence for one in chains}


async def test_a_change_leaves_its_line(world: World) -> None:
    """With every member, in the place that it has in its chain."""
    application = await world.application()
    given = entry(world, application)
    webhook = world.new_webhook(application)
    await world.store.audited(given).create_webhook(webhook, 0)
    [line] = await lines(world)
    assert line.entry == given
    assert (line.sequence, line.previous_hash) == (1, bytes(32))
    assert verified([line]) == {chain_name(application.id): 1}


async def test_an_unaudited_store_leaves_none(world: World) -> None:
    """`audited` makes another store; the one it was asked of stays as it was."""
    application = await world.application()
    world.store.audited(entry(world, application))
    await world.webhook(application)
    assert await lines(world) == []


@pytest.mark.parametrize("broken", [{"detail": {"x": object()}}, {"object_id": "\ud800"}])
async def test_a_line_that_can_not_be_kept_undoes_the_change(world: World, broken: dict[str, Any]) -> None:
    """Both or neither; others of the same commit are not touched by it."""
    application = await world.application("app_x")
    bad = world.store.audited(entry(world, application, **broken))
    good = world.store.audited(entry(world, application, "good"))
    results = await asyncio.gather(
        good.update_application(application.id, world.now, **(KEEP | {"name": "First"})),
        bad.create_webhook(world.new_webhook(application), 0),
        good.update_application(application.id, world.now, **(KEEP | {"name": "Last"})),
        return_exceptions=True,
    )
    assert [isinstance(one, Exception) for one in results] == [False, True, False]
    seen = await world.webhooks_seen(application.id)
    assert seen.webhooks == ()
    assert seen.application.name in ("First", "Last")  # what is asked for at once is done in any order
    assert await actions(world) == ["good", "good"]
    assert verified(await lines(world)) == {chain_name(application.id): 2}


async def test_what_is_refused_leaves_no_line(world: World) -> None:
    """Neither a raised refusal, nor one that is told by None or False."""
    application = await world.application("app_x")
    webhook = await world.webhook(application)
    store = world.store.audited(entry(world, application))
    with pytest.raises(ChangedMeanwhile):
        await store.update_webhook(webhook.id, WebhookChange(name="new"), webhook.version + 1, world.now)
    await world.append(world.event(application))
    with pytest.raises(StateForbidden):
        await store.update_application(application.id, world.now, **(KEEP | {"profile": "other"}))
    assert await store.create_webhook(world.new_webhook(application), 1) is None
    assert await store.update_webhook(4711, WebhookChange(name="new"), None, world.now) is None
    assert not await store.delete_application(4711, world.now)
    assert await lines(world) == []


async def test_what_changes_nothing_leaves_no_line(world: World) -> None:
    """The same values again, and a state that it is in already."""
    application = await world.application(name="Same")
    webhook = await world.webhook(application, name="Same")
    store = world.store.audited(entry(world, application))
    seen = (await world.webhooks_seen(application.id)).application
    assert await store.update_application(application.id, world.now, **(KEEP | {"name": "Same"})) == seen
    assert await store.update_webhook(webhook.id, WebhookChange(name="Same"), None, world.now) == webhook
    moved = await store.set_webhook_status(
        webhook.id, WebhookStatus.ACTIVE, None, keep=True, expected_version=None, changed_at=world.now
    )
    assert moved == webhook
    assert await lines(world) == []


async def test_chains_stay_right_under_concurrent_changes(world: World) -> None:
    """Many at once, in several applications and in none: numbers without gaps, hashes that fit."""
    applications = [await world.application() for _ in range(3)]
    webhooks = [await world.webhook(one) for one in applications]

    async def change(number: int) -> None:
        place = number % 3
        store = world.store.audited(entry(world, applications[place], f"n{number}"))
        await store.update_webhook(webhooks[place].id, WebhookChange(name=f"n{number}"), None, world.now)
        await world.store.keep_audit(entry(world, None, f"n{number}"))

    await asyncio.gather(*(change(number) for number in range(60)))
    lengths = verified(await lines(world))
    assert lengths == {"installation": 60} | {chain_name(one.id): 20 for one in applications}


async def test_the_chain_outlives_its_application(world: World) -> None:
    """Deleted and erased; another application of the same id has a chain of its own."""
    first = await world.application("app_x")
    await world.store.audited(entry(world, first, "gone")).delete_application(first.id, world.now)
    second = await world.application("app_x")
    await world.store.audited(entry(world, second, "here")).create_webhook(world.new_webhook(second), 0)
    await world.expire(0, 0)
    assert await actions(world, AuditQuery(application="app_x")) == ["here", "gone"]
    assert await actions(world, AuditQuery(application="app_x", application_id=second.id)) == ["here"]
    assert len(verified(await lines(world))) == 2


async def test_filters(world: World) -> None:
    """By action, actor and object, alone and together, in one application and in all."""
    application = await world.application("app_x")
    for place in (application, None):
        await world.store.keep_audit(entry(world, place, "a"))
        await world.store.keep_audit(entry(world, place, "b", actor_id="key_2"))
        await world.store.keep_audit(entry(world, place, "c", object_id="thg_2", actor_id=None))
    for query, found in (
        (AuditQuery(action="a"), "aa"),
        (AuditQuery(actor_id="key_2"), "bb"),
        (AuditQuery(object_id="thg_2"), "cc"),
        (AuditQuery(object_id="thg_1"), "baba"),
        (AuditQuery(object_id="thg_1", actor_id="key_1"), "aa"),
        (AuditQuery(action="a", actor_id="key_2"), ""),
        (AuditQuery(application="app_x"), "cba"),
        (AuditQuery(application="app_x", action="b"), "b"),
        (AuditQuery(application="app_y"), ""),
    ):
        assert "".join(await actions(world, query)) == found, query


async def paged(world: World, query: AuditQuery, limit: int = 500) -> tuple[list[str], int]:
    """The actions of all pages, and how many pages there were."""
    found, pages, before = [], 0, None
    while pages == 0 or before is not None:
        page = await world.store.list_audit(Page(limit=limit, before=before), query)
        found += [one.entry.action for one in page.lines]
        pages, before = pages + 1, page.before
    return found, pages


async def test_a_walk_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What filters walk past: the page ends without them, and the next goes on there; none is lost."""
    for room in ROOMS:
        monkeypatch.setattr(room, "WALK_MAX", 4)
    application = await world.application("app_x")
    for number in range(10):
        await world.store.keep_audit(entry(world, application, "rare" if number in {1, 2, 9} else "usual"))
    for query in (AuditQuery(action="rare"), AuditQuery(action="rare", application="app_x")):
        assert await paged(world, query) == (["rare"] * 3, 3)
    assert await paged(world, AuditQuery(action="none", application="app_x")) == ([], 3)
    assert len((await paged(world, EVERY, limit=3))[0]) == 10


async def test_a_page_has_so_many_bytes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """At least one line, then as many as there is room for."""
    for room in ROOMS:
        monkeypatch.setattr(room, "PAGE_BYTES_MAX", 2_500)
    for number in range(6):
        await world.store.keep_audit(entry(world, action=str(number), detail={"x": "y" * 1_000}))
    assert await paged(world, EVERY) == (["5", "4", "3", "2", "1", "0"], 3)
    for room in ROOMS:
        monkeypatch.setattr(room, "PAGE_BYTES_MAX", 1)
    assert await paged(world, EVERY) == (["5", "4", "3", "2", "1", "0"], 7)


async def test_whose_people_did_it_is_kept(world: World) -> None:
    """And an application's own ask for nobody of the operator's by name."""
    application = await world.application("app_x")
    await world.store.keep_audit(entry(world, application, "theirs"))
    await world.store.keep_audit(entry(world, application, "ours", by_operator=True))
    assert [one.entry.by_operator for one in await lines(world)] == [True, False]
    asked = AuditQuery(application="app_x", actor_id="key_1")
    assert await actions(world, asked) == ["ours", "theirs"]
    assert await actions(world, msgspec.structs.replace(asked, own_actors=True)) == ["theirs"]


async def test_pages_by_time(world: World) -> None:
    """Newest first; `since` is inclusive, `until` exclusive, by what the line says of its time."""
    start = world.now
    for number in range(5):
        await world.store.keep_audit(entry(world, None, str(number)))
        world.clock.move(1_000)
    part = await lines(world, page=Page(limit=2))
    assert [one.entry.action for one in part] == ["4", "3"]
    await world.store.keep_audit(entry(world, None, "late"))
    assert await actions(world, page=Page(limit=9, before=part[-1].id)) == ["2", "1", "0"]
    assert await actions(world, page=Page(limit=9, since=start + 1_000, until=start + 3_000)) == ["2", "1"]
    assert await actions(world, page=Page(limit=9, until=start)) == []


async def test_lines_survive_a_restart_with_a_clock_set_back(world: World, make_store: Any) -> None:
    """Ids never repeat, so the chain goes on."""
    world.clock.move(86_400_000)
    await world.store.keep_audit(entry(world, None, "first"))
    await world.store.close()
    world.clock._elapsed_ms = 0
    store = make_store()
    await store.open()
    try:
        await store.keep_audit(entry(world, None, "second"))
        found = list((await store.list_audit(ALL, EVERY)).lines)
    finally:
        await store.close()
    assert [one.entry.action for one in found] == ["second", "first"]
    assert verified(found) == {"installation": 2}


async def test_a_detail_is_told_as_it_was_given(world: World) -> None:
    """Numbers, nothing, text of any kind."""
    detail = {"z": [1, -1.5, 2**63 - 1, True, None], "a": {"ü\u2028": '"\\\n'}}
    await world.store.keep_audit(entry(world, detail=detail))
    [line] = await lines(world)
    assert line.entry.detail == detail
    assert msgspec.json.encode(line.entry.detail) == msgspec.json.encode(detail, order="sorted")
