"""/v1/applications/{app}/notify"""

from typing import Any

from litestar import Controller, Request, get, post

from hookspan.api._asking import while_asked
from hookspan.api._body import read_nothing
from hookspan.api._parameters import App, Desk
from hookspan.manage import views


class NotifyRoutes(Controller):
    """How an application's people are told that a webhook fails, was disabled, has recovered."""

    path = "/applications/{app:str}/notify"
    tags = ("Notices",)

    @get()
    async def get_notify(self, desk: Desk, app: App) -> views.Notify:
        """Show where notices go, the secret that they are signed with, and the newest 20 with what became of them."""
        return await desk.notices.get(app)

    @post("/test", status_code=200)
    async def test_notify(self, desk: Desk, app: App, request: Request[Any, Any, Any]) -> views.NotifyTest:
        """Send a test notice now, and show what came back."""
        await read_nothing(request)
        return await while_asked(request, desk.notices.test(app))
