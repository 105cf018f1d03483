"""Bridge's Webhooks API, for applications whose profile says `management_api = "bridge-v0"`: an existing client of it
works by changing its base URL.

It decides nothing: each call is one of management, and the application's profile has the rules. Here are only its
shapes (`_shapes`), its way of reading (`_reading`) and of refusing (`_refusals`).
"""

from litestar import Router

from hookspan.api.v0._document import finish
from hookspan.api.v0._idempotency import idempotency_hook
from hookspan.api.v0._key import key_guard
from hookspan.api.v0._refusals import refusal
from hookspan.api.v0._routes import BridgeRoutes
from hookspan.api.v0._shapes import SHAPES
from hookspan.manage import Manage

__all__ = ["PATH", "SHAPES", "finish", "is_below", "refusal", "router"]

PATH = "/v0"


def router(manage: Manage | None) -> Router:
    """The routes; without management they are only there to be described."""
    if manage is None:
        return Router(PATH, route_handlers=[BridgeRoutes])
    return Router(
        PATH,
        route_handlers=[BridgeRoutes],
        guards=[key_guard(manage)],
        before_request=idempotency_hook(manage.idempotency),
    )


def is_below(path: str) -> bool:
    """Whether an address is this API's, so that it is refused in its words too."""
    return path == PATH or path.startswith(f"{PATH}/")
