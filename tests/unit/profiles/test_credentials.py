"""Who makes credentials, who may give them, what they must look like; and that no error repeats one."""

import base64
import re
import uuid

import pytest

from hookspan.errors import ConfigurationError, InvalidCredential, NotAllowed, NotRotatable, UnknownField
from hookspan.profiles import LiveSecret, load_profile, load_profiles
from tests.unit.profiles._folders import changed, write_profile

PROFILES = load_profiles()
BRIDGE = PROFILES.get("bridge-api")
STANDARD = PROFILES.get("standard")
DAY_MS = 86_400_000


def whsec(count):
    return "whsec_" + base64.b64encode(bytes(count)).decode()


def test_bridge_api_makes_a_uuid_and_shows_it_once():
    made = BRIDGE.new_credentials(None, may_give="configurer")
    assert [one.name for one in made] == ["secret"]
    assert made[0].shown is not None
    assert uuid.UUID(made[0].shown).version == 4
    assert made[0].secret == made[0].shown.encode()
    assert made[0].public is None


def test_standard_makes_a_secret_of_32_bytes():
    """A secret or a key pair: the first one when neither is given."""
    made = STANDARD.new_credentials({}, may_give="configurer")
    assert [one.name for one in made] == ["secret"]
    assert made[0].shown is not None
    assert made[0].shown.startswith("whsec_")
    assert len(base64.b64decode(made[0].shown.removeprefix("whsec_"))) == 32
    assert made[0].secret != STANDARD.new_credentials(None, may_give="configurer")[0].secret


@pytest.mark.parametrize("count", [16, 32, 64])
def test_a_text_may_be_random_bytes_as_lower_hex(tmp_path, count):
    profile = load_profile(write_profile(tmp_path, changed('make = "uuid4"', f'make = "hex:{count}"')))
    (made,) = profile.new_credentials(None, may_give="configurer")
    assert re.fullmatch(rb"[0-9a-f]{%d}" % (2 * count), made.secret)
    assert made.shown == made.secret.decode()
    assert made.secret != profile.new_credentials(None, may_give="configurer")[0].secret


def test_a_profile_names_what_can_be_rotated(tmp_path):
    assert STANDARD.rotatable == ("secret", "keypair")
    assert BRIDGE.rotatable == ("secret",)
    assert load_profile(write_profile(tmp_path)).rotatable == ()


def test_a_profile_lists_its_credentials():
    """Under the names that they are given and kept by, with who makes and gives them."""
    found = [(one.name, one.given_as, one.may_give, one.is_made, one.shown) for one in STANDARD.credentials]
    assert found == [
        ("secret", "secret", ("configurer", "operator"), True, "once"),
        ("keypair", "private_key", ("operator",), True, "public"),
    ]
    STANDARD.check_complete({"keypair"})
    with pytest.raises(InvalidCredential):
        STANDARD.check_complete({"token"})


@pytest.mark.parametrize("count", [24, 32, 64])
def test_a_given_secret_is_taken_and_not_shown(count):
    """Who gave it knows it."""
    (taken,) = STANDARD.new_credentials({"secret": whsec(count)}, may_give="configurer")
    assert taken.secret == whsec(count).encode()
    assert taken.shown is None


