"""Signature algorithms: each prepares a key once, for as many messages as come. Encodings of what they give."""

import binascii
import hashlib
import string
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from hookspan.profiles._key_pairs import load_kept_rsa

Mac = Callable[[bytes], bytes]  # message to signature


class Algorithm(msgspec.Struct, frozen=True):
    """`prepare` makes the signing function of one key. `kinds`: the credentials that have such keys. `is_slow`: one
    signature takes a fraction of a millisecond or more, so it belongs in a thread.
    """

    prepare: Callable[[bytes], Mac]
    kinds: frozenset[str]
    is_slow: bool = False


def _hmac(new_hash: Callable[..., Any], block_bytes: int) -> Callable[[bytes], Mac]:
    """RFC 2104 with both padded keys hashed beforehand; half the time of `hmac.digest`."""

    def prepare(key: bytes) -> Mac:
        if len(key) > block_bytes:
            key = new_hash(key).digest()
        padded = key.ljust(block_bytes, b"\0")
        start_inner = new_hash(bytes(byte ^ 0x36 for byte in padded)).copy
        start_outer = new_hash(bytes(byte ^ 0x5C for byte in padded)).copy

        def mac(message: bytes) -> bytes:
            inner = start_inner()
            inner.update(message)
            outer = start_outer()
            outer.update(inner.digest())
            digest: bytes = outer.digest()
            return digest

        return mac

    return prepare


def _ed25519(key: bytes) -> Mac:
    return Ed25519PrivateKey.from_private_bytes(key).sign


def _rsa_pkcs1v15_sha256(key: bytes) -> Mac:
    """RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017); a quarter of a millisecond each on a fast core."""
    sign = load_kept_rsa(key).sign
    padding, algorithm = PKCS1v15(), SHA256()
    return lambda message: sign(message, padding, algorithm)


_SHARED: Final = frozenset({"text", "whsec"})

# HMACs other than SHA-256 are for receivers whose operator chooses; block sizes are FIPS 180-4's.
ALGORITHMS: Final[Mapping[str, Algorithm]] = {
    "hmac-sha256": Algorithm(_hmac(hashlib.sha256, 64), _SHARED),
    "hmac-sha1": Algorithm(_hmac(hashlib.sha1, 64), _SHARED),
    "hmac-sha512": Algorithm(_hmac(hashlib.sha512, 128), _SHARED),
    "ed25519": Algorithm(_ed25519, frozenset({"ed25519"})),
    "rsa-pkcs1v15-sha256": Algorithm(_rsa_pkcs1v15_sha256, frozenset({"rsa-2048"}), is_slow=True),
}
ENCODINGS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "base64": lambda mac: binascii.b2a_base64(mac, newline=False),
    "hex": binascii.hexlify,
    "hex-upper": lambda mac: mac.hex().upper().encode(),
}
ALPHABETS: Final[Mapping[str, frozenset[str]]] = {
    "base64": frozenset(string.ascii_letters + string.digits + "+/="),
    "hex": frozenset("0123456789abcdef"),
    "hex-upper": frozenset("0123456789ABCDEF"),
}
PREHASHES: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "sha256": lambda message: hashlib.sha256(message).digest(),
}


def prehashed(prehash: Callable[[bytes], bytes], mac: Mac) -> Mac:
    """`mac` of the digest instead of the message."""
    return lambda message: mac(prehash(message))
