"""Times that people type, and windows of time in an address."""

import pytest

from hookspan.dashboard._moments import Window, shown_in_field, window_in
from hookspan.errors import InvalidRequest

NOW = 1_795_280_767_123  # 2026-11-21T17:06:07.123Z


@pytest.mark.parametrize(
    ("query", "since", "until"),
    [
        ({}, None, None),
        ({"within": "odd", "from": "2026-11-01T00:00"}, None, None),
        ({"within": "24h"}, "2026-11-20T17:06:00.000Z", None),
        ({"within": "24h", "since": "2026-11-20T17:01:00.000Z"}, "2026-11-20T17:06:00.000Z", None),
        ({"within": "24h", "since": "2026-11-20T17:01:00.000Z", "cursor": "c"}, "2026-11-20T17:01:00.000Z", None),
        ({"within": "24h", "from": "2026-11-01T00:00"}, "2026-11-20T17:06:00.000Z", None),
        ({"from": "2026-11-20T12:00", "to": ""}, "2026-11-20T12:00:00Z", None),
        ({"within": "between", "to": " 2026-11-20T12:00 "}, None, "2026-11-20T12:00:00Z"),
        (
            {"within": "between", "from": "2026-11-20T12:00:01.5+01:00", "to": "2026-11-20T11:00:02Z"},
            "2026-11-20T12:00:01.5+01:00",
            "2026-11-20T11:00:02Z",
        ),
    ],
)
def test_a_window_is_what_the_address_says(query: dict[str, str], since: str | None, until: str | None) -> None:
    """A span is from now, by the whole minute, and its later pages begin where the first did; else two moments."""
    assert window_in(query, NOW) == Window(since, until)


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"from": "yesterday"}, ["/from"]),
        ({"from": "2026-13-01T00:00", "to": "never"}, ["/from", "/to"]),
        ({"from": "2026-11-20T12:00", "to": "2026-11-20T12:00"}, ["/to"]),
        ({"from": "2026-11-20T12:00Z", "to": "2026-11-20T11:59"}, ["/from"]),
        ({"from": "2026-11-20T12:00:00+00:00", "to": "2026-11-20T12:30:00+01:00"}, ["/to"]),
        ({"from": "1969-12-31T23:59"}, ["/from"]),
        ({"to": "\0"}, ["/to"]),
        ({"to": "9" * 100_000}, ["/to"]),
    ],
)
def test_what_is_no_window_is_told_at_its_field(given: dict[str, str], fields: list[str]) -> None:
    """Wrong ones each, inverted ones at the end of it."""
    with pytest.raises(InvalidRequest) as refused:
        window_in({"within": "between"} | given, NOW)
    assert [fault.pointer for fault in refused.value.errors] == fields


def test_a_field_shows_utc_and_keeps_what_is_no_time() -> None:
    """To the minute; what was typed is never lost."""
    assert shown_in_field("2026-11-20T12:00:01.5+01:00") == "2026-11-20T11:00"
    assert shown_in_field("2026-11-20T12:00") == "2026-11-20T12:00"
    assert shown_in_field("yesterday") == "yesterday"
    assert shown_in_field("") == ""
