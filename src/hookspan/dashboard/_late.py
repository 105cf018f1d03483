"""The room is put together when somebody first comes: some tenths of a second that no start has to wait for."""

import asyncio
from typing import Final

from hookspan.brand import read_brand
from hookspan.clock import Clock
from hookspan.dashboard._asgi import App, Receive, Scope, Send
from hookspan.engine import Intake
from hookspan.errors import ConfigurationError
from hookspan.manage import Manage
from hookspan.settings import Settings

# First parts of the paths that lead here.
PLACES: Final = frozenset({"", "dashboard", "portal", "sign-in", "sign-out", "enter", "assets"})


def create_dashboard(manage: Manage, intake: Intake, clock: Clock, settings: Settings) -> App:
    """The dashboard and the portal as one ASGI app, without a lifespan. `settings` must have `public_url`. Raises
    ConfigurationError.
    """
    try:
        brand = read_brand(settings.brand_name, settings.brand_logo, settings.brand_colour)
    except ValueError as error:
        raise ConfigurationError(f"brand_logo: {error}.") from error
    made: asyncio.Future[App] | None = None

    def make() -> App:
        from hookspan.dashboard._app import build  # late: it loads the framework and the templates

        return build(manage, intake, clock, settings, brand)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal made
        if made is None:
            made = asyncio.ensure_future(asyncio.to_thread(make))
        await (await asyncio.shield(made))(scope, receive, send)

    return app
