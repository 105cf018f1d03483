"""What an outcome means: the receiver's failures spend attempts, ours do not."""

import pytest

from hookspan.domain.outcome import ErrorCode, Outcome, Owner
from hookspan.domain.retry import RetryPolicy
from hookspan.domain.states import DeliveryReason, DeliveryState, StatusReason, VerdictKind
from hookspan.domain.verdict import OWN_FAILURE_DELAY_MS, OWN_FAILURE_LATER_MS, DeliveryRules, History, decide

NOW_MS = 1_767_225_600_000
HOUR_MS = 3_600_000
POLICY = RetryPolicy(delays_ms=(0, 5_000, 300_000), jitter=0.0)
BRIDGE = DeliveryRules(retry=POLICY)
STANDARD = DeliveryRules(retry=POLICY, gone_disables=True, disable_after_ms=432_000_000)
FRESH = History(attempts=1, round_started_at=NOW_MS, failing_since=None)


def answered(status: int, retry_after: str | None = None) -> Outcome:
    return Outcome(started_at=NOW_MS, duration_us=1, status=status, retry_after=retry_after)


def broken(code: ErrorCode, owner: Owner = Owner.RECEIVER) -> Outcome:
    return Outcome(started_at=NOW_MS, duration_us=1, error=code, error_message="x", owner=owner)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 226, 299])
def test_any_2xx_is_success(status):
    verdict = decide(BRIDGE, answered(status), FRESH, NOW_MS, 0.0)
    assert (verdict.kind, verdict.state) == (VerdictKind.SUCCEEDED, DeliveryState.SUCCEEDED)


@pytest.mark.parametrize("status", [199, 300, 301, 302, 307, 400, 401, 404, 410, 500, 599])
def test_everything_else_is_tried_again(status):
    """A 3xx is a failure (redirects are never followed), and the Bridges retry a 410 like any other."""
    verdict = decide(BRIDGE, answered(status), FRESH, NOW_MS, 0.0)
    assert verdict.kind is VerdictKind.RETRY
    assert verdict.next_attempt_at == NOW_MS + 5_000
    assert verdict.spends


def test_410_disables_where_the_profile_says_so():
    verdict = decide(STANDARD, answered(410), FRESH, NOW_MS, 0.0)
    assert verdict.kind is VerdictKind.DISABLE
    assert (verdict.state, verdict.reason) == (DeliveryState.FAILED, DeliveryReason.GONE)
    assert verdict.disable is StatusReason.GONE


def test_lasting_failure_disables_and_keeps_the_delivery():
    failing = History(1, NOW_MS, failing_since=NOW_MS - 432_000_000)
    verdict = decide(STANDARD, answered(500), failing, NOW_MS, 0.0)
    assert verdict.disable is StatusReason.FAILING
    assert verdict.state is DeliveryState.PENDING
    just_before = History(1, NOW_MS, failing_since=NOW_MS - 431_999_999)
    assert decide(STANDARD, answered(500), just_before, NOW_MS, 0.0).disable is None


def test_an_exhausted_policy_fails_the_delivery():
    verdict = decide(BRIDGE, answered(500), History(3, NOW_MS, None), NOW_MS, 0.0)
    assert (verdict.state, verdict.reason) == (DeliveryState.FAILED, DeliveryReason.EXHAUSTED)


@pytest.mark.parametrize("owner", [Owner.US, Owner.PATH])
def test_our_own_failure_spends_nothing(owner):
    """Out of sockets or without DNS for everyone: again soon, even when the policy would be exhausted."""
    verdict = decide(BRIDGE, broken(ErrorCode.NO_SOCKETS, owner), History(99, NOW_MS, None), NOW_MS, 0.0)
    assert verdict.kind is VerdictKind.RETRY
    assert not verdict.spends
    assert verdict.next_attempt_at == NOW_MS + OWN_FAILURE_LATER_MS
    first = decide(BRIDGE, broken(ErrorCode.NO_SOCKETS, owner), FRESH, NOW_MS, 0.0)
    assert first.next_attempt_at == NOW_MS + OWN_FAILURE_DELAY_MS


