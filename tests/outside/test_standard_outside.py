"""Standard Webhooks: its reference implementations verify what arrived at a socket, and refuse one changed bit."""

import base64
import datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from standardwebhooks import Webhook, WebhookVerificationError

from hookspan.profiles import LiveSecret
from tests.support.capture import PROFILES, Arrived, bits, flipped, flipped_base64

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
PRIVATE_KEY = "whsk_" + base64.b64encode(bytes(range(100, 132))).decode()
VECTOR_BODY = b'{"test": 2432232314}'
CONTENT = {"order_id": 17, "note": 'äöü "quoted" \\ 日本', "amount": 12.50, "lines": [{"sku": "a"}, None]}


@pytest.fixture(scope="module")
def hook(capture):
    return capture.hook("standard", credentials={"secret": SECRET, "private_key": PRIVATE_KEY})


@pytest.fixture(scope="module")
def arrived(hook):
    return hook.publish("order.paid", CONTENT)


def pypi_accepts(request: Arrived, secret: str = SECRET) -> bool:
    try:
        Webhook(secret).verify(request.body, request.headers)
    except (WebhookVerificationError, UnicodeDecodeError):
        return False
    return True


def signature(request: Arrived, version: str) -> str:
    """The base64 of the only signature of that version."""
    entries = [one.split(",") for one in request.headers["webhook-signature"].split(" ")]
    (found,) = [text for name, text in entries if name == version]
    return found


def changed(request: Arrived, version: str) -> list[Arrived]:
    """One bit turned in the body, the timestamp, the id or the signature of that version, which stands alone."""
    text = signature(request, version)
    alone = request.but(webhook_signature=f"{version},{text}")
    at, ident = request.headers["webhook-timestamp"].encode(), request.headers["webhook-id"].encode()
    return [
        *(alone.but(body=flipped(request.body, bit)) for bit in bits(request.body)),
        alone.but(webhook_timestamp=flipped(at, -8).decode()),  # the lowest bit of its last digit: still a digit
        alone.but(webhook_id=flipped(ident, -8).decode()),
        *(alone.but(webhook_signature=f"{version},{flipped_base64(text, bit)}") for bit in (0, 100, -1)),
    ]


def test_pypi_accepts_what_arrived_and_reads_it(arrived):
    """`standardwebhooks` from PyPI verifies the request beside an Ed25519 signature that it does not know."""
    assert [one.split(",")[0] for one in arrived.headers["webhook-signature"].split(" ")] == ["v1", "v1a"]
    assert Webhook(SECRET).verify(arrived.body, arrived.headers)["data"] == CONTENT


def test_pypi_refuses_one_changed_bit(arrived):
    """Every bit of the body, one of the timestamp, the id and the signature."""
    assert [pypi_accepts(one) for one in changed(arrived, "v1")] == [False] * 8
    assert not any(pypi_accepts(arrived.but(body=flipped(arrived.body, bit))) for bit in range(8 * len(arrived.body)))


def test_npm_accepts_what_arrived_and_refuses_one_changed_bit(arrived, node_judges):
    """`standardwebhooks` from npm says the same as the one from PyPI."""
    verdicts = node_judges.accepts("standardwebhooks", [arrived, *changed(arrived, "v1")], secret=SECRET)
    assert verdicts == [True] + [False] * 8


def test_a_stale_request_is_refused_by_both(hook, arrived, node_judges):
    """The signed time is the attempt's: six minutes ago is too old, four are not."""
    fresh, stale = (hook.signed_again(arrived, age_ms=minutes * 60_000) for minutes in (4, 6))
    assert (pypi_accepts(fresh), pypi_accepts(stale)) == (True, False)
    assert node_judges.accepts("standardwebhooks", [fresh, stale], secret=SECRET) == [True, False]


def ed25519_key(hook) -> Ed25519PublicKey:
    text = hook.answer["public_key"]
    assert text.startswith("whpk_")
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(text.removeprefix("whpk_")))


def ed25519_message(request: Arrived) -> bytes:
    return f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body


def test_cryptography_accepts_the_ed25519_signature(hook, arrived):
    """Verified with the webhook's published key over id.timestamp.body; one changed bit is refused."""
    key = ed25519_key(hook)
    key.verify(base64.b64decode(signature(arrived, "v1a")), ed25519_message(arrived))
    for one in changed(arrived, "v1a"):
        with pytest.raises(InvalidSignature):
            key.verify(base64.b64decode(signature(one, "v1a")), ed25519_message(one))


def test_openssl_and_node_accept_the_ed25519_signature(hook, arrived, openssl, node_judges):
    """OpenSSL's command line and Node's crypto agree, on the good one and on every changed one."""
    key = ed25519_key(hook).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    requests = [arrived, *changed(arrived, "v1a")]
    by_openssl = [
        openssl.accepts_ed25519(key, ed25519_message(one), base64.b64decode(signature(one, "v1a"))) for one in requests
    ]
    assert by_openssl == node_judges.accepts("ed25519", requests, key=key) == [True] + [False] * 8


def test_a_key_pair_alone_signs_alone(capture):
    """A webhook with only a key pair has no v1 signature that a receiver could be lured into trusting."""
    hook = capture.hook("standard", credentials={"private_key": PRIVATE_KEY})
    arrived = hook.publish("order.paid", CONTENT)
    assert arrived.headers["webhook-signature"].startswith("v1a,")
    assert " " not in arrived.headers["webhook-signature"]
    ed25519_key(hook).verify(base64.b64decode(signature(arrived, "v1a")), ed25519_message(arrived))


def test_the_published_vector_both_ways(node_judges):
    """Our signer makes the documented signature; the libraries make the same of the same."""
    secret, ident, at_s, body = (
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        VECTOR_BODY,
    )
    signer = PROFILES.get("standard").signer([LiveSecret("secret", f"whsec_{secret}".encode())])
    lines = dict(line.split(": ") for line in signer(ident, at_s * 1000, body, "test").decode().split("\r\n") if line)
    assert lines == {
        "webhook-id": ident,
        "webhook-timestamp": str(at_s),
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    at = datetime.datetime.fromtimestamp(at_s, datetime.UTC)
    assert Webhook(secret).sign(ident, at, body.decode()) == lines["webhook-signature"]
    requests = [Arrived("/", lines, body), Arrived("/", lines, flipped(body, 5))]
    assert node_judges.accepts("standardwebhooks_sign", requests, secret=secret) == [True, False]
