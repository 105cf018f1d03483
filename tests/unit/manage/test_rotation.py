"""Rotation: who signs beside whom until when, and what happens when others come between."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hookspan.domain.records import SealedCredential
from hookspan.errors import ChangedMeanwhile, InvalidCredential
from hookspan.manage._credentials import after_rotation
from hookspan.manage.inputs import RotateSecret
from hookspan.store.contract import WebhookChange
from tests.support.shop import Shop
from tests.support.world import World

pytestmark = pytest.mark.anyio

NOW = 1_767_225_600_000
DAY_MS = 86_400_000


def sealed(mark: str, expires_at: int | None = None, name: str = "secret") -> SealedCredential:
    return SealedCredential(name=name, sealed=mark.encode(), public=None, made_at=NOW, expires_at=expires_at)


def rotate(*old: SealedCredential, overlap_ms: int = DAY_MS, live_max: int = 2) -> tuple[list, int | None]:
    """(mark, end) of all credentials after a rotation, and the end that is shown."""
    credentials, until = after_rotation(old, sealed("new"), (overlap_ms, live_max), NOW)
    return [(one.sealed.decode(), one.expires_at) for one in credentials], until


@pytest.mark.parametrize(
    ("old", "rules", "left", "until"),
    [
        ([sealed("a")], {}, [("new", None), ("a", NOW + DAY_MS)], NOW + DAY_MS),
        ([sealed("b"), sealed("a", NOW + 5)], {}, [("new", None), ("b", NOW + DAY_MS)], NOW + DAY_MS),
        (
            [sealed("b"), sealed("a", NOW + 5)],
            {"live_max": 3},
            [("new", None), ("b", NOW + DAY_MS), ("a", NOW + 5)],
            NOW + DAY_MS,
        ),
        (
            [sealed("b"), sealed("a", NOW)],
            {"live_max": 3},
            [("new", None), ("b", NOW + DAY_MS)],
            NOW + DAY_MS,
        ),
        ([sealed("b", NOW + 5)], {"live_max": 3}, [("new", None), ("b", NOW + 5)], NOW + 5),
        ([sealed("a")], {"live_max": 1}, [("new", None)], None),
        ([sealed("a")], {"overlap_ms": 0}, [("new", None)], None),
        (
            [sealed("t", name="token"), sealed("a"), sealed("s", name="also:secret")],
            {},
            [("new", None), ("a", NOW + DAY_MS), ("t", None), ("s", None)],
            NOW + DAY_MS,
        ),
    ],
)
def test_who_signs_after_a_rotation(old, rules, left, until):
    """The new one first and without an end; as many before it as may be live, none for longer than it had."""
    assert rotate(*old, **rules) == (left, until)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with World(tmp_path) as world:
        shop = Shop(world)
        await shop.open()
        yield shop


async def turn(shop: Shop, **members):
    return await shop.secrets.rotate(shop.application.public_id, shop.webhook_id, RotateSecret(**members))


async def test_the_old_one_ends_after_the_overlap(shop):
    """Shown while it signs too, not any more afterwards."""
    rotated = await turn(shop)
    shown = await shop.webhooks.get(shop.application.public_id, shop.webhook_id)
    assert shown.secret_previous_until == rotated.previous_until
    shop.world.clock.move_to(shop.world.clock.now_ms() + DAY_MS)
    shown = await shop.webhooks.get(shop.application.public_id, shop.webhook_id)
    assert shown.secret_previous_until is None


async def test_a_rotation_is_of_the_webhook_that_was_read(shop, monkeypatch):
    """When somebody else rotates in between, it comes on top of that: neither is lost, and one secret is made."""
    store, update, made = shop.world.store, shop.world.store.update_webhook, []
    profile = shop.ground.profiles.get("standard")
    rotated = type(profile).rotated

    def counted(self, *call, **more):
        made.append(call)
        return rotated(self, *call, **more)

    others = [WebhookChange(credentials=(sealed("theirs"),))]

    async def interrupted(webhook_id, change, version, changed_at):
        if others:
            await update(webhook_id, others.pop(), None, changed_at)
        return await update(webhook_id, change, version, changed_at)

    monkeypatch.setattr(type(profile), "rotated", counted)
    monkeypatch.setattr(store, "update_webhook", interrupted)
    await turn(shop)
    new, old = (await shop.kept()).credentials
    assert (new.expires_at, old.sealed) == (None, b"theirs")
    assert old.expires_at == shop.world.clock.now_ms() + DAY_MS
    assert len(made) == 1


async def test_a_present_one_that_can_not_be_opened_is_another_one(shop):
    """Damaged, or sealed with another key: giving a secret is the way out, so it must not fail over the old one."""
    kept = await shop.kept()
    await shop.world.store.update_webhook(kept.id, WebhookChange(credentials=(sealed("damaged"),)), None, NOW)
    await turn(shop, secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    new, old = (await shop.kept()).credentials
    assert (new.expires_at, old.sealed) == (None, b"damaged")


async def test_a_rotation_is_not_tried_for_ever(shop, monkeypatch):
    """Five times; then it says so, and nothing is changed."""
    tries = []

    async def contested(*call):
        tries.append(call)
        raise ChangedMeanwhile("The webhook is at another version.")

    before = await shop.kept()
    monkeypatch.setattr(shop.world.store, "update_webhook", contested)
    with pytest.raises(ChangedMeanwhile):
        await turn(shop)
    assert len(tries) == 5
    assert await shop.kept() == before


async def test_a_wrong_secret_is_not_repeated(shop):
    """Neither in the error nor in what is behind it."""
    with pytest.raises(InvalidCredential) as caught:
        await turn(shop, secret="whsec_TOPSECRET")
    assert caught.value.errors[0].pointer == "/secret"
    assert "TOPSECRET" not in repr(caught.value) + str(caught.value.errors) + repr(caught.value.__cause__)
