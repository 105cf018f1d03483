"""The example profiles: what arrives at a socket is accepted by the verifiers of those whom they are like."""

import hashlib
import hmac

import pytest
import stripe
from slack_sdk.signature import SignatureVerifier

from tests.wire._receiver import Request
from tests.wire.conftest import Wire, WiredWebhook

pytestmark = pytest.mark.anyio

CHARGE = b'{"object":{"id":"ch_1","object":"charge","amount":1099,"currency":"eur","status":"succeeded"}}'
ISSUE = b'{"id":1362934389,"number":42,"title":"It \\u00e4","state":"open","labels":[]}'
AROUND = b'{"sender":{"login":"octocat"},"repository":{"full_name":"octo-org/hello-world"}}'
MENTION = b'{"type":"app_mention","text":"1.10 \xe2\x82\xac"}'


async def send(wire: Wire, webhook: WiredWebhook, event: bytes) -> tuple[Request, str]:
    """(what arrived, the event's id)"""
    answer = await wire("POST", f"/v1/applications/{webhook.application_id}/events", event, 202)
    return await webhook.receiver.next(webhook.path), answer["id"]


def with_one_bit_changed(body: bytes) -> bytes:
    return body[:-2] + bytes([body[-2] ^ 1]) + body[-1:]


async def test_stripe_accepts_the_stripe_like_one(wire: Wire) -> None:
    """Stripe's own library constructs the event, with the whole secret as it was shown; a changed bit is refused."""
    webhook = await wire.webhook("stripe-like")
    published = b'{"type":"charge.succeeded","content":' + CHARGE + b',"occurred_at":"2026-01-01T00:00:00.999Z"}'
    request, event_id = await send(wire, webhook, published)
    assert request.body == (
        b'{"id":"%b","object":"event","created":1767225600,"data":%b,"type":"charge.succeeded"}'
        % (event_id.encode(), CHARGE)
    )
    header, secret = request.header("Stripe-Signature"), webhook.webhook["secret"]
    assert secret.startswith("whsec_")
    event = stripe.Webhook.construct_event(request.body, header, secret)
    assert (event["id"], event["type"], event["data"]["object"]["amount"]) == (event_id, "charge.succeeded", 1099)
    for body, value in (
        (with_one_bit_changed(request.body), header),
        (request.body, header[:-1] + ("0" if header[-1] != "0" else "1")),
        (request.body, header.replace("t=1", "t=2", 1)),
    ):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body, value, secret)


async def test_slack_accepts_the_slack_like_one(wire: Wire) -> None:
    """Slack's own verifier says yes, and no to a changed bit."""
    webhook = await wire.webhook("slack-like")
    published = (
        b'{"type":"app_mention","content":' + MENTION + b',"context":{"team_id":"T1"},'
        b'"occurred_at":"2026-01-01T00:00:00Z"}'
    )
    request, event_id = await send(wire, webhook, published)
    assert request.body == (
        b'{"type":"event_callback","team_id":"T1","api_app_id":"%b","event":%b,"event_id":"%b",'
        b'"event_time":1767225600,"event_type":"app_mention"}'
        % (webhook.application_uuid.encode(), MENTION, event_id.encode())
    )
    headers = dict(request.headers)
    assert {"X-Slack-Signature", "X-Slack-Request-Timestamp"} <= headers.keys()
    verifier = SignatureVerifier(webhook.webhook["secret"])
    assert verifier.is_valid_request(request.body, headers)
    assert not verifier.is_valid_request(with_one_bit_changed(request.body), headers)
    older = {**headers, "X-Slack-Request-Timestamp": str(int(headers["X-Slack-Request-Timestamp"]) - 1)}
    assert not verifier.is_valid_request(request.body, older)


async def test_the_github_like_one_is_what_github_documents(wire: Wire) -> None:
    """Event and delivery in headers, action and the object's own key in the body, sha256= over the body alone."""
    webhook = await wire.webhook("github-like", events=["issues.*"], credentials={"secret": "It's a Secret"})
    published = b'{"type":"issues.opened","content":' + ISSUE + b',"context":' + AROUND + b"}"
    request, event_id = await send(wire, webhook, published)
    assert request.body == (
        b'{"action":"opened","issue":' + ISSUE + b',"repository":{"full_name":"octo-org/hello-world"},'
        b'"sender":{"login":"octocat"},"object":"issue"}'
    )
    assert request.header("X-GitHub-Event") == "issues"
    assert request.header("X-GitHub-Delivery") == event_id
    mac = hmac.digest(b"It's a Secret", request.body, hashlib.sha256)
    assert request.header("X-Hub-Signature-256") == f"sha256={mac.hex()}"
