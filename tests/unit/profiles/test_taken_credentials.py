"""Whatever text a profile takes as a credential, its signer signs with and sends: nobody saves what waits for ever."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookspan.egress.sending import _HEADER_LINES
from hookspan.errors import InvalidCredential
from hookspan.profiles import EXAMPLES, SHIPPED, LiveSecret, load_profile
from hookspan.profiles._key_pairs import KEY_PAIRS

ALL = [load_profile(path) for path in sorted((*SHIPPED.iterdir(), *EXAMPLES.iterdir()))]
KINDS = [(profile, kind) for profile in ALL for kind in profile.credentials]
PEM = KEY_PAIRS["rsa-2048"].make()

# Control characters are rare in free text, so they are asked for besides.
TEXTS = st.text(max_size=60) | st.text(st.characters(max_codepoint=0xFF), max_size=60)
WHSEC = st.binary(min_size=20, max_size=70).map(lambda raw: "whsec_" + base64.b64encode(raw).decode())
WHSK = st.binary(min_size=30, max_size=34).map(lambda raw: "whsk_" + base64.b64encode(raw).decode())
PEMS = st.sampled_from([PEM, PEM + "\n\n", "\n" + PEM, PEM.replace("\n", "\r\n"), PEM[:-40]])
GIVEN = TEXTS | WHSEC | WHSK | PEMS

SECRETS = {
    profile.name: [
        LiveSecret(one.name, one.secret)
        for one in profile.new_credentials(
            {"secret": "s" * 32} if profile.name == "bridge-lms" else None, may_give="operator"
        )
    ]
    for profile in ALL
}


def lines_of(profile, secrets):
    name = next((one.type for one in profile.catalog()), "order.paid")
    return profile.signer(secrets)("evt_1", 1_700_000_000_000, b"{}", name)


@pytest.mark.parametrize(("profile", "kind"), KINDS, ids=[f"{one.name}-{kind.name}" for one, kind in KINDS])
@settings(max_examples=120)
@given(text=GIVEN)
def test_what_is_taken_is_signed_with(profile, kind, text):
    """By each profile, alone and as a second one (`also_sign`), where its lines go beside another's. And egress takes
    the lines.
    """
    try:
        taken = profile.new_credentials({kind.given_as: text}, may_give="operator")
    except InvalidCredential:
        return
    lines = lines_of(profile, [LiveSecret(one.name, one.secret) for one in taken])
    assert lines.endswith(b"\r\n")
    for other in (one for one in ALL if not one.header_names & profile.header_names):
        both = lines_of(other, SECRETS[other.name]) + lines
        assert _HEADER_LINES.fullmatch(both)
        assert profile.mask(other.mask(both)).endswith(profile.mask(lines))


@pytest.mark.parametrize("character", [chr(code) for code in range(0x80)])
def test_a_token_is_any_text_of_one_line(character):
    """Between other letters, every character but CR, LF and NUL is taken and sent as it is."""
    profile = load_profile(SHIPPED / "bridge-lms")
    text = f"a{character}b"
    if character in "\r\n\0":
        with pytest.raises(InvalidCredential, match="line break or NUL"):
            profile.new_credentials({"token": text}, may_give="configurer")
        return
    taken = profile.new_credentials({"token": text}, may_give="configurer")
    lines = lines_of(profile, [LiveSecret(one.name, one.secret) for one in taken])
    assert lines == b"Authorization: Bearer " + text.encode() + b"\r\n"
    assert profile.mask(lines) == b"Authorization: Bearer ***\r\n"


@pytest.mark.parametrize("text", [" a", "a ", "\ta", "a\t", "\x0ba", "a\x1f", "\xa0a", "a\u2003"])
def test_outer_white_space_is_refused(text):
    """No header can carry it, and a receiver's copy would lack it."""
    profile = load_profile(SHIPPED / "bridge-lms")
    with pytest.raises(InvalidCredential, match="white space"):
        profile.new_credentials({"token": text}, may_give="configurer")


def test_no_repr_shows_a_secret():
    """Whatever prints one: a debugger, a log, a test that fails."""
    made = load_profile(SHIPPED / "standard").new_credentials(None, may_give="operator")[0]
    for one in (made, LiveSecret(made.name, made.secret), [made]):
        assert made.secret.decode() not in repr(one)
        assert made.secret.decode() not in f"{one} {one!r}"
        assert "secret" in repr(one)
