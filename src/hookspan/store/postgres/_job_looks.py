"""Jobs as they are looked at: with what became of their deliveries, and whether there is anything to do for them."""

import msgspec

from hookspan.domain.jobs import Job, JobKind, JobState
from hookspan.domain.states import WebhookStatus
from hookspan.store.jobs import JobLook
from hookspan.store.messages import Page
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection


def read_job(connection: Connection, job_id: int) -> Job | None:
    return rows.one(connection, "read_job", _job, {"id": job_id})


def list_jobs(
    connection: Connection,
    page: Page,
    application_id: int | None,
    webhook_id: int | None,
    state: JobState | None,
) -> list[Job]:
    """Newest first."""
    low, high = rows.id_range(page)
    bindings: dict[str, int | None] = {
        "low": low,
        "high": high if page.before is None else min(high, page.before),
        "state": state,
        "limit": page.limit,
    }
    if webhook_id is not None:
        bindings |= {"webhook_id": webhook_id, "application_id": application_id}
        return rows.many(connection, "list_jobs_of_webhook", _job, bindings)
    if application_id is not None:
        bindings["application_id"] = application_id
        return rows.many(connection, "list_jobs_of_application", _job, bindings)
    return rows.many(connection, "list_jobs", _job, bindings)


def look_at_jobs(connection: Connection, after: int, limit: int, untried_max: int) -> list[JobLook]:
    """See `Jobs.look_at_jobs`."""
    job_ids = rows.many(connection, "find_started_jobs", _ident, (after, limit))
    if not job_ids:
        return []
    bindings = {"ids": job_ids, "lowest": min(job_ids), "untried_max": untried_max}
    return rows.many(connection, "look_at_jobs", _look, bindings)


def _look(row: rows.Values) -> JobLook:
    ident, webhook_id, state, has_unfed, feeds_at, status, is_swept, untried, has_waiting, has_pending = row
    return JobLook(
        id=ident,
        webhook_id=webhook_id,
        state=JobState(state),
        has_unfed=has_unfed,
        untried=untried,
        has_waiting=has_waiting,
        has_pending=has_pending,
        feeds_at=int(feeds_at),
        is_webhook_gone=status in (None, WebhookStatus.DELETED),
        is_webhook_on=status in (WebhookStatus.ACTIVE, WebhookStatus.CATCHING_UP) and not is_swept,
    )


def _job(row: rows.Values) -> Job:
    return Job(
        id=row[0],
        application_id=row[1],
        application=row[2],
        profile=row[3],
        webhook_id=row[4],
        kind=JobKind(row[5]),
        state=JobState(row[6]),
        input=msgspec.json.decode(row[7]),
        rate=row[8],
        total=row[9],
        unfed=row[10],
        succeeded=row[11],
        failed=row[12],
        skipped=row[13],
        problem=row[14],
        created_at=row[15],
        started_at=row[16],
        finished_at=row[17],
    )


def _ident(row: rows.Values) -> int:
    return int(row[0])
