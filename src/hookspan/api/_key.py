"""Who asks: the operator's key, as `Authorization: Bearer KEY` or `Api-Key: KEY`."""

import hashlib
import hmac
from collections.abc import Iterable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from hookspan.errors import Unauthenticated

_BEARER = b"bearer "


class KeyCheck:
    """Compares digests, in a time that tells nothing of the key."""

    def __init__(self, operator_key: str) -> None:
        if not operator_key:
            raise ValueError("There must be an operator key.")
        self._digest = hashlib.sha256(operator_key.encode()).digest()

    def is_operator(self, key: bytes) -> bool:
        return hmac.compare_digest(hashlib.sha256(key).digest(), self._digest)

    def require(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """`headers` as in an ASGI scope. Raises Unauthenticated."""
        for name, value in headers:
            if name == b"authorization" and value[:7].lower() == _BEARER:
                key = value[7:].strip()
            elif name == b"api-key":
                key = value
            else:
                continue
            if self.is_operator(key):
                return
            raise Unauthenticated("The key is not known. It is sent as `Authorization: Bearer KEY` or `Api-Key: KEY`.")
        raise Unauthenticated("Send a key, as `Authorization: Bearer KEY` or `Api-Key: KEY`.")


class KeyGuard:
    """`KeyCheck` in the framework's form: in force for every route below where it is set."""

    def __init__(self, keys: KeyCheck) -> None:
        self._keys = keys

    def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        self._keys.require(connection.scope["headers"])
