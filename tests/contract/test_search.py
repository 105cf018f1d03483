"""Names that have a text: applications by name and id, webhooks by name and URL, over all of them or within one."""

import pytest

from hookspan.domain.states import WebhookStatus
from hookspan.store.contract import Page
from tests.contract.world import World

pytestmark = pytest.mark.anyio
MANY = Page(limit=50)


async def applications(world: World, text: str, page: Page = MANY) -> list[str]:
    return [one.name for one in await world.store.search_applications(text, page)]


async def webhooks(world: World, text: str, application_id: int | None = None, page: Page = MANY) -> list[str]:
    return [one.name or one.url for one in await world.store.search_webhooks(text, page, application_id)]


async def test_a_part_of_a_name_or_an_id_is_enough(world: World) -> None:
    """Anywhere in it, ASCII letters in whatever case, newest first; what is deleted is not found."""
    await world.application("app_harbor", name="Harbor Pay")
    world.clock.move(10)
    await world.application("acme-17", name="ACME harbour")
    world.clock.move(10)
    gone = await world.application("app_gone", name="Harbor that was")
    await world.store.delete_application(gone.id, world.now)
    assert await applications(world, "HARB") == ["ACME harbour", "Harbor Pay"]
    assert await applications(world, "bor p") == ["Harbor Pay"]
    assert await applications(world, "ME-1") == ["ACME harbour"]
    assert await applications(world, "app_") == ["Harbor Pay"]
    assert await applications(world, "nobody") == []


async def test_nothing_in_the_text_has_a_meaning_of_its_own(world: World) -> None:
    """Signs that databases take for patterns, quote or escape by are found as they are, and match nothing else."""
    names = ["100% sure", "a_b", "back\\slash", "it's", 'say "so"', "a*b?[c]", "axb", "100 sure"]
    for name in names:
        await world.application(name=name)
        world.clock.move(1)
    for text in ("0% s", "a_b", "k\\s", "t's", '"so"', "*b?["):
        assert await applications(world, text) == [next(one for one in names if text in one)]
    assert await applications(world, "%") == ["100% sure"]
    assert await applications(world, "\\") == ["back\\slash"]


@pytest.mark.parametrize("text", ["übermüller", "MÜLLER", "müller", "über"])
async def test_letters_beyond_ascii(world: World, text: str) -> None:
    """As they are given, small, in capitals, and with a capital at the beginning of each word."""
    for name in ("Übermüller GmbH", "ÜBERMÜLLER AG", "Bermuller"):
        await world.application(name=name)
        world.clock.move(1)
    assert await applications(world, text) == ["ÜBERMÜLLER AG", "Übermüller GmbH"]


async def test_webhooks_of_one_and_of_all(world: World) -> None:
    """By name or URL, each with its application; deleted webhooks, and those of deleted ones, are left out."""
    acme, other = await world.application("acme", name="Acme"), await world.application("other", name="Other")
    first = await world.webhook(acme, name="Orders", url="https://shop.example/hook")
    world.clock.move(1)
    second = await world.webhook(other, WebhookStatus.DISABLED, url="https://SHOP.example/b")
    world.clock.move(1)
    deleted = await world.webhook(acme, name="Old orders")
    await world.store.set_webhook_status(
        deleted.id, WebhookStatus.DELETED, None, keep=False, expected_version=None, changed_at=world.now
    )
    assert await webhooks(world, "shop.EX") == ["https://SHOP.example/b", "Orders"]
    assert await webhooks(world, "orders") == ["Orders"]
    assert await webhooks(world, "shop", other.id) == ["https://SHOP.example/b"]
    assert await webhooks(world, "shop", 4711) == []
    [found, _] = await world.store.search_webhooks("shop", MANY, None)
    assert (found.id, found.name, found.status) == (second.id, None, WebhookStatus.DISABLED)
    assert (found.application, found.application_name, found.profile) == ("other", "Other", "standard")
    await world.store.delete_application(other.id, world.now)
    assert [one.id for one in await world.store.search_webhooks("shop", MANY, None)] == [first.id]


async def test_finds_come_by_the_page(world: World) -> None:
    """Newest first, each once, at most as many as are asked for, within times."""
    made, hooks = [], []
    for number in range(5):
        made.append(await world.application(name=f"Shop {number}"))
        hooks.append(await world.webhook(made[-1], name=f"Hook {number}"))
        world.clock.move(10)
    first = await world.store.search_applications("shop", Page(limit=2))
    rest = await world.store.search_applications("shop", Page(limit=9, before=first[-1].id))
    assert [one.id for one in first + rest] == [one.id for one in made[::-1]]
    page = Page(limit=9, since=made[1].created_at, until=made[3].created_at)
    assert await applications(world, "shop", page) == ["Shop 2", "Shop 1"]
    assert await webhooks(world, "hook", page=Page(limit=2)) == ["Hook 4", "Hook 3"]
    assert await webhooks(world, "hook", page=Page(limit=9, before=hooks[3].id)) == ["Hook 2", "Hook 1", "Hook 0"]
    assert await webhooks(world, "hook", made[0].id, Page(limit=9, before=hooks[0].id)) == []
