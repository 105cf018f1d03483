"""Credentials at rest: AES-256-GCM, bound to the place they are kept for.

Sealed bytes are ``version (1) | key id (4) | nonce (12) | ciphertext and tag``. The application's id, the webhook's id
and the credential's name are associated data, so a value that was moved to another row does not open. The key id is
a fingerprint of the encryption key: it tells a wrong key from a damaged value. Nonces are random; one key may seal
2**32 values (NIST SP 800-38D, 8.3), far more than credentials will ever be made.
"""

import hashlib
import hmac
import os
import struct
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
_VERSION: Final = b"\x01"
_KEY_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_HEAD_BYTES: Final = len(_VERSION) + _KEY_ID_BYTES
_CHECK_PLAIN: Final = b"hookspan opens this"
_CHECK_NAME: Final = "check value"  # no credential's name has a space in it


class SecretUnreadable(Exception):
    """A sealed value does not open: another encryption key, another row, or damaged. Its delivery waits, unsent."""


class Vault:
    """Seals and opens with one encryption key. Safe on any thread."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"an encryption key has {KEY_BYTES} bytes, this one has {len(key)}")
        self._cipher = AESGCM(key)
        self._mark_key = hashlib.sha256(b"hookspan mark key\0" + key).digest()
        self._root = hmac.digest(key, b"hookspan derived secrets", "sha256")
        self._head = _VERSION + hashlib.sha256(b"hookspan key id\0" + key).digest()[:_KEY_ID_BYTES]

    def seal(self, plain: bytes, *, application_id: int, webhook_id: int, name: str) -> bytes:
        """`plain`, encrypted for this one place."""
        nonce = os.urandom(_NONCE_BYTES)
        place = _place(application_id, webhook_id, name)
        return self._head + nonce + self._cipher.encrypt(nonce, plain, self._head + place)

    def open(self, sealed: bytes, *, application_id: int, webhook_id: int, name: str) -> bytes:
        """What was sealed for this place. Raises SecretUnreadable, which says why but not what."""
        if len(sealed) < _HEAD_BYTES + _NONCE_BYTES + _TAG_BYTES:
            raise SecretUnreadable("The sealed value is too short.")
        if sealed[:1] != _VERSION:
            raise SecretUnreadable("The sealed value has a version that this Hookspan does not know.")
        if sealed[:_HEAD_BYTES] != self._head:
            raise SecretUnreadable("The value was sealed with another encryption key.")
        nonce = sealed[_HEAD_BYTES : _HEAD_BYTES + _NONCE_BYTES]
        place = _place(application_id, webhook_id, name)
        try:
            return self._cipher.decrypt(nonce, sealed[_HEAD_BYTES + _NONCE_BYTES :], self._head + place)
        except InvalidTag:
            raise SecretUnreadable("The sealed value is damaged or belongs to another webhook.") from None

    def mark(self, data: bytes) -> bytes:
        """32 bytes that tell `data` from any other, and tell nothing of it to who does not have the key."""
        return hashlib.blake2b(data, key=self._mark_key, digest_size=32, person=b"hookspan mark").digest()

    def derive(self, name: str, *, application_id: int) -> bytes:
        """32 secret bytes for one purpose and application: the same on every node, and kept nowhere."""
        return hmac.digest(self._root, _place(application_id, 0, name), "sha256")

    def check_value(self) -> bytes:
        """A sealed constant, kept in the store to prove at start that the key is still the same."""
        return self.seal(_CHECK_PLAIN, application_id=0, webhook_id=0, name=_CHECK_NAME)

    def opens_check_value(self, sealed: bytes) -> bool:
        """Whether `sealed` is a check value made with this key."""
        try:
            return self.open(sealed, application_id=0, webhook_id=0, name=_CHECK_NAME) == _CHECK_PLAIN
        except SecretUnreadable:
            return False


def _place(application_id: int, webhook_id: int, name: str) -> bytes:
    return struct.pack(">qq", application_id, webhook_id) + name.encode()
