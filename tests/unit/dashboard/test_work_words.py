"""Small decisions behind the pages of replays, jobs and settings."""

import pytest

from hookspan.dashboard._form import Form
from hookspan.dashboard._jobs import Pace, pace_in_words, pace_of
from hookspan.dashboard._moments import field_moment, moment_in
from hookspan.dashboard._replay import given_in
from hookspan.dashboard._settings import MEANINGS, lines_of
from hookspan.dashboard._shown import NOTHING
from hookspan.errors import InvalidRequest
from hookspan.manage import views
from hookspan.settings import SETTING_NAMES, Settings


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-11-21T10:00", "2026-11-21T10:00:00Z"),
        (" 2026-11-21T10:00:07 ", "2026-11-21T10:00:07Z"),
        ("2026-11-21T10:00:07.5", "2026-11-21T10:00:07.5Z"),
        ("2026-11-21T10:00:00+01:00", "2026-11-21T10:00:00+01:00"),
        ("yesterday", "yesterday"),
        ("", ""),
    ],
)
def test_a_field_for_times_is_utc(typed: str, meant: str) -> None:
    """Without a zone it is UTC; with one, or as nonsense, it stays for management to judge."""
    assert moment_in(typed) == meant


def test_a_moment_comes_back_as_the_field_has_it() -> None:
    """To the minute."""
    assert field_moment(1_795_280_767_123) == "2026-11-21T17:06"
    assert moment_in(field_moment(0)) == "1970-01-01T00:00:00Z"


def test_a_replay_is_asked_for_with_what_is_filled_in() -> None:
    """Empty fields are not given; types are lines; a rate is a number."""
    given = given_in(Form([("since", "2026-11-21T10:00"), ("until", ""), ("types", " a \n\nb"), ("rate", " 2.5 ")]))
    assert (given.types, given.rate) == (["a", "b"], 2.5)
    assert "until" not in repr(given).replace("until=UNSET", "")
    with pytest.raises(InvalidRequest, match="'x' is not a number"):
        given_in(Form([("since", "2026-11-21T10:00"), ("rate", "x")]))


def job(**changes) -> views.Job:
    window = views.ReplayInput(since="", until="", state=None, types=None, rate=None)
    members = {
        "id": "job_1", "application_id": "a", "webhook_id": None, "kind": "replay", "state": "running",
        "input": window, "total": 10, "done": 5, "succeeded": 5, "failed": 0, "skipped": 0, "rate_per_s": None,
        "created_at": "2026-11-21T10:00:00.000Z", "started_at": "2026-11-21T10:00:00.000Z", "finished_at": None,
        "ends_about_at": None, "problem": None,
    }  # fmt: skip
    return views.Job(**(members | changes))


def test_pace_is_of_the_time_that_it_ran() -> None:
    """Until now while it runs, until its end after that; none before there is something to divide."""
    begun_ms = 1_795_255_200_000
    assert pace_of(job(), begun_ms + 2_000) == 2.5
    assert pace_of(job(finished_at="2026-11-21T10:00:05.000Z"), begun_ms + 99_000) == 1
    assert pace_of(job(started_at=None), begun_ms) is None
    assert pace_of(job(done=0), begun_ms + 2_000) is None
    assert pace_of(job(), begun_ms) is None


@pytest.mark.parametrize(
    ("per_s", "count", "unit"),
    [
        (None, NOTHING, ""),
        (0.00145, NOTHING, ""),
        (1 / 61, NOTHING, ""),
        (1 / 60, "1", "a minute"),
        (0.0417, "2.5", "a minute"),
        (0.5, "30", "a minute"),
        (1, "1", "a second"),
        (2.53, "2.5", "a second"),
        (12.4, "12", "a second"),
        (123_456.7, "123,457", "a second"),
    ],
)
def test_a_pace_is_readable(per_s: float | None, count: str, unit: str) -> None:
    """By the second, or by the minute; below that, and before anything is done, there is no telling."""
    assert pace_in_words(per_s) == Pace(count=count, unit=unit)


def test_every_setting_has_its_words_and_no_secret_its_value() -> None:
    """Also one that is added later; passwords within addresses are left out."""
    settings = Settings(
        operator_key="hk_op_0123456789abcdef", encryption_key="sealed", smtp_url="smtp://me:pass@mail.example:587"
    )
    lines = {one.name: one for one in lines_of(settings)}
    assert set(lines) == set(SETTING_NAMES) == set(MEANINGS)
    shown = " ".join(one.value for one in lines.values())
    for secret in ("hk_op_", "sealed", "pass"):
        assert secret not in shown
    assert "mail.example" in lines["smtp_url"].value
    assert lines["retention_days"].is_default
    assert not lines["operator_key"].is_default
    assert lines["egress_allow_http"].value == "false"
