"""The receiver's half: against published vectors, an outside signer, the sender's half, and every changed bit."""

import base64
import datetime
import subprocess
import sys
import textwrap
from email.message import Message

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

import hookspan.verify
from hookspan.profiles import LiveSecret, load_profiles
from hookspan.verify import VerificationError, VerifiedEvent, verify

PROFILES = load_profiles()
SECRET = "644b2ac3-0797-4ec6-9537-cb5c0af9caf9"
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
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
STANDARD_BODY = b'{"test": 2432232314}'


def at(text):
    return datetime.datetime.fromisoformat(text)


def code_of(**changed):
    """The code with which a standard request is refused."""
    request = {"headers": STANDARD_HEADERS, "body": STANDARD_BODY, "secret": WHSEC, "now": 1614265330.0, **changed}
    with pytest.raises(VerificationError) as caught:
        verify("standard", **request)
    assert caught.value.detail == str(caught.value)
    return caught.value.code


def code_of_bridge(value, *, body=TEST_EVENT, secret=SECRET):
    with pytest.raises(VerificationError) as caught:
        verify("bridge-api", headers={"BridgeApi-Signature": value}, body=body, secret=secret)
    return caught.value.code


# --- vectors and what they say ----------------------------------------------------------------------------------------


def test_the_bridge_api_vector():
    """The test event tells seconds, so its time is right all the same."""
    event = verify("bridge-api", headers={"bridgeapi-signature": TEST_SIGNATURE}, body=TEST_EVENT, secret=SECRET)
    data = {"item_id": 1234567890, "status": 0, "user_uuid": "9a95b38f-f98b-417a-988b-9d0d584893e7"}
    assert event == VerifiedEvent("TEST_EVENT", None, at("2021-01-26T17:23:09+00:00"), data)


def test_the_standard_webhooks_vector():
    """Its body has no type; that is not the signature's business."""
    event = verify("standard", headers=STANDARD_HEADERS, body=STANDARD_BODY, secret=WHSEC, now=1614265330)
    assert event == VerifiedEvent(None, "msg_p5jXN8AQM9LWM0D4loKWxJek", at("2021-02-25T15:02:10+00:00"), None)


def test_an_outside_signer_is_accepted():
    """`standardwebhooks` signs, we verify, with the present for now."""
    body = '{"type":"a.b","timestamp":"2026-01-01T00:00:00Z","data":{"é":1}}'
    now = datetime.datetime.now(tz=datetime.UTC)
    signature = standardwebhooks.Webhook(WHSEC).sign("evt_1", now, body)
    headers = {"Webhook-Id": "evt_1", "Webhook-Timestamp": str(int(now.timestamp())), "Webhook-Signature": signature}
    event = verify("standard", headers=headers, body=body.encode(), secret=WHSEC)
    assert (event.type, event.id, event.data) == ("a.b", "evt_1", {"é": 1})
    assert event.at == now.replace(microsecond=0)


@given(st.dictionaries(st.text(max_size=5), st.integers(), max_size=3), st.integers(0, 4_000_000_000_000))
def test_what_the_sender_s_half_sends_is_accepted(data, at_ms):
    import msgspec

    content = msgspec.json.encode(data)
    for name, secret in (("standard", WHSEC), ("bridge-api", SECRET)):
        profile = PROFILES.get(name)
        body = profile.render("item.created", content, None, "evt_1", at_ms, "")[0]
        lines = profile.signer([LiveSecret("secret", secret.encode())])("evt_1", at_ms, body)
        pairs = [(name, value) for name, _, value in (line.partition(b": ") for line in lines.splitlines())]
        event = verify(name, headers=pairs, body=body, secret=secret, now=at_ms / 1000)
        assert (event.type, event.data) == ("item.created", data)
        assert event.at is not None
        assert int(event.at.timestamp()) == at_ms // 1000
        assert event.id == ("evt_1" if name == "standard" else None)


@pytest.mark.parametrize("secret", ["644b2ac3-0797-4ec6-9537-cb5c0af9caf9", "other"])
def test_in_a_rotation_both_secrets_verify(secret):
    """One who knows only the new secret, and one who knows only the old."""
    live = [LiveSecret("secret", b"other"), LiveSecret("secret", SECRET.encode())]
    lines = PROFILES.get("bridge-api").signer(live)("", 0, TEST_EVENT)
    value = lines.decode().strip().partition(": ")[2]
    assert (
        verify("bridge-api", headers={"BridgeApi-Signature": value}, body=TEST_EVENT, secret=secret).type
        == "TEST_EVENT"
    )


