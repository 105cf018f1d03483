"""Bridge: OpenSSL's command line and Node verify what came out of a TLS socket, and refuse one changed bit."""

import base64
import re

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.outside._openssl import OpenSsl
from tests.support.capture import Arrived, bits, flipped, flipped_base64

TYPE = "transfer.updated.status_transitioned"
# The vendor's own vector.
VECTOR_KEY = """-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtqsEE4eI7EmzhcquGJXt
LX9PMK0UH6Kl1WIR21sv8HtueG8BuvvpP3MiN7ltzmIhS8KaynCjN4l+620PnXeu
xWG+CSnEdkinL9hCqbEid5vv9zl0j9LWiJx3FkKHqADU7cgm46aa8dKUdIQYF2X+
O7WmyLkC4wUM/mWhBPMsIQBznashRMZxx7XJjsVp27ACUE4eNIjEXbVYN6U8jSbU
hG++CfL8xXu+GHDqKmFE6Po6HnuURvLFVnCtE3mXXBcVFlPy+octfx8nOMLT3X8O
9UehIigJ34o2yMm/Fq3HUJzg2BsiAiGgtr0vmeoV9Q7upSNj9TuOumAzZFi4pYA+
qwIDAQAB
-----END PUBLIC KEY-----
"""
VECTOR = Arrived(
    "/",
    {
        "x-webhook-signature": "t=1705854411204,v0=jz/0dmHJ63FAzacGutrDTEoq+iSz/PHm/ugdooXDQu5NwuVIT2LmZGjsnCsBHgR9Py6O"
        "BP9zurzW4dHgygU4EDqmMPTUOvhvndYb4lWt+TY66LihaFI2whL6DAf/jb1QjYjNU0A6x9SLzC45dgE6X7zTDUM+2Z+scG/WEQf6SxQMt4E2sE"
        "ipl5PqMK5lYUe3otdJV+X2c9D64bGwCEE7QSia+Vhozg8QNOQEk/rdz2IEONIg6oC43CeiN4E2kF9XLAGuy9uAHx9O9OJH5ZPLJZjyo4VcXYeW"
        "QgxaQ1gZ1Qu6hEEzgiPSff/1nou58dm4bIIazgCWli/mO0NyGcpfFw=="
    },
    b'{"message":"Hello World!"}',
)


@pytest.fixture(scope="module")
def hook(capture):
    return capture.hook("bridge-xyz")


@pytest.fixture(scope="module")
def arrived(hook):
    return hook.sample(TYPE)


def parts(request: Arrived) -> tuple[str, str]:
    """The time and the signature in base64."""
    match = re.fullmatch(r"t=([1-9]\d{12}),v0=([A-Za-z0-9+/]{342}==)", request.headers["x-webhook-signature"])
    assert match is not None
    return match[1], match[2]


def changed(request: Arrived) -> list[Arrived]:
    at, text = parts(request)
    return [
        *(request.but(body=flipped(request.body, bit)) for bit in bits(request.body)),
        request.but(x_webhook_signature=f"t={flipped(at.encode(), -8).decode()},v0={text}"),
        *(request.but(x_webhook_signature=f"t={at},v0={flipped_base64(text, bit)}") for bit in (1, 1000, -1)),
    ]


def openssl_accepts(openssl: OpenSsl, key: str, request: Arrived) -> bool:
    at, text = parts(request)
    return openssl.accepts_rsa(key, at.encode() + b"." + request.body, base64.b64decode(text))


def test_openssl_accepts_what_arrived(hook, arrived, openssl):
    """Through https, with the webhook's public_key as the API shows it: RSA-2048, e = 65537."""
    key = hook.answer["public_key"]
    assert key.startswith("-----BEGIN PUBLIC KEY-----\n")
    assert key.endswith("\n-----END PUBLIC KEY-----\n")
    loaded = load_pem_public_key(key.encode())
    assert isinstance(loaded, rsa.RSAPublicKey)
    assert (loaded.key_size, loaded.public_numbers().e) == (2048, 65537)
    assert openssl_accepts(openssl, key, arrived)


def test_openssl_refuses_one_changed_bit(hook, arrived, openssl):
    """In the body, the time or the signature."""
    verdicts = [openssl_accepts(openssl, hook.answer["public_key"], one) for one in changed(arrived)]
    assert verdicts == [False] * 7


def test_a_single_hash_does_not_verify(hook, arrived, openssl):
    """The digest is hashed once more: whoever verifies t.body itself must fail, as with the vendor."""
    at, text = parts(arrived)
    assert not openssl.accepts_rsa_once(
        hook.answer["public_key"], at.encode() + b"." + arrived.body, base64.b64decode(text)
    )


def test_another_webhooks_key_does_not_verify(capture, arrived, openssl):
    """Each webhook has a pair of its own."""
    other = capture.hook("bridge-xyz")
    assert not openssl_accepts(openssl, other.answer["public_key"], arrived)


def test_node_agrees(hook, arrived, node_judges):
    """Node's crypto accepts the same and refuses the same."""
    requests = [arrived, *changed(arrived)]
    assert node_judges.accepts("rsa", requests, key=hook.answer["public_key"]) == [True] + [False] * 7


def test_the_published_vector(openssl, node_judges):
    """Both judges accept the vendor's vector by the same commands as above, so they judge what the vendor signs."""
    requests = [VECTOR, *changed(VECTOR)]
    assert [openssl_accepts(openssl, VECTOR_KEY, one) for one in requests] == [True] + [False] * 7
    assert node_judges.accepts("rsa", requests, key=VECTOR_KEY) == [True] + [False] * 7
