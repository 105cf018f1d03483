"""Jobs: the list, one with its progress, an end to it."""

from typing import Any, Final

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.dashboard._deliveries import paging_of
from hookspan.dashboard._form import convert
from hookspan.dashboard._render import Pages, go
from hookspan.dashboard._shown import NOTHING
from hookspan.dashboard._visit import Entered, Part, Visit
from hookspan.domain import times
from hookspan.errors import NotFound
from hookspan.manage import views
from hookspan.manage.inputs import LIMIT_MAX, JobQuery, Paging

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]
_WHOLE: Final = 10  # from it on tenths tell nothing
STATES: Final = ("queued", "running", "succeeded", "failed", "cancelled")


class AllJobPages(Controller):
    """/dashboard/jobs"""

    path = "/jobs"

    @get("/")
    async def show_all(self, visit: Entered, request: Asked, pages: ThePages) -> Response[Any]:
        """Of all applications; who has one only sees them there."""
        if visit.caller.application is not None:
            return go(f"{visit.root_of(visit.caller.application)}/jobs")
        return await _list(visit, request, pages, None, {})


class JobPages(Controller):
    """…/jobs"""

    path = "/jobs"

    @get("/")
    async def show_all(self, visit: Entered, request: Asked, pages: ThePages) -> Response[str]:
        """Newest first."""
        room = await visit.room()
        return await _list(visit, request, pages, room.id, await _names(visit))

    @get("/{job_id:str}")
    async def show(self, visit: Entered, request: Asked, pages: ThePages, job_id: Part) -> Response[str]:
        """How far it has come. While it moves, the page follows."""
        job = await _job(visit, job_id)
        names = await _names(visit)
        return pages.page("job.html", request, job=job, names=names, pace=pace_in_words(pace_of(job, visit.now_ms)))

    @post("/{job_id:str}/cancel")
    async def cancel(self, visit: Entered, job_id: Part) -> Response[bytes]:
        """Nothing more of it is sent."""
        room = await visit.room()
        await visit.desk.jobs.cancel((await _job(visit, job_id)).id)
        return go(room.to("jobs", job_id, done="job-cancelled"))


def pace_of(job: views.Job, now_ms: int) -> float | None:
    """Deliveries a second so far; None while there is no telling."""
    begun = None if job.started_at is None else times.from_text(job.started_at)
    ended = None if job.finished_at is None else times.from_text(job.finished_at)
    took_ms = 0 if begun is None else (ended or now_ms) - begun
    return job.done * 1000 / took_ms if took_ms > 0 and job.done else None


class Pace(msgspec.Struct, frozen=True):
    """A pace to read, such as "12", "a minute"; no unit where there is no telling."""

    count: str
    unit: str


def pace_in_words(per_s: float | None) -> Pace:
    """By the second, a slow one by the minute; slower than one a minute there is no telling."""
    if per_s is None or per_s * 60 < 1:
        return Pace(count=NOTHING, unit="")
    count, unit = (per_s, "a second") if per_s >= 1 else (per_s * 60, "a minute")
    return Pace(count=f"{count:,.0f}" if count >= _WHOLE else f"{count:.1f}".removesuffix(".0"), unit=unit)


async def _job(visit: Visit, job_id: str) -> views.Job:
    """One of this application: another's is not found, though the caller may reach it elsewhere."""
    room = await visit.room()
    job = await visit.desk.jobs.get(job_id)
    if job.application_id != room.id:
        raise NotFound(f"There is no job {job_id[:80]!r} here.")
    return job


async def _names(visit: Visit) -> dict[str, str]:
    webhooks = (await visit.desk.webhooks.page((await visit.room()).id, Paging(limit=LIMIT_MAX))).data
    return {one.id: one.name or one.url for one in webhooks}


async def _list(
    visit: Visit, request: Asked, pages: Pages, application: str | None, names: dict[str, str]
) -> Response[str]:
    asked = {name: request.query_params.get(name, "").strip() for name in ("state", "webhook")}
    given = {"application_id": application, "webhook_id": asked["webhook"], "state": asked["state"]}
    query = convert({name: value for name, value in given.items() if value}, JobQuery)
    found = await visit.desk.jobs.page(query, paging_of(visit, request))
    return pages.page("jobs.html", request, found=found, asked=asked, names=names, states=STATES)
