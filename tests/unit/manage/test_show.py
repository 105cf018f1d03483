"""From records to shapes: bytes of receivers become texts without harm."""

import base64

import msgspec
import pytest

from hookspan.domain.records import Attempt
from hookspan.domain.states import Cause, VerdictKind
from hookspan.manage._show import epoch_text, epoch_view, show_attempt
from hookspan.manage.views import EpochPosition
from hookspan.profiles import load_profiles

PROFILE = load_profiles().get("standard")
ATTEMPT = Attempt(
    id=1, delivery_id=None, webhook_id=2, event_id=None, number=1, round=1, cause=Cause.TEST, webhook_version=1,
    started_at=0, duration_us=1_234, verdict=VerdictKind.SUCCEEDED, retry_at=None, error=None, error_message=None,
    remote_address=None, request_headers=b"webhook-id: x\r\n", response_status=200,
    response_headers=b"a: 1\r\nb:2\r\nodd\r\nc: \xff\r\n", response_body=b"ok", response_bytes=2,
    previous_attempt_id=None,
)  # fmt: skip


def shown(**changes):
    return show_attempt(msgspec.structs.replace(ATTEMPT, **changes), PROFILE, "https://example.com", b'{"a":1}')


def test_a_text_body_is_shown_as_text():
    """With its headers as pairs, whatever bytes they are."""
    response = shown().response
    assert (response.body, response.body_base64, response.is_truncated) == ("ok", None, False)
    assert response.headers == [("a", "1"), ("b", "2"), ("odd", ""), ("c", "ÿ")]


def test_other_bytes_are_shown_in_base64():
    """They are no UTF-8, and nothing of them is lost."""
    response = shown(response_body=b"\xff\x00", response_bytes=2).response
    assert (response.body, base64.b64decode(response.body_base64)) == (None, b"\xff\x00")


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_cut_character_does_not_make_text_binary(cut):
    """A body that was cut in the middle of a character stays readable."""
    raw = b"abc" + "😀".encode()[:cut]
    response = shown(response_body=raw, response_bytes=1_000).response
    assert (response.body, response.is_truncated) == ("abc", True)


def test_an_attempt_without_a_response_shows_its_error():
    """The code is for programs, the message for people."""
    attempt = shown(response_status=None, error="timeout", error_message="No answer within 15 s.")
    assert attempt.response is None
    assert (attempt.error.code, attempt.error.message) == ("timeout", "No answer within 15 s.")


def test_times_are_in_milliseconds():
    """Microseconds are kept as fractions."""
    assert shown().duration_ms == 1.234


def test_epochs_survive_being_kept():
    """Words as they are, positions as objects; a webhook without one started when it was made."""
    assert epoch_view(epoch_text(17)) == EpochPosition(position=17)
    assert epoch_view("beginning_of_time") == "beginning_of_time"
    assert epoch_view(None) == "now"
