"""What is taken and what is refused, by its code; keys of every wrong kind; rotations."""

import base64
import datetime
import re
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import hookspan.verify
from hookspan.verify import VerificationError, verify
from hookspan.verify._errors import CODES
from hookspan.verify._keys import KEY_CHARS_MAX
from hookspan.verify._matching import KEYS_MAX, SIGNATURES_MAX
from hookspan.verify._reading import HEADERS_MAX
from hookspan.verify._text import VALUE_CHARS_MAX
from tests.unit.verify.signers import (
    API_BODY,
    ED25519,
    LMS_BODY,
    NOW_MS,
    NOW_S,
    SECRET,
    STANDARD_BODY,
    TOKEN,
    WAYS,
    WHPK,
    WHSEC,
    XYZ_BODY,
    api_header,
    lms_header,
    private_pem,
    public_pem,
    requests,
    rsa_key,
    standard_header,
    xyz_header,
)

OTHER_WHSEC = "whsec_" + base64.b64encode(bytes(24)).decode()
HOST_KEY = ec.generate_private_key(ec.SECP256R1())
DOCS = Path(__file__).parents[3] / "docs" / "receivers" / "README.md"


def refused(way, **changed):
    """How one of the good requests is refused after a change."""
    request = requests()[way]
    return refused_by(request.profile, **request.arguments(**changed))


def refused_by(profile, **arguments):
    with pytest.raises(VerificationError) as caught:
        verify(profile, **arguments)
    assert caught.value.code in CODES
    assert caught.value.detail == str(caught.value)
    return caught.value


# --- headers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_a_missing_header_is_named(way):
    """Missing and empty are the same."""
    headers = requests()[way].headers
    for name in headers:
        for changed in ({**headers, name: ""}, {other: headers[other] for other in headers if other != name}):
            error = refused(way, headers=changed)
            assert error.code == ("missing_token" if name == "Authorization" else "missing_header")
            assert name in error.detail


@pytest.mark.parametrize("way", WAYS)
def test_a_header_that_comes_twice_is_refused(way):
    """Two readers could take two values."""
    pairs = list(requests()[way].headers.items())
    for name, value in pairs:
        assert refused(way, headers=[*pairs, (name.upper(), value)]).code == "malformed_header"


