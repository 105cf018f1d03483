"""Key pairs: how their private halves are made, read and kept as text, and what their public halves look like.

No error here repeats any of what was given.
"""

import base64
import binascii
import os
import re
from collections.abc import Callable
from typing import Final

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

PEM_CHARACTERS_MAX: Final = 8192  # a key of 2,048 bits has about 1,700, one of 4,096 about 3,300
ED25519_CHARACTERS_MAX: Final = 1024
RSA_BITS: Final = 2048
RSA_EXPONENT: Final = 65_537
_ED25519_SECRET: Final = "whsk_"  # noqa: S105 - the prefixes are Standard Webhooks 1.0.0's
_ED25519_PUBLIC: Final = "whpk_"
_ED25519_BYTES: Final = 32
_PEM = re.compile(r"\s*-----BEGIN ([A-Z0-9 ]{1,40})-----(?:(?!-----).)*-----END \1-----\s*", re.DOTALL | re.ASCII)
_WANTED: Final = "write the private key as PEM, PKCS#1 or PKCS#8, without encryption"


class Unfit(Exception):
    """Its text completes the sentence "It can't be used: …"."""


class KeyPair(msgspec.Struct, frozen=True):
    """One kind of key pair. `make` gives a new one's text; `read` a given text as it is kept, or raises Unfit;
    `key_of` the signing key's bytes behind a kept text; `public_of` the public half of a kept text. `has_lines`: its
    text may hold line breaks, and white space around it.
    """

    make: Callable[[], str]
    read: Callable[[str], str]
    key_of: Callable[[str], bytes]
    public_of: Callable[[str], str]
    characters_max: int
    has_lines: bool
    is_made_slowly: bool


def read_base64(text: str) -> bytes:
    """Standard alphabet, padded: what the reference verifiers read too. Raises Unfit."""
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise Unfit("after its prefix it must be base64 with the alphabet A-Z a-z 0-9 + / and padding") from None


# --- Ed25519, as Standard Webhooks 1.0.0 writes it --------------------------------------------------------------------


def _make_ed25519() -> str:
    return _ED25519_SECRET + base64.b64encode(os.urandom(_ED25519_BYTES)).decode()


def _read_ed25519(text: str) -> str:
    _ed25519_seed(text)
    return text


def _ed25519_seed(text: str) -> bytes:
    if not text.startswith(_ED25519_SECRET):
        raise Unfit(f"it does not begin with {_ED25519_SECRET}")
    value = read_base64(text.removeprefix(_ED25519_SECRET))
    if len(value) == 2 * _ED25519_BYTES:  # some tools keep the public half behind the private one
        seed = value[:_ED25519_BYTES]
        if _ed25519_public_bytes(seed) != value[_ED25519_BYTES:]:
            raise Unfit("its public half does not belong to its private half")
        return seed
    if len(value) != _ED25519_BYTES:
        raise Unfit(f"it stands for {len(value)} bytes, {_ED25519_BYTES} or {2 * _ED25519_BYTES} are possible")
    return value


def _ed25519_public_bytes(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def _ed25519_public(text: str) -> str:
    return _ED25519_PUBLIC + base64.b64encode(_ed25519_public_bytes(_ed25519_seed(text))).decode()


# --- RSA, kept as PKCS#8 PEM ------------------------------------------------------------------------------------------


def _make_rsa() -> str:
    """About 50 ms as a rule, now and then many times as much."""
    return _pem(rsa.generate_private_key(public_exponent=RSA_EXPONENT, key_size=RSA_BITS))


def _pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _read_rsa(text: str) -> str:
    """The same key as PKCS#8. All of it is checked, primes too, which takes some 40 ms."""
    _check_label(text)
    try:
        key = load_pem_private_key(text.strip().encode(), None)
    except TypeError:  # the old way to encrypt PKCS#1 does not show in the first line
        raise Unfit("it is encrypted; decrypt it first") from None
    except (ValueError, UnsupportedAlgorithm):
        raise Unfit(f"it is damaged, or no key at all; {_WANTED}") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise Unfit("it is a key of another kind, not RSA")
    if key.key_size != RSA_BITS:
        raise Unfit(f"it has {key.key_size:,} bits, exactly {RSA_BITS:,} are possible")
    if key.public_key().public_numbers().e != RSA_EXPONENT:
        raise Unfit(f"its public exponent is not {RSA_EXPONENT:,}")
    return _pem(key)


def _check_label(text: str) -> None:
    """Say what it is instead of a private key, as far as its first line tells."""
    match = _PEM.fullmatch(text)
    if match is None:
        raise Unfit(f"it is no PEM text of one key, from BEGIN to END; {_WANTED}")
    match match[1]:
        case "PRIVATE KEY" | "RSA PRIVATE KEY":
            return
        case "ENCRYPTED PRIVATE KEY":
            raise Unfit("it is encrypted; decrypt it first")
        case "PUBLIC KEY" | "RSA PUBLIC KEY":
            raise Unfit("it is a public key; the private one signs")
        case "CERTIFICATE":
            raise Unfit("it is a certificate; the private key signs")
        case _:
            raise Unfit(f"it is a key of another kind, or none; {_WANTED}")


def _rsa_public(text: str) -> str:
    """SPKI PEM, with a line break at its end."""
    return (
        load_kept_rsa(text.encode()).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    )


def load_kept_rsa(pem: bytes) -> rsa.RSAPrivateKey:
    """A key that `_read_rsa` checked or that was made here; not checked again, which makes it a matter of 20 µs.

    Raises ValueError for a text that is none.
    """
    key = load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size != RSA_BITS:
        raise ValueError("no RSA key of the right size")
    return key


def _kept_rsa_bytes(text: str) -> bytes:
    try:
        load_kept_rsa(text.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Unfit("it is no RSA key") from None
    return text.encode()


KEY_PAIRS: Final = {
    "ed25519": KeyPair(
        make=_make_ed25519,
        read=_read_ed25519,
        key_of=_ed25519_seed,
        public_of=_ed25519_public,
        characters_max=ED25519_CHARACTERS_MAX,
        has_lines=False,
        is_made_slowly=False,
    ),
    "rsa-2048": KeyPair(
        make=_make_rsa,
        read=_read_rsa,
        key_of=_kept_rsa_bytes,
        public_of=_rsa_public,
        characters_max=PEM_CHARACTERS_MAX,
        has_lines=True,
        is_made_slowly=True,
    ),
}
