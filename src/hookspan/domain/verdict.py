"""What an attempt's outcome means. Deciding is pure; doing is the engine's, in batches."""

import msgspec

from hookspan.domain.outcome import ErrorCode, Outcome, Owner
from hookspan.domain.retry import RetryPolicy, retry_after_ms
from hookspan.domain.states import DeliveryReason, DeliveryState, StatusReason, VerdictKind

_GONE = 410
_ASK_FOR_PATIENCE = frozenset({429, 503})
# Not the receiver's failure: tried again soon, then less often, spending neither attempts nor the window.
OWN_FAILURE_DELAY_MS = 5_000
OWN_FAILURE_DELAY_MS_MAX = 300_000
OWN_FAILURE_LATER_MS = 60_000  # in the middle of a round, where the receiver is waited for anyway
OWN_FAILURE_JITTER = 0.2


class DeliveryRules(msgspec.Struct, frozen=True, kw_only=True):
    """What a profile says about outcomes."""

    retry: RetryPolicy
    gone_disables: bool = False  # what 410 means
    disable_after_ms: int | None = None  # disable a webhook that has only failed for so long
    stalls: bool = False  # an exhausted delivery waits for a person instead of failing


class History(msgspec.Struct, frozen=True):
    """The past that a verdict needs."""

    attempts: int  # of this round, the present one included
    round_started_at: int  # start of the round's first attempt
    failing_since: int | None  # of the webhook
    is_aside: bool = False  # sent by a person, aside of the webhook's queue
    is_webhook_on: bool = True


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`state` is the delivery's; `disable` the reason to disable its webhook, or None."""

    kind: VerdictKind
    state: DeliveryState
    reason: DeliveryReason | None = None
    next_attempt_at: int | None = None
    disable: StatusReason | None = None
    spends: int = 1  # of the retry policy's attempts; 0 where the failure was not the receiver's


SUCCEEDED = Verdict(kind=VerdictKind.SUCCEEDED, state=DeliveryState.SUCCEEDED)
# Pending without a next attempt: it waits until what a person sends by hand is accepted.
STALLED = Verdict(kind=VerdictKind.FAILED, state=DeliveryState.PENDING)


def decide(rules: DeliveryRules, outcome: Outcome, history: History, now_ms: int, jitter: float) -> Verdict:
    """The verdict on one attempt. `jitter` is a number in [-1, 1)."""
    if outcome.is_success:
        return SUCCEEDED
    if outcome.owner is not Owner.RECEIVER:
        return _retry(now_ms + _own_delay_ms(history, now_ms, jitter), spends=0)
    if outcome.error is ErrorCode.BLOCKED_DESTINATION and not (rules.stalls and not history.is_aside):
        return _failed(DeliveryReason.BLOCKED_DESTINATION)
    if outcome.status == _GONE and rules.gone_disables:
        return Verdict(
            kind=VerdictKind.DISABLE,
            state=DeliveryState.FAILED,
            reason=DeliveryReason.GONE,
            disable=StatusReason.GONE,
        )
    return _failed_attempt(rules, outcome, history, now_ms, jitter)


def _failed_attempt(rules: DeliveryRules, outcome: Outcome, history: History, now_ms: int, jitter: float) -> Verdict:
    """The receiver did not accept it: again later, until the policy is exhausted."""
    delay_ms = rules.retry.next_delay_ms(history.attempts, now_ms - history.round_started_at, jitter)
    if history.is_aside and not history.is_webhook_on:
        delay_ms = None  # while a webhook is off, nothing happens to it that a person has not asked for
    if delay_ms is None:
        return STALLED if rules.stalls and not history.is_aside else _failed(DeliveryReason.EXHAUSTED)
    spends = 1
    asked_ms = retry_after_ms(outcome.retry_after, now_ms) if outcome.status in _ASK_FOR_PATIENCE else None
    if asked_ms is not None:
        elapsed_ms = now_ms - history.round_started_at
        delay_ms, spends = rules.retry.patient(history.attempts, elapsed_ms, delay_ms, asked_ms)
    if _has_failed_too_long(rules, history, now_ms):
        return Verdict(
            kind=VerdictKind.DISABLE,
            state=DeliveryState.PENDING,
            next_attempt_at=now_ms + delay_ms,
            disable=StatusReason.FAILING,
            spends=spends,
        )
    return _retry(now_ms + delay_ms, spends=spends)


def _own_delay_ms(history: History, now_ms: int, jitter: float) -> int:
    """Before the receiver was reached once, half the time that it has gone on for, so that a long outage is not written
    down every few seconds. In the middle of a round the time is set still, and says nothing of that.
    """
    lasted_ms = now_ms - history.round_started_at
    delay_ms = OWN_FAILURE_LATER_MS
    if history.attempts <= 1:
        delay_ms = min(max(OWN_FAILURE_DELAY_MS, lasted_ms // 2), OWN_FAILURE_DELAY_MS_MAX)
    return int(delay_ms * (1 + OWN_FAILURE_JITTER * jitter))


def _has_failed_too_long(rules: DeliveryRules, history: History, now_ms: int) -> bool:
    if rules.disable_after_ms is None or history.failing_since is None:
        return False
    return now_ms - history.failing_since >= rules.disable_after_ms


def _retry(at_ms: int, *, spends: int) -> Verdict:
    return Verdict(kind=VerdictKind.RETRY, state=DeliveryState.PENDING, next_attempt_at=at_ms, spends=spends)


def _failed(reason: DeliveryReason) -> Verdict:
    return Verdict(kind=VerdictKind.FAILED, state=DeliveryState.FAILED, reason=reason)