MALFORMED = [
    ("standard", "webhook-timestamp", "1614265330.5"),
    ("standard", "webhook-timestamp", " 1614265330"),
    ("standard", "webhook-timestamp", "-1"),
    ("standard", "webhook-timestamp", "01614265330"),
    ("standard", "webhook-timestamp", "١٢٣"),
    ("standard", "webhook-timestamp", "9" * 400),
    ("standard", "webhook-id", "é"),
    ("standard", "webhook-id", "x" * 257),
    ("standard", "webhook-signature", "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ("standard", "webhook-signature", "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ("standard", "webhook-signature", "v1,"),
    ("bridge-api", "BridgeApi-Signature", "v1 = x"),
    ("bridge-api", "BridgeApi-Signature", "v2=FA"),
    ("bridge-api", "BridgeApi-Signature", "v1="),
    ("bridge-api", "BridgeApi-Signature", "bearer"),
    ("bridge-xyz", "X-Webhook-Signature", "v0=abc"),
    ("bridge-xyz", "X-Webhook-Signature", "v0=abc,t=1767225600125"),
    ("bridge-xyz", "X-Webhook-Signature", "t=,v0=abc"),
    ("bridge-xyz", "X-Webhook-Signature", "t=01767225600125,v0=abc"),
    ("bridge-xyz", "X-Webhook-Signature", "t=1767225600125, v0=abc"),
    ("bridge-xyz", "X-Webhook-Signature", "t=176722560012512345,v0=abc"),
    ("bridge-xyz", "X-Webhook-Signature", "t=1767225600125,v1=abc"),
]


@pytest.mark.parametrize(("way", "name", "value"), MALFORMED)
def test_a_malformed_header_is_told_from_a_wrong_signature(way, name, value):
    error = refused(way, headers={**requests()[way].headers, name: value})
    assert error.code == "malformed_header"
    assert name.lower() in error.detail.lower()


def test_signatures_are_bounded():
    good = requests()["bridge-api"].headers["BridgeApi-Signature"]
    most = ",".join([*["v1=x"] * (SIGNATURES_MAX - 1), good])
    assert verify("bridge-api", headers={"BridgeApi-Signature": most}, body=API_BODY, secret=SECRET)
    assert refused("bridge-api", headers={"BridgeApi-Signature": f"v1=x,{most}"}).code == "malformed_header"


def test_the_length_of_a_header_is_bounded():
    headers = {"BridgeApi-Signature": "v1=" + "A" * (VALUE_CHARS_MAX - 3)}
    assert refused("bridge-api", headers=headers).code == "no_match"
    headers["BridgeApi-Signature"] += "A"
    assert refused("bridge-api", headers=headers).code == "malformed_header"
    headers = {**requests()["bridge-lms"].headers, "Authorization": "A" * (VALUE_CHARS_MAX + 1)}
    assert refused("bridge-lms", headers=headers).code == "malformed_header"


def test_the_number_of_headers_is_bounded():
    pairs = [*requests()["bridge-api"].headers.items(), *[("x", "y")] * (HEADERS_MAX - 1)]
    assert verify("bridge-api", headers=pairs, body=API_BODY, secret=SECRET)
    assert refused("bridge-api", headers=[*pairs, ("x", "y")]).code == "malformed_header"


def test_other_versions_beside_ours_do_not_disturb():
    good = requests()["bridge-api"].headers["BridgeApi-Signature"]
    headers = {"BridgeApi-Signature": f"v0=abc,{good},v2=x"}
    assert verify("bridge-api", headers=headers, body=API_BODY, secret=SECRET)


@pytest.mark.parametrize("value", ["v1=\udcff", "v1=é"])
def test_a_signature_of_strange_letters_does_not_match(value):
    assert refused("bridge-api", headers={"BridgeApi-Signature": value}).code == "no_match"


def headers_of_the_standard_library() -> Message:
    message = Message()
    for name, value in requests()["standard"].headers.items():
        message[name] = value
    return message


class Items:
    """Headers as some framework has them: no mapping, but items()."""

    def items(self) -> list[tuple[str, str]]:
        return list(requests()["standard"].headers.items())


def test_headers_are_taken_as_they_come() -> None:
    """From http.server, from frameworks, as pairs, as bytes."""
    pairs = Items().items()
    as_bytes = [(name.encode(), value.encode()) for name, value in pairs]
    for headers in (headers_of_the_standard_library(), Items(), pairs, iter(pairs), as_bytes):
        assert verify("standard", headers=headers, body=STANDARD_BODY, secret=WHSEC, now=NOW_S)


@pytest.mark.parametrize("headers", [None, 5, "text: x", [1], ["abc"], [("a",)], {"a": 1}, [("a", None)], Items])
def test_headers_that_are_none_are_refused_in_our_words(headers) -> None:
    """Never a bare ValueError or TypeError."""
    assert refused("standard", headers=headers).code == "malformed_header"


# --- time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("way", "past_s", "future_s"), [("standard", 300, 300), ("bridge-xyz", 600, 60)])
def test_the_tolerance_and_its_edges(way, past_s, future_s):
    """The edge itself is still good; an aware datetime does as well as seconds."""
    request = requests()[way]
    signed_s = NOW_S if way == "bridge-xyz" else NOW_MS // 1000
    for now, code in ((signed_s + past_s, "timestamp_too_old"), (signed_s - future_s, "timestamp_in_future")):
        assert verify(request.profile, **request.arguments(now=now))
        beyond = now + (1 if code == "timestamp_too_old" else -1)
        assert refused(way, now=beyond).code == code
        assert refused(way, now=datetime.datetime.fromtimestamp(beyond, tz=datetime.UTC)).code == code


@pytest.mark.parametrize("way", ["bridge-api", "bridge-lms"])
def test_no_tolerance_where_the_signature_covers_no_time(way):
    request = requests()[way]
    assert verify(request.profile, **request.arguments(now=0))


# --- what the sender does wrong ---------------------------------------------------------------------------------------


def test_a_single_hash_is_told():
    headers = xyz_header(XYZ_BODY, rsa_key(), is_single=True)
    error = refused("bridge-xyz", headers=headers)
    assert error.code == "single_hash"
    assert "twice" in error.detail
    assert refused("bridge-xyz", headers=headers, body=XYZ_BODY + b" ").code == "no_match"


def test_hex_in_the_wrong_case_is_told():
    """Upper case where the profile writes it, lower where it writes that; nothing else is forgiven."""
    upper = requests()["bridge-api"].headers["BridgeApi-Signature"]
    lower = "v1=" + upper[3:].lower()
    assert refused("bridge-api", headers={"BridgeApi-Signature": lower}).code == "lower_case_hex"
    assert refused("bridge-api", headers={"BridgeApi-Signature": lower}, body=API_BODY + b" ").code == "no_match"
    headers = lms_header(LMS_BODY)
    headers["X-Bridge-Signature"] = headers["X-Bridge-Signature"].upper()
    assert refused("bridge-lms", headers=headers).code == "upper_case_hex"


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe", b"", b"[" * 100_000, b'{"timestamp":"x"}', b'{"timestamp":1e400}', b"[]", b"1", b"null", b'"a"',
        '{"timestamp":1}'.encode("utf-16"), '{"timestamp":1}'.encode("utf-16-le"), '{"timestamp":1}'.encode("utf-32"),
        '{"timestamp":1}'.encode("utf-8-sig"), b'{"timestamp":1,"a":NaN}', b'{"timestamp":1,"a":-Infinity}',
        b'{"timestamp":1,"a":"\xff"}', b'{"timestamp":' + b"9" * 6_000 + b"}",
    ],
)  # fmt: skip
def test_a_signed_body_of_the_wrong_form(body):
    """A sender with another idea of JSON is told from a forger."""
    error = refused("bridge-api", headers=api_header(body, SECRET), body=body)
    assert error.code == "malformed_body"
    assert "is genuine" in error.detail


