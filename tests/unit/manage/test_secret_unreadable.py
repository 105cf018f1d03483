"""A webhook whose secrets can't be used sends nothing, and management says so."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from hookspan.domain.records import AlsoSign, SealedCredential
from hookspan.domain.states import Order
from hookspan.ids import to_text
from hookspan.manage._why import Why
from hookspan.manage.inputs import SendEvent
from hookspan.store.contract import WebhookChange
from hookspan.vault import Vault
from tests.support.shop import Shop
from tests.support.world import World

pytestmark = pytest.mark.anyio


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with World(tmp_path) as world:
        shop = Shop(world)
        await shop.open(order=Order.FIFO)
        yield shop


async def seal_with_another_key(shop: Shop) -> None:
    """As after a restore under the wrong encryption key."""
    sealed = Vault(b"x" * 32).seal(
        b"secret", application_id=shop.application.id, webhook_id=shop.webhook.id, name="secret"
    )
    [kept] = shop.webhook.credentials
    await put(shop, WebhookChange(credentials=(msgspec.structs.replace(kept, sealed=sealed),)))


async def put(shop: Shop, change: WebhookChange) -> None:
    await shop.world.store.update_webhook(shop.webhook.id, change, None, shop.world.clock.now_ms())
    await shop.world.engine.webhooks_changed(shop.application.id)


async def lines(shop: Shop) -> list[tuple[str | None, str]]:
    """Reason and sentence of each event, oldest first."""
    why = Why(shop.ground, shop.application, shop.profile)
    events = await shop.world.store.events_after(shop.application.id, 0, 10)
    return [(one.reason, one.sentence) for event in events for one in await why.of_event(event)]


async def health(shop: Shop) -> str:
    shown = await shop.webhooks.get(shop.application.public_id, shop.webhook_id)
    return shown.health.state


async def test_what_waits_for_a_readable_secret_says_so(shop):
    """Its head has the reason, the rest waits behind it; the webhook is not healthy; nothing was sent."""
    await seal_with_another_key(shop)
    await shop.world.publish(shop.application, 1, 2)
    await shop.world.settle()
    assert shop.world.egress.requests == []
    (reason, sentence), (behind, _) = await lines(shop)
    assert (reason, behind) == ("secret_unreadable", "behind_head")
    assert "unsigned nothing is sent" in sentence
    assert await health(shop) == "failing"


async def test_it_says_so_no_more_once_the_secret_is_given_anew(shop):
    """And what waited goes out."""
    await seal_with_another_key(shop)
    await shop.world.publish(shop.application, 1)
    await shop.world.settle()
    await put(shop, WebhookChange(credentials=shop.webhook.credentials))
    await shop.world.run_for(120_000)
    assert shop.world.numbers() == [1]
    assert await lines(shop) == [(None, (await lines(shop))[0][1])]
    assert await health(shop) == "healthy"


@pytest.mark.parametrize(
    "change",
    [WebhookChange(credentials=()), WebhookChange(also_sign=AlsoSign(profile="not-loaded", until=None))],
    ids=["none", "profile"],
)
async def test_secrets_that_do_not_suffice_are_no_better(shop, change):
    """None at all, or a second profile that this node has not."""
    await put(shop, change)
    await shop.world.publish(shop.application, 1)
    await shop.world.settle()
    assert [reason for reason, _ in await lines(shop)] == ["secret_unreadable"]
    assert await health(shop) == "failing"


async def test_a_second_profile_needs_its_own_secret(shop):
    """Without one nothing is sent; after its date it is not asked for any more."""
    until = shop.world.clock.now_ms() + 3_600_000
    await put(shop, WebhookChange(also_sign=AlsoSign(profile="bridge-api", until=until)))
    await shop.world.publish(shop.application, 1)
    await shop.world.settle()
    assert [reason for reason, _ in await lines(shop)] == ["secret_unreadable"]
    shop.world.clock.move_to(until)
    assert [reason for reason, _ in await lines(shop)] == ["due"]


async def test_a_key_pair_that_is_missing_is_noticed_without_parsing(tmp_path: Path):
    """The profile that signs with RSA: whether there is a key, and whether it opens, is told at once."""
    async with World(tmp_path) as world:
        shop = Shop(world)
        await shop.open("bridge-xyz")
        assert await health(shop) == "failing"
        sealed = world.vault.seal(
            b"a key", application_id=shop.application.id, webhook_id=shop.webhook.id, name="keypair"
        )
        kept = SealedCredential(name="keypair", sealed=sealed, public="p", made_at=1, expires_at=None)
        await put(shop, WebhookChange(credentials=(kept,)))
        assert await health(shop) == "healthy"


async def test_a_webhook_that_is_off_is_only_off(shop):
    """Nothing would be sent anyway; what a person sends nonetheless says why it is not."""
    await seal_with_another_key(shop)
    await shop.world.publish(shop.application, 1)
    await shop.change(status="disabled")
    assert [reason for reason, _ in await lines(shop)] == ["webhook_disabled"]
    event = (await shop.world.store.events_after(shop.application.id, 0, 1))[0]
    given = SendEvent(event_id=to_text(shop.profile.event_prefix, event.id))
    sent = await shop.by_hand.send(shop.application.public_id, shop.webhook_id, given)
    assert sent.reason == "secret_unreadable"
