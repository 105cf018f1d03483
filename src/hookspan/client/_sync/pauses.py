# Made from its twin in `_async` by `python -m tests.unit.client.twins`: change it there.
"""/v1/pauses"""

from typing import Literal

from msgspec import UNSET, UnsetType

from hookspan.client import shapes
from hookspan.client._request import change, post
from hookspan.client._sync.listing import Listing
from hookspan.client._sync.wire import Wire

PauseScope = Literal["all", "profile", "application"]


class Pauses:
    """Where sending is stopped for a while."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def create(
        self,
        scope: PauseScope,
        *,
        profile: str | UnsetType = UNSET,
        application: str | UnsetType = UNSET,
        reason: str | UnsetType = UNSET,
    ) -> shapes.Pause:
        """Stop sending of all, of a `profile` or of an `application`, as the scope says. What is paused already stays
        so: the pause that is there comes back.
        """
        body = {"scope": scope, "profile": profile, "application_id": application, "reason": reason}
        return self._wire.run(post(shapes.Pause, "pauses", body=body))

    def list(
        self, *, since: str | None = None, until: str | None = None, page_size: int | None = None
    ) -> Listing[shapes.Pause]:
        """Those in force, newest first."""
        return Listing(self._wire, shapes.Pause, ("pauses",), {"since": since, "until": until, "limit": page_size})

    def end(self, pause: str) -> shapes.Pause:
        """Let sending go on, by the pause's id; once more changes nothing."""
        return self._wire.run(change(shapes.Pause, "DELETE", "pauses", pause))
