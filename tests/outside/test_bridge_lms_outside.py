"""Bridge LMS: OpenSSL and Node compute the HMAC of what arrived, in each form that an operator may set."""

import pytest

from tests.support.capture import Arrived, bits, flipped, flipped_base64, flipped_hex

SECRET = "a shared key äöü"
TOKEN = "any text: ünrestricted"


def hook_of(capture, settings=None):
    events = ["category:user", "category:enrollment"]
    return capture.hook(
        "bridge-lms", settings, name="HR", events=events, credentials={"secret": SECRET, "token": TOKEN}
    )


def changed(request: Arrived, flip, start: str = "", header: str = "x-bridge-signature") -> list[Arrived]:
    text = request.headers[header].removeprefix(start)
    return [
        *(request.but(body=flipped(request.body, bit)) for bit in bits(request.body)),
        *(request.but({header: start + flip(text, bit)}) for bit in (0, 100, -1)),
    ]


@pytest.fixture(scope="module")
def arrived(capture):
    return hook_of(capture).sample("enrollment.completed")


def test_openssl_computes_the_signature_that_arrived(arrived, openssl):
    """X-Bridge-Signature is the raw body's HMAC in lower hex, and the token comes as it was given."""
    assert arrived.headers["authorization"] == f"Bearer {TOKEN}"
    assert arrived.headers["x-bridge-signature"] == openssl.hmac_sha256(SECRET, arrived.body)
    for one in changed(arrived, flipped_hex):
        assert one.headers["x-bridge-signature"] != openssl.hmac_sha256(SECRET, one.body)


def test_node_accepts_what_arrived_and_refuses_one_changed_bit(arrived, node_judges):
    """Lower hex, compared as text."""
    form = {"header": "x-bridge-signature", "start": "", "join": ",", "encoding": "hex"}
    requests = [arrived, *changed(arrived, flipped_hex)]
    assert node_judges.accepts("hmac", requests, secret=SECRET, **form) == [True] + [False] * 6


@pytest.mark.parametrize(
    ("encoding", "each", "flip"),
    [
        ("base64", "{sig}", flipped_base64),
        ("hex-upper", "sha256={sig}", flipped_hex),
        ("hex", "hmac {sig}", flipped_hex),
    ],
)
def test_the_form_that_an_operator_set(capture, node_judges, encoding, each, flip):
    """Header, encoding and what stands before the signature are the application's settings; Node finds the same."""
    settings = {"signature": {"header": "X-Acme-Sig", "encoding": encoding, "each": each}}
    arrived = hook_of(capture, settings).sample("user.created")
    start = each.removesuffix("{sig}")
    form = {"header": "x-acme-sig", "start": start, "join": ",", "encoding": encoding}
    requests = [arrived, *changed(arrived, flip, start, "x-acme-sig")]
    assert node_judges.accepts("hmac", requests, secret=SECRET, **form) == [True] + [False] * 6
    assert "x-bridge-signature" not in arrived.headers
