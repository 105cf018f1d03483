"""RSA key pairs: made, imported, refused for what they are not; signatures judged by OpenSSL and cryptography."""

import base64
import functools
import hashlib
import shutil
import subprocess

import pytest
import trustme
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from hookspan.errors import ConfigurationError, InvalidCredential, NotAllowed
from hookspan.profiles import LiveSecret, load_profile, load_profiles
from hookspan.profiles._key_pairs import PEM_CHARACTERS_MAX
from tests.unit.profiles._folders import MINIMAL, changed, write_profile

BODY = b'{"message":"Hello World!"}'
AT_MS = 1_705_854_411_204
# What proves that the documented way of verifying is understood here; nobody has its private half.
VECTOR_KEY = b"""-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtqsEE4eI7EmzhcquGJXt
LX9PMK0UH6Kl1WIR21sv8HtueG8BuvvpP3MiN7ltzmIhS8KaynCjN4l+620PnXeu
xWG+CSnEdkinL9hCqbEid5vv9zl0j9LWiJx3FkKHqADU7cgm46aa8dKUdIQYF2X+
O7WmyLkC4wUM/mWhBPMsIQBznashRMZxx7XJjsVp27ACUE4eNIjEXbVYN6U8jSbU
hG++CfL8xXu+GHDqKmFE6Po6HnuURvLFVnCtE3mXXBcVFlPy+octfx8nOMLT3X8O
9UehIigJ34o2yMm/Fq3HUJzg2BsiAiGgtr0vmeoV9Q7upSNj9TuOumAzZFi4pYA+
qwIDAQAB
-----END PUBLIC KEY-----
"""
VECTOR_SIGNATURE = (
    "jz/0dmHJ63FAzacGutrDTEoq+iSz/PHm/ugdooXDQu5NwuVIT2LmZGjsnCsBHgR9Py6OBP9zurzW4dHgygU4EDqmMPTUOvhvndYb4lWt+TY66Lih"
    "aFI2whL6DAf/jb1QjYjNU0A6x9SLzC45dgE6X7zTDUM+2Z+scG/WEQf6SxQMt4E2sEipl5PqMK5lYUe3otdJV+X2c9D64bGwCEE7QSia+Vhozg8Q"
    "NOQEk/rdz2IEONIg6oC43CeiN4E2kF9XLAGuy9uAHx9O9OJH5ZPLJZjyo4VcXYeWQgxaQ1gZ1Qu6hEEzgiPSff/1nou58dm4bIIazgCWli/mO0Ny"
    "GcpfFw=="
)

RSA_TABLES = """[credential.keypair]
kind = "rsa-2048"
make = "rsa-2048"
give = ["operator"]
required = true
shown = "public"
rotate = { overlap = "24h", live = 2 }
[[signature]]
credential = "keypair"
header = "X-Signature"
algorithm = "rsa-pkcs1v15-sha256"
signed = "{attempt.at:ms}.{body}"
prehash = "sha256"
encoding = "base64"
each = "v0={sig}"
value = "t={attempt.at:ms},{signatures}"
[read]"""
START, END = MINIMAL.index("[credential.secret]"), MINIMAL.index("[read]")
RSA_PROFILE = MINIMAL[:START] + RSA_TABLES + MINIMAL[END + len("[read]") :]


