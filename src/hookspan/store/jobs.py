"""The part of the store's contract about jobs: replays of past events, made into deliveries bit by bit.

A job's membership is fixed when it is created: the events that it is to deliver again, in order. `advance_job` makes
the next few into deliveries and takes them off that list in one transaction, so that a crash leaves no event out and
takes none twice. Its deliveries are ordinary ones with a run above 0; what became of them is counted by the job's id on
their rows, which is exact at any moment.

Nothing here asks which process turns a job: the pace is kept with the job (`JobLook.feeds_at`), and whoever comes
second finds nothing to do.
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import msgspec

from hookspan.domain.jobs import Job, JobKind, JobState, ScannedEvent
from hookspan.domain.states import DeliveryState
from hookspan.store.messages import Page

__all__ = ["IDS_APART_MS", "EventScan", "JobLook", "JobTurn", "Jobs", "NewJob", "Window"]

# Ids of one application rise with its positions; of nodes that write side by side they may be so far out of order. That
# goes for ids only: times of acceptance are what a clock said, and may leap either way.
IDS_APART_MS: Final = 60_000


class Window(msgspec.Struct, frozen=True):
    """Part of an application's sequence, by position: the events after `after`, up to `last`."""

    after: int
    last: int


class EventScan(msgspec.Struct, frozen=True):
    """Some events of a window, in order, perhaps none. The next part starts after `position`; None is the end."""

    events: list[ScannedEvent]
    position: int | None


class NewJob(msgspec.Struct, frozen=True, kw_only=True):
    """`event_ids` in the order in which they are to be delivered. With `event_state` an event whose newest delivery to
    the webhook is no longer so when its turn comes is skipped; with `is_missing` one that has a delivery by then.
    """

    id: int
    application_id: int
    webhook_id: int
    kind: JobKind
    input: dict[str, Any]
    rate: float | None
    event_state: DeliveryState | None
    is_missing: bool
    event_ids: Sequence[int]
    created_at: int


class JobLook(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at an unfinished job tells: whether there is anything to do for it now."""

    id: int
    webhook_id: int
    state: JobState
    has_unfed: bool
    untried: int  # of its deliveries, at most as many as were asked about
    has_waiting: bool  # deliveries that nobody holds
    has_pending: bool
    feeds_at: int  # not before that, because of its rate
    is_webhook_gone: bool
    is_webhook_on: bool  # and nothing of it is being cancelled


class JobTurn(msgspec.Struct, frozen=True):
    """What one turn has done."""

    made: int = 0  # deliveries
    skipped: int = 0
    cancelled: int = 0
    is_finished: bool = False


class Jobs(Protocol):
    """Calls about jobs."""

    async def find_window(self, application_id: int, since: int, until: int, last: int) -> Window:
        """Where in the application's sequence all the events accepted in [since, until) ms are, not beyond position
        `last`, whatever the clock did. Events of other times may lie between them: `scan_events` looks at each one's.
        """
        ...

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
        """Looks at the first `limit` events of `window`: those accepted in [since, until), oldest first."""
        ...

    async def create_job(self, new: NewJob, running_max: int, queued_max: int) -> Job:
        """It runs at once where fewer than `running_max` jobs of the application do, else it is queued. Raises
        StateForbidden when `queued_max` are queued already, or the webhook is disabled or deleted; NotFound without the
        application.
        """
        ...

    async def get_job(self, job_id: int) -> Job | None:
        """None also where its application was deleted."""
        ...

    async def list_jobs(
        self, page: Page, *, application_id: int | None, webhook_id: int | None, state: JobState | None
    ) -> list[Job]: ...

    async def look_at_jobs(self, after: int, limit: int, untried_max: int) -> list[JobLook]:
        """Started jobs that are not finished, by id above `after`. Reads only."""
        ...

    async def advance_job(self, job_id: int, now_ms: int, chunk: int, untried_max: int) -> JobTurn:
        """One bounded step of a started job, in one transaction; nothing where there is nothing to do.

        A running one: its next events, at most `chunk`, as many as its rate allows now, and so that no more than
        `untried_max` of its deliveries wait for their first attempt. An event is skipped whose newest delivery to the
        webhook is still pending, or not in the asked state any more, or that was dropped. While the webhook is disabled
        nothing is made; when it is gone the job fails. When all its deliveries have ended, it succeeds.

        A cancelled or failed one: at most `chunk` of its waiting deliveries are cancelled; when nothing is in flight
        any more it is finished, and the application's next queued job runs.
        """
        ...

    async def cancel_job(self, job_id: int, now_ms: int, chunk: int) -> Job | None:
        """From now on nothing more is made of it, and at most `chunk` of its waiting deliveries are
        cancelled(job_cancelled) at once, those without an attempt first; `advance_job` does the rest. What is held by a
        node is cancelled too, should it be given back unsent. Raises StateForbidden when it has ended otherwise. None
        when there is no such job.
        """
        ...
