"""The receiver's credentials: from the texts that it was given to functions that check a signature.

A key of another kind than the profile's is refused by name before anything is compared: above all, a public key that
is taken for a shared secret would let everyone sign who knows it. No error repeats a key.
"""

import base64
import binascii
import functools
import re
from collections.abc import Callable
from typing import Final

from hookspan.verify._errors import VerificationError

RSA_BITS: Final = 2048
KEY_CHARS_MAX: Final = 16 * 1024
_BASE64_KEY = re.compile(r"base64_after_prefix:(\d+)-(\d+)")
_PREFIXES: Final = ("whsec_", "whsk_", "whpk_")  # Standard Webhooks 1.0.0
_PEM: Final = "-----BEGIN "
_ED25519_BYTES: Final = 32

Check = Callable[[bytes, bytes], bool]
"""(signature, message): whether the one was made over the other."""


def hmac_key(text: object, kind: str, rule: str) -> bytes:
    """The HMAC key behind a secret's text; `kind` and `rule` are its credential's. Raises invalid_secret or
    wrong_key_type.
    """
    if not isinstance(text, str) or not text:
        raise VerificationError("invalid_secret", "The secret must be a text, and not empty.")
    if text.lstrip().startswith(_PEM) or (kind == "whsec" and text.startswith(_PREFIXES[1:])):
        raise VerificationError(
            "wrong_key_type",
            "What was given as secret= is a key of a key pair. If this webhook is signed with a private key, pass its"
            " public key as public_key=; if not, pass the text that was shown when the secret was made.",
        )
    match = _BASE64_KEY.fullmatch(rule)
    try:
        if match is None:
            return text.encode()
        value = base64.b64decode(text.removeprefix("" if kind == "text" else f"{kind}_").encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        detail = f"The secret has the wrong alphabet or length; copy all of it.{_hint(text, kind)}"
        raise VerificationError("invalid_secret", detail) from None
    if not int(match[1]) <= len(value) <= int(match[2]):
        detail = f"The secret stands for {len(value)} bytes, {match[1]} to {match[2]} are possible; copy all of it."
        raise VerificationError("invalid_secret", detail + _hint(text, kind))
    return value


def _hint(text: str, kind: str) -> str:
    """What is easily lost or added on the way from the place where a secret is shown. Says nothing of the secret."""
    if text != text.strip():
        return " It begins or ends with white space, such as the line break of a file or of echo: take that away."
    if kind == "whsec" and not text.startswith(_PREFIXES[0]):
        return f" It begins with {_PREFIXES[0]}, which belongs to it."
    return ""


def public_key(text: object, algorithm: str) -> Check:
    """The check behind a public key's text: SPKI PEM for RSA, ``whpk_…`` for Ed25519. Raises invalid_public_key or
    wrong_key_type, and ImportError where `cryptography` is not installed.
    """
    if not isinstance(text, str) or not text.strip():
        raise VerificationError("invalid_public_key", "The public key must be a text, and not empty.")
    text = text.strip().replace("\\n", "\n")  # what line breaks often become in an environment variable
    if len(text) > KEY_CHARS_MAX:
        raise VerificationError("invalid_public_key", f"The public key is longer than {KEY_CHARS_MAX:,} characters.")
    return _rsa(text) if algorithm.startswith("rsa") else _ed25519(text)


def _wrong(what: str, wanted: str) -> VerificationError:
    return VerificationError("wrong_key_type", f"What was given as public_key= is {what}; {wanted} is needed.")


@functools.lru_cache(maxsize=64)
def _rsa(pem: str) -> Check:
    wanted = f"the webhook's RSA public key ({RSA_BITS} bits, PEM that begins with -----BEGIN PUBLIC KEY-----)"
    if not pem.startswith(_PEM):
        what = "a key of Standard Webhooks" if pem.startswith(_PREFIXES) else "no PEM (a shared secret?)"
        raise _wrong(what, wanted)
    label = pem.removeprefix(_PEM).partition("-----")[0]
    if "PRIVATE" in label:
        raise _wrong("a private key, which only the sender may have", wanted)
    if "PUBLIC" not in label:
        raise _wrong("a certificate" if "CERTIFICATE" in label else "a PEM of another kind", wanted)
    _need_cryptography("an RSA public key")
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    try:
        key = serialization.load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise VerificationError(
            "invalid_public_key",
            "The public key can't be read. Copy all of it, with its first and last line.",
        ) from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise _wrong("a public key of another algorithm", wanted)
    if key.key_size != RSA_BITS:
        raise _wrong(f"an RSA key of {key.key_size} bits", wanted)

    def check(signature: bytes, message: bytes) -> bool:
        if len(signature) != RSA_BITS // 8:
            return False
        try:
            key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True

    return check


@functools.lru_cache(maxsize=64)
def _ed25519(text: str) -> Check:
    wanted = "the webhook's Ed25519 public key (whpk_…)"
    if text.startswith(_PEM):
        raise _wrong("a PEM", wanted)
    if text.startswith("whsk_"):
        raise _wrong("a private key, which only the sender may have", wanted)
    if not text.startswith("whpk_"):
        raise _wrong("a shared secret", wanted)
    try:
        raw = base64.b64decode(text.removeprefix("whpk_").encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raw = b""
    if len(raw) != _ED25519_BYTES:
        raise VerificationError(
            "invalid_public_key", "The public key has the wrong alphabet or length; copy all of it."
        )
    _need_cryptography("an Ed25519 public key")
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = Ed25519PublicKey.from_public_bytes(raw)

    def check(signature: bytes, message: bytes) -> bool:
        try:
            key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return check


def _need_cryptography(what: str) -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError as error:
        detail = f"to verify with {what}, hookspan.verify needs the package cryptography: pip install cryptography"
        raise ImportError(detail, name="cryptography") from error


def strict_base64(text: bytes) -> bytes | None:
    """The bytes behind padded standard base64, None where `text` is not exactly how these bytes are written."""
    try:
        value = base64.b64decode(text, validate=True)
    except binascii.Error:
        return None
    return value if base64.b64encode(value) == text else None