# --- what is refused --------------------------------------------------------------------------------------------------


def test_every_flipped_bit_is_refused():
    """In the body and in the signature's own bytes."""
    for bit in range(len(TEST_EVENT) * 8):
        assert code_of_bridge(TEST_SIGNATURE, body=flip(TEST_EVENT, bit)) == "no_match"
    for bit in range(len(STANDARD_BODY) * 8):
        assert code_of(body=flip(STANDARD_BODY, bit)) == "no_match"
    mac = base64.b64decode(STANDARD_HEADERS["webhook-signature"].removeprefix("v1,"))
    for bit in range(len(mac) * 8):
        assert code_of_bridge("v1=" + flip(bytes.fromhex(TEST_SIGNATURE[3:]), bit).hex().upper()) == "no_match"
        signature = "v1," + base64.b64encode(flip(mac, bit)).decode()
        assert code_of(headers={**STANDARD_HEADERS, "webhook-signature": signature}) == "no_match"


def flip(raw, bit):
    changed = bytearray(raw)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize(("name", "value"), [("webhook-id", "msg_0"), ("webhook-timestamp", "1614265331")])
def test_a_changed_id_or_time_is_refused(name, value):
    assert code_of(headers={**STANDARD_HEADERS, name: value}) == "no_match"


@pytest.mark.parametrize("name", STANDARD_HEADERS)
def test_a_missing_header_is_named(name):
    for headers in (
        {**STANDARD_HEADERS, name: ""},
        {key: STANDARD_HEADERS[key] for key in STANDARD_HEADERS.keys() - {name}},
    ):
        assert code_of(headers=headers) == "missing_header"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-timestamp", "1614265330.5"),
        ("webhook-timestamp", " 1614265330"),
        ("webhook-timestamp", "-1"),
        ("webhook-timestamp", "١٢٣"),
        ("webhook-timestamp", "9" * 400),
        ("webhook-signature", "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ("webhook-signature", "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ("webhook-signature", "v1,"),
        ("webhook-signature", " ".join(["v1,x"] * (hookspan.verify.SIGNATURES_MAX + 1))),
    ],
)
def test_a_malformed_header_is_told_from_a_wrong_signature(name, value):
    assert code_of(headers={**STANDARD_HEADERS, name: value}) == "malformed_header"


def test_a_header_that_comes_twice_is_refused():
    """Two readers could take two values."""
    pairs = [*STANDARD_HEADERS.items(), ("Webhook-Id", "msg_0")]
    assert code_of(headers=pairs) == "malformed_header"


@pytest.mark.parametrize("value", ["v1 = x", TEST_SIGNATURE.replace("v1", "v2"), "v1=", "bearer"])
def test_a_malformed_bridge_header(value):
    assert code_of_bridge(value) == "malformed_header"


def test_other_versions_beside_ours_do_not_disturb():
    value = f"v0=abc,{TEST_SIGNATURE},v2=x"
    assert verify("bridge-api", headers={"BridgeApi-Signature": value}, body=TEST_EVENT, secret=SECRET)


@pytest.mark.parametrize("value", ["v1=\udcff", "v1=é"])
def test_a_signature_of_strange_letters_does_not_match(value):
    assert code_of_bridge(value) == "no_match"


def test_lower_case_hex_is_not_what_bridge_api_sends():
    assert code_of_bridge(TEST_SIGNATURE.replace("FAA8", "faa8")) == "no_match"


@pytest.mark.parametrize(
    ("now", "code"),
    [(1614265330 + 301, "timestamp_too_old"), (1614265330 - 301, "timestamp_in_future")],
)
def test_five_minutes_either_way(now, code):
    """The edge itself is still good; an aware datetime does as well as seconds."""
    assert code_of(now=now) == code
    assert code_of(now=datetime.datetime.fromtimestamp(now, tz=datetime.UTC)) == code
    edge = now - 1 if code == "timestamp_too_old" else now + 1
    assert verify("standard", headers=STANDARD_HEADERS, body=STANDARD_BODY, secret=WHSEC, now=edge)