@pytest.mark.parametrize("body", [b"{}", b'{"resource":"user"}', b'{"resource":[],"trigger":{}}'])
def test_a_signed_body_that_is_no_event(body):
    """The signature is right; what is not there is None."""
    event = verify("bridge-lms", headers=lms_header(body, token=None), body=body, secret=SECRET)
    assert (event.type, event.id, event.at, event.data) == (None, None, None, None)


def test_a_time_without_an_offset_is_no_time():
    """It would be read as local time, whatever that is."""
    body = XYZ_BODY.replace(b"465Z", b"465")
    assert refused("bridge-xyz", headers=xyz_header(body, rsa_key()), body=body).code == "malformed_body"


NO_TIMES = [float("nan"), float("inf"), float("-inf"), 10**400, datetime.datetime(2026, 5, 1)]  # noqa: DTZ001


@pytest.mark.parametrize("now", NO_TIMES, ids=str)
def test_a_present_that_is_no_time_is_refused(now):
    """Every comparison with NaN is false, so that an old request would be young; a naive time is some local one."""
    for request in requests().values():
        with pytest.raises(ValueError, match="now="):
            verify(request.profile, **request.arguments(now=now))


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_a_token_alone_and_a_secret_alone():
    """What is given is required, and only that."""
    ways: list[Any] = [{"token": TOKEN}, {"secret": SECRET}, {"token": TOKEN, "secret": SECRET}]
    for given in ways:
        headers = lms_header(LMS_BODY, given.get("secret"), given.get("token"))
        assert verify("bridge-lms", headers=headers, body=LMS_BODY, **given).type == "user.deleted"
    headers = lms_header(LMS_BODY, token=None)
    assert refused("bridge-lms", headers=headers).code == "missing_token"
    assert refused("bridge-lms", headers=lms_header(LMS_BODY, None)).code == "missing_header"


def test_a_token_however_its_letters_were_read():
    """Frameworks read a header's bytes as Latin-1, some as UTF-8."""
    for value in (f"Bearer {TOKEN}", f"Bearer {TOKEN}".encode()):
        assert verify("bridge-lms", headers=[("authorization", value)], body=LMS_BODY, token=TOKEN)


@pytest.mark.parametrize(
    "value", ["Bearer", "Bearer x", f"bearer {TOKEN}", TOKEN, f"Bearer  {TOKEN}", f"Basic {TOKEN}", f"Bearer {TOKEN} "]
)
def test_a_wrong_token(value):
    error = refused("bridge-lms", headers={**requests()["bridge-lms"].headers, "Authorization": value})
    assert error.code == "wrong_token"
    assert TOKEN not in error.detail


# --- constant time ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", range(3))
def test_every_secret_is_compared_with_every_signature(monkeypatch, place):
    """Wherever the right one stands, the same comparisons are made, all by `hmac.compare_digest`."""
    import hmac

    compared = []

    def compare(one, other, real=hmac.compare_digest):
        compared.append((one, other))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    secrets = ["first", "second", "third"]
    headers = api_header(API_BODY, *secrets)
    assert verify("bridge-api", headers=headers, body=API_BODY, secret=[secrets[place], "other"])
    assert len(compared) == 2 * 3
    compared.clear()
    assert verify("bridge-lms", headers=lms_header(LMS_BODY, None, "first"), body=LMS_BODY, token=["x", "first", "y"])
    assert len({one for one, _ in compared}) == 3


