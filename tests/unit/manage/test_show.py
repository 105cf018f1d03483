"""From records to shapes: bytes of receivers become texts without harm."""

import base64

import msgspec
import pytest

from hookspan.domain.records import AlsoSign, Application, Attempt, SealedCredential, Webhook
from hookspan.domain.states import Cause, Order, VerdictKind, WebhookStatus
from hookspan.domain.times import to_text as time_text
from hookspan.manage._show import NO_NUMBERS, Once, epoch_text, epoch_view, show_attempt, show_health, show_webhook
from hookspan.manage.views import AlsoSign as AlsoSignView
from hookspan.manage.views import EpochPosition
from hookspan.profiles import load_profiles

PROFILE = load_profiles().get("standard")
ATTEMPT = Attempt(
    id=1, delivery_id=None, webhook_id=2, event_id=None, number=1, round=1, cause=Cause.TEST, webhook_version=1,
    started_at=0, duration_us=1_234, verdict=VerdictKind.SUCCEEDED, retry_at=None, error=None, error_message=None,
    remote_address=None, request_headers=b"webhook-id: x\r\n", response_status=200,
    response_headers=b"a: 1\r\nb:2\r\nodd\r\nc: \xff\r\n", response_body=b"ok", response_bytes=2,
    previous_attempt_id=None,
)  # fmt: skip
NOW = 1_767_225_600_000
APPLICATION = Application(
    id=1, public_id="app", name="Acme", profile="standard", uuid="u", settings={}, metadata={}, notify=None,
    webhooks_version=1, last_position=0, created_at=NOW, updated_at=NOW,
)  # fmt: skip
WEBHOOK = Webhook(
    id=7, application_id=1, name=None, url="https://example.com", status=WebhookStatus.ACTIVE, status_reason=None,
    events=None, order=Order.ANY, rate=None, concurrency=1, event_epoch=None, credentials=(), position=0, version=1,
    failing_since=None, created_at=NOW, updated_at=NOW,
)  # fmt: skip


def credential(name: str, *, public: str | None = None, expires_at: int | None = None) -> SealedCredential:
    return SealedCredential(name=name, sealed=b"", public=public, made_at=NOW, expires_at=expires_at)


def shown(**changes):
    return show_attempt(msgspec.structs.replace(ATTEMPT, **changes), PROFILE, "https://example.com", b'{"a":1}')


def test_a_text_body_is_shown_as_text():
    """With its headers as pairs, whatever bytes they are."""
    response = shown().response
    assert (response.body, response.body_base64, response.is_truncated) == ("ok", None, False)
    assert response.headers == [("a", "1"), ("b", "2"), ("odd", ""), ("c", "ÿ")]


def test_other_bytes_are_shown_in_base64():
    """They are no UTF-8, and nothing of them is lost."""
    response = shown(response_body=b"\xff\x00", response_bytes=2).response
    assert (response.body, base64.b64decode(response.body_base64)) == (None, b"\xff\x00")


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_cut_character_does_not_make_text_binary(cut):
    """A body that was cut in the middle of a character stays readable."""
    raw = b"abc" + "😀".encode()[:cut]
    response = shown(response_body=raw, response_bytes=1_000).response
    assert (response.body, response.is_truncated) == ("abc", True)


def test_an_attempt_without_a_response_shows_its_error():
    """The code is for programs, the message for people."""
    attempt = shown(response_status=None, error="timeout", error_message="No answer within 15 s.")
    assert attempt.response is None
    assert (attempt.error.code, attempt.error.message) == ("timeout", "No answer within 15 s.")


def test_times_are_in_milliseconds():
    """Microseconds are kept as fractions."""
    assert shown().duration_ms == 1.234


@pytest.mark.parametrize(
    ("status", "failing_since", "stalled_since", "state", "since"),
    [
        (WebhookStatus.ACTIVE, None, None, "healthy", None),
        (WebhookStatus.ACTIVE, 1_000, None, "failing", "1970-01-01T00:00:01.000Z"),
        (WebhookStatus.ACTIVE, 1_000, 2_000, "stalled", "1970-01-01T00:00:02.000Z"),
        (WebhookStatus.CATCHING_UP, 1_000, 2_000, "catching_up", None),
    ],
)
def test_health_is_the_most_telling_state(status, failing_since, stalled_since, state, since):
    """Stalled is more than failing: it does not go on by itself."""
    webhook = msgspec.structs.replace(WEBHOOK, status=status, failing_since=failing_since)
    health = show_health(webhook, None, msgspec.structs.replace(NO_NUMBERS, stalled_since=stalled_since))
    assert (health.state, health.since) == (state, since)


def test_the_second_profiles_credentials_stay_apart():
    """From the first's names, public key and end; custom headers from both."""
    credentials = [
        credential("also:keypair", public="second"),
        credential("also:secret", expires_at=NOW + 9),
        credential("secret"),
        credential("secret", expires_at=NOW + 5),
        credential("secret", expires_at=NOW - 5),
        credential("headers", public='["X-A"]'),
    ]
    webhook = msgspec.structs.replace(
        WEBHOOK, credentials=tuple(credentials), also_sign=AlsoSign(profile="bridge-xyz", until=NOW)
    )
    shown = show_webhook(webhook, APPLICATION, PROFILE, show_health(webhook), NOW, Once(also_secret="new"))
    assert list(shown.credentials) == ["secret"]
    assert (shown.public_key, shown.secret_previous_until) == (None, time_text(NOW + 5))
    assert shown.also_sign is not None
    assert shown.also_sign == AlsoSignView(
        profile="bridge-xyz",
        until=time_text(NOW),
        secret="new",
        public_key="second",
        credentials=shown.also_sign.credentials,
    )
    assert set(shown.also_sign.credentials) == {"private_key", "secret"}
    assert (shown.secret, shown.headers) == (msgspec.UNSET, {"X-A": None})


def test_epochs_survive_being_kept():
    """Words as they are, positions as objects; a webhook without one started when it was made."""
    assert epoch_view(epoch_text(17)) == EpochPosition(position=17)
    assert epoch_view("beginning_of_time") == "beginning_of_time"
    assert epoch_view(None) == "now"
