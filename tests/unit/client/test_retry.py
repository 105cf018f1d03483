"""When another try is made, and after which wait: with a clock and dice of the test's own."""

import pytest

from hookspan.client import Refused, Retry, TimedOut, UnexpectedAnswer, Unreachable, Untrusted
from hookspan.client._errors import refusal_of
from hookspan.client._retry import Repeat, Tries, is_worth_another


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def refused(status, code="refused", retry_after_s=None):
    return refusal_of(status)("no", code=code, status=status, retry_after_s=retry_after_s)


LATER = refused(503, "overloaded")
LOST = Unreachable("gone", is_in_doubt=True)
NOT_SENT = Unreachable("nobody", is_in_doubt=False)


def tries(retry=None, clock=None, chance=0.0):
    return Tries(retry or Retry(), Repeat.HARMLESS, clock or Clock(), lambda: chance)


def test_waits_double_up_to_their_bound():
    """Six tries in all, unless told otherwise."""
    one = tries(Retry(first_wait_s=0.5, wait_s_max=3))
    assert [one.wait_s(LATER) for _ in range(6)] == [0.5, 1, 2, 3, 3, None]


def test_chance_takes_off_up_to_half():
    """So that many clients don't come back together."""
    assert tries(Retry(first_wait_s=1), chance=0.0).wait_s(LATER) == 1
    assert tries(Retry(first_wait_s=1), chance=0.5).wait_s(LATER) == 0.75
    assert 0.5 < tries(Retry(first_wait_s=1), chance=0.999).wait_s(LATER) < 0.502


def test_retry_after_is_the_least_and_is_bounded():
    """A server can't put a client to sleep for a day."""
    assert tries().wait_s(refused(429, retry_after_s=4)) == 4
    assert tries(Retry(first_wait_s=2)).wait_s(refused(429, retry_after_s=1)) == 2
    assert tries().wait_s(refused(503, retry_after_s=86_400)) == 10


def test_no_try_begins_after_the_total_time():
    """Rather than waiting for nothing, the error comes at once."""
    clock = Clock()
    one = tries(Retry(first_wait_s=1, total_s=5), clock)
    assert one.wait_s(LATER) == 1
    clock.now_s = 3.5
    assert one.wait_s(LATER) is None


def test_one_try_can_be_asked_for():
    assert tries(Retry(tries_max=1)).wait_s(LATER) is None


@pytest.mark.parametrize(
    "wrong", [{"tries_max": 0}, {"total_s": -1}, {"first_wait_s": -0.1}, {"wait_s_max": float("nan")}]
)
def test_a_policy_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match="Retry needs"):
        Retry(**wrong)


@pytest.mark.parametrize(
    ("error", "harmless", "doubtful"),
    [
        (NOT_SENT, True, True),
        (LOST, True, False),
        (TimedOut("late", is_in_doubt=True), True, False),
        (Untrusted("who?"), False, False),
        (UnexpectedAnswer("what?", status=200), False, False),
        (refused(429), True, True),
        (refused(503, "overloaded"), True, True),
        (refused(503, "disk_full"), True, True),
        (refused(503, "store_unavailable"), True, False),
        (refused(502), True, False),
        (refused(504), True, False),
        (refused(500, "internal"), False, False),
        (refused(409, "idempotency_running"), True, False),
        (refused(409, "event_id_conflict"), False, False),
        *((refused(status), False, False) for status in (400, 401, 403, 404, 412, 413)),
    ],
    ids=lambda one: f"{one.code}-{one.status}" if isinstance(one, Refused) else None,
)
def test_what_is_tried_again(error, harmless, doubtful):
    """What could help and can't harm: what may have been done already is repeated only where that is harmless."""
    assert is_worth_another(error, Repeat.HARMLESS) is harmless
    assert is_worth_another(error, Repeat.DOUBTFUL) is doubtful
