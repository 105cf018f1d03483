"""/v1/profiles"""

from typing import Annotated

from litestar import Controller, get
from litestar.params import PathParameter

from hookspan.api._parameters import Desk
from hookspan.manage import views


class ProfileRoutes(Controller):
    """The wire formats that are loaded."""

    path = "/profiles"
    tags = ("Profiles",)

    @get()
    async def list_profiles(self, desk: Desk) -> views.ProfileList:
        """List the profiles."""
        return desk.profiles.loaded()

    @get("/{profile:str}/events")
    async def list_event_types(
        self, desk: Desk, profile: Annotated[str, PathParameter(description="The profile's name.")]
    ) -> views.Catalog:
        """List a profile's event types, with the schema of their content and a sample."""
        return desk.profiles.events(profile)
