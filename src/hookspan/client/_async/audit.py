"""/v1/audit"""

from hookspan.client import shapes
from hookspan.client._async.listing import AsyncListing
from hookspan.client._async.wire import AsyncWire


class AsyncAudit:
    """Who did what to which object, from where."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire

    def list(
        self,
        *,
        application: str | None = None,
        action: str | None = None,
        actor: str | None = None,
        object: str | None = None,  # noqa: A002 - the parameter's name
        since: str | None = None,
        until: str | None = None,
        page_size: int | None = None,
    ) -> AsyncListing[shapes.AuditLine]:
        """Newest first. `actor` and `object` are ids, `action` is such as `webhook.changed`."""
        query = {
            "application_id": application,
            "action": action,
            "actor": actor,
            "object": object,
            "since": since,
            "until": until,
            "limit": page_size,
        }
        return AsyncListing(self._wire, shapes.AuditLine, ("audit",), query)
