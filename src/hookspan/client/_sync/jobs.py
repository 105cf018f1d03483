# Made from its twin in `_async` by `python -m tests.unit.client.twins`: change it there.
"""/v1/jobs"""

from typing import Literal

from hookspan.client import shapes
from hookspan.client._request import get, post
from hookspan.client._sync.listing import Listing
from hookspan.client._sync.wire import Wire

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class Jobs:
    """Long work with progress: what `webhooks.replay` started."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def list(
        self,
        *,
        application: str | None = None,
        webhook: str | None = None,
        state: JobState | None = None,
        since: str | None = None,
        until: str | None = None,
        page_size: int | None = None,
    ) -> Listing[shapes.Job]:
        """Newest first."""
        query = {
            "application_id": application,
            "webhook_id": webhook,
            "state": state,
            "since": since,
            "until": until,
            "limit": page_size,
        }
        return Listing(self._wire, shapes.Job, ("jobs",), query)

    def get(self, job: str) -> shapes.Job:
        """With its progress."""
        return self._wire.run(get(shapes.Job, "jobs", job))

    def cancel(self, job: str) -> shapes.Job:
        """Nothing more of it is sent; what is in flight ends, and counts."""
        return self._wire.run(post(shapes.Job, "jobs", job, "cancel"))
