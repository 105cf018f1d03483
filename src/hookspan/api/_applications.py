"""/v1/applications"""

from litestar import Controller, delete, get, patch, post
from litestar.params import JSONBody

from hookspan.api._body import JsonBody
from hookspan.api._parameters import App, Desk, Page
from hookspan.manage import views
from hookspan.manage.inputs import ChangeApplication, CreateApplication


class ApplicationRoutes(Controller):
    """The customers of the platform."""

    path = "/applications"
    tags = ("Applications",)

    @post(dto=JsonBody, return_dto=None)
    async def create_application(self, desk: Desk, data: JSONBody[CreateApplication]) -> views.Application:
        """Create an application.

        Without a profile it speaks `standard`. An `id` of your own is yours to choose, once.
        """
        return await desk.applications.create(data)

    @get()
    async def list_applications(self, desk: Desk, page: Page) -> views.ApplicationList:
        """List applications, newest first."""
        return await desk.applications.page(page)

    @get("/{app:str}")
    async def get_application(self, desk: Desk, app: App) -> views.Application:
        """Get one application."""
        return await desk.applications.get(app)

    @patch("/{app:str}", dto=JsonBody, return_dto=None)
    async def change_application(self, desk: Desk, app: App, data: JSONBody[ChangeApplication]) -> views.Application:
        """Change an application. Its profile is fixed once it has webhooks or events.

        Its own admins may change `notify`, where nothing else is in the request: a URL, or null.
        """
        return await desk.applications.change(app, data)

    @delete("/{app:str}")
    async def delete_application(self, desk: Desk, app: App) -> None:
        """Delete an application with its webhooks and events."""
        await desk.applications.delete(app)
