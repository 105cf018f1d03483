"""What others have published, or made with tools of others, is read rightly."""

import base64
import datetime

import pytest
import standardwebhooks

from hookspan.profiles import LiveSecret, load_profiles
from hookspan.verify import VerificationError, VerifiedEvent, verify
from tests.unit.verify.signers import (
    ED25519,
    LMS_BODY,
    NOW_MS,
    NOW_S,
    SECRET,
    WAYS,
    WHPK,
    WHSEC,
    XYZ_BODY,
    api_header,
    openssl,
    private_pem,
    public_pem,
    requests,
    rsa_key,
)

TEST_EVENT = (
    b'{"content":{"item_id":1234567890,"status":0,"user_uuid":"9a95b38f-f98b-417a-988b-9d0d584893e7"},'
    b'"timestamp":1611681789,"type":"TEST_EVENT"}'
)
TEST_SIGNATURE = "v1=FAA8ECAC21DA6405D789C76EDB4003756398E7169DACC3FA70CF5919A81374A8"
STANDARD_HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
XYZ_VECTOR_BODY = b'{"message":"Hello World!"}'
XYZ_VECTOR = (
    "t=1705854411204,v0=jz/0dmHJ63FAzacGutrDTEoq+iSz/PHm/ugdooXDQu5NwuVIT2LmZGjsnCsBHgR9Py6OBP9zurzW4dHgygU4EDqmMPTUOvh"
    "vndYb4lWt+TY66LihaFI2whL6DAf/jb1QjYjNU0A6x9SLzC45dgE6X7zTDUM+2Z+scG/WEQf6SxQMt4E2sEipl5PqMK5lYUe3otdJV+X2c9D64bGwCE"
    "E7QSia+Vhozg8QNOQEk/rdz2IEONIg6oC43CeiN4E2kF9XLAGuy9uAHx9O9OJH5ZPLJZjyo4VcXYeWQgxaQ1gZ1Qu6hEEzgiPSff/1nou58dm4bIIaz"
    "gCWli/mO0NyGcpfFw=="
)
XYZ_VECTOR_KEY = """-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtqsEE4eI7EmzhcquGJXt
LX9PMK0UH6Kl1WIR21sv8HtueG8BuvvpP3MiN7ltzmIhS8KaynCjN4l+620PnXeu
xWG+CSnEdkinL9hCqbEid5vv9zl0j9LWiJx3FkKHqADU7cgm46aa8dKUdIQYF2X+
O7WmyLkC4wUM/mWhBPMsIQBznashRMZxx7XJjsVp27ACUE4eNIjEXbVYN6U8jSbU
hG++CfL8xXu+GHDqKmFE6Po6HnuURvLFVnCtE3mXXBcVFlPy+octfx8nOMLT3X8O
9UehIigJ34o2yMm/Fq3HUJzg2BsiAiGgtr0vmeoV9Q7upSNj9TuOumAzZFi4pYA+
qwIDAQAB
-----END PUBLIC KEY-----
"""


def at(text):
    return datetime.datetime.fromisoformat(text)


def test_the_bridge_api_vector():
    """139 bytes. The test event tells seconds, so its time is right all the same."""
    assert len(TEST_EVENT) == 139
    event = verify("bridge-api", headers={"bridgeapi-signature": TEST_SIGNATURE}, body=TEST_EVENT, secret=SECRET)
    data = {"item_id": 1234567890, "status": 0, "user_uuid": "9a95b38f-f98b-417a-988b-9d0d584893e7"}
    body = {"content": data, "timestamp": 1611681789, "type": "TEST_EVENT"}
    assert event == VerifiedEvent("TEST_EVENT", None, at("2021-01-26T17:23:09+00:00"), data, body)


@pytest.mark.parametrize("secret", [WHSEC, WHSEC.removeprefix("whsec_")])
def test_the_standard_webhooks_vector(secret):
    """With and without the prefix. Its body has no type; that is not the signature's business."""
    event = verify("standard", headers=STANDARD_HEADERS, body=b'{"test": 2432232314}', secret=secret, now=1614265330)
    signed_at = at("2021-02-25T15:02:10+00:00")
    assert event == VerifiedEvent(None, "msg_p5jXN8AQM9LWM0D4loKWxJek", signed_at, None, {"test": 2432232314})


def test_the_bridge_xyz_vector():
    """Only its public key is published, so it goes one way. It is no event: what an event has is None."""
    headers = {"x-webhook-signature": XYZ_VECTOR}
    event = verify("bridge-xyz", headers=headers, body=XYZ_VECTOR_BODY, public_key=XYZ_VECTOR_KEY, now=1705854411.5)
    assert event == VerifiedEvent(None, None, None, None, {"message": "Hello World!"})


@pytest.mark.parametrize(("now", "code"), [(601, "timestamp_too_old"), (-61, "timestamp_in_future")])
def test_the_bridge_xyz_vector_grows_old(now, code):
    """The time inside the signature's header is what ages, not the body's."""
    with pytest.raises(VerificationError) as caught:
        verify(
            "bridge-xyz",
            headers={"X-Webhook-Signature": XYZ_VECTOR},
            body=XYZ_VECTOR_BODY,
            public_key=XYZ_VECTOR_KEY,
            now=1705854411.204 + now,
        )
    assert caught.value.code == code


