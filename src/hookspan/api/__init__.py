"""HTTP: the publish route as a raw ASGI app, everything else through the framework, refusals as problem documents."""

from hookspan.api._app import create_app

__all__ = ["create_app"]
