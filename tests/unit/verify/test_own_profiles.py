"""Profiles beside the shipped ones, by their folder; what an operator has set; profiles that can't be verified."""

import base64
import hmac
import re
from pathlib import Path
from typing import Any

import pytest

from hookspan.verify import VerificationError, verify
from tests.unit.verify.signers import LMS_BODY, NOW_MS, NOW_S, SECRET, TOKEN

MAC = hmac.digest(SECRET.encode(), LMS_BODY, "sha256")

# As small as can be: the receiver's half needs no more than this of a profile.
PROFILE = """
format = 1
title = "Acme"
settable = ["signature.header", "retry.*"]
[credential.secret]
kind = "text"
[[header]]
name = "Acme-Event"
value = "{type}"
[[header]]
name = "Acme-Delivery"
value = "{event.id}"
[[signature]]
credential = "secret"
header = "Acme-Signature"
algorithm = "hmac-sha256"
signed = "{event.id}:{type}:{attempt.at:s}.{body}"
encoding = "hex"
each = "<{sig}>"
join = ";"
value = "at {attempt.at:s} [{signatures}]"
[read]
type = "{header.Acme-Event}"
id = "{header.Acme-Delivery}"
at = "{body.sent:s}"
data = "{body.data.object}"
tolerance = { past = "90s", future = "500ms" }
"""
BODY = b'{"sent":1767225600,"data":{"object":{"n":1}}}'


def folder(parent: Path, text: str = PROFILE) -> Path:
    path = parent / "acme"
    path.mkdir(exist_ok=True)
    (path / "profile.toml").write_text(text, encoding="utf-8")
    return path


