"""Who asks: by a key or a session's token, as `Authorization: Bearer KEY` or `Api-Key: KEY`."""

from collections.abc import Iterable
from typing import Any, cast

import msgspec
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from hookspan.api._asgi import Scope
from hookspan.api._request_id import REQUEST_ID
from hookspan.errors import Unauthenticated
from hookspan.manage import Callers, Rates
from hookspan.manage.rates import SAFE_METHODS

CALLER = "hookspan.caller"  # in a request's scope, once its key was checked
KEYLESS = {"keyless": True}  # `opt` of a route below the guard that asks for no key: nobody has one yet there
KEY_HEADERS = frozenset({b"authorization", b"api-key"})
_BEARER = b"bearer "


def sent_key(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The key in these headers (as in an ASGI scope). Raises Unauthenticated without one, or with two that differ."""
    found: bytes | None = None
    for name, value in headers:
        if name == b"authorization" and value[:7].lower() == _BEARER:
            key = value[7:].strip()
        elif name == b"api-key":
            key = value
        else:
            continue
        if found is None:
            found = key
        elif found != key:
            raise Unauthenticated("The request brings two different keys: send one, in one header.")
    if found is None:
        raise Unauthenticated("Send a key, as `Authorization: Bearer KEY` or `Api-Key: KEY`.")
    return found


def peer_address(scope: Scope) -> str | None:
    """Where a request comes from."""
    peer = scope.get("client")
    return None if peer is None else peer[0]


def key_guard(callers: Callers, rates: Rates) -> Guard:
    """In force for every route below where it is set: puts the caller into the scope, or raises Unauthenticated; and
    RateLimited for changes that come too fast.

    A function, as the framework copies guards that are objects, with all they hold.
    """

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        if "keyless" in handler.opt:
            return
        scope = cast("Scope", connection.scope)
        caller = await callers.find(sent_key(scope["headers"]))
        if scope["method"] not in SAFE_METHODS:
            rates.take(caller)
        scope[CALLER] = msgspec.structs.replace(caller, address=peer_address(scope), request_id=scope.get(REQUEST_ID))

    return guard
