"""/v1/jobs"""

from typing import Any

from litestar import Controller, Request, get, post

from hookspan.api._body import read_nothing
from hookspan.api._parameters import Desk, InJobState, JobId, OfApplication, OfWebhook, Page
from hookspan.manage import views
from hookspan.manage.inputs import JobQuery


class JobRoutes(Controller):
    """Long work with progress: replays."""

    path = "/jobs"
    tags = ("Jobs",)

    @get()
    async def list_jobs(
        self,
        desk: Desk,
        page: Page,
        application_id: OfApplication = None,
        webhook_id: OfWebhook = None,
        in_state: InJobState = None,
    ) -> views.JobList:
        """List jobs, newest first. A key of one application sees that one's."""
        query = JobQuery(application_id=application_id, webhook_id=webhook_id, state=in_state)
        return await desk.jobs.page(query, page)

    @get("/{job:str}")
    async def get_job(self, desk: Desk, job: JobId) -> views.Job:
        """Get one job with its progress."""
        return await desk.jobs.get(job)

    @post("/{job:str}/cancel", status_code=200)
    async def cancel_job(self, desk: Desk, job: JobId, request: Request[Any, Any, Any]) -> views.Job:
        """Cancel a job.

        Nothing more of it is sent: what waits is cancelled, and only requests in flight end, and count. With the last
        of them `finished_at` is set, and `done` is `total`. Cancelling again changes nothing; a job that has succeeded
        or failed is 409 `state_forbidden`.
        """
        await read_nothing(request)
        return await desk.jobs.cancel(job)
