"""/v1/keys"""

from typing import Literal

from msgspec import UNSET, UnsetType

from hookspan.client import shapes
from hookspan.client._async.listing import AsyncListing
from hookspan.client._async.wire import AsyncWire
from hookspan.client._request import change, post

KeyScope = Literal["operator", "publisher", "application"]
Role = Literal["admin", "support", "member"]


class AsyncKeys:
    """Programs' keys."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire

    async def create(
        self,
        name: str,
        scope: KeyScope,
        *,
        application: str | UnsetType = UNSET,
        role: Role | UnsetType = UNSET,
    ) -> shapes.CreatedKey:
        """`key` of the answer is the key, this once. A scope of one application needs `application`."""
        body = {"name": name, "scope": scope, "application_id": application, "role": role}
        return await self._wire.run(post(shapes.CreatedKey, "keys", body=body))

    def list(
        self, *, since: str | None = None, until: str | None = None, page_size: int | None = None
    ) -> AsyncListing[shapes.Key]:
        """Newest first, without their texts."""
        return AsyncListing(self._wire, shapes.Key, ("keys",), {"since": since, "until": until, "limit": page_size})

    async def revoke(self, key: str) -> None:
        """By its id; at once."""
        await self._wire.run(change(None, "DELETE", "keys", key))
