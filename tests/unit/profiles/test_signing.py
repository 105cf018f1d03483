"""Signatures, against published vectors and a verifier that this project did not write."""

import base64
import hashlib
import hmac
import time

import msgspec
import pytest
import standardwebhooks
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from hookspan.errors import ConfigurationError, InvalidCredential, InvalidRequest
from hookspan.profiles import LiveSecret, load_profile, load_profiles
from tests.unit.profiles._documented import TEST_EVENT
from tests.unit.profiles._folders import changed, write_profile

PROFILES = load_profiles()
BRIDGE = PROFILES.get("bridge-api")
STANDARD = PROFILES.get("standard")
OLD = LiveSecret("secret", b"644b2ac3-0797-4ec6-9537-cb5c0af9caf9")
NEW = LiveSecret("secret", b"0f8fad5b-d9cb-469f-a165-70867728950e")
WHSEC = LiveSecret("secret", b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
NOW_MS = 1_767_225_600_000


def upper_hex(secret, body):
    return hmac.new(secret.secret, body, "sha256").hexdigest().upper()


def now_ms():
    """For the verifiers that look at a clock: read in the test, which may run long after its module was imported."""
    return int(time.time()) * 1000


def read(lines):
    """Header lines as a mapping, each line checked for its form."""
    assert lines.endswith(b"\r\n")
    return dict(line.split(": ", 1) for line in lines.decode().removesuffix("\r\n").split("\r\n"))


# --- vectors --------------------------------------------------------------------------------------------------------


def test_the_bridge_api_vector():
    """139 bytes, upper-case hex, the secret's text as the key."""
    assert BRIDGE.signer([OLD])("evt_1", NOW_MS, TEST_EVENT, "a.b") == (
        b"BridgeApi-Signature: v1=FAA8ECAC21DA6405D789C76EDB4003756398E7169DACC3FA70CF5919A81374A8\r\n"
    )


@pytest.mark.parametrize("secret", [WHSEC, LiveSecret("secret", b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")])
def test_the_standard_webhooks_vector(secret):
    """With and without the secret's prefix."""
    lines = STANDARD.signer([secret])("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330_999, b'{"test": 2432232314}', "a.b")
    assert lines == (
        b"webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\r\n"
        b"webhook-timestamp: 1614265330\r\n"
        b"webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\r\n"
    )


@given(st.binary(min_size=1, max_size=200), st.binary(max_size=300))
def test_hmac_agrees_with_the_standard_library(key, body):
    """Also for keys longer than a block, which are hashed first."""
    secret = LiveSecret("secret", base64.b16encode(key))
    lines = BRIDGE.signer([secret])("evt_1", 0, body, "a.b")
    assert lines == f"BridgeApi-Signature: v1={upper_hex(secret, body)}\r\n".encode()


# --- an outside verifier --------------------------------------------------------------------------------------------


@given(st.text(max_size=50))
def test_standardwebhooks_accepts_what_we_sign(text):
    made = STANDARD.new_credentials(None, may_give="configurer")[0]
    body = STANDARD.render("a.b", b'{"x":%b}' % msgspec.json.encode(text), None, "evt_1", now_ms(), "")[0]
    lines = STANDARD.signer([LiveSecret(made.name, made.secret)])("evt_2YD3", now_ms(), body, "a.b")
    standardwebhooks.Webhook(made.secret.decode()).verify(body, read(lines))


def test_standardwebhooks_refuses_every_flipped_bit():
    """In the body, the id, the time and the signature."""
    body = b'{"type":"a.b","data":{"n":1}}'
    at_ms = now_ms()
    headers = read(STANDARD.signer([WHSEC])("evt_1", at_ms, body, "a.b"))
    receiver = standardwebhooks.Webhook(WHSEC.secret.decode())
    receiver.verify(body, headers)
    for bit in range(len(body) * 8):
        changed_body = bytearray(body)
        changed_body[bit // 8] ^= 1 << bit % 8
        with pytest.raises((standardwebhooks.WebhookVerificationError, UnicodeDecodeError)):
            receiver.verify(bytes(changed_body), headers)
    for name, value in (
        ("webhook-id", "evt_0"),
        ("webhook-timestamp", str(at_ms // 1000 + 1)),
        ("webhook-signature", flipped(headers["webhook-signature"])),
    ):
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            receiver.verify(body, {**headers, name: value})


def flipped(signature):
    raw = bytearray(base64.b64decode(signature.removeprefix("v1,")))
    raw[0] ^= 1
    return "v1," + base64.b64encode(raw).decode()


# --- several at once ------------------------------------------------------------------------------------------------


def test_bridge_api_signs_with_the_newest_first_in_a_rotation():
    """Receivers exist that read only the first part, and that split at a comma without a space."""
    lines = BRIDGE.signer([NEW, OLD])("evt_1", NOW_MS, TEST_EVENT, "a.b")
    first, second = upper_hex(NEW, TEST_EVENT), upper_hex(OLD, TEST_EVENT)
    assert lines == f"BridgeApi-Signature: v1={first},v1={second}\r\n".encode()


def test_standard_joins_secrets_and_key_pairs_on_one_header():
    """`v1,x v1,y v1a,z`: what the reference verifiers read, and the Ed25519 one holds for the public key shown."""
    made = STANDARD.new_credentials({"private_key": ED25519}, may_give="operator")
    pair = next(one for one in made if one.name == "keypair")
    other = LiveSecret("secret", b"whsec_" + base64.b64encode(bytes(24)))
    secrets = [other, WHSEC, LiveSecret(pair.name, pair.secret)]
    body = b'{"a":1}'
    at_ms = now_ms()
    headers = read(STANDARD.signer(secrets)("evt_1", at_ms, body, "a.b"))
    parts = headers["webhook-signature"].split(" ")
    assert [part.partition(",")[0] for part in parts] == ["v1", "v1", "v1a"]
    for secret in (other, WHSEC):
        standardwebhooks.Webhook(secret.secret.decode()).verify(
            body, {**headers, "webhook-signature": " ".join(parts[:2])}
        )
    assert pair.public is not None
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(pair.public.removeprefix("whpk_")))
    message = b"evt_1.%d." % (at_ms // 1000) + body
    public.verify(base64.b64decode(parts[2].removeprefix("v1a,")), message)
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(parts[2].removeprefix("v1a,")), message + b" ")


ED25519 = "whsk_" + base64.b64encode(hashlib.sha256(b"seed").digest()).decode()


def test_a_key_pair_alone_suffices_for_standard():
    pair = LiveSecret("keypair", ED25519.encode())
    headers = read(STANDARD.signer([pair])("evt_1", NOW_MS, b"{}", "a.b"))
    assert headers["webhook-signature"].startswith("v1a,")


@pytest.mark.parametrize("profile", [BRIDGE, STANDARD])
def test_nothing_goes_out_unsigned(profile):
    with pytest.raises(InvalidCredential, match="nothing can be signed"):
        profile.signer([])


def test_a_kept_secret_that_does_not_fit_is_refused_without_being_shown():
    with pytest.raises(InvalidCredential) as caught:
        STANDARD.signer([LiveSecret("secret", b"not base64 at all")])
    assert "not base64 at all" not in caught.value.detail


# --- headers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ident", ["evt_1\r\nx: y", "evt\n", "evt\r", "evt\0"])
def test_an_id_can_t_add_a_header(ident):
    with pytest.raises(InvalidCredential):
        STANDARD.signer([WHSEC])(ident, NOW_MS, b"{}", "a.b")


HEADERS = """[[header]]
name = "Authorization"
value = "Bearer {credential.token}"
[[header]]
name = "X-Time"
value = "{attempt.at:ms} {attempt.at:iso}"
[[signature]]
"""
TOKEN = '[credential.token]\nkind = "text"\ngive = ["configurer"]\nshown = "never"\n[credential.secret]\n'


@pytest.fixture
def bearer(tmp_path):
    """A profile with a token that may be set."""
    toml = changed("[[signature]]\n", HEADERS).replace("[credential.secret]\n", TOKEN)
    return load_profile(write_profile(tmp_path, toml))


def test_a_header_from_a_credential_is_absent_without_it_and_masked_with_it(bearer):
    at_ms = 1_700_000_000_123
    without = read(bearer.signer([OLD])("evt_1", at_ms, b"{}", "a.b"))
    assert "Authorization" not in without
    assert without["X-Time"] == "1700000000123 2023-11-14T22:13:20.123Z"
    lines = bearer.signer([OLD, LiveSecret("token", "s3cret-ü".encode())])("evt_1", at_ms, b"{}", "a.b")
    assert "Authorization: Bearer s3cret-ü\r\n" in lines.decode()
    masked = bearer.mask(lines)
    assert b"Authorization: Bearer ***\r\n" in masked
    assert b"s3cret" not in masked
    assert masked.replace(b"***", "s3cret-ü".encode()) == lines
    assert STANDARD.mask(lines) == lines


def test_a_kept_token_that_no_header_can_carry_is_refused(bearer):
    with pytest.raises(InvalidCredential):
        bearer.signer([OLD, LiveSecret("token", b"x\r\ny: z")])


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('algorithm = "hmac-sha256"', 'algorithm = "md5"', r"signature\.0\.algorithm: 'md5' is not known"),
        ('algorithm = "hmac-sha256"', 'algorithm = "ed25519"', r"signature\.0\.algorithm: .*can't use"),
        ('encoding = "hex"', 'encoding = "rot13"', r"signature\.0\.encoding: 'rot13'"),
        ('encoding = "hex"', 'encoding = "hex"\neach = "v1"', r"signature\.0\.each"),
        ('encoding = "hex"', 'encoding = "hex"\njoin = "\\n"', r"signature\.0\.join: .*line break"),
        ('encoding = "hex"', 'encoding = "hex"\nvalue = "x"', r"signature\.0\.value"),
        ('encoding = "hex"', 'encoding = "hex"\nvalue = "{body} {signatures}"', r"signature\.0\.value: \{body\}"),
        ('signed = "{body}"', 'signed = "{event.id}"', r"signature\.0\.signed: .*leaves out \{body\}"),
        ('signed = "{body}"', 'signed = "{attempt.at}{body}"', r"signature\.0\.signed: \{attempt\.at\} is not known"),
        ('credential = "secret"', 'credential = "other"', r"signature\.0\.credential"),
        ('header = "X-Signature"', 'header = "X Signature"', r"signature\.0\.header"),
        ('header = "X-Signature"', 'header = "Content-Length"', r"signature\.0\.header"),
        ("[[signature]]", '[[header]]\nname = "a"\nvalue = "{body}"\n[[signature]]', r"header\.0\.value: \{body\}"),
        ("[[signature]]", '[[header]]\nname = "a"\nvalue = "\\r"\n[[signature]]', r"header\.0\.value: .*line break"),
        ("[[signature]]", '[[header]]\nname = "a"\nvalue = "{credential.x}"\n[[signature]]', r"header\.0\.value"),
    ],
)
def test_a_wrong_signature_or_header_refuses_to_load(tmp_path, old, new, reason):
    with pytest.raises(ConfigurationError, match=reason):
        load_profile(write_profile(tmp_path, changed(old, new)))


SECOND = """[[signature]]
credential = "secret"
header = "x-signature"
algorithm = "hmac-sha256"
signed = "{body}"
encoding = "base64"
join = " "
[read]"""


def test_signatures_on_one_header_agree(tmp_path):
    with pytest.raises(ConfigurationError, match=r"signature\.1: .*must agree"):
        load_profile(write_profile(tmp_path, changed("[read]", SECOND)))


ROTATED = 'shown = "once"\nrotate = { overlap = "24h", live = 2 }'


@pytest.mark.parametrize(
    ("encoding", "each", "join", "is_told_apart"),
    [
        ("hex", "v1={sig}", ",", True),
        ("hex", "{sig}", "g", True),
        ("hex", "v1={sig}", ",v1=", True),
        ("base64", "v1,{sig}", " ", True),
        ("hex", "v1={sig}", "", False),
        ("hex", "v1={sig}", "v1", False),
        ("hex", "{sig}", "0", False),
        ("hex-upper", "{sig},", ",", False),
        ("base64", "{sig}", "=", False),
    ],
)
def test_signatures_of_a_rotation_can_be_told_apart(tmp_path, encoding, each, join, is_told_apart):
    """Else a receiver that knows only one of two secrets could not find its signature. One alone needs no joiner."""
    form = f'encoding = "{encoding}"\neach = "{each}"\njoin = "{join}"'
    alone = changed('encoding = "hex"', form)
    load_profile(write_profile(tmp_path / "alone", alone))
    no_overlap = alone.replace('shown = "once"', ROTATED.replace("24h", "0s"))
    load_profile(write_profile(tmp_path / "no overlap", no_overlap))
    folder = write_profile(tmp_path / "rotated", alone.replace('shown = "once"', ROTATED))
    if is_told_apart:
        load_profile(folder)
        return
    with pytest.raises(ConfigurationError, match=r"signature\.0\.join: .* does not tell apart"):
        load_profile(folder)


@pytest.mark.parametrize("value", ["{credential.secret}", "Bearer {credential.secret}", "{type} {credential.secret}"])
def test_what_signs_is_never_sent(tmp_path, value):
    """Whoever got one request could sign the next."""
    toml = changed("[[signature]]", f'[[header]]\nname = "X-Key"\nvalue = "{value}"\n[[signature]]')
    with pytest.raises(ConfigurationError, match=r"header\.0\.value: \{credential\.secret\} is a signing key"):
        load_profile(write_profile(tmp_path, toml))


def test_a_private_key_is_never_sent(tmp_path):
    """Whether it signs here or not."""
    pair = '[credential.keypair]\nkind = "ed25519"\nmake = "ed25519"\nshown = "public"\n'
    header = '[[header]]\nname = "X-Key"\nvalue = "{credential.keypair}"\n[[signature]]'
    toml = changed("[[signature]]", pair + header)
    with pytest.raises(ConfigurationError, match=r"header\.0\.value: \{credential\.keypair\} is a signing key"):
        load_profile(write_profile(tmp_path, toml))


def test_settings_can_t_send_what_signs():
    with pytest.raises(InvalidRequest, match="is a signing key") as caught:
        load_profiles().get("bridge-lms").with_settings({"header": {"value": "{credential.secret}"}})
    assert [one.pointer for one in caught.value.errors] == ["/settings/header/value"]


@pytest.mark.parametrize(
    ("second", "is_kept"),
    [
        ('credential = "secret"\nheader = "X-Other"\nalgorithm = "hmac-sha1"\nsigned = "{body}"', True),
        ('credential = "secret"\nheader = "X-Signature"\nalgorithm = "hmac-sha1"\nsigned = "{body}"', False),
        ('credential = "other"\nheader = "X-Other"\nalgorithm = "hmac-sha1"\nsigned = "{body}"', False),
        ('credential = "other"\nheader = "X-Other"\nalgorithm = "hmac-sha1"\nsigned = "{attempt.at:ms}{body}"', True),
    ],
)
def test_a_tolerance_is_of_a_time_that_every_receiver_sees_signed(tmp_path, second, is_kept):
    """Whichever credential it knows; several signatures of one header are alternatives, those of several are not."""
    toml = changed('signed = "{body}"', 'signed = "{attempt.at:s}.{body}"').replace(
        "[read]", f'[[signature]]\n{second}\nencoding = "hex"\n[read]\ntolerance = {{ past = "5m", future = "5m" }}'
    )
    toml = toml.replace(
        "[credential.secret]", '[credential.other]\nkind = "text"\nshown = "never"\n[credential.secret]'
    )
    folder = write_profile(tmp_path, toml)
    if is_kept:
        load_profile(folder)
        return
    with pytest.raises(ConfigurationError, match=r"read\.tolerance: "):
        load_profile(folder)
