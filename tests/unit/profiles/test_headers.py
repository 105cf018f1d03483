"""Headers that say the event's type, names that a profile's lines have, and every shared-secret algorithm."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookspan.errors import ConfigurationError, InvalidCredential
from hookspan.profiles import LiveSecret, load_profile, load_profiles
from tests.unit.profiles._folders import MINIMAL, THING, changed, write_profile

SECRET = LiveSecret("secret", b"a secret")
BODY = b'{"a":1}'
HEADERS = """[[header]]
name = "X-Type"
value = "{type} of {event.id}"
[[header]]
name = "X-Group"
value = "{type.group}"
[[header]]
name = "X-Verb"
value = "{type.verb}"
[[header]]
name = "X-Key"
value = "{type.key}"
[[header]]
name = "X-Id"
value = "{event.id}"
[[signature]]
"""


def toml_of(headers):
    toml = changed("[[signature]]\n", headers) + 'part = { title = "Parts", key = "p-1", verbs = ["made"] }\n'
    return toml.replace(
        "[credential.secret]", '[credential.token]\nkind = "text"\nshown = "never"\n[credential.secret]'
    )


def load(tmp_path, headers=HEADERS):
    return load_profile(write_profile(tmp_path, toml_of(headers), files={"thing.json": THING, "part.json": THING}))


def read(lines):
    assert lines.endswith(b"\r\n")
    return dict(line.split(": ", 1) for line in lines.decode().removesuffix("\r\n").split("\r\n"))


def test_headers_say_the_type_and_what_the_catalog_knows_of_it(tmp_path):
    """Each request its own; signatures and other headers as ever."""
    sign = load(tmp_path).signer([SECRET])
    signature = hmac.new(SECRET.secret, BODY, "sha256").hexdigest()
    assert read(sign("evt_1", 0, BODY, "part.made")) == {
        "X-Type": "part.made of evt_1",
        "X-Group": "part",
        "X-Verb": "made",
        "X-Key": "p-1",
        "X-Id": "evt_1",
        "X-Signature": signature,
    }
    assert read(sign("evt_2", 0, BODY, "thing.lost"))["X-Type"] == "thing.lost of evt_2"


def test_a_header_is_absent_for_a_type_without_what_it_asks_for(tmp_path):
    """The group has no such text; or the type is a test's, outside the catalog, and so a group of its own."""
    sign = load(tmp_path).signer([SECRET])
    assert set(read(sign("evt_1", 0, BODY, "thing.made"))) == {"X-Type", "X-Group", "X-Verb", "X-Id", "X-Signature"}
    of_test = read(sign("evt_1", 0, BODY, "ping"))
    assert set(of_test) == {"X-Type", "X-Group", "X-Id", "X-Signature"}
    assert of_test["X-Group"] == "ping"


@pytest.mark.parametrize("event_type", ["a\r\nx: y", "a\n", "a\0"])
def test_a_type_can_t_add_a_header(tmp_path, event_type):
    """Nor an id; no catalog has such a type, but who knows what was stored."""
    sign = load(tmp_path).signer([SECRET])
    with pytest.raises(InvalidCredential):
        sign("evt_1", 0, BODY, event_type)
    with pytest.raises(InvalidCredential):
        sign(event_type, 0, BODY, "thing.made")


def test_an_open_catalog_takes_no_type_that_a_header_could_not_carry(tmp_path):
    """Whatever its pattern says."""
    toml = MINIMAL[: MINIMAL.index("[catalog]")] + "[catalog]\ntype = '(?s).+'\nopen = true\n"
    headers = '[[header]]\nname = "X-Type"\nvalue = "{type}"\n[[signature]]\n'
    profile = load_profile(write_profile(tmp_path, toml.replace("[[signature]]\n", headers), files={}))
    assert profile.takes_type("any thing")
    assert not profile.takes_type("any\r\nthing")
    assert read(profile.signer([SECRET])("evt_1", 0, BODY, "a.b"))["X-Type"] == "a.b"
    for reference in ("{type.group}", "{type.key}"):
        other = toml.replace("[[signature]]\n", headers.replace("{type}", reference))
        with pytest.raises(ConfigurationError, match=r"header\.0\.value: .*known are \{type\}"):
            load_profile(write_profile(tmp_path / reference[1:-1], other, files={}))


