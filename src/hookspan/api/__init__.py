"""HTTP: the publish route as a raw ASGI app, everything else through the framework, refusals as problem documents."""

from hookspan.api._app import Pages, api_document, create_app
from hookspan.api._protocol import PublishProtocol, sweep_idle

__all__ = ["Pages", "PublishProtocol", "api_document", "create_app", "sweep_idle"]
