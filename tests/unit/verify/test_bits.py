"""One changed bit anywhere, and nothing is accepted. Hostile headers never cause anything but a VerificationError."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookspan.verify import VerificationError, verify
from hookspan.verify._errors import CODES
from tests.unit.verify.signers import NOW_MS, WAYS, requests


def refused(request, **changed):
    with pytest.raises(VerificationError) as caught:
        verify(request.profile, **request.arguments(**changed))
    assert caught.value.code in CODES
    assert caught.value.detail == str(caught.value)
    return caught.value.code


def flips(raw):
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


@pytest.mark.parametrize("way", WAYS)
def test_every_flipped_bit_of_the_body(way):
    request = requests()[way]
    for body in flips(request.body):
        assert refused(request, body=body) == "no_match"


@pytest.mark.parametrize("way", WAYS)
def test_every_flipped_bit_of_every_header(way):
    """Time, id, signature, token and what stands between them."""
    request = requests()[way]
    for name, value in request.headers.items():
        for changed in flips(value.encode("latin-1")):
            refused(request, headers={**request.headers, name: changed.decode("latin-1")})


@pytest.mark.parametrize("way", WAYS)
def test_every_cut_and_every_longer_body(way):
    request = requests()[way]
    for length in range(len(request.body)):
        assert refused(request, body=request.body[:length]) == "no_match"
    for more in (b"\n", b" ", b"\0"):
        assert refused(request, body=request.body + more) == "no_match"
        assert refused(request, body=more + request.body) == "no_match"


HOSTILE = (
    st.text(max_size=60) | st.text("tv01a=,; :.0123456789ABCabc+/-\n\0é\udcff", max_size=200) | st.binary(max_size=40)
)


@given(st.data())
def test_headers_of_a_foe(data):
    """Whatever stands in them, and however often."""
    request = requests()[data.draw(st.sampled_from(WAYS))]
    names = [*request.headers, "x-other"]
    pairs = data.draw(st.lists(st.tuples(st.sampled_from(names), HOSTILE), max_size=6))
    refused(request, headers=pairs)


@given(st.data())
def test_a_header_that_is_nearly_right(data):
    """Pieces of the good value, cut out, doubled and put in other places."""
    request = requests()[data.draw(st.sampled_from(WAYS))]
    name = data.draw(st.sampled_from(sorted(request.headers)))
    value = request.headers[name]
    places = st.integers(0, len(value))
    start, end, other = data.draw(places), data.draw(places), data.draw(places)
    changed = value[:other] + value[start:end] + data.draw(st.sampled_from(["", ",", " ", "v1=", "é"])) + value[other:]
    if changed == value:
        return
    good = verify(request.profile, **request.arguments())
    with contextlib.suppress(VerificationError):  # what is beside a signature that is whole is the sender's business
        assert verify(request.profile, **request.arguments(headers={**request.headers, name: changed})) == good
        assert "ignature" in name


@pytest.mark.parametrize("moved_ms", [-1, 1, 1000, -1000, 60_000])
@pytest.mark.parametrize("way", ["standard", "standard by key", "bridge-xyz"])
def test_another_time(way, moved_ms):
    """Within the tolerance, and still not what was signed."""
    request = requests()[way]
    for name, value in request.headers.items():
        old = str(NOW_MS if way == "bridge-xyz" else NOW_MS // 1000)
        new = str(NOW_MS + moved_ms if way == "bridge-xyz" else (NOW_MS + moved_ms) // 1000)
        if old in value and old != new:
            assert refused(request, headers={**request.headers, name: value.replace(old, new)}) == "no_match"