def test_a_header_of_type_and_credential_is_absent_without_the_one_and_masked_with_it(tmp_path):
    headers = '[[header]]\nname = "X-Both"\nvalue = "{type} {credential.token}"\n[[signature]]\n'
    toml = toml_of(headers).replace('key = "p-1", ', "")
    profile = load_profile(write_profile(tmp_path, toml, files={"thing.json": THING, "part.json": THING}))
    assert set(read(profile.signer([SECRET])("evt_1", 0, BODY, "thing.made"))) == {"X-Signature"}
    lines = profile.signer([SECRET, LiveSecret("token", b"CANARY")])("evt_1", 0, BODY, "thing.made")
    assert read(lines)["X-Both"] == "thing.made CANARY"
    assert b"CANARY" not in profile.mask(lines)
    assert b"X-Both: *** ***\r\n" in profile.mask(lines)


def test_the_names_of_all_lines_are_known(tmp_path):
    """In lower case, whether they are sent for a certain type and webhook or not."""
    profile = load(tmp_path)
    assert profile.header_names == {"x-type", "x-group", "x-verb", "x-key", "x-id", "x-signature"}
    standard = load_profiles().get("standard")
    assert standard.header_names == {"webhook-id", "webhook-timestamp", "webhook-signature"}


def test_credentials_that_are_sent_as_they_are_are_known(tmp_path):
    """Whoever gets a request learns them; secrets and key pairs are no such."""
    headers = '[[header]]\nname = "Authorization"\nvalue = "Bearer {credential.token}"\n[[signature]]\n'
    toml = toml_of(headers).replace('key = "p-1", ', "")
    profile = load_profile(write_profile(tmp_path, toml, files={"thing.json": THING, "part.json": THING}))
    assert profile.sent_credentials == {"token"}
    assert load_profiles().get("standard").sent_credentials == set()


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (HEADERS.replace("{type.key}", "{type.colour}"), r"header\.3\.value: no group has a text 'colour'"),
        (HEADERS.replace("{type.key}", "{type.key:s}"), r"header\.3\.value: \{type\.key:s\} is not known here"),
        (HEADERS.replace("{type.key}", "{type.key?}"), r"header\.3\.value: \{type\.key\?\} is not known here"),
        (HEADERS.replace("{type.key}", "{type | type.key}"), r"header\.3\.value: alternatives"),
        (HEADERS.replace("X-Id", "x-type"), r"header\.4\.name: there is another header 'x-type'"),
        (HEADERS.replace("X-Id", "x-Signature"), r"header\.4\.name: there is another header 'x-Signature'"),
    ],
)
def test_a_wrong_header_refuses_to_load(tmp_path, headers, reason):
    """File, key and reason."""
    toml = toml_of(headers)
    if "{type.key" not in headers:
        toml = toml.replace('key = "p-1", ', "")
    with pytest.raises(ConfigurationError, match=rf"minimal/profile\.toml: {reason}"):
        load_profile(write_profile(tmp_path, toml, files={"thing.json": THING, "part.json": THING}))


# --- algorithms -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def signing(tmp_path_factory):
    """The small profile, by algorithm."""

    def made(name, more=""):
        toml = changed('algorithm = "hmac-sha256"', f'algorithm = "{name}"{more}')
        return load_profile(write_profile(tmp_path_factory.mktemp("p"), toml))

    return {name: made(name) for name in ("hmac-sha1", "hmac-sha256", "hmac-sha512")} | {
        "prehashed": made("hmac-sha256", '\nprehash = "sha256"')
    }


@pytest.mark.parametrize("name", ["sha1", "sha256", "sha512"])
@given(key=st.binary(min_size=1, max_size=150), body=st.binary(max_size=300))
def test_every_hmac_agrees_with_the_standard_library(signing, name, key, body):
    """Also for keys longer than a block, which are hashed first."""
    secret = LiveSecret("secret", base64.b16encode(key))
    lines = signing[f"hmac-{name}"].signer([secret])("evt_1", 0, body, "thing.made")
    assert lines == f"X-Signature: {hmac.new(secret.secret, body, name).hexdigest()}\r\n".encode()


def test_a_prehash_is_what_is_signed(signing):
    """The digest's bytes instead of the message."""
    lines = signing["prehashed"].signer([SECRET])("evt_1", 0, BODY, "thing.made")
    wanted = hmac.new(SECRET.secret, hashlib.sha256(BODY).digest(), "sha256").hexdigest()
    assert lines == f"X-Signature: {wanted}\r\n".encode()