@pytest.mark.parametrize("both_halves", [False, True])
def test_an_operator_may_import_a_key_pair(both_halves):
    """RFC 8032's first vector; some tools keep the public half behind the private one."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    given = "whsk_" + base64.b64encode(seed + public if both_halves else seed).decode()
    (pair,) = STANDARD.new_credentials({"private_key": given}, may_give="operator")
    assert pair.name == "keypair"
    assert pair.public == "whpk_" + base64.b64encode(public).decode()
    assert pair.shown is None
    STANDARD.signer([LiveSecret(pair.name, pair.secret)])


@pytest.mark.parametrize(
    ("profile", "given"),
    [(BRIDGE, {"secret": "x"}), (STANDARD, {"private_key": "x"})],
)
def test_who_may_not_give_is_told_who_may(profile, given):
    with pytest.raises(NotAllowed, match="operator"):
        profile.new_credentials(given, may_give="configurer")


@pytest.mark.parametrize("name", ["token", "keypair", "public_key"])
def test_an_unknown_credential_is_named(name):
    with pytest.raises(UnknownField) as caught:
        STANDARD.new_credentials({name: "x"}, may_give="operator")
    assert caught.value.errors[0].pointer == f"/credentials/{name}"


CANARY = "CANARY"


@pytest.mark.parametrize(
    ("profile", "name", "text", "reason"),
    [
        (BRIDGE, "secret", "", "0 characters"),
        (BRIDGE, "secret", CANARY * 200, "1,200 characters"),
        (BRIDGE, "secret", CANARY + "\r\nx: y", "line break"),
        (BRIDGE, "secret", CANARY + "\0", "NUL"),
        (BRIDGE, "secret", " " + CANARY, "white space"),
        (BRIDGE, "secret", CANARY + "\ud800", "surrogate"),
        (STANDARD, "secret", "whsec_" + CANARY, "base64"),
        (STANDARD, "secret", "whsec_" + "-_" * 16, "base64"),
        (STANDARD, "secret", "whsec_" + "é" * 32, "base64"),
        (STANDARD, "secret", whsec(23), "23 bytes"),
        (STANDARD, "secret", whsec(65), "65 bytes"),
        (STANDARD, "private_key", CANARY, "whsk_"),
        (STANDARD, "private_key", "whsk_" + CANARY * 200, "1,205 characters"),
        (STANDARD, "private_key", "whsk_" + CANARY + "\r\n", "line break"),
        (STANDARD, "private_key", "whsk_" + base64.b64encode(bytes(31)).decode(), "31 bytes"),
        (STANDARD, "private_key", "whsk_" + base64.b64encode(bytes(64)).decode(), "public half"),
    ],
)
def test_what_is_wrong_with_a_given_one_is_said_without_repeating_it(profile, name, text, reason):
    with pytest.raises(InvalidCredential, match=reason) as caught:
        profile.new_credentials({name: text}, may_give="operator")
    assert caught.value.errors[0].pointer == f"/credentials/{name}"
    assert CANARY not in str(caught.value.errors) + caught.value.detail
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(("profile", "name"), [(BRIDGE, "secret"), (STANDARD, "secret"), (STANDARD, "keypair")])
def test_rotation_overlaps_by_a_day_with_two_live(profile, name):
    assert profile.rotation(name) == (DAY_MS, 2)


def test_a_successor_is_made_or_given():
    made = BRIDGE.rotated("secret", None, may_give="configurer")
    assert made.shown == made.secret.decode()
    pair = STANDARD.rotated("keypair", None, may_give="configurer")
    assert pair.public is not None
    assert pair.public.startswith("whpk_")
    assert pair.shown is None
    assert STANDARD.rotated("secret", whsec(24), may_give="configurer").secret == whsec(24).encode()
    with pytest.raises(NotAllowed):
        BRIDGE.rotated("secret", "x", may_give="configurer")


def test_what_can_t_be_rotated(tmp_path):
    minimal = load_profile(write_profile(tmp_path))
    for profile, name in ((minimal, "secret"), (STANDARD, "nope")):
        with pytest.raises(NotRotatable):
            profile.rotation(name)
        with pytest.raises(NotRotatable):
            profile.rotated(name, None, may_give="operator")


def test_what_is_required_and_made_by_no_one_must_be_given(tmp_path):
    given_only = load_profile(write_profile(tmp_path, changed('make = "uuid4"\n', "")))
    with pytest.raises(InvalidCredential, match="must be given"):
        given_only.new_credentials(None, may_give="operator")
    assert given_only.new_credentials({"secret": "x"}, may_give="operator")[0].secret == b"x"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('make = "uuid4"', 'make = "dice"', r"credential\.secret\.make: 'dice'"),
        ('make = "uuid4"', 'make = "whsec:32"', r"credential\.secret\.make"),
        ('make = "uuid4"', 'make = "hex:15"', r"credential\.secret\.make: 'hex:15'.*hex:16"),
        ('make = "uuid4"', 'make = "hex:65"', r"credential\.secret\.make"),
        ('make = "uuid4"', 'make = "rsa-2048"', r"credential\.secret\.make: 'rsa-2048' makes no text"),
        ('kind = "text"', 'kind = "whsec"', r"credential\.secret\.make"),
        ('kind = "text"', 'kind = "ed25519"', r"credential\.secret\.make"),
        ('kind = "text"', 'kind = "rune"', r"credential\.secret\.kind"),
        ("required = true", 'required = "perhaps"', r"credential\.secret\.required"),
        ("required = true", 'required = true\nkey = "md5"', r"credential\.secret\.key"),
        ("required = true", 'required = true\nkey = "base64_after_prefix:9-8"', r"credential\.secret\.key"),
        ("required = true", 'required = true\nrotate = {overlap="99d", live=2}', r"secret\.rotate\.overlap"),
        ("required = true", 'required = true\nrotate = {overlap="1d", live=0}', r"secret\.rotate\.live"),
    ],
)
def test_a_wrong_credential_refuses_to_load(tmp_path, old, new, reason):
    with pytest.raises(ConfigurationError, match=reason):
        load_profile(write_profile(tmp_path, changed(old, new)))
