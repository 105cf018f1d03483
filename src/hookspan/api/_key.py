"""Who asks: the operator's key, as `Authorization: Bearer KEY` or `Api-Key: KEY`."""

import hashlib
import hmac
from collections.abc import Iterable
from typing import Any, cast

import msgspec
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from hookspan.api._asgi import Scope
from hookspan.api._request_id import REQUEST_ID
from hookspan.domain.caller import OPERATOR, Caller
from hookspan.errors import Unauthenticated

CALLER = "hookspan.caller"  # in a request's scope, once its key was checked
_BEARER = b"bearer "


class KeyCheck:
    """Compares digests, in a time that tells nothing of the key."""

    def __init__(self, operator_key: str) -> None:
        if not operator_key:
            raise ValueError("There must be an operator key.")
        self._digest = hashlib.sha256(operator_key.encode()).digest()

    def is_operator(self, key: bytes) -> bool:
        return hmac.compare_digest(hashlib.sha256(key).digest(), self._digest)

    def require(self, headers: Iterable[tuple[bytes, bytes]]) -> Caller:
        """Who sends these headers (as in an ASGI scope). Raises Unauthenticated."""
        for name, value in headers:
            if name == b"authorization" and value[:7].lower() == _BEARER:
                key = value[7:].strip()
            elif name == b"api-key":
                key = value
            else:
                continue
            if self.is_operator(key):
                return OPERATOR
            raise Unauthenticated("The key is not known. It is sent as `Authorization: Bearer KEY` or `Api-Key: KEY`.")
        raise Unauthenticated("Send a key, as `Authorization: Bearer KEY` or `Api-Key: KEY`.")


class KeyGuard:
    """`KeyCheck` in the framework's form: in force for every route below where it is set."""

    def __init__(self, keys: KeyCheck) -> None:
        self._keys = keys

    def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        scope = cast("Scope", connection.scope)
        peer = scope.get("client")
        scope[CALLER] = msgspec.structs.replace(
            self._keys.require(scope["headers"]),
            address=None if peer is None else peer[0],
            request_id=scope.get(REQUEST_ID),
        )
