"""/v1/profiles"""

from hookspan.client import shapes
from hookspan.client._async.listing import AsyncListing
from hookspan.client._async.wire import AsyncWire


class AsyncProfiles:
    """The wire formats that are loaded."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire

    def list(self) -> AsyncListing[shapes.Profile]:
        return AsyncListing(self._wire, shapes.Profile, ("profiles",), {})

    def events(self, profile: str) -> AsyncListing[shapes.CatalogEntry]:
        """A profile's event types, with the schema of their content and a sample."""
        return AsyncListing(self._wire, shapes.CatalogEntry, ("profiles", profile, "events"), {})
