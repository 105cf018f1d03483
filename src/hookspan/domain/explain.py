"""Why a webhook has, or has not, got an event: a reason for programs and a sentence for people.

Parked is never written to a delivery, so the reason of a pending one is derived here, when it is read. Pure.
"""

import msgspec

from hookspan.domain.pause import Pause, PauseScope
from hookspan.domain.records import Delivery, Event, Webhook
from hookspan.domain.states import DeliveryReason, DeliveryState, StatusReason, WebhookStatus
from hookspan.domain.times import to_text

_WHY_DISABLED = {
    StatusReason.CREATED: "it was created disabled",
    StatusReason.PERSON: "a person disabled it",
    StatusReason.GONE: "its receiver answered 410 Gone",
    StatusReason.FAILING: "its receiver has failed for too long",
}
_PAUSED = {
    PauseScope.ALL: "The operator has paused all sending",
    PauseScope.PROFILE: "The operator has paused sending by this profile",
    PauseScope.APPLICATION: "The operator has paused sending for this application",
}
_WHY_FINAL = {
    DeliveryReason.EXHAUSTED: "the retries of its profile are used up",
    DeliveryReason.EXPIRED: "the event became older than events are kept",
    DeliveryReason.GONE: "the receiver answered 410 Gone",
    DeliveryReason.BLOCKED_DESTINATION: "the URL leads to an address that is never sent to",
    DeliveryReason.PERSON: "a person cancelled it",
    DeliveryReason.WEBHOOK_DELETED: "the webhook was deleted",
    DeliveryReason.JOB_CANCELLED: "the job that made it was cancelled",
    DeliveryReason.SKIPPED: "the webhook was activated without what had waited for it",
    DeliveryReason.ERASED: "the application was deleted",
}


class Explanation(msgspec.Struct, frozen=True):
    """`reason` is a word of the closed list in the API's documentation, or None when the state says it all.

    `gives_up_at` (ms) is when the retries of a pending delivery end; None before the first attempt since its webhook
    was switched on, while that is off, and for one that is stalled.
    """

    reason: str | None
    sentence: str
    gives_up_at: int | None = None


class Asked(msgspec.Struct, frozen=True):
    """What the webhook's subscription says of an event's type: now, and when the event was published.

    `was_off` tells that the webhook was disabled when the event was published. The last two are None when the
    webhook's history of that time is not known.
    """

    now: bool
    then: bool | None
    was_off: bool | None


_SECRET_UNREADABLE = Explanation(
    "secret_unreadable",
    "The webhook's secrets can't be read, or don't suffice to sign, and unsigned nothing is sent. The operator "
    "restores the encryption key or the profile, or the webhook is given its credentials anew.",
)
_DUE = Explanation("due", "It is being sent, or waits for its turn in this webhook's lane.")
_ABOUT_TO_BE_SENT = ("due", "scheduled")
_HELD_BY_A_PAUSE = (*_ABOUT_TO_BE_SENT, "behind_head")  # the others would not be sent without it either
_HOW_TO_GO_ON = (
    "Send an event to the webhook by hand; once that succeeds, everything that waits is sent again. "
    "Or switch the webhook off and on."
)


def explain_delivery(
    delivery: Delivery,
    webhook: Webhook | None,
    *,
    is_behind_head: bool,
    now_ms: int,
    can_sign: bool = True,
    pause: Pause | None = None,
) -> Explanation:
    """The reason and sentence of a delivery. `webhook` None: it is deleted. `is_behind_head`: an older delivery of
    this fifo webhook is pending. `can_sign` False: the webhook's secrets don't allow that anything is sent. `pause` is
    what its application is under.
    """
    if delivery.state is DeliveryState.PENDING:
        found = _pending(delivery, webhook, is_behind_head=is_behind_head, now_ms=now_ms)
        if delivery.is_claimed:
            return found
        if not can_sign and found.reason in _ABOUT_TO_BE_SENT:
            return _SECRET_UNREADABLE
        return found if pause is None or found.reason not in _HELD_BY_A_PAUSE else _paused(pause)
    at = "" if delivery.finished_at is None else f" at {to_text(delivery.finished_at)}"
    if delivery.state is DeliveryState.SUCCEEDED:
        return Explanation(None, f"Delivered{at} by attempt {delivery.attempt_count}{_answer(delivery)}.")
    word = "Failed" if delivery.state is DeliveryState.FAILED else "Cancelled"
    because = "" if delivery.reason is None else f": {_WHY_FINAL[delivery.reason]}"
    return Explanation(
        None if delivery.reason is None else delivery.reason.word,
        f"{word}{at} after {_attempts(delivery.attempt_count)}{_answer(delivery)}{because}.",
    )


