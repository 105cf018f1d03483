"""The example profiles: the official libraries of those whose signatures they resemble accept what arrived."""

import pytest
import stripe
from slack_sdk.signature import SignatureVerifier

from hookspan.profiles import LiveSecret
from tests.support.capture import PROFILES, Arrived, bits, flipped, flipped_hex

# The body of the vector in Slack's guide to verifying requests.
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)


def changed(request: Arrived, header: str, start: str) -> list[Arrived]:
    """One bit turned in the body or in the signature that ends the header after `start`."""
    before, found, text = request.headers[header].rpartition(start)
    assert found
    return [
        *(request.but(body=flipped(request.body, bit)) for bit in bits(request.body)),
        *(request.but({header: before + start + flipped_hex(text, bit)}) for bit in (0, 100, -1)),
    ]


class TestStripe:
    """`stripe` from PyPI."""

    @pytest.fixture(scope="class")
    @classmethod
    def hook(cls, capture):
        return capture.hook("stripe-like", credentials={"secret": "whsec_" + "QUJD" * 8})

    @staticmethod
    def accepts(request: Arrived, secret: str) -> bool:
        try:
            stripe.WebhookSignature.verify_header(
                request.body.decode(errors="replace"), request.headers["stripe-signature"], secret, 300
            )
        except stripe.SignatureVerificationError:
            return False
        return True

    def test_accepts_and_reads_what_arrived(self, hook):
        """Webhook.construct_event verifies it and makes its own event of it."""
        arrived = hook.sample("charge.succeeded")
        event = stripe.Webhook.construct_event(
            arrived.body, arrived.headers["stripe-signature"], hook.secrets["secret"]
        )
        assert event.type == "charge.succeeded"
        assert event.id.startswith("evt_")
        assert event.data.object["object"] == "charge"

    def test_refuses_one_changed_bit(self, hook):
        """In the body, the time or the signature; and what was signed six minutes ago."""
        arrived = hook.sample("charge.refunded")
        secret = hook.secrets["secret"]
        at, _, rest = arrived.headers["stripe-signature"].partition(",")
        other_time = arrived.but(stripe_signature=f"{flipped(at.encode(), -8).decode()},{rest}")
        assert self.accepts(arrived, secret)
        refused = [*changed(arrived, "stripe-signature", "v1="), other_time]
        assert [self.accepts(one, secret) for one in refused] == [False] * 7
        assert not self.accepts(hook.signed_again(arrived, age_ms=6 * 60_000), secret)


class TestGitHub:
    """`@octokit/webhooks-methods` from npm."""

    def test_accepts_what_arrived_and_refuses_one_changed_bit(self, capture, node_judges):
        """X-Hub-Signature-256, with the event's group and id in GitHub's headers."""
        hook = capture.hook("github-like", events=["issues.*"], credentials={"secret": "it's a Secret to Everybody"})
        arrived = hook.sample("issues.opened")
        assert arrived.headers["x-github-event"] == "issues"
        assert arrived.headers["x-github-delivery"].startswith("evt_")
        requests = [arrived, *changed(arrived, "x-hub-signature-256", "sha256=")]
        verdicts = node_judges.accepts("octokit", requests, secret=hook.secrets["secret"])
        assert verdicts == [True] + [False] * 6

    def test_githubs_published_vector(self, capture, node_judges):
        """GitHub documents one: our signer makes it, and its library accepts it."""
        hook = capture.hook("github-like", events=["issues.*"], credentials={"secret": "It's a Secret to Everybody"})
        empty = Arrived("/", {}, b"Hello, World!")
        signed = hook.signed_again(empty)
        documented = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        assert signed.headers["x-hub-signature-256"] == documented
        assert node_judges.accepts("octokit", [signed], secret=hook.secrets["secret"]) == [True]


class TestSlack:
    """`slack_sdk` from PyPI."""

    @staticmethod
    def accepts(request: Arrived, secret: str) -> bool:
        # The library decodes the body strictly; a body that is no UTF-8 any more is refused by that.
        try:
            return SignatureVerifier(secret).is_valid_request(request.body, request.headers)
        except UnicodeDecodeError:
            return False

    def test_accepts_what_arrived_and_refuses_one_changed_bit(self, capture):
        """X-Slack-Signature over v0:time:body, the time in a header of its own."""
        hook = capture.hook("slack-like", credentials={"secret": "8f742231b10e8888abcd99yyyzzz85a5"})
        arrived = hook.publish("app_mention", {"type": "app_mention", "text": "hällo"})
        secret = hook.secrets["secret"]
        at = arrived.headers["x-slack-request-timestamp"].encode()
        other_time = arrived.but(x_slack_request_timestamp=flipped(at, -8).decode())
        assert self.accepts(arrived, secret)
        refused = [*changed(arrived, "x-slack-signature", "v0="), other_time]
        assert [self.accepts(one, secret) for one in refused] == [False] * 7
        assert not self.accepts(hook.signed_again(arrived, age_ms=6 * 60_000), secret)

    def test_slacks_published_vector(self):
        """Slack documents one: our signer makes it, and its library generates the same."""
        secret, at_s = "8f742231b10e8888abcd99yyyzzz85a5", 1531420618
        lines = PROFILES.get("slack-like").signer([LiveSecret("secret", secret.encode())])(
            "ev_1", at_s * 1000, SLACK_BODY, "app_mention"
        )
        documented = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
        assert f"X-Slack-Signature: {documented}\r\n".encode() in lines
        made = SignatureVerifier(secret).generate_signature(timestamp=str(at_s), body=SLACK_BODY)
        assert made == documented
