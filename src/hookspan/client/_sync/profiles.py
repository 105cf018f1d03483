# Made from its twin in `_async` by `python -m tests.unit.client.twins`: change it there.
"""/v1/profiles"""

from hookspan.client import shapes
from hookspan.client._sync.listing import Listing
from hookspan.client._sync.wire import Wire


class Profiles:
    """The wire formats that are loaded."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def list(self) -> Listing[shapes.Profile]:
        return Listing(self._wire, shapes.Profile, ("profiles",), {})

    def events(self, profile: str) -> Listing[shapes.CatalogEntry]:
        """A profile's event types, with the schema of their content and a sample."""
        return Listing(self._wire, shapes.CatalogEntry, ("profiles", profile, "events"), {})