def test_bridge_api_has_no_tolerance_for_its_signature_covers_no_time():
    event = verify("bridge-api", headers={"BridgeApi-Signature": TEST_SIGNATURE}, body=TEST_EVENT, secret=SECRET, now=0)
    assert event.type == "TEST_EVENT"


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_CANARY", "whsec_" + "-_" * 20, "whsec_é", "whsec_Q0FOQVJZ"])
def test_a_secret_of_the_wrong_form_is_named_and_not_repeated(secret):
    assert code_of(secret=secret) == "invalid_secret"
    with pytest.raises(VerificationError) as caught:
        verify("standard", headers=STANDARD_HEADERS, body=STANDARD_BODY, secret=secret)
    assert secret == "" or secret.removeprefix("whsec_") == "" or secret not in caught.value.detail


def test_another_webhook_s_secret_does_not_match():
    assert code_of(secret="whsec_" + base64.b64encode(bytes(24)).decode()) == "no_match"
    assert code_of_bridge(TEST_SIGNATURE, secret="other") == "no_match"


@pytest.mark.parametrize("body", [b"\xff\xfe", b"", b"[" * 100_000, b'{"timestamp":"x"}', b'{"timestamp":1e400}'])
def test_a_signed_body_of_the_wrong_form(body):
    """A sender with another idea of JSON is told from a forger."""
    lines = PROFILES.get("bridge-api").signer([LiveSecret("secret", SECRET.encode())])("", 0, body)
    assert code_of_bridge(lines.decode().strip().partition(": ")[2], body=body) == "malformed_body"


def test_a_profile_that_does_not_exist():
    for name in ("nope", "../standard", ""):
        with pytest.raises(ValueError, match="bridge-api, standard"):
            verify(name, headers={}, body=b"", secret="x")


# --- alone ------------------------------------------------------------------------------------------------------------

ALONE = """
    import importlib.abc
    import sys

    class Blocker(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path, target=None):
            top = name.partition(".")[0]
            if top not in sys.stdlib_module_names and top != "hookspan":
                raise ImportError(f"{name} is not of the standard library")
            if name.startswith("hookspan.") and not name.startswith("hookspan.verify"):
                raise ImportError(f"{name} is the server's")

    sys.meta_path.insert(0, Blocker())
    from hookspan.verify import verify

    value = "v1=FAA8ECAC21DA6405D789C76EDB4003756398E7169DACC3FA70CF5919A81374A8"
    body = sys.stdin.buffer.read()
    secret = "644b2ac3-0797-4ec6-9537-cb5c0af9caf9"
    print(verify("bridge-api", headers={"BridgeApi-Signature": value}, body=body, secret=secret).type)
"""


def test_it_needs_nothing_but_the_standard_library():
    """A receiver installs no server: every other package is blocked, and Hookspan's other rooms too."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(ALONE)], input=TEST_EVENT, capture_output=True, check=False, timeout=60
    )
    assert done.stdout.decode().strip() == "TEST_EVENT", done.stderr.decode()


def test_the_public_names():
    assert sorted(hookspan.verify.__all__) == ["VerificationError", "VerifiedEvent", "verify"]


def headers_of_the_standard_library() -> Message:
    message = Message()
    for name, value in STANDARD_HEADERS.items():
        message[name] = value
    return message


class Items:
    """Headers as some framework has them: no mapping, but items()."""

    def items(self) -> list[tuple[str, str]]:
        return list(STANDARD_HEADERS.items())


@pytest.mark.parametrize("headers", [headers_of_the_standard_library(), Items(), list(STANDARD_HEADERS.items())])
def test_headers_are_taken_as_they_come(headers) -> None:
    """From http.server, from frameworks, as pairs."""
    assert verify("standard", headers=headers, body=STANDARD_BODY, secret=WHSEC, now=1614265330)


@pytest.mark.parametrize("headers", [None, 5, "text: x", [1], ["abc"], [("a",)], {"a": 1}, [("a", None)], Items])
def test_headers_that_are_none_are_refused_in_our_words(headers) -> None:
    """Never a bare ValueError or TypeError."""
    assert code_of(headers=headers) == "malformed_header"
