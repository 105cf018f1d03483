"""Points in time go out as RFC 3339 with milliseconds and come back as they went."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookspan.domain import times


@pytest.mark.parametrize(
    ("at_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_767_225_600_000, "2026-01-01T00:00:00.000Z"),
        (1_767_225_600_007, "2026-01-01T00:00:00.007Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_a_time_is_shown_in_utc_with_milliseconds(at_ms, text):
    """Always three digits and a Z, so that texts sort as times do."""
    assert times.to_text(at_ms) == text


@given(st.integers(min_value=0, max_value=253_402_300_799_999))
def test_what_is_shown_can_be_given_back(at_ms):
    """Every time up to the year 9999 survives the way out and in."""
    assert times.from_text(times.to_text(at_ms)) == at_ms


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("2026-01-01T00:00:00Z", 1_767_225_600_000),
        ("2026-01-01t00:00:00z", 1_767_225_600_000),
        ("2026-01-01 01:00:00+01:00", 1_767_225_600_000),
        ("2026-01-01T00:00:00.1239Z", 1_767_225_600_123),
    ],
)
def test_rfc_3339_is_understood(text, at_ms):
    """Offsets, fractions and lower case, as the RFC allows."""
    assert times.from_text(text) == at_ms


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-01-01", "2026-01-01T00:00:00", "2026-W01-1T00:00:00Z", "2026-13-01T00:00:00Z", "20260101T000000Z",
     "1969-12-31T23:59:59Z", "2026-01-01T00:00:00+99:00", "٢٠٢٦-01-01T00:00:00Z", "2026-01-01T00:00:00Z\n"],
)  # fmt: skip
def test_anything_else_is_no_time(text):
    """Other ISO 8601 forms, impossible dates and times before 1970 are refused rather than guessed."""
    assert times.from_text(text) is None
