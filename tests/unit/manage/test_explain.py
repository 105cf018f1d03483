"""Every pair of event and webhook can be explained: a reason of the closed list, and a sentence."""

import itertools

import msgspec
import pytest

from hookspan.domain.explain import Asked, explain_absence, explain_delivery
from hookspan.domain.pause import Pause, PauseScope
from hookspan.domain.records import Delivery, Event, Webhook
from hookspan.domain.states import DeliveryReason, DeliveryState, Order, StatusReason, WebhookStatus

NOW = 1_767_225_600_000
ALL_REASONS = {
    "due", "scheduled", "behind_head", "stalled", "webhook_disabled", "secret_unreadable", "exhausted", "expired",
    "gone", "paused", "blocked_destination", "person", "webhook_deleted", "job_cancelled", "skipped", "erased",
}  # fmt: skip
WEBHOOK = Webhook(
    id=7, application_id=1, name=None, url="https://example.com", status=WebhookStatus.ACTIVE, status_reason=None,
    events=None, order=Order.ANY, rate=None, concurrency=1, event_epoch=None, credentials=(), position=0, version=1,
    failing_since=None, created_at=NOW - 10_000, updated_at=NOW - 10_000,
)  # fmt: skip
DISABLED = msgspec.structs.replace(WEBHOOK, status=WebhookStatus.DISABLED, status_reason=StatusReason.PERSON)
DELIVERY = Delivery(
    id=9, application_id=1, webhook_id=7, event_id=8, type="a.b", run=0, round=1, state=DeliveryState.PENDING,
    reason=None, is_claimed=False, attempt_count=0, last_response_status=None, last_attempt_id=None, created_at=NOW,
    next_attempt_at=NOW, round_started_at=None, finished_at=None,
)  # fmt: skip
EVENT = Event(
    id=8, application_id=1, publisher_id=None, type="a.b", position=5, occurred_at=NOW, accepted_at=NOW, content=b"{}",
    context=None, body=b"{}",
)  # fmt: skip


def delivery(**changes) -> Delivery:
    return msgspec.structs.replace(DELIVERY, **changes)


def webhook(**changes) -> Webhook:
    return msgspec.structs.replace(WEBHOOK, **changes)


def explain(one=DELIVERY, to=WEBHOOK, *, is_behind_head=False):
    return explain_delivery(one, to, is_behind_head=is_behind_head, now_ms=NOW)


@pytest.mark.parametrize(
    ("one", "to", "behind", "reason", "words"),
    [
        (delivery(), WEBHOOK, False, "due", "turn"),
        (delivery(is_claimed=True, next_attempt_at=None), WEBHOOK, True, "due", "sent"),
        (delivery(), DISABLED, False, "webhook_disabled", "a person disabled it"),
        (delivery(), None, False, "webhook_disabled", "deleted"),
        (delivery(is_claimed=True, next_attempt_at=None), DISABLED, False, "due", "sent"),
        (delivery(run=1, is_aside=True), DISABLED, False, "due", "sent"),
        (delivery(run=1, is_aside=True), WEBHOOK, True, "due", "sent"),
        (delivery(run=1, is_aside=True, round_attempts=1), DISABLED, False, "webhook_disabled", "activated"),
        (delivery(run=1, is_aside=True, next_attempt_at=NOW + 60_000), WEBHOOK, True, "scheduled", "next attempt"),
        (delivery(run=1, job_id=5), DISABLED, False, "webhook_disabled", "activated"),
        (delivery(run=1, job_id=5), WEBHOOK, True, "behind_head", "older event"),
        (delivery(), WEBHOOK, True, "behind_head", "order"),
        (delivery(next_attempt_at=None), WEBHOOK, False, "stalled", "by hand"),
        (delivery(next_attempt_at=None, attempt_count=1), WEBHOOK, True, "stalled", "after 1 attempt"),
        (delivery(next_attempt_at=None), DISABLED, False, "webhook_disabled", "a person disabled it"),
        (delivery(next_attempt_at=NOW + 1), WEBHOOK, False, "scheduled", "2026-01-01T00:00:00.001Z"),
        (
            delivery(next_attempt_at=NOW + 1, attempt_count=2, last_response_status=503),
            WEBHOOK,
            False,
            "scheduled",
            "after 2 attempts (HTTP 503)",
        ),
        (
            delivery(next_attempt_at=NOW + 1, attempt_count=1),
            WEBHOOK,
            False,
            "scheduled",
            "1 attempt (no complete response)",
        ),
    ],
)
def test_a_pending_delivery_says_what_it_waits_for(one, to, behind, reason, words):
    """The reason is derived, the most binding one wins, and the sentence has the facts."""
    why = explain(one, to, is_behind_head=behind)
    assert why.reason == reason
    assert words in why.sentence


@pytest.mark.parametrize(
    ("one", "to", "behind", "reason"),
    [
        (delivery(), WEBHOOK, False, "secret_unreadable"),
        (delivery(next_attempt_at=NOW + 1), WEBHOOK, False, "secret_unreadable"),
        (delivery(run=1, is_aside=True), DISABLED, False, "secret_unreadable"),
        (delivery(is_claimed=True, next_attempt_at=None), WEBHOOK, False, "due"),
        (delivery(), WEBHOOK, True, "behind_head"),
        (delivery(), DISABLED, False, "webhook_disabled"),
        (delivery(next_attempt_at=None), WEBHOOK, False, "stalled"),
        (delivery(state=DeliveryState.SUCCEEDED, finished_at=NOW, attempt_count=1), WEBHOOK, False, None),
    ],
)
def test_what_can_not_be_signed_is_not_said_to_be_due(one, to, behind, reason):
    """Where nothing else holds it back; what is final is as it was."""
    why = explain_delivery(one, to, is_behind_head=behind, now_ms=NOW, can_sign=False)
    assert why.reason == reason


