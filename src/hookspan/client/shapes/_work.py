# Made from hookspan.manage.views by `python -m tests.unit.client.mirror`: change it there.
"""Jobs, statistics, notices."""

from hookspan.client.shapes._base import Shape
from hookspan.client.shapes._delivery import AttemptError, AttemptResponse


class DeliveryCounts(Shape, frozen=True, kw_only=True):
    """Deliveries that ended by an attempt: taken, or given up."""

    succeeded: int
    failed: int


class Percentiles(Shape, frozen=True, kw_only=True):
    """Durations from the look-up of the host name to the last byte of the answer, in ms; within 6.25 %."""

    p50: float
    p90: float
    p95: float
    p99: float


class StatisticsPart(Shape, frozen=True, kw_only=True):
    """What happened in one hour or day (of UTC) that begins `at`."""

    at: str
    events: int | None
    attempts: int
    attempts_succeeded: int
    deliveries: DeliveryCounts
    success_rate: float | None
    latency_ms: Percentiles | None


class Statistics(Shape, frozen=True, kw_only=True):
    """What happened from `since` to `until`, whole hours or days of UTC, and what waits now.

    `events` were published; null for a webhook, which has none of its own. `attempts` leave out tests, and those that
    failed for a reason of Hookspan's own. `success_rate` is `attempts_succeeded` of `attempts`, from 0 to 1.
    `latency_ms` is of attempts that were answered, whatever the answer. `by_hour` or `by_day` has every hour or day,
    oldest first; the other is null.
    """

    since: str
    until: str
    events: int | None
    attempts: int
    attempts_succeeded: int
    deliveries: DeliveryCounts
    success_rate: float | None
    latency_ms: Percentiles | None
    waiting: int
    oldest_waiting_at: str | None
    by_hour: list[StatisticsPart] | None
    by_day: list[StatisticsPart] | None


class ReplayInput(Shape, frozen=True, kw_only=True):
    """What a replay was asked for, its window as times."""

    since: str
    until: str
    state: str | None
    types: list[str] | None
    rate: float | None


class Job(Shape, frozen=True, kw_only=True):
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
    kind: str
    state: str
    input: ReplayInput
    total: int | None
    done: int
    succeeded: int
    failed: int
    skipped: int
    rate_per_s: float | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    ends_about_at: str | None
    problem: str | None


class ReplayPreview(Shape, frozen=True, kw_only=True):
    """How many events a replay would deliver again, by type, and when the first and the last of them were accepted."""

    count: int
    by_type: dict[str, int]
    first_at: str | None
    last_at: str | None


class NoticeWebhook(Shape, frozen=True, kw_only=True):
    """The webhook that a notice is about. `url` is only its origin: the path may be a secret."""

    id: str
    name: str | None
    url: str


class NoticeAttempt(Shape, frozen=True, kw_only=True):
    """What came of the webhook's newest attempt when the notice was made."""

    at: str
    response_status: int | None
    error: str | None


class NoticeData(Shape, frozen=True, kw_only=True):
    """What a notice says, as it is sent."""

    application_id: str
    webhook: NoticeWebhook
    status: str
    status_reason: str | None
    failing_since: str | None
    last_attempt: NoticeAttempt | None
    sentence: str


class Notice(Shape, frozen=True, kw_only=True):
    """That a webhook fails, has stalled, was disabled or has recovered. `outcome` is null while it is being sent;
    `no_url`: there was nowhere to send it to.
    """

    id: str
    type: str
    created_at: str
    attempts: int
    next_attempt_at: str | None
    finished_at: str | None
    outcome: str | None
    problem: str | None
    data: NoticeData


class Notify(Shape, frozen=True, kw_only=True):
    """Where an application's notices go, the secret that signs them (Standard Webhooks), and the newest 20."""

    url: str | None
    secret: str | None
    notices: list[Notice]


class NotifyTest(Shape, frozen=True, kw_only=True):
    """What came of a notice of type `notify.test`, sent now. `is_accepted`: the answer was a 2xx."""

    id: str
    url: str
    is_accepted: bool
    started_at: str
    duration_ms: float
    error: AttemptError | None
    response: AttemptResponse | None
