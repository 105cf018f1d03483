"""Jobs: what was asked for, how far it has come, and an end to it."""

from typing import cast

import msgspec

from hookspan.domain.explain import why_disabled, why_paused
from hookspan.domain.jobs import Job, JobState
from hookspan.domain.states import WebhookStatus
from hookspan.domain.times import to_text as time_text
from hookspan.ids import JOB_PREFIX, from_text, to_text
from hookspan.manage import views
from hookspan.manage._ground import Ground, not_found
from hookspan.manage._rights import Right
from hookspan.manage._show import time_or_none
from hookspan.manage.inputs import JobQuery, Paging

CANCEL_CHUNK = 2_000  # deliveries cancelled at once; the job's turns do the rest
_STALLED = (
    "The webhook is stalled: send it an event by hand; once that succeeds, everything that waits goes on, the job too."
)


class Jobs:
    """List, get and cancel jobs."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def page(self, query: JobQuery, paging: Paging) -> views.JobList:
        """Newest first; a caller of one application gets that one's."""
        ground = self._ground
        ground.require(Right.LOOK)
        wanted = query.application_id or ground.caller.application
        application = None if wanted is None else await ground.application(wanted, Right.LOOK)
        inside = None if application is None else application.id
        webhook_id = None if query.webhook_id is None else self._webhook_id(query.webhook_id)
        of = f"jobs/{inside}/{webhook_id}?state={query.state}"
        page = ground.page(of, paging)
        found = await ground.store.list_jobs(
            page,
            application_id=inside,
            webhook_id=webhook_id,
            state=None if query.state is None else JobState[query.state.upper()],
        )
        return views.JobList(
            data=[await self._shown(one) for one in found],
            next=ground.next_of(of, page, found[-1].id) if len(found) >= page.limit else None,
        )

    async def get(self, job_id: str) -> views.Job:
        return await self._shown(await self._job(job_id, Right.LOOK))

    async def cancel(self, job_id: str) -> views.Job:
        """Nothing more of it is sent but what is in flight. A job that was cancelled stays so. Raises StateForbidden
        for one that has ended otherwise.
        """
        ground = self._ground
        job = await self._job(job_id, Right.CONFIGURE)
        if job.state is not JobState.CANCELLED:
            application = await ground.application(job.application, Right.CONFIGURE)
            store = ground.audited("job.cancelled", "job", job_id, application)
            cancelled = await store.cancel_job(job.id, ground.clock.now_ms(), CANCEL_CHUNK)
            if cancelled is None:
                not_found("job", job_id)
            ground.engine.job_cancelled(job.webhook_id)
            job = cancelled
        return await self._shown(job)

    async def _job(self, text: str, right: Right) -> Job:
        """In the same words whether it is missing or out of reach. Raises NotFound, then NotAllowed."""
        ground = self._ground
        ident = from_text(JOB_PREFIX, text)
        found = None if ident is None else await ground.store.get_job(ident)
        if found is None or not ground.caller.reaches(found.application):
            not_found("job", text)
        await ground.application(found.application, right)
        return found

    def _webhook_id(self, text: str) -> int:
        """The id behind a text, whichever profile's it is. Of another application's webhook there are no jobs in reach,
        as of one that never was.
        """
        profiles = self._ground.profiles
        prefixes = {profiles.get(name).webhook_prefix for name in profiles.names}
        found = (from_text(prefix, text) for prefix in sorted(prefixes))
        ident = next((one for one in found if one is not None), None)
        return ident if ident is not None else not_found("webhook", text)

    async def _shown(self, job: Job) -> views.Job:
        prefix = self._ground.profiles.get(job.profile).webhook_prefix
        now_ms = self._ground.clock.now_ms()
        return show_job(job, prefix, now_ms, await self._waits_for(job))

    async def _waits_for(self, job: Job) -> str | None:
        """What keeps a running job from going on, in a sentence."""
        if job.state is not JobState.RUNNING:
            return None
        webhook = await self._ground.store.get_webhook(job.webhook_id)
        if webhook is None:
            return None
        if webhook.status is WebhookStatus.DISABLED:
            return f"{why_disabled(webhook)} The job goes on when it is activated."
        if await self._ground.store.stalled([webhook.id]):
            return _STALLED
        pause = self._ground.engine.pauses.of(job.application_id, job.profile)
        return None if pause is None else f"{why_paused(pause)} The job goes on when sending does."


def show_job(job: Job, webhook_prefix: str, now_ms: int, waits_for: str | None = None) -> views.Job:
    return views.Job(
        id=to_text(JOB_PREFIX, job.id),
        application_id=job.application,
        webhook_id=to_text(webhook_prefix, job.webhook_id),
        kind=cast("views.JobKind", job.kind.word),
        state=cast("views.JobState", job.state.word),
        input=msgspec.convert(job.input, views.ReplayInput),
        total=job.total,
        done=job.done,
        succeeded=job.succeeded,
        failed=job.failed,
        skipped=job.skipped,
        rate_per_s=job.rate,
        created_at=time_text(job.created_at),
        started_at=time_or_none(job.started_at),
        finished_at=time_or_none(job.finished_at),
        ends_about_at=None if waits_for else time_or_none(job.ends_about_at(now_ms)),
        problem=job.problem or waits_for,
    )
