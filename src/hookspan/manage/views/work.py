"""Jobs, statistics and notices."""

from typing import Literal

from hookspan.manage.views._base import Time, View
from hookspan.manage.views.deliveries import AttemptError, AttemptResponse
from hookspan.manage.views.profiles import NewStatus
from hookspan.manage.views.webhooks import ShownStatusReason

ReplayState = Literal["succeeded", "failed", "cancelled", "missing"]
JobKind = Literal["replay", "catch_up", "resend"]
JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
NoticeType = Literal["webhook.failing", "webhook.stalled", "webhook.disabled", "webhook.recovered"]
ShownNoticeOutcome = Literal["delivered", "gave_up", "no_url"]


class DeliveryCounts(View, frozen=True, kw_only=True):
    """Deliveries that ended by an attempt: taken, or given up."""

    succeeded: int
    failed: int


class Percentiles(View, frozen=True, kw_only=True):
    """Durations from the look-up of the host name to the last byte of the answer, in ms; within 6.25 %."""

    p50: float
    p90: float
    p95: float
    p99: float


class StatisticsPart(View, frozen=True, kw_only=True):
    """What happened in one hour or day (of UTC) that begins `at`."""

    at: Time
    events: int | None
    attempts: int
    attempts_succeeded: int
    deliveries: DeliveryCounts
    success_rate: float | None
    latency_ms: Percentiles | None


class Statistics(View, frozen=True, kw_only=True):
    """What happened from `since` to `until`, whole hours or days of UTC, and what waits now.

    `events` were published; null for a webhook, which has none of its own. `attempts` leave out tests, and those that
    failed for a reason of Hookspan's own. `success_rate` is `attempts_succeeded` of `attempts`, from 0 to 1.
    `latency_ms` is of attempts that were answered, whatever the answer. `by_hour` or `by_day` has every hour or day,
    oldest first; the other is null.
    """

    since: Time
    until: Time
    events: int | None
    attempts: int
    attempts_succeeded: int
    deliveries: DeliveryCounts
    success_rate: float | None
    latency_ms: Percentiles | None
    waiting: int
    oldest_waiting_at: Time | None
    by_hour: list[StatisticsPart] | None
    by_day: list[StatisticsPart] | None


class ReplayInput(View, frozen=True, kw_only=True):
    """What a replay was asked for, its window as times."""

    since: Time
    until: Time
    state: ReplayState | None
    types: list[str] | None
    rate: float | None


class Job(View, frozen=True, kw_only=True):
    """Long work with progress. `total` is fixed at the start. `succeeded`, `failed` and `skipped` count the deliveries
    that have ended, each once, and `done` is their sum; events that were not delivered again are skipped, and
    deliveries that were cancelled. At `finished_at` they are `total`: a cancelled job has that when the last of its
    requests in flight has ended.

    `ends_about_at` is an estimate from the pace so far and the rate. `problem` says why it failed, or what a running
    job waits for.
    """

    id: str
    application_id: str
    webhook_id: str | None
    kind: JobKind
    state: JobState
    input: ReplayInput
    total: int | None
    done: int
    succeeded: int
    failed: int
    skipped: int
    rate_per_s: float | None
    created_at: Time
    started_at: Time | None
    finished_at: Time | None
    ends_about_at: Time | None
    problem: str | None


class ReplayPreview(View, frozen=True, kw_only=True):
    """How many events a replay would deliver again, by type, and when the first and the last of them were accepted."""

    count: int
    by_type: dict[str, int]
    first_at: Time | None
    last_at: Time | None


class JobList(View, frozen=True, kw_only=True):
    data: list[Job]
    next: str | None


class NoticeWebhook(View, frozen=True, kw_only=True):
    """The webhook that a notice is about. `url` is only its origin: the path may be a secret."""

    id: str
    name: str | None
    url: str


class NoticeAttempt(View, frozen=True, kw_only=True):
    """What came of the webhook's newest attempt when the notice was made."""

    at: Time
    response_status: int | None
    error: str | None


class NoticeData(View, frozen=True, kw_only=True):
    """What a notice says, as it is sent."""

    application_id: str
    webhook: NoticeWebhook
    status: NewStatus
    status_reason: ShownStatusReason | None
    failing_since: Time | None
    last_attempt: NoticeAttempt | None
    sentence: str


class Notice(View, frozen=True, kw_only=True):
    """That a webhook fails, has stalled, was disabled or has recovered. `outcome` is null while it is being sent;
    `no_url`: there was nowhere to send it to.
    """

    id: str
    type: NoticeType
    created_at: Time
    attempts: int
    next_attempt_at: Time | None
    finished_at: Time | None
    outcome: ShownNoticeOutcome | None
    problem: str | None
    data: NoticeData


class Notify(View, frozen=True, kw_only=True):
    """Where an application's notices go, the secret that signs them (Standard Webhooks), and the newest 20."""

    url: str | None
    secret: str | None  # a portal session does not get to see what outlives it
    notices: list[Notice]


class NotifyTest(View, frozen=True, kw_only=True):
    """What came of a notice of type `notify.test`, sent now. `is_accepted`: the answer was a 2xx."""

    id: str
    url: str
    is_accepted: bool
    started_at: Time
    duration_ms: float
    error: AttemptError | None
    response: AttemptResponse | None
