"""What is written of an attempt: its row, and what it means for its delivery. Pure."""

from typing import Any

from hookspan.domain.outcome import Outcome, Owner
from hookspan.domain.records import Application, Attempt
from hookspan.domain.retry import present_round
from hookspan.domain.states import DeliveryReason, DeliveryState
from hookspan.domain.verdict import Verdict
from hookspan.ids import DELIVERY_PREFIX, to_text
from hookspan.profiles import Profile
from hookspan.store.contract import Claimed, Result


def round_of(item: Claimed, activated_at: int | None, outcome: Outcome) -> tuple[int, int]:
    """The attempts of the round before this one, and when its first was made; see `domain.retry.present_round`.

    A round begins with the first attempt that the receiver could have accepted: our own failures before it are only
    counted from while they last.
    """
    attempts, started_at = present_round(item.round_attempts, item.round_started_at, activated_at)
    if started_at is None or (not attempts and outcome.owner is Owner.RECEIVER):
        return attempts, outcome.started_at
    return attempts, started_at


def _lost_ms(attempts: int, outcome: Outcome, verdict: Verdict) -> int:
    """The part of a round that has begun which a failure of ours takes, until the next attempt: it spends no window."""
    if verdict.spends or not attempts or verdict.next_attempt_at is None:
        return 0
    return verdict.next_attempt_at - outcome.started_at


def result_of(
    attempt_id: int,
    item: Claimed,
    webhook_version: int,
    shown: bytes,
    outcome: Outcome,
    verdict: Verdict,
    of_round: tuple[int, int],
    *,
    resumes: bool,
) -> Result:
    """The result of one attempt. `shown` are the attempt's own header lines as people may see them; `resumes`: what is
    stalled of the webhook goes on.
    """
    number = item.attempt_count + 1
    error = outcome.error
    attempt = Attempt(
        id=attempt_id,
        delivery_id=item.id,
        webhook_id=item.webhook_id,
        event_id=item.event_id,
        number=number,
        round=item.round,
        cause=item.cause,
        webhook_version=webhook_version,
        started_at=outcome.started_at,
        duration_us=outcome.duration_us,
        verdict=verdict.kind,
        retry_at=verdict.next_attempt_at,
        error=None if error is None else error.value,
        error_message=outcome.error_message,
        remote_address=outcome.remote_address,
        request_headers=shown,
        response_status=outcome.status,
        response_headers=outcome.headers,
        response_body=outcome.body,
        response_bytes=outcome.body_bytes,
        previous_attempt_id=item.last_attempt_id,
    )
    return Result(
        delivery_id=item.id,
        claim=item.claim,
        state=verdict.state,
        reason=verdict.reason,
        next_attempt_at=verdict.next_attempt_at,
        attempt_count=number,
        round_attempts=of_round[0] + verdict.spends,
        round_started_at=of_round[1] + _lost_ms(of_round[0], outcome, verdict),
        attempt=attempt,
        finished_at=None if verdict.state is DeliveryState.PENDING else outcome.started_at,
        is_aside=item.is_aside,
        resumes=item.webhook_id if resumes else None,
        is_ours=not verdict.spends,
    )


def line_of(
    profile: Profile, application: Application, item: Claimed, outcome: Outcome, verdict: Verdict
) -> dict[str, Any]:
    """The members of the one log line of an attempt, with ids as people see them. No header and no body is in it."""
    line: dict[str, Any] = {
        "application_id": application.public_id,
        "webhook_id": to_text(profile.webhook_prefix, item.webhook_id),
        "event_id": to_text(profile.event_prefix, item.event_id),
        "delivery_id": to_text(DELIVERY_PREFIX, item.id),
        "number": item.attempt_count + 1,
        "verdict": verdict.kind.word,
        "duration_ms": round(outcome.duration_us / 1000, 3),
    }
    if outcome.error is None:
        line["status"] = outcome.status
    else:
        line |= {"error": outcome.error.value, "message": outcome.error_message}
    if verdict.next_attempt_at is not None:
        line["retry_at"] = verdict.next_attempt_at
    return line


def given_up(item: Claimed, now_ms: int) -> Result:
    """The end of a delivery that nodes died over too often: it fails without another try."""
    return Result(
        delivery_id=item.id,
        claim=item.claim,
        state=DeliveryState.FAILED,
        reason=DeliveryReason.EXHAUSTED,
        next_attempt_at=None,
        attempt_count=item.attempt_count,
        round_attempts=item.round_attempts,
        round_started_at=item.round_started_at,
        attempt=None,
        finished_at=now_ms,
        is_aside=item.is_aside,
    )
