"""No repr of what comes in or goes out shows a secret."""

import msgspec
import pytest

from hookspan.manage import inputs, views

SECRET = "s3cret-text"
INPUTS = [
    inputs.RotateSecret(secret=SECRET),
    inputs.SetAlsoSign(profile="standard", credentials={"secret": SECRET}),
    inputs.CreateWebhook(
        url="https://a.example",
        credentials={"secret": SECRET},
        headers={"X-Key": SECRET},
        also_sign=inputs.SetAlsoSign(profile="standard", credentials={"token": SECRET}),
    ),
    inputs.ChangeWebhook(credentials={"token": SECRET}, headers={"X-Key": SECRET}),
    inputs.OpenSession(link=f"https://a.example/{SECRET}"),
]
VIEWS = [
    views.RotatedSecret(secret=SECRET, public_key=None, previous_until=None),
]


@pytest.mark.parametrize("one", [*INPUTS, *VIEWS], ids=lambda one: type(one).__name__)
def test_a_repr_is_masked(one):
    """Its type and its other members are there; and what is sent is not masked."""
    assert SECRET not in repr(one)
    assert SECRET not in f"{[one]}"
    assert repr(one).startswith(type(one).__name__)
    assert SECRET.encode() in msgspec.json.encode(one)


def test_what_is_not_given_is_not_masked():
    assert repr(inputs.RotateSecret()) == "RotateSecret(credential=UNSET, secret=UNSET)"
