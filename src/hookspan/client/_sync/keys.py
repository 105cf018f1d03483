# Made from its twin in `_async` by `python -m tests.unit.client.twins`: change it there.
"""/v1/keys"""

from typing import Literal

from msgspec import UNSET, UnsetType

from hookspan.client import shapes
from hookspan.client._request import change, post
from hookspan.client._sync.listing import Listing
from hookspan.client._sync.wire import Wire

KeyScope = Literal["operator", "publisher", "application"]
Role = Literal["admin", "support", "member"]


class Keys:
    """Programs' keys."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def create(
        self,
        name: str,
        scope: KeyScope,
        *,
        application: str | UnsetType = UNSET,
        role: Role | UnsetType = UNSET,
    ) -> shapes.CreatedKey:
        """`key` of the answer is the key, this once. A scope of one application needs `application`."""
        body = {"name": name, "scope": scope, "application_id": application, "role": role}
        return self._wire.run(post(shapes.CreatedKey, "keys", body=body))

    def list(
        self, *, since: str | None = None, until: str | None = None, page_size: int | None = None
    ) -> Listing[shapes.Key]:
        """Newest first, without their texts."""
        return Listing(self._wire, shapes.Key, ("keys",), {"since": since, "until": until, "limit": page_size})

    def revoke(self, key: str) -> None:
        """By its id; at once."""
        self._wire.run(change(None, "DELETE", "keys", key))
