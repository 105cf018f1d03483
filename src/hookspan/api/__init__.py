"""HTTP: the publish route as a raw ASGI app, everything else through the framework, refusals as problem documents."""

from hookspan.api._app import create_app
from hookspan.api._protocol import PublishProtocol, sweep_idle

__all__ = ["PublishProtocol", "create_app", "sweep_idle"]