# --- keys of the wrong kind -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_CANARY", "whsec_" + "-_" * 20, "whsec_é", "whsec_Q0FOQVJZ"])
def test_a_secret_of_the_wrong_form_is_named_and_not_repeated(secret):
    error = refused("standard", secret=secret)
    assert error.code == "invalid_secret"
    assert secret.removeprefix("whsec_") == "" or secret not in error.detail


@pytest.mark.parametrize(
    ("secret", "hint"),
    [
        (WHSEC + "\n", "begins or ends with white space"),
        (" " + WHSEC, "begins or ends with white space"),
        (WHSEC.removeprefix("whsec_")[:-3], "begins with whsec_"),
        ("my secret", "begins with whsec_"),
        (WHSEC[:-1], "copy all of it.$"),
        ("whsec_Q0FOQVJZ", "copy all of it.$"),
    ],
)
def test_what_is_lost_or_added_on_the_way_is_hinted_at(secret, hint):
    """A line break of a file, a prefix that was left out."""
    error = refused("standard", secret=secret)
    assert error.code == "invalid_secret"
    assert re.search(hint, error.detail)
    assert secret.strip() not in error.detail


@pytest.mark.parametrize(("name", "code"), [("secret", "invalid_secret"), ("token", "invalid_secret")])
@pytest.mark.parametrize("value", [5, b"bytes", "", ["x", ""]])
def test_a_credential_that_is_no_text(name, code, value):
    assert refused("bridge-lms", **{name: value}).code == code


def certificate() -> str:
    import trustme

    return trustme.CA().cert_pem.bytes().decode()


def wrong_for_rsa():
    return {
        "secret": SECRET,
        "whsec": WHSEC,
        "whpk": WHPK,
        "private": private_pem(rsa_key()),
        "old private": "-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----",
        "ec": public_pem(HOST_KEY),
        "ed25519": public_pem(ED25519),
        "1024": public_pem(rsa_key(1024)),
        "3072": public_pem(rsa_key(3072)),
        "certificate": certificate(),
        "ssh": rsa_key().public_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        ).decode(),
    }  # fmt: skip


def test_only_an_rsa_public_key_of_2048_bits_does_for_bridge_xyz():
    details = set()
    for what, key in wrong_for_rsa().items():
        error = refused("bridge-xyz", public_key=key)
        assert error.code == "wrong_key_type", what
        assert key not in error.detail
        details.add(error.detail)
    assert len(details) >= 7


def test_a_public_key_that_can_t_be_read():
    pem = public_pem(rsa_key())
    for key in (pem[:200], pem.replace("M", "!"), "", " ", 5, b"x", pem + "x" * KEY_CHARS_MAX):
        assert refused("bridge-xyz", public_key=key).code == "invalid_public_key"
    for key in ("whpk_", "whpk_x", WHPK[:-4], WHPK + "AAAA", "whpk_é"):
        assert refused("standard by key", public_key=key).code == "invalid_public_key"


def test_a_public_key_in_another_dress():
    """CR LF, line breaks that became text in an environment variable, white space around it, the older PEM of RSA."""
    pem = public_pem(rsa_key())
    older = rsa_key().public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1).decode()
    for key in (pem.replace("\n", "\r\n"), pem.replace("\n", "\\n"), f"\n  {pem}  ", older):
        assert verify("bridge-xyz", **requests()["bridge-xyz"].arguments(public_key=key))


def test_only_an_ed25519_public_key_does_for_standard():
    private = "whsk_" + base64.b64encode(bytes(32)).decode()
    for key in (WHSEC, SECRET, public_pem(ED25519), public_pem(rsa_key()), private):
        assert refused("standard by key", public_key=key).code == "wrong_key_type"


@pytest.mark.parametrize("way", ["bridge-api", "bridge-lms", "standard"])
def test_a_public_key_is_never_taken_for_a_shared_secret(way):
    """Everyone could sign with it."""
    assert refused(way, secret=public_pem(rsa_key())).code == "wrong_key_type"
    assert refused(way, secret=private_pem(rsa_key())).code == "wrong_key_type"
    if way == "standard":
        assert refused(way, secret=WHPK).code == "wrong_key_type"


