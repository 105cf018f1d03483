"""/v1/jobs"""

from typing import Literal

from hookspan.client import shapes
from hookspan.client._async.listing import AsyncListing
from hookspan.client._async.wire import AsyncWire
from hookspan.client._request import get, post

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class AsyncJobs:
    """Long work with progress: what `webhooks.replay` started."""

    def __init__(self, wire: AsyncWire) -> None:
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
    ) -> AsyncListing[shapes.Job]:
        """Newest first."""
        query = {
            "application_id": application,
            "webhook_id": webhook,
            "state": state,
            "since": since,
            "until": until,
            "limit": page_size,
        }
        return AsyncListing(self._wire, shapes.Job, ("jobs",), query)

    async def get(self, job: str) -> shapes.Job:
        """With its progress."""
        return await self._wire.run(get(shapes.Job, "jobs", job))

    async def cancel(self, job: str) -> shapes.Job:
        """Nothing more of it is sent; what is in flight ends, and counts."""
        return await self._wire.run(post(shapes.Job, "jobs", job, "cancel"))
