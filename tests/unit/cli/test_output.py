"""What a command says of a refusal: on a terminal in lines, for programs in one document."""

import json

import pytest

from hookspan.cli._client import Refused
from hookspan.cli._output import say_error
from hookspan.errors import Fault, HookspanError, InvalidRequest


def refusal(detail: str, *faults: Fault) -> HookspanError:
    error = InvalidRequest(detail)
    error.errors = faults
    return error


@pytest.mark.parametrize(
    ("faults", "lines"),
    [
        ((), []),
        (
            (Fault("/url", "invalid", "It must be https."), Fault("", "invalid", "It has two.")),
            ["  at /url: It must be https.", "  at /: It has two."],
        ),
        ((Fault("/url", "invalid", "That is wrong."),), ["  at /url"]),
        ((Fault("", "invalid", "That is wrong."),), []),
    ],
)
def test_no_sentence_is_said_twice(
    capsys: pytest.CaptureFixture[str], faults: tuple[Fault, ...], lines: list[str]
) -> None:
    """Each place that is wrong is named; where a place's words are the refusal's own, they stand there once."""
    say_error(refusal("That is wrong.", *faults), is_json=False)
    first, *others = capsys.readouterr().err.splitlines()
    assert first == "hookspan: That is wrong."
    assert others == lines


def test_a_server_s_sentence_is_not_said_twice(capsys: pytest.CaptureFixture[str]) -> None:
    """Though status and code stand behind it in the first line."""
    fault = {"pointer": "/profile", "code": "unknown_profile", "detail": "There is no such profile."}
    other = {"pointer": "/reason", "code": "too_long", "detail": "It is too long."}
    document = {"code": "unknown_profile", "detail": "There is no such profile.", "errors": [fault, other]}
    say_error(Refused(document, 400), is_json=False)
    assert capsys.readouterr().err.splitlines() == [
        "hookspan: There is no such profile. (400 unknown_profile)",
        "  at /profile",
        "  at /reason: It is too long.",
    ]


def test_a_program_gets_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    """One document, with the code and each place."""
    say_error(refusal("That is wrong.", Fault("/url", "invalid", "That is wrong.")), is_json=True)
    document = json.loads(capsys.readouterr().err)
    assert document["detail"] == "That is wrong."
    assert document["errors"] == [{"pointer": "/url", "code": "invalid", "detail": "That is wrong."}]
