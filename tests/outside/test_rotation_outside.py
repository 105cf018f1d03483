"""While a secret is being replaced, receivers that know only the new one and such that know only the old one accept."""

import base64

import pytest
import stripe
from standardwebhooks import Webhook, WebhookVerificationError

from tests.support.capture import Arrived

OLD_STANDARD = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OLD_BRIDGE_API = "644b2ac3-0797-4ec6-9537-cb5c0af9caf9"
OLD_STRIPE = "whsec_" + "QUJD" * 8


def first_only(request: Arrived, header: str, join: str) -> Arrived:
    """What a receiver sees that reads only the first signature."""
    return request.but({header: request.headers[header].split(join)[0]})


def pypi_accepts(request: Arrived, secret: str) -> bool:
    try:
        Webhook(secret).verify(request.body, request.headers)
    except WebhookVerificationError:
        return False
    return True


def test_standard_webhooks(capture, node_judges):
    """Both reference implementations, with either secret; the first signature alone is the new secret's."""
    hook = capture.hook("standard", credentials={"secret": OLD_STANDARD})
    new = hook.rotate()
    arrived = hook.publish("order.paid", {"order_id": 1})
    first = first_only(arrived, "webhook-signature", " ")
    assert new != OLD_STANDARD
    assert [pypi_accepts(arrived, one) for one in (new, OLD_STANDARD)] == [True, True]
    assert [pypi_accepts(first, one) for one in (new, OLD_STANDARD)] == [True, False]
    assert node_judges.accepts("standardwebhooks", [arrived, first], secret=new) == [True, True]
    assert node_judges.accepts("standardwebhooks", [arrived, first], secret=OLD_STANDARD) == [True, False]


def test_bridge_api(capture, openssl):
    """`v1=NEW,v1=OLD` without a space, as OpenSSL computes them; a third secret drops the first one at once."""
    hook = capture.hook("bridge-api", events=["item.*"], credentials={"secret": OLD_BRIDGE_API})
    secrets = [OLD_BRIDGE_API, hook.rotate()]
    arrived = hook.sample("item.created")
    assert arrived.headers["bridgeapi-signature"] == in_upper(openssl, arrived, secrets[1], secrets[0])
    secrets.append(hook.rotate())
    arrived = hook.sample("item.created")
    assert arrived.headers["bridgeapi-signature"] == in_upper(openssl, arrived, secrets[2], secrets[1])


def in_upper(openssl, request: Arrived, *secrets: str) -> str:
    return ",".join(f"v1={openssl.hmac_sha256(secret, request.body).upper()}" for secret in secrets)


def test_stripe_like(capture):
    """Stripe's own library, with either secret."""
    hook = capture.hook("stripe-like", credentials={"secret": OLD_STRIPE})
    new = hook.rotate()
    arrived = hook.sample("charge.succeeded")
    header = arrived.headers["stripe-signature"]
    body = arrived.body.decode()
    at, first, second = header.split(",")
    for secret in (new, OLD_STRIPE):
        stripe.WebhookSignature.verify_header(body, header, secret, 300)
    stripe.WebhookSignature.verify_header(body, f"{at},{first}", new, 300)
    stripe.WebhookSignature.verify_header(body, f"{at},{second}", OLD_STRIPE, 300)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(body, f"{at},{first}", OLD_STRIPE, 300)
