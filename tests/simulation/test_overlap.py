"""The overlap of a rotation: the former secret signs until its end, and not at it."""

import msgspec
import pytest

from hookspan.domain.records import SealedCredential
from hookspan.store.contract import WebhookChange

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000
FRESH = b"whsec_" + b"RnJlc2hPbmVzS2V5QWxzb0hhczMyQnl0ZXNJbkl0Li4="


@pytest.mark.parametrize("is_first", [False, True], ids=["after others", "as the first request"])
async def test_the_former_secret_ends_exactly_at_its_end(world, is_first) -> None:
    """Two signatures a millisecond before, one from the end on; also where nothing was sent during the overlap."""
    application = await world.application()
    webhook = await world.webhook(application)
    [former] = webhook.credentials
    ends_at = world.clock.now_ms() + HOUR_MS
    sealed = world.vault.seal(FRESH, application_id=application.id, webhook_id=webhook.id, name="secret")
    fresh = SealedCredential(name="secret", sealed=sealed, public=None, made_at=2, expires_at=None)
    change = WebhookChange(credentials=(fresh, msgspec.structs.replace(former, expires_at=ends_at)))
    await world.store.update_webhook(webhook.id, change, None, world.clock.now_ms())
    await world.engine.webhooks_changed(application.id)
    if not is_first:
        world.clock.move_to(ends_at - 1)
        await world.publish(application, 1)
        await world.settle()
        assert len(world.egress.requests[-1].headers["webhook-signature"].split()) == 2
    world.clock.move_to(ends_at)
    await world.publish(application, 2)
    await world.settle()
    assert len(world.egress.requests[-1].headers["webhook-signature"].split()) == 1
