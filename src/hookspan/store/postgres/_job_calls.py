"""The calls of `hookspan.store.jobs` on PostgreSQL: each is one transaction of a lane."""

from hookspan.domain.jobs import Job, JobState
from hookspan.store.jobs import EventScan, JobLook, JobTurn, NewJob, Window
from hookspan.store.messages import Page
from hookspan.store.postgres import _event_scan, _job_looks, _jobs
from hookspan.store.postgres._ways import Ways


class JobCalls(Ways):
    """Part of `PostgresStore`."""

    async def find_window(self, application_id: int, since: int, until: int, last: int) -> Window:
        return await self._read(lambda db: _event_scan.find_window(db, application_id, since, until, last))

    async def scan_events(
        self,
        application_id: int,
        webhook_id: int,
        window: Window,
        since: int,
        until: int,
        limit: int,
        *,
        with_state: bool,
    ) -> EventScan:
        return await self._read(
            lambda db: _event_scan.scan_events(
                db, application_id, webhook_id, window, since, until, limit, with_state=with_state
            )
        )

    async def create_job(self, new: NewJob, running_max: int, queued_max: int) -> Job:
        return await self._create(lambda db: _jobs.create_job(db, new, running_max, queued_max))

    async def get_job(self, job_id: int) -> Job | None:
        return await self._read(lambda db: _job_looks.read_job(db, job_id))

    async def list_jobs(
        self, page: Page, *, application_id: int | None, webhook_id: int | None, state: JobState | None
    ) -> list[Job]:
        return await self._look(lambda db: _job_looks.list_jobs(db, page, application_id, webhook_id, state))

    async def look_at_jobs(self, after: int, limit: int, untried_max: int) -> list[JobLook]:
        return await self._read(lambda db: _job_looks.look_at_jobs(db, after, limit, untried_max))

    async def advance_job(self, job_id: int, now_ms: int, chunk: int, untried_max: int) -> JobTurn:
        ids = self._ids
        return await self._create(lambda db: _jobs.advance_job(db, ids, job_id, now_ms, chunk, untried_max))

    async def cancel_job(self, job_id: int, now_ms: int, chunk: int) -> Job | None:
        return await self._write(lambda db: _jobs.cancel_job(db, job_id, now_ms, chunk))
