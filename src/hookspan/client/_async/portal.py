"""/v1/applications/{app}/portal-sessions"""

from msgspec import UNSET, UnsetType

from hookspan.client import shapes
from hookspan.client._async.keys import Role
from hookspan.client._async.listing import AsyncListing
from hookspan.client._async.wire import AsyncWire
from hookspan.client._request import change, post


class AsyncPortalSessions:
    """Customers' ways to their applications."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire

    async def create(
        self,
        application: str,
        *,
        expires_in: int | UnsetType = UNSET,
        role: Role | UnsetType = UNSET,
        origin: str | UnsetType = UNSET,
    ) -> shapes.CreatedPortalSession:
        """`url` of the answer opens this application and no other, for `expires_in` seconds. `origin` is that of the
        page that shows the portal within itself.
        """
        body = {"expires_in": expires_in, "role": role, "origin": origin}
        return await self._wire.run(post(shapes.CreatedPortalSession, *_under(application), body=body))

    def list(
        self, application: str, *, since: str | None = None, until: str | None = None, page_size: int | None = None
    ) -> AsyncListing[shapes.PortalSession]:
        """Those that live, newest first, without their addresses."""
        query = {"since": since, "until": until, "limit": page_size}
        return AsyncListing(self._wire, shapes.PortalSession, _under(application), query)

    async def end(self, application: str, session: str) -> None:
        await self._wire.run(change(None, "DELETE", *_under(application, session)))


def _under(application: str, *further: str) -> tuple[str, ...]:
    return ("applications", application, "portal-sessions", *further)