def test_our_own_failures_are_tried_less_often_as_they_last():
    """So that an hour without DNS does not write a row every five seconds for everything that waits."""
    own = broken(ErrorCode.DNS_FAILED, Owner.PATH)
    due = [
        decide(BRIDGE, own, History(1, NOW_MS - minutes * 60_000, None), NOW_MS, 0.0).next_attempt_at
        for minutes in (0, 1, 10, 10_000)
    ]
    assert due == [NOW_MS + delay_ms for delay_ms in (5_000, 30_000, 300_000, 300_000)]
    assert decide(BRIDGE, own, History(1, NOW_MS, None), NOW_MS, 0.5).next_attempt_at == NOW_MS + 5_500


def test_a_blocked_destination_is_not_tried_again():
    verdict = decide(BRIDGE, broken(ErrorCode.BLOCKED_DESTINATION), FRESH, NOW_MS, 0.0)
    assert (verdict.state, verdict.reason) == (DeliveryState.FAILED, DeliveryReason.BLOCKED_DESTINATION)


@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_may_ask_for_patience(status):
    verdict = decide(BRIDGE, answered(status, "60"), FRESH, NOW_MS, 0.0)
    assert verdict.next_attempt_at == NOW_MS + 60_000
    sooner = decide(BRIDGE, answered(status, "1"), FRESH, NOW_MS, 0.0)
    assert sooner.next_attempt_at == NOW_MS + 5_000


def test_what_a_receiver_asks_for_ends_with_the_window():
    """Bridge API holds an event for 48 hours at most: the last attempt is at the end of the window at the latest."""
    rules = DeliveryRules(retry=RetryPolicy(first_ms=5_000, cap_ms=6 * HOUR_MS, until_ms=48 * HOUR_MS, jitter=0.2))
    at_ms = NOW_MS + 47 * HOUR_MS
    verdict = decide(rules, answered(503, "86400"), History(14, NOW_MS, None), at_ms, 0.9)
    assert verdict.next_attempt_at == NOW_MS + 48 * HOUR_MS
    last = decide(rules, answered(503, "86400"), History(15, NOW_MS, None), NOW_MS + 48 * HOUR_MS, 0.0)
    assert last.reason is DeliveryReason.EXHAUSTED


def test_what_a_receiver_asks_for_spends_the_delays_that_it_covers():
    """A list of delays has its window too: a wait takes as many of them as it needs, and never more than are left."""
    rules = DeliveryRules(retry=RetryPolicy(delays_ms=(0, 5_000, 300_000, 600_000, 600_000), jitter=0.0))
    usual = decide(rules, answered(429, "5"), FRESH, NOW_MS, 0.0)
    assert (usual.next_attempt_at, usual.spends) == (NOW_MS + 5_000, 1)
    longer = decide(rules, answered(429, "60"), FRESH, NOW_MS, 0.0)
    assert (longer.next_attempt_at, longer.spends) == (NOW_MS + 60_000, 2)
    exactly = decide(rules, answered(429, "305"), FRESH, NOW_MS, 0.0)
    assert (exactly.next_attempt_at, exactly.spends) == (NOW_MS + 305_000, 2)
    for_ever = decide(rules, answered(429, "86400"), History(2, NOW_MS, None), NOW_MS, 0.0)
    assert (for_ever.next_attempt_at, for_ever.spends) == (NOW_MS + 1_500_000, 3)
    assert decide(rules, answered(429, "1"), History(5, NOW_MS, None), NOW_MS, 0.0).reason is DeliveryReason.EXHAUSTED


def test_other_statuses_may_not():
    assert decide(BRIDGE, answered(500, "60"), FRESH, NOW_MS, 0.0).next_attempt_at == NOW_MS + 5_000