def test_the_vectors_the_other_way_round():
    """These tests' own signers and the sender's half write what is published. The key of bridge-xyz's is not."""
    assert api_header(TEST_EVENT, SECRET) == {"BridgeApi-Signature": TEST_SIGNATURE}
    profiles = load_profiles()
    sign = profiles.get("bridge-api").signer([LiveSecret("secret", SECRET.encode())])
    assert sign("", 0, TEST_EVENT, "TEST_EVENT") == f"BridgeApi-Signature: {TEST_SIGNATURE}\r\n".encode()
    sign = profiles.get("standard").signer([LiveSecret("secret", WHSEC.encode())])
    lines = sign(STANDARD_HEADERS["webhook-id"], 1614265330_000, b'{"test": 2432232314}', "").decode()
    assert dict(line.split(": ", 1) for line in lines.splitlines()) == STANDARD_HEADERS


@pytest.mark.parametrize("way", WAYS)
def test_a_request_of_each_profile(way):
    """Type, id, time and data stand where the profile says; the body is whole."""
    request = requests()[way]
    event = verify(request.profile, **request.arguments())
    expected = {
        "standard": ("order.paid", "evt_1", "2026-01-01T00:00:00+00:00", {"n": 1}),
        "bridge-api": ("item.created", None, "2026-01-01T00:00:00.125+00:00", {"item_id": 4568477}),
        "bridge-xyz": ("transfer.created", "wh_tmneA3b1rTv1q4gkvmPU53n", "2024-05-02T17:48:19.465+00:00", {"id": "cc"}),
        "bridge-lms": ("user.deleted", None, None, {"id": 55}),
    }[request.profile]
    assert (event.type, event.id, event.at, event.data) == (
        *expected[:2],
        None if expected[2] is None else at(expected[2]),
        expected[3],
    )


def test_lms_bodies_are_whole():
    """The actor and the parents are in `body`."""
    event = verify("bridge-lms", **requests()["bridge-lms"].arguments())
    assert event.body == {"resource": "user", "trigger": "deleted", "author": {"id": 1}, "user": {"id": 55}}


def test_an_outside_signer_is_accepted():
    """`standardwebhooks` signs, we verify, with the present for now."""
    body = '{"type":"a.b","timestamp":"2026-01-01T00:00:00Z","data":{"é":1}}'
    now = datetime.datetime.now(tz=datetime.UTC)
    signature = standardwebhooks.Webhook(WHSEC).sign("evt_1", now, body)
    headers = {"Webhook-Id": "evt_1", "Webhook-Timestamp": str(int(now.timestamp())), "Webhook-Signature": signature}
    event = verify("standard", headers=headers, body=body.encode(), secret=WHSEC)
    assert (event.type, event.id, event.data) == ("a.b", "evt_1", {"é": 1})
    assert event.at == now.replace(microsecond=0)


def test_openssl_signs_for_bridge_xyz(tmp_path):
    """The two commands of its documentation, the other way round."""
    key = tmp_path / "key.pem"
    key.write_text(private_pem(rsa_key()))
    digest = openssl("dgst", "-sha256", "-binary", given=f"{NOW_MS}.".encode() + XYZ_BODY)
    value = base64.b64encode(openssl("dgst", "-sha256", "-sign", str(key), given=digest)).decode()
    headers = {"X-Webhook-Signature": f"t={NOW_MS},v0={value}"}
    event = verify("bridge-xyz", headers=headers, body=XYZ_BODY, public_key=public_pem(rsa_key()), now=NOW_S)
    assert event.id == "wh_tmneA3b1rTv1q4gkvmPU53n"


@pytest.mark.parametrize(("algorithm", "option"), [("hmac-sha1", "-sha1"), ("hmac-sha512", "-sha512")])
def test_openssl_signs_for_bridge_lms(algorithm, option):
    """An operator has set another algorithm."""
    mac = openssl("dgst", option, "-hmac", SECRET, "-binary", given=LMS_BODY).hex()
    settings = {"signature": {"algorithm": algorithm}}
    event = verify("bridge-lms", headers={"x-bridge-signature": mac}, body=LMS_BODY, secret=SECRET, settings=settings)
    assert event.type == "user.deleted"


def test_openssl_signs_for_standard(tmp_path):
    key, message = tmp_path / "key.pem", tmp_path / "message"
    key.write_text(private_pem(ED25519))
    message.write_bytes(b"evt_1.%d.{}" % (NOW_MS // 1000))
    raw = openssl("pkeyutl", "-sign", "-rawin", "-inkey", str(key), "-in", str(message), given=b"")
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(NOW_MS // 1000),
        "webhook-signature": f"v1a,{base64.b64encode(raw).decode()}",
    }
    assert verify("standard", headers=headers, body=b"{}", public_key=WHPK, now=NOW_S).body == {}
