"""Every event type of every shipped profile, through the running server to a socket, is the golden bytes."""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from hookspan.profiles import load_profiles
from tests.wire._golden import FOLDER, Golden, golden
from tests.wire._receiver import Request
from tests.wire.conftest import Wire, WiredWebhook

pytestmark = pytest.mark.anyio

TOKEN = "a token, äöü"
SECRET = "a secret"
WEBHOOKS: dict[str, dict[str, Any]] = {
    "bridge-api": {"query": "?transaction-updated&sandbox", "events": ["user.*", "item.*", "payment.*"]},
    "bridge-lms": {
        "name": "HR",
        "events": [f"category:{one}" for one in ("user", "enrollment", "course_template", "live_course", "program")]
        + ["live_course_session_registration.*"],
        "credentials": {"token": TOKEN, "secret": SECRET},
    },
    "bridge-xyz": {},
    "standard": {},
}
GOLDEN = [
    pytest.param(profile, one, id=f"{profile}:{one.type}:{one.source}")
    for profile in WEBHOOKS
    for one in golden(profile)
]
# What the connection itself says, whatever the profile.
EVERYWHERE = {"host", "user-agent", "accept-encoding", "content-type", "content-length"}


@pytest.fixture(scope="module")
async def webhooks(wire: Wire) -> dict[str, WiredWebhook]:
    return {profile: await wire.webhook(profile, **members) for profile, members in WEBHOOKS.items()}


@pytest.mark.parametrize(("profile", "event"), GOLDEN)
async def test_the_body_and_the_headers_are_the_golden_ones(
    wire: Wire, webhooks: dict[str, WiredWebhook], profile: str, event: Golden
) -> None:
    """Byte for byte; and the lines that make up the signature have their names, their form, and a right value."""
    webhook = webhooks[profile]
    answer = await wire("POST", f"/v1/applications/{webhook.application_id}/events", event.request(), 202)
    request = await webhook.receiver.next(webhook.path)
    assert request.body == event.wire(answer["id"], webhook.application_uuid)
    assert (request.method, request.target) == ("POST", webhook.path + WEBHOOKS[profile].get("query", ""))
    assert request.header("content-type") == "application/json"
    HEADERS[profile](request, webhook.webhook, answer["id"])


# --- what the fact sheets say of the header lines, checked with nothing of ours -------------------------------------


def bridge_api(request: Request, webhook: dict[str, Any], _event_id: str) -> None:
    """Upper hex over the body alone; the secret's text is the key."""
    mac = hmac.digest(webhook["secret"].encode(), request.body, hashlib.sha256)
    assert request.header("BridgeApi-Signature") == f"v1={mac.hex().upper()}"
    assert own_names(request) == {"BridgeApi-Signature"}


def bridge_lms(request: Request, _webhook: dict[str, Any], _event_id: str) -> None:
    """The token as it was given; lower hex over the body alone."""
    assert request.header("Authorization").encode("latin-1").decode() == f"Bearer {TOKEN}"
    assert request.header("X-Bridge-Signature") == hmac.digest(SECRET.encode(), request.body, hashlib.sha256).hex()
    assert own_names(request) == {"Authorization", "X-Bridge-Signature"}


def bridge_xyz(request: Request, webhook: dict[str, Any], _event_id: str) -> None:
    """The time in milliseconds and one signature of a digest that is hashed again; OpenSSL's own verifier decides."""
    match = re.fullmatch(r"t=([1-9]\d{12}),v0=([A-Za-z0-9+/]{342}==)", request.header("X-Webhook-Signature"))
    assert match is not None
    key = load_pem_public_key(webhook["public_key"].encode())
    assert isinstance(key, rsa.RSAPublicKey)
    digest = hashlib.sha256(match[1].encode() + b"." + request.body).digest()
    key.verify(base64.b64decode(match[2], validate=True), digest, padding.PKCS1v15(), hashes.SHA256())
    assert own_names(request) == {"X-Webhook-Signature"}


def standard(request: Request, webhook: dict[str, Any], event_id: str) -> None:
    """Id, seconds, and base64 over all three."""
    at = request.header("webhook-timestamp")
    assert re.fullmatch(r"[1-9]\d{9}", at)
    assert request.header("webhook-id") == event_id
    key = base64.b64decode(webhook["secret"].removeprefix("whsec_"), validate=True)
    mac = hmac.digest(key, f"{event_id}.{at}.".encode() + request.body, hashlib.sha256)
    assert request.header("webhook-signature") == f"v1,{base64.b64encode(mac).decode()}"
    assert own_names(request) == {"webhook-id", "webhook-timestamp", "webhook-signature"}


HEADERS: dict[str, Callable[[Request, dict[str, Any], str], None]] = {
    "bridge-api": bridge_api,
    "bridge-lms": bridge_lms,
    "bridge-xyz": bridge_xyz,
    "standard": standard,
}


def own_names(request: Request) -> set[str]:
    """The lines that the profile adds."""
    return request.names() - EVERYWHERE


# --- the golden files themselves ------------------------------------------------------------------------------------


def test_every_type_of_every_shipped_profile_has_golden_bytes() -> None:
    """A type that is added to a catalog needs them too; and so does one of the unlisted ones."""
    profiles = load_profiles()
    assert {file.stem for file in FOLDER.iterdir()} == set(profiles.names) == set(WEBHOOKS)
    for name in profiles.names:
        catalog = {entry.type for entry in profiles.get(name).catalog()} - {"webhook.test"}
        assert catalog <= {one.type for one in golden(name)}, name
    assert "transfer.deleted" in {one.type for one in golden("bridge-xyz")}


@pytest.mark.parametrize("profile", sorted(WEBHOOKS))
def test_golden_bodies_were_not_laid_out_by_an_editor(profile: str) -> None:
    """A body has no white space outside its strings, so a formatted file would be found here."""
    for one in golden(profile):
        assert not re.search(rb"\s", re.sub(rb'"(?:[^"\\]|\\.)*"', b"", bytes(one.body))), one.type
