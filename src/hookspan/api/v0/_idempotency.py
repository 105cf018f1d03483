"""Idempotency-Key as Bridge's Webhooks API has it: every POST brings one, and it is never free for another request."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from litestar import Request, Response

from hookspan.api._asgi import Scope
from hookspan.api._idempotency import go_on, sent_idempotency_key, target_of
from hookspan.api._key import CALLER
from hookspan.errors import IdempotencyExpired
from hookspan.manage.idempotency import Expired, Idempotency, settled


def idempotency_hook(
    idempotency: Idempotency,
) -> Callable[[Request[Any, Any, Any]], Awaitable[Response[bytes] | None]]:
    """The framework's `before_request`, after its guards: a request that came before is answered as it was then."""

    async def take_key(request: Request[Any, Any, Any]) -> Response[bytes] | None:
        scope = cast("Scope", request.scope)
        key = sent_idempotency_key(scope["headers"])
        if key is None:  # the guard has seen to it that only a POST has one, and that it has
            return None
        caller = scope[CALLER]
        fingerprint = idempotency.fingerprint(caller, "POST", target_of(scope), await request.body())
        home = await idempotency.home(caller, None)
        begun = await idempotency.begin(caller, key, fingerprint, application_id=home, is_renewed=False)
        if isinstance(begun, Expired):
            raise IdempotencyExpired("This Idempotency-Key was used more than 24 hours ago: use a new one.")
        return go_on(request, settled(begun))

    return take_key
