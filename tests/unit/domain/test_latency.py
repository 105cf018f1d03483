"""Latencies by bucket: small, addable, and right within what is promised."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookspan.domain.latency import BUCKET_MAX, ERROR_MAX, add_to, bucket_of, middle_us, percentiles_us

LONGEST_US = 537_000_000


@given(st.integers(min_value=1, max_value=LONGEST_US))
def test_a_bucket_s_middle_is_near_what_is_in_it(duration_us):
    """Within 6.25 %, over the whole range."""
    bucket = bucket_of(duration_us)
    assert 0 <= bucket <= BUCKET_MAX
    assert abs(middle_us(bucket) - duration_us) <= ERROR_MAX * duration_us


@given(st.integers(min_value=0, max_value=LONGEST_US))
def test_longer_never_falls_into_a_lower_bucket(duration_us):
    """Buckets rise with what is in them, without a gap."""
    assert bucket_of(duration_us + 1) - bucket_of(duration_us) in (0, 1)


@pytest.mark.parametrize(("duration_us", "bucket"), [(-5, 0), (0, 0), (15, 15), (16, 16), (10**15, BUCKET_MAX)])
def test_the_ends(duration_us, bucket):
    """A clock that ran backwards counts as nothing, what is beyond the last bucket in it."""
    assert bucket_of(duration_us) == bucket


@given(st.lists(st.integers(min_value=1, max_value=LONGEST_US), min_size=1, max_size=200))
def test_percentiles_are_near_the_true_ones(durations_us):
    """By nearest rank, within 6.25 %."""
    histogram: dict[int, int] = {}
    for one in durations_us:
        add_to(histogram, {bucket_of(one): 1})
    shares = (0.5, 0.9, 0.99, 1.0)
    for share, found in zip(shares, percentiles_us(histogram, shares), strict=True):
        true = sorted(durations_us)[math.ceil(share * len(durations_us)) - 1]
        assert abs(found - true) <= ERROR_MAX * true


def test_adding_up_is_counting_together():
    """What two nodes counted is what one would have counted."""
    one = {3: 1, 9: 2}
    add_to(one, {9: 5, 200: 1})
    assert one == {3: 1, 9: 7, 200: 1}
