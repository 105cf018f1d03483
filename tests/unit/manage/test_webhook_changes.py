"""Changes of webhooks: both or nothing, and what is done is answered as done."""

import threading
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from hookspan.domain.states import WebhookStatus
from hookspan.errors import ChangedMeanwhile, StateForbidden, StoreUnavailable
from hookspan.manage._address import check_move
from hookspan.manage._why import Why
from hookspan.manage.inputs import CreateWebhook, SetAlsoSign
from hookspan.profiles import Profile
from hookspan.store.contract import WebhookChange
from tests.support.shop import Shop
from tests.support.world import World

pytestmark = pytest.mark.anyio

URL = "https://receiver.example.com/hook"


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
    for name in ("waiting", "behind", "health", "list_deliveries", "get_webhook"):
        monkeypatch.setattr(shop.world.store, name, failing)
    made = await shop.webhooks.create(shop.application.public_id, CreateWebhook(url=URL))
    assert made.secret
    assert (made.health.state, made.health.waiting, made.health.last_delivery_at) == ("healthy", 0, None)


@pytest.mark.parametrize(("profile", "is_apart"), [("bridge-xyz", True), ("standard", False)])
async def test_slow_keys_are_made_in_a_thread(shop, monkeypatch, profile, is_apart):
    """The loop goes on meanwhile; what is quick needs none."""
    threads = []
    made = Profile.new_credentials

    def noted(self, *call, **more):
        threads.append(threading.current_thread())
        return made(self, *call, **more)

    monkeypatch.setattr(Profile, "new_credentials", noted)
    application = await shop.world.application(profile)
    await shop.webhooks.create(application.public_id, CreateWebhook(url=URL))
    assert [one is not threading.current_thread() for one in threads] == [is_apart]


async def test_a_second_profile_is_made_once_though_the_change_is_tried_twice(shop, monkeypatch):
    """The secret that is shown is the one that is kept."""
    store, update = shop.world.store, shop.world.store.update_webhook
    others = [WebhookChange(rate=5.0)]

    async def interrupted(webhook_id, change, version, changed_at):
        if others:
            await update(webhook_id, others.pop(), None, changed_at)
        return await update(webhook_id, change, version, changed_at)

    monkeypatch.setattr(store, "update_webhook", interrupted)
    shown = await shop.change(also_sign=SetAlsoSign(profile="bridge-api"))
    kept = next(one for one in (await shop.kept()).credentials if one.name == "also:secret")
    ids = {"application_id": shop.application.id, "webhook_id": shop.webhook.id, "name": "also:secret"}
    assert shop.world.vault.open(kept.sealed, **ids).decode() == shown.also_sign.secret
    assert shown.rate == 5.0


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
