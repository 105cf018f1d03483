"""Senders that Hookspan did not write: hmac, cryptography and the openssl command, put together by the fact sheets.

`REQUESTS` has one good request for each profile, with what it is verified with.
"""

import base64
import functools
import hashlib
import hmac
import subprocess
from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NOW_MS = 1_767_225_600_125
NOW_S = NOW_MS / 1000
SECRET = "644b2ac3-0797-4ec6-9537-cb5c0af9caf9"
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TOKEN = "a token: ünïcode"

ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WHPK = "whpk_" + base64.b64encode(ED25519.public_key().public_bytes_raw()).decode()


class Request(msgspec.Struct, frozen=True):
    profile: str
    headers: Mapping[str, str]
    body: bytes
    given: Mapping[str, Any]

    def arguments(self, **changed: Any) -> dict[str, Any]:
        """What verify() is called with."""
        return {"headers": self.headers, "body": self.body, "now": NOW_S, **self.given, **changed}


@functools.cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def private_pem(key: Any) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def public_pem(key: Any) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def standard_header(body: bytes, *keys: str | Ed25519PrivateKey, at_s: int = NOW_MS // 1000) -> dict[str, str]:
    message = b"evt_1.%d." % at_s + body
    signatures = [
        "v1a," + base64.b64encode(key.sign(message)).decode()
        if isinstance(key, Ed25519PrivateKey)
        else "v1," + base64.b64encode(hmac.digest(base64.b64decode(key[6:]), message, "sha256")).decode()
        for key in keys
    ]
    return {"webhook-id": "evt_1", "webhook-timestamp": str(at_s), "webhook-signature": " ".join(signatures)}


def api_header(body: bytes, *secrets: str) -> dict[str, str]:
    macs = [hmac.digest(secret.encode(), body, "sha256").hex().upper() for secret in secrets]
    return {"BridgeApi-Signature": ",".join(f"v1={mac}" for mac in macs)}


def xyz_header(
    body: bytes, *keys: rsa.RSAPrivateKey, at: int | str = NOW_MS, is_single: bool = False
) -> dict[str, str]:
    message = f"{at}.".encode() + body
    if not is_single:
        message = hashlib.sha256(message).digest()
    raws = [key.sign(message, padding.PKCS1v15(), hashes.SHA256()) for key in keys]
    return {"X-Webhook-Signature": f"t={at}," + ",".join(f"v0={base64.b64encode(raw).decode()}" for raw in raws)}


def lms_header(body: bytes, secret: str | None = SECRET, token: str | None = TOKEN) -> dict[str, str]:
    """As a server reads it: the bytes of the token, UTF-8, as Latin-1."""
    headers = {}
    if secret is not None:
        headers["X-Bridge-Signature"] = hmac.digest(secret.encode(), body, "sha256").hex()
    if token is not None:
        headers["Authorization"] = f"Bearer {token}".encode().decode("latin-1")
    return headers


def openssl(*command: str, given: bytes) -> bytes:
    return subprocess.run(["openssl", *command], input=given, capture_output=True, check=True, timeout=30).stdout


STANDARD_BODY = b'{"type":"order.paid","timestamp":"2026-01-01T00:00:00.125Z","data":{"n":1}}'
API_BODY = b'{"content":{"item_id":4568477},"timestamp":1767225600125,"type":"item.created"}'
XYZ_BODY = (
    b'{"api_version":"v0","event_id":"wh_tmneA3b1rTv1q4gkvmPU53n","event_category":"transfer",'
    b'"event_type":"transfer.created","event_object":{"id":"cc"},"event_created_at":"2024-05-02T17:48:19.465Z"}'
)
LMS_BODY = b'{"resource":"user","trigger":"deleted","author":{"id":1},"user":{"id":55}}'


@functools.cache
def requests() -> dict[str, Request]:
    """One good request for each way of verifying."""
    return {
        "standard": Request("standard", standard_header(STANDARD_BODY, WHSEC), STANDARD_BODY, {"secret": WHSEC}),
        "standard by key": Request(
            "standard", standard_header(STANDARD_BODY, ED25519), STANDARD_BODY, {"public_key": WHPK}
        ),
        "bridge-api": Request("bridge-api", api_header(API_BODY, SECRET), API_BODY, {"secret": SECRET}),
        "bridge-xyz": Request(
            "bridge-xyz", xyz_header(XYZ_BODY, rsa_key()), XYZ_BODY, {"public_key": public_pem(rsa_key())}
        ),
        "bridge-lms": Request("bridge-lms", lms_header(LMS_BODY), LMS_BODY, {"secret": SECRET, "token": TOKEN}),
    }


WAYS = ("standard", "standard by key", "bridge-api", "bridge-xyz", "bridge-lms")