def pause(**changes) -> Pause:
    return msgspec.structs.replace(Pause(id=3, scope=PauseScope.ALL, paused_at=NOW, reason="A restore."), **changes)


@pytest.mark.parametrize(
    ("one", "to", "behind", "can_sign", "reason"),
    [
        (delivery(), WEBHOOK, False, True, "paused"),
        (delivery(next_attempt_at=NOW + 1, attempt_count=1), WEBHOOK, False, True, "paused"),
        (delivery(), WEBHOOK, True, True, "paused"),
        (delivery(run=1, is_aside=True), DISABLED, False, True, "paused"),
        (delivery(is_claimed=True, next_attempt_at=None), WEBHOOK, False, True, "due"),
        (delivery(), DISABLED, False, True, "webhook_disabled"),
        (delivery(), None, False, True, "webhook_disabled"),
        (delivery(next_attempt_at=None), WEBHOOK, False, True, "stalled"),
        (delivery(), WEBHOOK, False, False, "secret_unreadable"),
        (delivery(state=DeliveryState.SUCCEEDED, finished_at=NOW, attempt_count=1), WEBHOOK, False, True, None),
    ],
)
def test_a_pause_is_the_reason_where_nothing_else_would_hold_it(one, to, behind, can_sign, reason):
    """What is being sent ends; what would not be sent without the pause either says why; what is final is as it was."""
    why = explain_delivery(one, to, is_behind_head=behind, now_ms=NOW, can_sign=can_sign, pause=pause())
    assert why.reason == reason
    assert ("A restore." in why.sentence) is (reason == "paused")


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (PauseScope.ALL, "paused all sending"),
        (PauseScope.PROFILE, "paused sending by this profile"),
        (PauseScope.APPLICATION, "paused sending for this application"),
    ],
)
def test_a_pause_says_what_is_paused_and_since_when(scope, words):
    """With the operator's reason, where there is one, as a whole sentence."""
    why = explain_delivery(DELIVERY, WEBHOOK, is_behind_head=False, now_ms=NOW, pause=pause(scope=scope))
    assert why.sentence == (
        f"The operator has {words} since 2026-01-01T00:00:00.000Z: A restore. The event is sent when sending goes on."
    )
    silent = explain_delivery(DELIVERY, WEBHOOK, is_behind_head=False, now_ms=NOW, pause=pause(reason=" ."))
    assert "2026-01-01T00:00:00.000Z. The event" in silent.sentence


@pytest.mark.parametrize("reason", list(DeliveryReason))
@pytest.mark.parametrize("state", [DeliveryState.FAILED, DeliveryState.CANCELLED])
def test_a_final_delivery_says_why(state, reason):
    """Each reason has words of its own."""
    why = explain(delivery(state=state, reason=reason, finished_at=NOW, attempt_count=3, last_response_status=500))
    assert why.reason == reason.word
    assert "3 attempts (HTTP 500): " in why.sentence
    assert "2026-01-01T00:00:00.000Z" in why.sentence


def test_a_success_says_when_and_which_attempt():
    """A success needs no reason."""
    why = explain(delivery(state=DeliveryState.SUCCEEDED, finished_at=NOW, attempt_count=2, last_response_status=204))
    assert why.reason is None
    assert why.sentence == "Delivered at 2026-01-01T00:00:00.000Z by attempt 2 (HTTP 204)."


@pytest.mark.parametrize("reason", list(StatusReason))
def test_a_disabled_webhook_says_why_it_is_so(reason):
    """Each reason has words of its own."""
    sentence = explain(to=webhook(status=WebhookStatus.DISABLED, status_reason=reason)).sentence
    assert sentence.startswith("The webhook is disabled: ")


@pytest.mark.parametrize(
    ("to", "asked", "reason", "words"),
    [
        (DISABLED, Asked(True, True, True), "webhook_disabled", "when it is activated"),
        (DISABLED, Asked(False, True, True), None, "does not ask for a.b"),
        (webhook(status=WebhookStatus.CATCHING_UP), Asked(True, True, True), "due", "catching up"),
        (webhook(created_at=NOW + 1), Asked(True, None, None), None, "created later"),
        (webhook(position=9), Asked(True, True, True), None, "activated without what had waited"),
        (webhook(position=9), Asked(True, False, False), None, "did not ask for a.b when it was published"),
        (webhook(position=9, status=WebhookStatus.DISABLED), Asked(True, False, False), None, "did not ask"),
    ],
)
def test_an_absence_is_explained(to, asked, reason, words):
    """Nothing was made for this webhook: why, and whether something will be."""
    why = explain_absence(to, EVENT, asked)
    assert why.reason == reason
    assert words in why.sentence


def test_no_reason_is_outside_the_closed_list():
    """Programs may rely on the list."""
    states = itertools.product(DeliveryState, [None, *DeliveryReason], [None, WEBHOOK, DISABLED], [True, False])
    for state, reason, to, behind in states:
        why = explain(delivery(state=state, reason=reason), to, is_behind_head=behind)
        assert why.reason is None or why.reason in ALL_REASONS
        assert why.sentence.endswith(".")
