"""/v1/applications"""

from typing import Any, Literal

from msgspec import UNSET, UnsetType

from hookspan.client import shapes
from hookspan.client._async.listing import AsyncListing
from hookspan.client._async.wire import AsyncWire
from hookspan.client._request import change, get, post

Part = Literal["hour", "day"]


class AsyncApplications:
    """The customers of the platform."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire

    async def create(
        self,
        name: str,
        *,
        profile: str | UnsetType = UNSET,
        id: str | UnsetType = UNSET,  # noqa: A002 - the member's name
        uuid: str | UnsetType = UNSET,
        settings: dict[str, Any] | UnsetType = UNSET,
        metadata: dict[str, Any] | UnsetType = UNSET,
        notify: str | UnsetType | None = UNSET,
    ) -> shapes.Application:
        """Without a profile it speaks `standard`. An `id` of your own is yours to choose, once."""
        body = {
            "name": name,
            "profile": profile,
            "id": id,
            "uuid": uuid,
            "settings": settings,
            "metadata": metadata,
            "notify": notify,
        }
        return await self._wire.run(post(shapes.Application, "applications", body=body))

    def list(
        self, *, since: str | None = None, until: str | None = None, page_size: int | None = None
    ) -> AsyncListing[shapes.Application]:
        """Newest first. `since` is inclusive, `until` exclusive."""
        query = {"since": since, "until": until, "limit": page_size}
        return AsyncListing(self._wire, shapes.Application, ("applications",), query)

    async def get(self, application: str) -> shapes.Application:
        return await self._wire.run(get(shapes.Application, "applications", application))

    async def change(
        self,
        application: str,
        *,
        name: str | UnsetType = UNSET,
        profile: str | UnsetType = UNSET,
        uuid: str | UnsetType = UNSET,
        settings: dict[str, Any] | UnsetType = UNSET,
        metadata: dict[str, Any] | UnsetType = UNSET,
        notify: str | UnsetType | None = UNSET,
    ) -> shapes.Application:
        """What is given replaces the old. The profile is fixed once there are webhooks or events."""
        body = {
            "name": name,
            "profile": profile,
            "uuid": uuid,
            "settings": settings,
            "metadata": metadata,
            "notify": notify,
        }
        return await self._wire.run(change(shapes.Application, "PATCH", "applications", application, body=body))

    async def stats(
        self, application: str, *, since: str | None = None, until: str | None = None, by: Part | None = None
    ) -> shapes.Statistics:
        """What happened to it, hour by hour or day by day; of the last 24 hours unless told."""
        return await self._wire.run(
            get(shapes.Statistics, "applications", application, "stats", since=since, until=until, by=by)
        )

    async def delete(self, application: str) -> None:
        """With its webhooks and events."""
        await self._wire.run(change(None, "DELETE", "applications", application))
