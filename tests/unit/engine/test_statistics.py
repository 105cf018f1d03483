"""The counting itself."""

from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookspan.domain.latency import bucket_of
from hookspan.domain.records import Attempt
from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, VerdictKind
from hookspan.engine.options import EngineOptions
from hookspan.engine.statistics import Statistics
from hookspan.store.contract import Result
from hookspan.store.statistics import HOUR_MS, HourCounts
from hookspan.telemetry import Counters
from tests.support.clock import VirtualClock

STARTED_AT = 490_000 * HOUR_MS
LANE = SimpleNamespace(webhook=SimpleNamespace(id=6, application_id=5))
ATTEMPT = Attempt(
    id=1,
    delivery_id=2,
    webhook_id=6,
    event_id=3,
    number=1,
    round=0,
    cause=Cause.FIRST,
    webhook_version=1,
    started_at=STARTED_AT,
    duration_us=1_000,
    verdict=VerdictKind.SUCCEEDED,
    retry_at=None,
    error=None,
    error_message=None,
    remote_address=None,
    request_headers=b"",
    response_status=200,
    response_headers=b"",
    response_body=b"",
    response_bytes=0,
    previous_attempt_id=None,
)
RESULT = Result(
    delivery_id=2,
    claim=1,
    state=DeliveryState.SUCCEEDED,
    reason=None,
    next_attempt_at=None,
    attempt_count=1,
    round_attempts=1,
    round_started_at=STARTED_AT,
    attempt=ATTEMPT,
    finished_at=STARTED_AT,
)


def statistics() -> Statistics:
    return Statistics(None, VirtualClock(), EngineOptions(), Counters(), lambda: None)  # type: ignore[arg-type]


def counted(*results: Result) -> list[HourCounts]:
    """Of the webhook."""
    one = statistics()
    for result in results:
        one.result(LANE, result)  # type: ignore[arg-type]
    one._take()
    return [counts for counts in one._taken if counts.subject_id == 6]


@given(st.integers(min_value=0, max_value=10**12))
def test_the_hot_path_s_buckets_are_the_domain_s(duration_us):
    """It does not call `bucket_of`, and comes to the same."""
    attempt = msgspec.structs.replace(ATTEMPT, duration_us=duration_us)
    [one] = counted(msgspec.structs.replace(RESULT, attempt=attempt))
    assert one.latency == {bucket_of(duration_us): 1}


def test_an_attempt_that_ends_in_the_next_hour_counts_there():
    """Its end is what it is counted by."""
    attempt = msgspec.structs.replace(ATTEMPT, started_at=STARTED_AT + HOUR_MS - 1, duration_us=1_000)
    [one] = counted(msgspec.structs.replace(RESULT, attempt=attempt))
    assert one.hour == STARTED_AT // HOUR_MS + 1


def test_a_delivery_that_is_given_up_without_a_try_failed():
    """There is no attempt to count."""
    gone = msgspec.structs.replace(
        RESULT, attempt=None, state=DeliveryState.FAILED, reason=DeliveryReason.EXHAUSTED, finished_at=STARTED_AT
    )
    [one] = counted(gone)
    assert (one.attempts, one.deliveries_failed, one.hour) == (0, 1, STARTED_AT // HOUR_MS)


def test_a_result_without_attempt_and_end_counts_for_nothing():
    """It only moved the delivery."""
    assert counted(msgspec.structs.replace(RESULT, attempt=None, finished_at=None)) == []


@pytest.mark.parametrize(
    ("state", "failed"), [(DeliveryState.PENDING, 0), (DeliveryState.FAILED, 1), (DeliveryState.CANCELLED, 1)]
)
def test_a_failed_attempt_ends_its_delivery_or_not(state, failed):
    """Where another one follows the delivery has not failed."""
    attempt = msgspec.structs.replace(ATTEMPT, verdict=VerdictKind.RETRY, response_status=None)
    [one] = counted(msgspec.structs.replace(RESULT, state=state, attempt=attempt))
    assert (one.attempts, one.attempts_succeeded, one.deliveries_failed, one.latency) == (1, 0, failed, {})
