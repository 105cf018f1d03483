"""What the sender's half signs, the receiver's half accepts: every shipped profile and every example.

That both agree proves little alone, as they read the same file; test_vectors.py has what others say.
"""

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookspan.profiles import EXAMPLES, LiveSecret, load_profile, load_profiles
from hookspan.verify import VerificationError, verify
from tests.unit.verify.signers import (
    ED25519,
    NOW_MS,
    NOW_S,
    SECRET,
    TOKEN,
    WHPK,
    WHSEC,
    private_pem,
    public_pem,
    rsa_key,
)

SHIPPED = load_profiles()
PROFILES = {name: SHIPPED.get(name) for name in SHIPPED.names} | {
    path.name: load_profile(path) for path in EXAMPLES.iterdir() if (path / "profile.toml").is_file()
}
WHSK = "whsk_" + base64.b64encode(ED25519.private_bytes_raw()).decode()
OTHER = "whsec_" + base64.b64encode(bytes(24)).decode()


def live(profile: str) -> list[tuple[LiveSecret, dict[str, Any]]]:
    """The secrets of a webhook, each with what a receiver is given for it."""
    if profile == "bridge-xyz":
        return [(LiveSecret("keypair", private_pem(rsa_key()).encode()), {"public_key": public_pem(rsa_key())})]
    text = WHSEC if profile in {"standard", "stripe-like"} else SECRET
    secrets: list[tuple[LiveSecret, dict[str, Any]]] = [(LiveSecret("secret", text.encode()), {"secret": text})]
    if profile == "standard":
        secrets.append((LiveSecret("keypair", WHSK.encode()), {"public_key": WHPK}))
    if profile == "bridge-lms":
        secrets.append((LiveSecret("token", TOKEN.encode()), {"token": TOKEN}))
    return secrets


def signed(profile: str, body: bytes, event_type: str, *secrets: LiveSecret) -> list[tuple[bytes, bytes]]:
    """The header lines of an attempt, as pairs."""
    lines = PROFILES[profile].signer(secrets)("evt_1", NOW_MS, body, event_type)
    return [(name, value) for name, _, value in (line.partition(b": ") for line in lines.splitlines())]


SAMPLES = [
    (name, entry.type, entry.sample, entry.context) for name, profile in PROFILES.items() for entry in profile.catalog()
] + [(name, "order.paid", b'{"n":1}', None) for name, profile in PROFILES.items() if not profile.catalog()]


@pytest.mark.parametrize(("name", "event_type", "content", "context"), SAMPLES)
def test_every_type_of_every_profile(name, event_type, content, context):
    """Rendered, signed, verified, read: the type is the one that was published, and data the content."""
    body = PROFILES[name].render(event_type, content, context, "evt_1", NOW_MS, "2d127766-02fa-44b0-9fc8-a67665dbf109")[
        0
    ]
    for secret, known in live(name):
        event = verify(name, headers=signed(name, body, event_type, secret), body=body, now=NOW_S, **known)
        assert event.type == event_type
        assert event.data.items() <= msgspec.json.decode(content).items()
        assert event.body == msgspec.json.decode(body)
        assert event.id == (None if name in {"bridge-api", "bridge-lms"} else "evt_1")
        assert event.at is None or int(event.at.timestamp()) == NOW_MS // 1000


@pytest.mark.parametrize("name", PROFILES)
def test_with_all_credentials_at_once(name):
    """And one changed bit of the body is refused for each alone."""
    both = live(name)
    headers = signed(name, b'{"n":1}', "order.paid", *[secret for secret, _ in both])
    known: dict[str, Any] = {key: value for _, one in both for key, value in one.items()}
    assert verify(name, headers=headers, body=b'{"n":1}', now=NOW_S, **known).body == {"n": 1}
    for one in [known, *[one for _, one in both if "token" not in one]]:
        with pytest.raises(VerificationError) as caught:
            verify(name, headers=headers, body=b'{"n":0}', now=NOW_S, **one)
        assert caught.value.code == "no_match"


@pytest.mark.parametrize("known", [WHSEC, OTHER])
@pytest.mark.parametrize("name", [name for name, profile in PROFILES.items() if "secret" in profile.rotatable])
def test_in_a_rotation_both_secrets_verify(name, known):
    """One who knows only the new secret, and one who knows only the old."""
    secrets = [LiveSecret("secret", OTHER.encode()), LiveSecret("secret", WHSEC.encode())]
    headers = signed(name, b"{}", "order.paid", *secrets)
    assert verify(name, headers=headers, body=b"{}", secret=known, now=NOW_S).body == {}


@given(st.dictionaries(st.text(max_size=5), st.integers(), max_size=3), st.integers(0, 4_000_000_000_000))
def test_any_content_at_any_time(data, at_ms):
    content = msgspec.json.encode(data)
    for name, secret in (("standard", WHSEC), ("bridge-api", SECRET)):
        profile = PROFILES[name]
        body = profile.render("item.created", content, None, "evt_1", at_ms, "")[0]
        lines = profile.signer([LiveSecret("secret", secret.encode())])("evt_1", at_ms, body, "item.created")
        pairs = [(name, value) for name, _, value in (line.partition(b": ") for line in lines.splitlines())]
        event = verify(name, headers=pairs, body=body, secret=secret, now=at_ms / 1000)
        assert (event.type, event.data) == ("item.created", data)
        assert event.at is not None
        assert int(event.at.timestamp()) == at_ms // 1000


@pytest.mark.parametrize("algorithm", ["hmac-sha256", "hmac-sha1", "hmac-sha512"])
@pytest.mark.parametrize("encoding", ["hex", "hex-upper", "base64"])
def test_what_an_operator_has_set_is_the_same_for_both(algorithm, encoding):
    settings = {
        "signature": {"header": "X-Acme", "algorithm": algorithm, "encoding": encoding, "each": "v1={sig};"},
        "header": {"name": "X-Token", "value": "Token {credential.token}"},
    }
    secrets = [LiveSecret("secret", SECRET.encode()), LiveSecret("token", TOKEN.encode())]
    lines = PROFILES["bridge-lms"].with_settings(settings).signer(secrets)("evt_1", NOW_MS, b"{}", "user.created")
    pairs = [(name, value) for name, _, value in (line.partition(b": ") for line in lines.splitlines())]
    assert {name for name, _ in pairs} == {b"X-Acme", b"X-Token"}
    assert verify("bridge-lms", headers=pairs, body=b"{}", secret=SECRET, token=TOKEN, settings=settings).body == {}
