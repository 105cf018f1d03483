"""What an outcome means, and what to do about it."""

from typing import Any

import msgspec
import pytest

from hookspan.dashboard._advice import _ERRORS, advice_on, in_words, remedy_for
from hookspan.domain.outcome import ErrorCode
from hookspan.manage import views
from tests.unit.dashboard.test_macros import attempt

OURS = {"shutdown", "no_sockets", "internal"}


class Room:
    class profile:  # noqa: N801 - stands in for an instance
        retry_window_ms = 129_600_000


def answered(status: int, **changes: Any) -> views.Attempt:
    base = attempt()
    assert base.response is not None
    return msgspec.structs.replace(base, response=msgspec.structs.replace(base.response, status=status), **changes)


def advice(one: views.Attempt) -> Any:
    room: Any = Room()
    return advice_on(one, room)


@pytest.mark.parametrize("status", [200, 204, 299])
def test_any_2xx_is_delivered(status: int) -> None:
    """Nothing to do, unless it was slow."""
    assert advice(answered(status)).is_good
    assert advice(answered(status)).remedy == ""
    assert "answer 200 first" in advice(answered(status, duration_ms=5_000)).remedy


@pytest.mark.parametrize("status", [100, 301, 307, 400, 401, 403, 404, 405, 410, 418, 429, 500, 503, 599])
def test_everything_else_says_what_to_do_and_what_happens(status: int) -> None:
    """A headline with the status, a remedy, and for how long it is tried again."""
    found = advice(answered(status))
    assert not found.is_good
    assert f"answered {status}:" in found.headline
    assert "tried again for up to 36 hours" in found.remedy
    assert len(found.remedy) > len("Anything but 2xx is tried again for up to 36 hours.")


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_error_has_words(code: ErrorCode) -> None:
    """The receiver's errors each have a remedy; ours say that they are ours."""
    found = advice(attempt(response=None, error=views.AttemptError(code=code, message="m")))
    assert not found.is_good
    assert found.remedy
    assert (code in _ERRORS) is (code not in OURS)
    assert ("of ours" in found.headline) is (code in OURS)


@pytest.mark.parametrize("code", [None, *ErrorCode])
@pytest.mark.parametrize("status", [None, 302, 401, 418, 502])
def test_a_row_says_the_same_in_some_words(code: ErrorCode | None, status: int | None) -> None:
    """What a list of attempts or failures says is what the page of one says."""
    if code is not None:
        one = attempt(response=None, error=views.AttemptError(code=code, message="m"))
    elif status is not None:
        one = answered(status)
    else:
        assert (in_words(None, None), remedy_for(None, None) != "") == ("never tried", True)
        return
    assert in_words(status, code) in advice(one).headline
    assert advice(one).remedy.startswith(remedy_for(status, code))


def test_a_row_that_arrived_has_nothing_to_add() -> None:
    """Any 2xx."""
    assert in_words(204, None) == "delivered"