def request(at_s=NOW_MS // 1000, *, count=1):
    mac = hmac.digest(SECRET.encode(), b"evt:a.b:%d." % at_s + BODY, "sha256").hex()
    signatures = ";".join([f"<{'0' * 64}>"] * (count - 1) + [f"<{mac}>"])
    headers = {"Acme-Event": "a.b", "Acme-Delivery": "evt", "Acme-Signature": f"at {at_s} [{signatures}]"}
    return {"headers": headers, "body": BODY, "secret": SECRET, "now": NOW_S}


def code_of(profile, **given):
    with pytest.raises(VerificationError) as caught:
        verify(profile, **given)
    return caught.value.code


# --- by path ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2])
def test_a_profile_of_one_s_own_by_the_path_of_its_folder(tmp_path, monkeypatch, count):
    """As a Path or as text. The type comes from a header; id, type and a time inside the signature's header are
    signed.
    """
    path = folder(tmp_path)
    monkeypatch.chdir(tmp_path)
    for profile in (path, str(path), Path("acme"), "./acme"):
        event = verify(profile, **request(count=count))
        assert (event.type, event.id, event.data) == ("a.b", "evt", {"n": 1})
        assert event.at is not None
        assert event.at.timestamp() == 1767225600


def test_everything_that_it_signs_is_checked(tmp_path):
    path, good = folder(tmp_path), request()
    for name, value in (("Acme-Event", "a.c"), ("Acme-Delivery", "evt2")):
        assert code_of(path, **{**good, "headers": {**good["headers"], name: value}}) == "no_match"
    assert code_of(path, **{**good, "body": BODY + b" "}) == "no_match"
    assert code_of(path, **request(NOW_MS // 1000 - 91)) == "timestamp_too_old"
    assert code_of(path, **request(NOW_MS // 1000 + 1)) == "timestamp_in_future"
    for changed in ("at 1767225600", "at 1767225600 []", "at 1767225600 [x]", " at 1767225600 [<x>]"):
        headers = {**good["headers"], "Acme-Signature": changed}
        assert code_of(path, **{**good, "headers": headers}) == "malformed_header"


def test_several_signatures_on_headers_of_their_own(tmp_path):
    """Both are required, as the sender writes both: taking either would let the weaker one decide."""
    second = """
[[signature]]
credential = "secret"
header = "Acme-Signature-1"
algorithm = "hmac-sha1"
signed = "{body}"
encoding = "base64"
"""
    path = folder(tmp_path, PROFILE.replace("[read]", f"{second}[read]"))
    good = request()
    assert code_of(path, **good) == "missing_header"
    good["headers"]["Acme-Signature-1"] = base64.b64encode(hmac.digest(SECRET.encode(), BODY, "sha1")).decode()
    assert verify(path, **good)
    good["headers"]["Acme-Signature-1"] = base64.b64encode(bytes(20)).decode()
    assert code_of(path, **good) == "no_match"


@pytest.mark.parametrize("name", ["nope", "", "acme"])
def test_a_profile_that_does_not_exist(name):
    with pytest.raises(ValueError, match="there are bridge-api, bridge-lms, bridge-xyz, standard"):
        verify(name, headers={}, body=b"", secret="x")


@pytest.mark.parametrize("name", ["../standard", "/nowhere/acme", Path("nowhere")])
def test_a_folder_that_does_not_exist(name):
    with pytest.raises(ValueError, match=r"profile.toml can't be read"):
        verify(name, headers={}, body=b"", secret="x")


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("format = 1", "format = ", "can't be read"),
        ('[credential.secret]\nkind = "text"', "", "is no profile"),
        ('data = "{body.data.object}"', "", "is no profile"),
        ('algorithm = "hmac-sha256"', 'algorithm = "md5"', "signature.algorithm"),
        ('encoding = "hex"', 'encoding = "rot13"', "signature.encoding"),
        ('each = "<{sig}>"', 'each = "x"', "signature.each"),
        ("[{signatures}]", "[]", "signature.value"),
        ('value = "{type}"', 'value = "x"', "signature.signed: no header carries {type}"),
        ('past = "90s"', 'past = "soon"', "read.tolerance"),
    ],
)
def test_a_profile_that_no_receiver_could_verify(tmp_path, old, new, what):
    """The file is named; `hookspan profiles check` says more."""
    assert old in PROFILE
    path = folder(tmp_path, PROFILE.replace(old, new))
    with pytest.raises(ValueError, match=re.escape(what)):
        verify(path, **request())


# --- settings ---------------------------------------------------------------------------------------------------------


def test_a_header_of_the_operator_s():
    settings = {"signature": {"header": "X-Acme", "encoding": "base64", "each": "sha256={sig}"}}
    value = f"sha256={base64.b64encode(MAC).decode()}"
    event = verify("bridge-lms", headers={"x-acme": value}, body=LMS_BODY, secret=SECRET, settings=settings)
    assert event.type == "user.deleted"
    given: Any = {"headers": {"x-bridge-signature": MAC.hex()}, "body": LMS_BODY, "secret": SECRET}
    assert verify("bridge-lms", **given)
    assert code_of("bridge-lms", **given, settings=settings) == "missing_header"


def test_a_token_s_header_of_the_operator_s():
    settings = {"header": {"name": "X-Token", "value": "{credential.token}"}}
    given: Any = {"headers": {"X-Token": "plain"}, "body": LMS_BODY, "token": "plain", "settings": settings}
    assert verify("bridge-lms", **given)
    assert code_of("bridge-lms", **{**given, "token": TOKEN}) == "wrong_token"
    assert code_of("bridge-lms", **{**given, "headers": {"Authorization": "Bearer plain"}}) == "missing_token"


def test_settings_that_are_not_a_receiver_s_are_left_alone():
    """A receiver may pass all that the operator has set."""
    settings = {"retry": {"until": "48h"}, "validate": False, "limits": {"webhooks": 3}}
    assert verify(
        "bridge-lms", headers={"X-Bridge-Signature": MAC.hex()}, body=LMS_BODY, secret=SECRET, settings=settings
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"signatur": {"header": "X"}},
        {"signature": {"headers": "X"}},
        {"signature": {"signed": "x"}},
        {"signature": "X"},
        {"signature": {"header": 5}},
        {"signature": {"encoding": "rot13"}},
        {"signature": {"algorithm": "md5"}},
        {"signature": {"each": "x"}},
        {"credential": {"token": "x"}},
        [],
        5,
        {"signature": {"header": b"X"}},
    ],
)
def test_settings_that_the_profile_does_not_have(settings):
    """A typo must not leave the defaults in force."""
    with pytest.raises(ValueError, match=r"settings|signature"):
        verify("bridge-lms", headers={}, body=b"", secret=SECRET, settings=settings)
    with pytest.raises(ValueError, match="settings"):
        verify("bridge-api", headers={}, body=b"", secret=SECRET, settings={"signature": {"header": "X"}})


@pytest.mark.parametrize(
    "text",
    [
        PROFILE.replace(":{attempt.at:s}.{body}", ".{body}"),
        "a = " + "[" * 200_000,
        "a = " + "9" * 6_000,
        "a = 1 = 2",
    ],
    ids=["a tolerance of no signed time", "deep", "a long number", "no TOML"],
)
def test_a_profile_that_protects_nothing_or_can_t_be_read(tmp_path, text):
    """Never a traceback of a parser's, and never a tolerance that nobody keeps."""
    with pytest.raises(ValueError, match=r"read\.tolerance|can't be read"):
        verify(folder(tmp_path, text), **request())


def test_settings_too_deep_to_be_read(tmp_path):
    deep: Any = "x"
    for _ in range(100_000):
        deep = {"a": deep}
    try:
        with pytest.raises(ValueError, match="settings must be a tree of texts"):
            verify(folder(tmp_path), **request(), settings=deep)
    finally:
        while isinstance(deep, dict):  # taken apart by hand: to be freed it would recurse as deep
            deep = deep.popitem()[1]
