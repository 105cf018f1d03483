"""also_sign: the headers of a second profile beside the first's, until a date."""

import hashlib
import hmac

import msgspec
import pytest
from standardwebhooks import Webhook as Verifier

from hookspan.domain.records import AlsoSign, SealedCredential
from hookspan.store.contract import WebhookChange

pytestmark = pytest.mark.anyio

STANDARD_SECRET = "whsec_TWZLUTlyOEdLWXFyVHdqVVBEOElMUFpJbzJMYUxhU3c="
DAY_MS = 86_400_000


async def signed_twice(world, until: int | None):
    """A webhook of standard that also signs as bridge-api does."""
    application = await world.application()
    webhook = await world.webhook(application)
    sealed = world.vault.seal(b"old", application_id=application.id, webhook_id=webhook.id, name="also:secret")
    also = SealedCredential(name="also:secret", sealed=sealed, public=None, made_at=1, expires_at=None)
    change = WebhookChange(
        also_sign=AlsoSign(profile="bridge-api", until=until), credentials=(*webhook.credentials, also)
    )
    await world.store.update_webhook(webhook.id, change, None, world.clock.now_ms())
    await world.engine.webhooks_changed(application.id)
    return application, webhook


async def test_both_receivers_verify_until_the_date(world) -> None:
    """The body is the application's; each receiver finds the headers that it knows. Afterwards the second is gone."""
    until = world.clock.now_ms() + DAY_MS
    application, _ = await signed_twice(world, until)
    await world.publish(application, 1)
    await world.settle()
    [request] = world.egress.requests
    mac = hmac.new(b"old", request.body, hashlib.sha256).hexdigest().upper()
    assert request.headers["BridgeApi-Signature"] == f"v1={mac}"
    # the outside verifier looks at its own clock: only the signature is judged here
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.{request.body.decode()}"
    key = Verifier(STANDARD_SECRET)._whsecret
    expected = "v1," + msgspec.json.decode(msgspec.json.encode(hmac.digest(key, signed.encode(), "sha256")))
    assert request.headers["webhook-signature"] == expected

    world.clock.move_to(until)
    await world.publish(application, 2)
    await world.settle()
    assert "BridgeApi-Signature" not in world.egress.requests[-1].headers
    assert "webhook-signature" in world.egress.requests[-1].headers


async def test_a_second_profile_that_is_not_loaded_holds_the_webhook(world) -> None:
    """Half signed it must not go out: it waits, and goes on once the profile is there or taken away."""
    application, webhook = await signed_twice(world, None)
    change = WebhookChange(also_sign=AlsoSign(profile="gone", until=None))
    await world.store.update_webhook(webhook.id, change, None, world.clock.now_ms())
    await world.engine.webhooks_changed(application.id)
    await world.publish(application, 1)
    await world.settle()
    assert world.egress.requests == []
    await world.store.update_webhook(webhook.id, WebhookChange(also_sign=None), None, world.clock.now_ms())
    await world.engine.webhooks_changed(application.id)
    await world.run_for(120_000)
    assert world.numbers() == [1]
