"""What a command says of a refusal: on a terminal in lines, for programs in one document."""

import json

import pytest

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


def test_a_program_gets_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    """One document, with the code and each place."""
    say_error(refusal("That is wrong.", Fault("/url", "invalid", "That is wrong.")), is_json=True)
    document = json.loads(capsys.readouterr().err)
    assert document["detail"] == "That is wrong."
    assert document["errors"] == [{"pointer": "/url", "code": "invalid", "detail": "That is wrong."}]