def test_a_credential_that_the_profile_does_not_have_is_not_left_unchecked():
    assert refused_by("bridge-xyz", headers={}, body=b"", secret=SECRET).code == "wrong_key_type"
    assert refused_by("bridge-api", headers={}, body=b"", public_key=public_pem(rsa_key())).code == "wrong_key_type"
    assert refused("bridge-api", token=TOKEN).code == "wrong_key_type"
    assert refused("bridge-xyz", secret=SECRET).code == "wrong_key_type"


@pytest.mark.parametrize(
    ("profile", "names"),
    [
        ("standard", "secret= or public_key="),
        ("bridge-api", "secret="),
        ("bridge-xyz", "public_key="),
        ("bridge-lms", "secret= or token="),
    ],
)
def test_nothing_to_verify_with(profile, names):
    """The programmer's mistake, not the request's; an empty list is the same."""
    empty: Any = {name.strip("="): [] for name in names.split(" or ")}
    given: Any
    for given in ({}, empty):
        with pytest.raises(ValueError, match=f"{names}$"):
            verify(profile, headers={}, body=b"", **given)


def test_the_number_of_keys_is_bounded():
    request = requests()["bridge-api"]
    assert verify("bridge-api", **request.arguments(secret=[*["x"] * (KEYS_MAX - 1), SECRET]))
    with pytest.raises(ValueError, match="at most 10"):
        verify("bridge-api", **request.arguments(secret=["x"] * (KEYS_MAX + 1)))


def test_a_body_that_was_decoded_is_refused_at_once():
    with pytest.raises(TypeError, match="raw bytes"):
        verify("bridge-api", headers={}, body="{}", secret=SECRET)  # type: ignore[arg-type]
    for body in (bytearray(API_BODY), memoryview(API_BODY)):
        assert verify("bridge-api", **requests()["bridge-api"].arguments(body=body))


def test_another_webhook_s_key_does_not_match():
    assert refused("standard", secret=OTHER_WHSEC).code == "no_match"
    assert refused("bridge-api", secret="other").code == "no_match"
    assert "white space" in refused("bridge-api", secret=SECRET + "\n").detail
    assert refused("bridge-xyz", headers=xyz_header(XYZ_BODY, other_rsa_key())).code == "no_match"


def other_rsa_key():
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(65537, 2048)


# --- rotations --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", ["new", "old", ["new", "old"], ["old", "new"], ["other", "old"], ("new",)])
def test_in_a_rotation_one_who_knows_either_accepts(known):
    """The sender signs with both, newest first; and a receiver may know both while the sender has but one."""
    headers = api_header(API_BODY, "new", "old")
    assert verify("bridge-api", headers=headers, body=API_BODY, secret=known)


@pytest.mark.parametrize("signed_with", ["new", "old"])
def test_a_receiver_that_knows_both_secrets(signed_with):
    headers = api_header(API_BODY, signed_with)
    assert verify("bridge-api", headers=headers, body=API_BODY, secret=["old", "new"])
    assert refused("bridge-api", headers=headers, secret=["older", "other"]).code == "no_match"


@pytest.mark.parametrize(
    "given", [{"secret": WHSEC}, {"public_key": WHPK}, {"secret": OTHER_WHSEC, "public_key": WHPK}]
)
def test_a_secret_beside_a_key_pair(given):
    """Both sign into one header; a receiver that knows either, or either of both, accepts."""
    headers = standard_header(STANDARD_BODY, WHSEC, ED25519)
    assert verify("standard", headers=headers, body=STANDARD_BODY, now=NOW_S, **given)


def test_key_pairs_and_tokens_may_be_several_too():
    new, old = rsa_key(), other_rsa_key()
    headers = xyz_header(XYZ_BODY, old)
    keys = [public_pem(new), public_pem(old)]
    assert verify("bridge-xyz", headers=headers, body=XYZ_BODY, public_key=keys, now=NOW_S)
    assert verify("bridge-lms", headers=lms_header(LMS_BODY), body=LMS_BODY, token=["new", TOKEN])


# --- the interface ----------------------------------------------------------------------------------------------------


def test_the_public_names():
    assert sorted(hookspan.verify.__all__) == ["VerificationError", "VerifiedEvent", "verify"]


def test_every_code_is_documented():
    """And the page has no code that does not exist."""
    rows = [line.split("|")[1].strip(" `") for line in DOCS.read_text("utf-8").splitlines() if line.startswith("| `")]
    assert [row for row in rows if "_" in row and row in CODES] == [row for row in rows if "_" in row]
    assert set(rows) >= CODES
