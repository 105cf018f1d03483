"""Who asks: a key of one application whose profile speaks this API, in the header `Api-Key`."""

from typing import Any, cast

import msgspec
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from hookspan.api._asgi import Scope
from hookspan.api._key import CALLER, peer_address
from hookspan.api._request_id import REQUEST_ID
from hookspan.api.v0._refusals import IDEMPOTENCY_KEY, INVALID_KEY, MISSING_KEY
from hookspan.errors import Fault, InvalidRequest, Unauthenticated
from hookspan.manage import Manage
from hookspan.manage.rates import SAFE_METHODS

MANAGEMENT_API = "bridge-v0"  # as profiles call it
APPLICATION = "hookspan.v0.application"  # in a request's scope: the public id of the key's application


def key_guard(manage: Manage) -> Guard:
    """In force for every route of this API. Any other key is as good as none: the operator's, since this API has no
    word for an application; a publisher's; and one of an application that speaks another profile. Refuses
    changes that come too fast.
    """

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        scope = cast("Scope", connection.scope)
        keys = {value for name, value in scope["headers"] if name == b"api-key"}
        if not keys:
            raise Unauthenticated(MISSING_KEY)
        if len(keys) > 1:
            raise Unauthenticated(INVALID_KEY)
        caller = msgspec.structs.replace(
            await manage.callers.find(keys.pop()), address=peer_address(scope), request_id=scope.get(REQUEST_ID)
        )
        application = await manage.desk(caller).applications.speaking(MANAGEMENT_API)
        if application is None:
            raise Unauthenticated(INVALID_KEY)
        if scope["method"] not in SAFE_METHODS:
            manage.rates.take(caller)
        scope[CALLER], scope[APPLICATION] = caller, application
        _check_idempotency_key(scope)

    return guard


def _check_idempotency_key(scope: Scope) -> None:
    """POST must bring one; the others do the same thing when they are sent again, and must not."""
    is_there = any(name == b"idempotency-key" and value for name, value in scope["headers"])
    if is_there == (scope["method"] == "POST"):
        return
    detail = "Cannot set Idempotency-Key on this request" if is_there else "Missing Idempotency-Key header"
    raise InvalidRequest(detail, errors=(Fault(f"/{IDEMPOTENCY_KEY}", InvalidRequest.code, detail),))
