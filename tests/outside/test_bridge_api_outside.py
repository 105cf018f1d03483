"""Bridge API: OpenSSL and Node compute the documented HMAC of what arrived, in upper-case hex over the raw body."""

import re

import pytest

from hookspan.profiles import LiveSecret
from tests.support.capture import PROFILES, Arrived, bits, flipped, flipped_hex

SECRET = "644b2ac3-0797-4ec6-9537-cb5c0af9caf9"
# The vendor's own vector: its test event, 139 bytes, signed with the secret above.
VECTOR = (
    b'{"content":{"item_id":1234567890,"status":0,"user_uuid":"9a95b38f-f98b-417a-988b-9d0d584893e7"},'
    b'"timestamp":1611681789,"type":"TEST_EVENT"}'
)
VECTOR_HEX = "FAA8ECAC21DA6405D789C76EDB4003756398E7169DACC3FA70CF5919A81374A8"
FORM = {"header": "bridgeapi-signature", "start": "v1=", "join": ",", "encoding": "hex-upper"}


@pytest.fixture(scope="module")
def arrived(capture):
    hook = capture.hook("bridge-api", events=["item.*"], credentials={"secret": SECRET})
    return hook.sample("item.refreshed")


def signature(request: Arrived) -> str:
    return request.headers["bridgeapi-signature"].removeprefix("v1=")


def changed(request: Arrived) -> list[Arrived]:
    return [
        *(request.but(body=flipped(request.body, bit)) for bit in bits(request.body)),
        *(request.but(bridgeapi_signature="v1=" + flipped_hex(signature(request), bit)) for bit in (0, 100, -1)),
    ]


def test_openssl_computes_the_signature_that_arrived(arrived, openssl):
    """The header is v1= and 64 upper hex digits: OpenSSL's HMAC of the raw body under the secret's text."""
    assert re.fullmatch("v1=[0-9A-F]{64}", arrived.headers["bridgeapi-signature"])
    assert openssl.hmac_sha256(SECRET, arrived.body).upper() == signature(arrived)
    for one in changed(arrived):
        assert openssl.hmac_sha256(SECRET, one.body).upper() != signature(one)


def test_node_accepts_upper_case_only(arrived, node_judges):
    """A receiver that compares text, as receivers do, takes upper-case hex; in lower case it would be refused."""
    lower = arrived.but(bridgeapi_signature="v1=" + signature(arrived).lower())
    requests = [arrived, lower, *changed(arrived)]
    assert node_judges.accepts("hmac", requests, secret=SECRET, **FORM) == [True, False] + [False] * 6


def test_the_published_vector_both_ways(openssl, node_judges):
    """Our signer makes the documented hex of the 139 bytes, and both judges find the same by themselves."""
    assert len(VECTOR) == 139
    ours = PROFILES.get("bridge-api").signer([LiveSecret("secret", SECRET.encode())])("evt_1", 0, VECTOR, "TEST_EVENT")
    assert ours == b"BridgeApi-Signature: v1=%s\r\n" % VECTOR_HEX.encode()
    assert openssl.hmac_sha256(SECRET, VECTOR).upper() == VECTOR_HEX
    request = Arrived("/", {"bridgeapi-signature": f"v1={VECTOR_HEX}"}, VECTOR)
    assert node_judges.accepts("hmac", [request, *changed(request)], secret=SECRET, **FORM) == [True] + [False] * 6


def test_the_test_event_arrives_as_documented(capture, openssl):
    """POST …/test sends the vector itself: the documented 139 bytes with the documented signature."""
    hook = capture.hook("bridge-api", events=["item.*"], credentials={"secret": SECRET})
    arrived = hook.test()
    assert arrived.body == VECTOR
    assert signature(arrived) == VECTOR_HEX == openssl.hmac_sha256(SECRET, arrived.body).upper()