def pkcs8(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def pkcs1(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def public_pem(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@functools.cache
def rsa_key(bits=2048, number=0, exponent=65537):
    """Made when a test first asks for it."""
    return rsa.generate_private_key(exponent, bits)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """A profile that signs with RSA, as the one with public vectors does."""
    return load_profile(write_profile(tmp_path_factory.mktemp("rsa"), RSA_PROFILE))


def signatures(profile, secrets, at_ms=AT_MS):
    line = profile.signer(secrets)("evt_1", at_ms, BODY, "thing.made").decode()
    lead = f"X-Signature: t={at_ms},v0="
    assert line.startswith(lead)
    assert line.endswith("\r\n")
    return [base64.b64decode(one, validate=True) for one in line[len(lead) : -2].split(",v0=")]


def verify(public, signature, message):
    """As the vendor documents: RSASSA-PKCS1-v1_5 with SHA-256 over the digest, which is so hashed twice."""
    digest = hashlib.sha256(message).digest()
    key = load_pem_public_key(public.encode())
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(signature, digest, padding.PKCS1v15(), hashes.SHA256())


# --- signing ----------------------------------------------------------------------------------------------------------


def test_the_published_vector_is_verified_as_our_signatures_are():
    """The check below is the documented one: it accepts what the vendor has signed."""
    verify(VECTOR_KEY.decode(), base64.b64decode(VECTOR_SIGNATURE), b"1705854411204." + BODY)


def test_a_made_pair_signs_for_the_public_half_that_is_shown(pairs):
    """SPKI with real line breaks and one at its end; the private half is kept as PKCS#8 and never shown."""
    (made,) = pairs.new_credentials(None, may_give="configurer")
    assert made.name == "keypair"
    assert made.shown is None
    assert made.public.startswith("-----BEGIN PUBLIC KEY-----\n")
    assert made.public.endswith("\n-----END PUBLIC KEY-----\n")
    key = load_pem_private_key(made.secret, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    assert (key.key_size, key.public_key().public_numbers().e) == (2048, 65537)
    assert made.secret.startswith(b"-----BEGIN PRIVATE KEY-----\n")
    (signature,) = signatures(pairs, [LiveSecret(made.name, made.secret)])
    verify(made.public, signature, b"1705854411204." + BODY)


def test_one_flipped_bit_is_refused(pairs):
    """In body, time or signature."""
    (signature,) = signatures(pairs, [LiveSecret("keypair", pkcs8(rsa_key()).encode())])
    public, message = public_pem(rsa_key()), b"1705854411204." + BODY
    verify(public, signature, message)
    for place in range(0, len(message) * 8, 7):
        changed_message = bytearray(message)
        changed_message[place // 8] ^= 1 << place % 8
        with pytest.raises(InvalidSignature):
            verify(public, signature, bytes(changed_message))
    for place in range(0, len(signature) * 8, 61):
        changed_signature = bytearray(signature)
        changed_signature[place // 8] ^= 1 << place % 8
        with pytest.raises(InvalidSignature):
            verify(public, bytes(changed_signature), message)


def test_openssl_verifies_it(pairs, tmp_path):
    """By its command line, as the vendor documents it; and it refuses another time."""
    openssl = shutil.which("openssl")
    assert openssl is not None, "the openssl command is needed"
    (signature,) = signatures(pairs, [LiveSecret("keypair", pkcs8(rsa_key()).encode())])
    (tmp_path / "pub.pem").write_text(public_pem(rsa_key()))
    (tmp_path / "sig").write_bytes(signature)

    def says(data):
        digest = subprocess.run([openssl, "dgst", "-sha256", "-binary"], input=data, capture_output=True, check=True)
        return subprocess.run(
            [openssl, "dgst", "-sha256", "-verify", "pub.pem", "-signature", "sig"],
            input=digest.stdout,
            capture_output=True,
            check=False,
            cwd=tmp_path,
        ).stdout

    assert says(b"1705854411204." + BODY) == b"Verified OK\n"
    assert b"ailure" in says(b"1705854411205." + BODY)


def test_a_profile_says_that_it_is_slow(pairs):
    """So that its signatures and keys are made in threads."""
    assert (pairs.is_slow, pairs.makes_slowly, pairs.rotatable) == (True, True, ("keypair",))
    for name in ("standard", "bridge-api"):
        profile = load_profiles().get(name)
        assert (profile.is_slow, profile.makes_slowly) == (False, False)


def test_a_key_is_prepared_once(pairs, monkeypatch):
    """Not for each signature: reading and checking a PEM costs more than signing."""
    signer = pairs.signer([LiveSecret("keypair", pkcs8(rsa_key()).encode())])
    monkeypatch.setattr("hookspan.profiles._key_pairs.load_pem_private_key", None)
    assert signer("evt_1", AT_MS, BODY, "thing.made") == signer("evt_1", AT_MS, BODY, "thing.made")


def test_a_kept_pair_that_is_none_is_refused(pairs):
    """Without being shown."""
    for kept in (b"CANARY", b"\xff", pkcs8(rsa_key(1024)).encode()):
        with pytest.raises(InvalidCredential) as caught:
            pairs.signer([LiveSecret("keypair", kept)])
        assert "CANARY" not in caught.value.detail


# --- rotation ---------------------------------------------------------------------------------------------------------


def test_both_pairs_of_a_rotation_sign_newest_first(pairs):
    """A receiver with the new public key and one with the old both find theirs."""
    new = pairs.rotated("keypair", None, may_give="configurer")
    old = LiveSecret("keypair", pkcs8(rsa_key()).encode())
    first, second = signatures(pairs, [LiveSecret(new.name, new.secret), old])
    verify(new.public, first, b"1705854411204." + BODY)
    verify(public_pem(rsa_key()), second, b"1705854411204." + BODY)
    with pytest.raises(InvalidSignature):
        verify(new.public, second, b"1705854411204." + BODY)


def test_both_ed25519_pairs_of_a_rotation_sign_newest_first():
    """`v1a,new v1a,old`, for the public keys that are shown."""
    standard = load_profiles().get("standard")
    old = standard.rotated("keypair", None, may_give="configurer")
    new = standard.rotated("keypair", None, may_give="configurer")
    lines = standard.signer([LiveSecret(one.name, one.secret) for one in (new, old)])("evt_1", AT_MS, BODY, "a.b")
    value = lines.decode().rpartition("webhook-signature: ")[2].removesuffix("\r\n")
    for pair, part in zip((new, old), value.split(" "), strict=True):
        assert part.startswith("v1a,")
        assert pair.public is not None
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(pair.public.removeprefix("whpk_")))
        public.verify(base64.b64decode(part.removeprefix("v1a,")), b"evt_1.1705854411." + BODY)


# --- import -----------------------------------------------------------------------------------------------------------


def spaced(key):
    return "\n " + pkcs8(key).replace("\n", "\r\n") + "\n"


def in_one_line(key):
    return pkcs8(key).replace("\n", "")


@pytest.mark.parametrize("write", [pkcs8, pkcs1, spaced, in_one_line])
def test_an_operator_may_import_a_private_key(pairs, write):
    """PKCS#8, PKCS#1, line breaks of any kind: kept as PKCS#8, and the public half is that of the key."""
    (taken,) = pairs.new_credentials({"private_key": write(rsa_key(number=1))}, may_give="operator")
    assert taken.secret.decode() == pkcs8(rsa_key(number=1))
    assert taken.public == public_pem(rsa_key(number=1))
    assert taken.shown is None
    assert pairs.rotated("keypair", write(rsa_key(number=1)), may_give="operator") == taken
    with pytest.raises(NotAllowed):
        pairs.new_credentials({"private_key": write(rsa_key(number=1))}, may_give="configurer")


def encrypted(style):
    return rsa_key().private_bytes(Encoding.PEM, style, BestAvailableEncryption(b"word")).decode()


def middle():
    """Stands in many of the wrong ones; must stand in no error."""
    return pkcs8(rsa_key()).split("\n")[9]


def damaged(*, end):
    return pkcs8(rsa_key()).replace(middle(), middle()[: -len(end)] + end)


WRONG = {
    "nothing": (lambda: "", "0 characters"),
    "much": (lambda: "x" * (PEM_CHARACTERS_MAX + 1), "8,193 characters"),
    "a word": (lambda: "CANARY", "no PEM text"),
    "one line of it": (middle, "no PEM text"),
    "no end": (lambda: pkcs8(rsa_key()).replace("-----END PRIVATE KEY-----", ""), "no PEM text"),
    "two keys": (lambda: pkcs8(rsa_key()) * 2, "no PEM text of one key"),
    "more around it": (lambda: "x: y\n" + pkcs8(rsa_key()), "no PEM text"),
    "another alphabet": (lambda: damaged(end="!!!!"), "damaged"),
    "changed": (lambda: pkcs8(rsa_key()).replace(middle(), middle()[::-1]), "damaged"),
    "not ASCII": (lambda: damaged(end="é"), "damaged"),
    "half a surrogate pair": (lambda: damaged(end="\ud800"), "damaged"),
    "NUL": (lambda: damaged(end="\0"), "damaged"),
    "public key": (lambda: public_pem(rsa_key()), "it is a public key"),
    "public key, PKCS#1": (
        lambda: rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode(),
        "it is a public key",
    ),
    "certificate": (lambda: trustme.CA().cert_pem.bytes().decode(), "it is a certificate"),
    "encrypted, PKCS#8": (lambda: encrypted(PrivateFormat.PKCS8), "it is encrypted"),
    "encrypted, PKCS#1": (lambda: encrypted(PrivateFormat.TraditionalOpenSSL), "it is encrypted"),
    "elliptic curve": (lambda: pkcs8(ec.generate_private_key(ec.SECP256R1())), "another kind, not RSA"),
    "elliptic curve, SEC 1": (lambda: pkcs1(ec.generate_private_key(ec.SECP256R1())), "another kind"),
    "Ed25519": (lambda: pkcs8(Ed25519PrivateKey.generate()), "another kind, not RSA"),
    "of OpenSSH": (
        lambda: rsa_key().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode(),
        "another kind",
    ),
    "1,024 bits": (lambda: pkcs8(rsa_key(1024)), "it has 1,024 bits"),
    "4,096 bits": (lambda: pkcs8(rsa_key(4096)), "it has 4,096 bits"),
    "exponent 3": (lambda: pkcs8(rsa_key(exponent=3)), "exponent"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_private_key_is_refused_without_repeating_it(pairs, what):
    """Saying what it is instead."""
    make, reason = WRONG[what]
    with pytest.raises(InvalidCredential, match=reason) as caught:
        pairs.new_credentials({"private_key": make()}, may_give="operator")
    said = str(caught.value.errors) + caught.value.detail
    assert caught.value.errors[0].pointer == "/credentials/private_key"
    assert caught.value.__suppress_context__
    assert middle() not in said
    assert "CANARY" not in said


# --- wrong profiles ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('make = "rsa-2048"', 'make = "rsa-4096"', r"credential\.keypair\.make: 'rsa-4096' makes no rsa-2048"),
        ('kind = "rsa-2048"', 'kind = "rsa-4096"', r"credential\.keypair\.kind"),
        ('kind = "rsa-2048"', 'kind = "ed25519"', r"credential\.keypair\.make"),
        ('shown = "public"', 'shown = "public"\nkey = "utf8"', r"credential\.keypair\.key: a key pair"),
        ('"rsa-pkcs1v15-sha256"', '"rsa-pss-sha256"', r"signature\.0\.algorithm: 'rsa-pss-sha256' is not known"),
        ('"rsa-pkcs1v15-sha256"', '"hmac-sha256"', r"signature\.0\.algorithm: .*kind text or whsec"),
        ('"rsa-pkcs1v15-sha256"', '"ed25519"', r"signature\.0\.algorithm: .*kind ed25519"),
        ('prehash = "sha256"', 'prehash = "md5"', r"signature\.0\.prehash: 'md5' is not known; known are sha256"),
    ],
)
def test_a_wrong_pair_or_algorithm_refuses_to_load(tmp_path, old, new, reason):
    """File, key and reason."""
    assert RSA_PROFILE.count(old) == 1
    with pytest.raises(ConfigurationError, match=rf"minimal/profile\.toml: {reason}"):
        load_profile(write_profile(tmp_path, RSA_PROFILE.replace(old, new)))


def test_a_profile_has_one_pair_at_most(tmp_path):
    """Both would be given as `private_key`."""
    more = '[credential.other]\nkind = "ed25519"\nmake = "ed25519"\nshown = "public"\n[[signature]]\n'
    with pytest.raises(ConfigurationError, match=r"credential: at most one key pair"):
        load_profile(write_profile(tmp_path, RSA_PROFILE.replace("[[signature]]\n", more)))


def test_the_small_algorithm_is_the_small_profile_s(tmp_path):
    """A shared secret can't be used by a key pair's algorithm."""
    toml = changed('algorithm = "hmac-sha256"', 'algorithm = "rsa-pkcs1v15-sha256"')
    with pytest.raises(ConfigurationError, match=r"signature\.0\.algorithm: .*'secret'; it needs one of kind rsa-2048"):
        load_profile(write_profile(tmp_path, toml))
