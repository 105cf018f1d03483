"""The arithmetic behind the report."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench._figures import Spread, quantile, ratios

VALUES = st.lists(st.floats(min_value=0.001, max_value=1e6), min_size=1, max_size=50)


def test_ratios_are_taken_within_pairs() -> None:
    """A machine that halves its speed between two pairs changes no ratio."""
    assert ratios([80.0, 40.0, 20.0], [100.0, 50.0, 25.0]) == Spread(0.8, 0.8, 0.8)


def test_a_spread_has_the_median_and_both_ends() -> None:
    """Of an even number, the median is the middle of the two in the middle."""
    assert Spread.of([4.0, 1.0, 2.0, 3.0]) == Spread(2.5, 1.0, 4.0)


@pytest.mark.parametrize(("over", "under"), [([1.0], [0.0]), ([1.0, 2.0], [1.0]), ([], [])])
def test_no_ratio_is_made_up(over: list[float], under: list[float]) -> None:
    """Nothing measured, a pair without its partner, no pair at all: an error instead of a number."""
    with pytest.raises(ValueError, match=r"."):
        ratios(over, under)


@given(VALUES, st.floats(min_value=0.01, max_value=1.0))
def test_a_quantile_is_a_value_that_was_measured(values: list[float], share: float) -> None:
    """At least the share of all values is not above it."""
    found = quantile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


def test_the_quantiles_of_a_hundred() -> None:
    """p50 of 1 … 100 is 50, p99 is 99, p100 is 100."""
    values = [float(number) for number in range(100, 0, -1)]
    assert [quantile(values, share) for share in (0.5, 0.99, 1.0)] == [50, 99, 100]


def test_nothing_has_no_quantile() -> None:
    """An empty list is refused in words."""
    with pytest.raises(ValueError, match="No values"):
        quantile([], 0.5)
