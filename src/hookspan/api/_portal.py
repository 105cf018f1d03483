"""/v1/applications/{app}/portal-sessions"""

from typing import Any

from litestar import Controller, Request, delete, get, post

from hookspan.api._body import read_optional
from hookspan.api._parameters import App, Desk, Page, SessionId
from hookspan.manage import views
from hookspan.manage.inputs import CreatePortalSession


class PortalRoutes(Controller):
    """Customers' ways to their applications."""

    path = "/applications/{app:str}/portal-sessions"
    tags = ("Keys and people",)

    @post()
    async def create_portal_session(
        self, desk: Desk, app: App, request: Request[Any, Any, Any]
    ) -> views.CreatedPortalSession:
        """Create a portal session.

        Its `url`, in this answer, this once, opens this application and no other, for `expires_in` seconds (an hour),
        in a `role`. The last part of the url is a token that is also taken where a key is.
        """
        return await desk.portal_sessions.create(app, await read_optional(request, CreatePortalSession))

    @get()
    async def list_portal_sessions(self, desk: Desk, app: App, page: Page) -> views.PortalSessionList:
        """List the portal sessions that live, newest first, without their addresses."""
        return await desk.portal_sessions.page(app, page)

    @delete("/{session:str}")
    async def end_portal_session(self, desk: Desk, app: App, session: SessionId) -> None:
        """End a portal session, at once (on other nodes two seconds later)."""
        await desk.portal_sessions.end(app, session)