def why_paused(pause: Pause) -> str:
    """A sentence that says what is paused, since when, and what for. The reason is the operator's own text."""
    because = f": {pause.reason.rstrip('. ')}" if pause.reason.strip(". ") else ""
    return f"{_PAUSED[pause.scope]} since {to_text(pause.paused_at)}{because}."


def _paused(pause: Pause) -> Explanation:
    return Explanation("paused", f"{why_paused(pause)} The event is sent when sending goes on.")


def explain_absence(webhook: Webhook, event: Event, asked: Asked) -> Explanation:
    """Why there is no delivery of this event for this webhook, and whether there will be one."""
    if event.position > webhook.position and webhook.status is WebhookStatus.DISABLED:
        if asked.now:
            return Explanation(
                "webhook_disabled", f"{why_disabled(webhook)} The event will be delivered when it is activated."
            )
        return Explanation(None, f"Not subscribed: the webhook does not ask for {event.type}.")
    if event.position > webhook.position and webhook.status is WebhookStatus.CATCHING_UP and asked.now:
        return Explanation("due", "The webhook is catching up and will come to this event.")
    if webhook.created_at > event.accepted_at:
        return Explanation(None, f"The webhook was created later, at {to_text(webhook.created_at)}.")
    if asked.was_off and asked.then:
        return Explanation(
            None, "The webhook was disabled when the event was published, and later activated without what had waited."
        )
    return Explanation(None, f"Not subscribed: the webhook did not ask for {event.type} when it was published.")


def why_disabled(webhook: Webhook) -> str:
    """A sentence that says why a disabled webhook is so."""
    because = "" if webhook.status_reason is None else f": {_WHY_DISABLED[webhook.status_reason]}"
    return f"The webhook is disabled{because}."


def _pending(delivery: Delivery, webhook: Webhook | None, *, is_behind_head: bool, now_ms: int) -> Explanation:
    if webhook is None:
        return Explanation("webhook_disabled", "The webhook was deleted; this delivery is about to be cancelled.")
    if delivery.is_claimed:
        return _DUE
    if delivery.is_aside and (not delivery.round_attempts or webhook.status is not WebhookStatus.DISABLED):
        return _waiting(delivery, is_behind_head=False, now_ms=now_ms)  # whatever the webhook's order is
    if webhook.status is WebhookStatus.DISABLED:
        return Explanation("webhook_disabled", f"{why_disabled(webhook)} The event is sent when it is activated.")
    return _waiting(delivery, is_behind_head=is_behind_head, now_ms=now_ms)


def _waiting(delivery: Delivery, *, is_behind_head: bool, now_ms: int) -> Explanation:
    """Of an active webhook."""
    tried = f" after {_attempts(delivery.attempt_count)}{_answer(delivery)}" if delivery.attempt_count else ""
    if delivery.next_attempt_at is None:
        return Explanation("stalled", f"The retries stopped{tried}. {_HOW_TO_GO_ON}")
    if is_behind_head:
        return Explanation("behind_head", "Waits for an older event, since this webhook gets its events in order.")
    if delivery.next_attempt_at > now_ms:
        return Explanation("scheduled", f"The next attempt is at {to_text(delivery.next_attempt_at)}{tried}.")
    return _DUE


def _attempts(count: int) -> str:
    return "1 attempt" if count == 1 else f"{count} attempts"


def _answer(delivery: Delivery) -> str:
    if not delivery.attempt_count:
        return ""
    if delivery.last_response_status is None:
        return " (no complete response)"
    return f" (HTTP {delivery.last_response_status})"
