"""Changes of webhooks: both or nothing, and what is done is answered as done."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from hookspan.domain.states import WebhookStatus
from hookspan.errors import ChangedMeanwhile, StateForbidden, StoreUnavailable
from hookspan.ids import to_text
from hookspan.manage._address import check_move
from hookspan.manage._cursor import Cursors
from hookspan.manage._ground import Ground
from hookspan.manage._why import Why
from hookspan.manage.inputs import ChangeWebhook, CreateWebhook
from hookspan.manage.webhooks import Webhooks
from hookspan.store.contract import WebhookChange
from tests.support.world import PROFILES, World

pytestmark = pytest.mark.anyio

URL = "https://receiver.example.com/hook"


class Destinations:
    """Takes every URL."""

    def target(self, url: str, *, https_required: bool) -> SimpleNamespace:
        assert https_required in (True, False)
        return SimpleNamespace(url=url, origin=url.rpartition("/")[0])

    async def check_destination(self, target: object) -> None:
        assert target


class Shop:
    """An application with one webhook, and management over its store."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ground = Ground(
            store=world.store,
            profiles=PROFILES,
            egress=Destinations(),  # type: ignore[arg-type]  # a stand-in
            vault=world.vault,
            engine=world.engine,
            clock=world.clock,
            cursors=Cursors("k"),
        )
        self.webhooks = Webhooks(self.ground)

    async def open(self) -> None:
        self.application = await self.world.application()
        self.webhook = await self.world.webhook(self.application)
        self.profile = self.ground.profile(self.application)

    async def change(self, expected_version: int | None = None, **members):
        webhook_id = to_text(self.profile.webhook_prefix, self.webhook.id)
        return await self.webhooks.change(
            self.application.public_id, webhook_id, ChangeWebhook(**members), expected_version
        )

    async def kept(self):
        return await self.world.store.get_webhook(self.webhook.id)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with World(tmp_path) as world:
        shop = Shop(world)
        await shop.open()
        yield shop


def failing(*_: object) -> None:
    raise StoreUnavailable("The disk does not answer.")


async def test_members_and_status_are_one_write(shop, monkeypatch):
    """Whatever fails, fails before or for both: there is one call that writes."""
    monkeypatch.setattr(shop.world.store, "set_webhook_status", failing)
    shown = await shop.change(name="x", status="disabled")
    assert (shown.name, shown.status, shown.status_reason) == ("x", "disabled", "person")
    monkeypatch.setattr(shop.world.store, "update_webhook", failing)
    with pytest.raises(StoreUnavailable):
        await shop.change(name="y", status="active", resume="skip")
    kept = await shop.kept()
    assert (kept.name, kept.status) == ("x", WebhookStatus.DISABLED)


async def test_a_change_is_of_the_webhook_that_was_checked(shop, monkeypatch):
    """When somebody else comes between, it is checked anew: neither change is lost."""
    store = shop.world.store
    update = store.update_webhook
    others = [WebhookChange(rate=5.0), WebhookChange(status=WebhookStatus.DISABLED)]

    async def interrupted(webhook_id, change, version, changed_at):
        if others:
            await update(webhook_id, others.pop(), None, changed_at)
        return await update(webhook_id, change, version, changed_at)

    monkeypatch.setattr(store, "update_webhook", interrupted)
    shown = await shop.change(headers={"X-Tenant": "t"})
    assert (shown.rate, shown.status, list(shown.headers)) == (5.0, "disabled", ["X-Tenant"])


async def test_a_change_is_not_tried_for_ever(shop, monkeypatch):
    """Five times; with If-Match once."""
    tries = []

    async def contested(*call):
        tries.append(call)
        raise ChangedMeanwhile("The webhook is at another version.")

    monkeypatch.setattr(shop.world.store, "update_webhook", contested)
    with pytest.raises(ChangedMeanwhile):
        await shop.change(name="x")
    assert len(tries) == 5
    with pytest.raises(ChangedMeanwhile):
        await shop.change(expected_version=1, name="x")
    assert len(tries) == 6


async def test_a_creation_reads_nothing_after_it_is_kept(shop, monkeypatch):
    """The secret is shown this once: no read may fail between the commit and the answer."""
    for name in ("waiting", "last_success_at", "list_deliveries", "get_webhook"):
        monkeypatch.setattr(shop.world.store, name, failing)
    made = await shop.webhooks.create(shop.application.public_id, CreateWebhook(url=URL))
    assert made.secret
    assert (made.health.state, made.health.waiting, made.health.last_delivery_at) == ("healthy", 0, None)


async def test_a_change_is_answered_though_its_health_is_unknown(shop, monkeypatch):
    """What is done is done; only looking alone answers that the store can't be read."""
    monkeypatch.setattr(shop.world.store, "waiting", failing)
    shown = await shop.change(name="x")
    assert (shown.name, shown.health.waiting, shown.health.oldest_waiting_at) == ("x", 0, None)
    with pytest.raises(StoreUnavailable):
        await shop.webhooks.get(shop.application.public_id, shown.id)
    gone = await shop.webhooks.delete(shop.application.public_id, shown.id)
    assert gone.status == "deleted"


async def test_a_url_that_moves_only_while_disabled_goes_by_the_state_before(shop):
    """Disabling in the same request does not make it so."""
    rules = SimpleNamespace(rules=SimpleNamespace(url_change="disabled"), name="strict")
    with pytest.raises(StateForbidden):
        check_move(shop.webhook, rules)  # type: ignore[arg-type]  # a stand-in
    await shop.change(status="disabled")
    check_move(await shop.kept(), rules)  # type: ignore[arg-type]  # a stand-in


async def test_an_event_is_explained_with_one_read_of_the_past(shop, monkeypatch):
    """However often its webhooks have changed since."""
    store = shop.world.store
    await shop.change(events=["other"])
    await shop.world.publish(shop.application, 1)
    for number in range(30):
        await shop.change(events=[f"other{number}"])
    [event] = await store.events_after(shop.application.id, 0, 10)
    monkeypatch.setattr(store, "revision", failing)
    [line] = await Why(shop.ground, shop.application, shop.profile).of_event(event)
    assert "did not ask for order.paid when it was published" in line.sentence
