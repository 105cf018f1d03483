"""The retry policy: pure, bounded, and exact about its last attempt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookspan.domain.retry import RETRY_AFTER_MS_MAX, RetryPolicy, retry_after_ms

HOUR_MS = 3_600_000
BRIDGE = RetryPolicy(first_ms=5_000, factor=3, cap_ms=6 * HOUR_MS, until_ms=36 * HOUR_MS, jitter=0.2)
STANDARD = RetryPolicy(delays_ms=(0, 5_000, 300_000, 1_800_000), jitter=0.1)
NOW_MS = 1_767_225_600_000


def attempts_of(policy: RetryPolicy, jitters: list[float]) -> list[int]:
    """When each attempt of a round that only fails is made, in ms after the first."""
    at_ms, made = 0, [0]
    for number in range(1, 1_000):
        delay_ms = policy.next_delay_ms(number, at_ms, jitters[number % len(jitters)])
        if delay_ms is None:
            return made
        at_ms += delay_ms
        made.append(at_ms)
    raise AssertionError("the policy has no end")


@given(st.lists(st.floats(min_value=-1, max_value=1, exclude_max=True), min_size=1, max_size=20))
def test_a_series_ends_exactly_at_its_end_whatever_the_jitter(jitters):
    """1 to 2 days is a promise to the receiver: the last attempt of a 36 h policy is made 36 h after the first."""
    made = attempts_of(BRIDGE, jitters)
    assert made[-1] == 36 * HOUR_MS
    assert made == sorted(made)
    assert 10 <= len(made) <= 25


def test_a_series_grows_by_its_factor_up_to_its_cap():
    delays = [BRIDGE.next_delay_ms(number, 0, 0.0) for number in range(1, 12)]
    assert delays[:4] == [5_000, 15_000, 45_000, 135_000]
    assert delays[-1] == 6 * HOUR_MS


def test_an_absurd_number_of_attempts_does_not_overflow():
    assert BRIDGE.next_delay_ms(10**9, 0, 0.0) == 6 * HOUR_MS


def test_a_list_is_followed_to_its_last_entry_and_then_exhausted():
    assert [STANDARD.next_delay_ms(number, 0, 0.0) for number in range(1, 5)] == [5_000, 300_000, 1_800_000, None]


@given(
    st.lists(st.floats(min_value=-1, max_value=1, exclude_max=True), min_size=1, max_size=20),
    st.lists(st.integers(0, RETRY_AFTER_MS_MAX), min_size=1, max_size=20),
)
@pytest.mark.parametrize("policy", [BRIDGE, STANDARD])
def test_no_receiver_prolongs_a_window(policy, jitters, asked):
    """Whatever it asks for, and whenever."""
    at_ms, made = 0, 1
    for number in range(1_000):
        delay_ms = policy.next_delay_ms(made, at_ms, jitters[number % len(jitters)])
        if delay_ms is None:
            break
        wait_ms, spent = policy.patient(made, at_ms, delay_ms, asked[number % len(asked)])
        assert wait_ms >= delay_ms
        at_ms, made = at_ms + wait_ms, made + spent
    assert at_ms <= policy.window_ms()


@given(st.floats(min_value=-1, max_value=1, exclude_max=True))
def test_jitter_stays_within_its_share(jitter):
    delay_ms = STANDARD.next_delay_ms(2, 0, jitter)
    assert delay_ms is not None
    assert 270_000 <= delay_ms <= 330_000


def test_retry_after_is_honoured_and_clamped():
    """Seconds or a date are read; everything else says nothing; a receiver can't push a delivery out of its window."""
    assert retry_after_ms("120", NOW_MS) == 120_000
    assert retry_after_ms(" 7 ", NOW_MS) == 7_000
    assert retry_after_ms("0", NOW_MS) == 0
    assert retry_after_ms("9999999999", NOW_MS) == RETRY_AFTER_MS_MAX
    assert retry_after_ms("Thu, 01 Jan 2026 00:01:00 GMT", NOW_MS) == 60_000
    assert retry_after_ms("Thu, 01 Jan 1970 00:00:00 GMT", NOW_MS) == 0
    for nonsense in (None, "", "inf", "nan", "-5", "1e3", "12345678901234567890", "soon", "١٢", "1.5"):
        assert retry_after_ms(nonsense, NOW_MS) is None


@given(st.text(max_size=60))
def test_retry_after_never_raises(text):
    wait_ms = retry_after_ms(text, NOW_MS)
    assert wait_ms is None or 0 <= wait_ms <= RETRY_AFTER_MS_MAX
