"""Jobs: long work that a person asks for once, done bit by bit, with progress. Points in time are ms since 1970."""

from typing import Any

import msgspec

from hookspan.domain.records import Record
from hookspan.domain.states import Word
from hookspan.domain.times import LAST_MS


class JobKind(Word):
    REPLAY = 1


class JobState(Word):
    """`queued` until the application's jobs before it are done. The last three are decided; work that is under way may
    still end after that, until `finished_at`.
    """

    QUEUED = 1
    RUNNING = 2
    SUCCEEDED = 3
    FAILED = 4
    CANCELLED = 5


class Job(Record, frozen=True, kw_only=True):
    """A job with the exact count of what became of its deliveries.

    `total` is fixed at the start; `succeeded`, `failed` and `skipped` count those that have ended (each once), and are
    together `total` when `finished_at` is set. `unfed` of them are not deliveries yet.
    """

    id: int
    application_id: int
    application: str  # its public id
    profile: str  # the application's
    webhook_id: int
    kind: JobKind
    state: JobState
    input: dict[str, Any]  # as it was asked for, in the words of the API
    rate: float | None  # deliveries made a second
    total: int
    unfed: int
    succeeded: int
    failed: int
    skipped: int
    problem: str | None  # why it could not go on, in a sentence
    created_at: int
    started_at: int | None
    finished_at: int | None

    @property
    def done(self) -> int:
        return self.succeeded + self.failed + self.skipped

    def ends_about_at(self, now_ms: int) -> int | None:
        """When it will be done at the pace that it has had, and at its rate; None when there is no telling."""
        if self.state is not JobState.RUNNING or self.started_at is None:
            return None
        slowest = [] if self.rate is None else [self.unfed / self.rate * 1000]
        passed_ms = now_ms - self.started_at
        if self.done and passed_ms > 0:
            slowest.append((self.total - self.done) * passed_ms / self.done)
        at_ms = now_ms + max(slowest, default=LAST_MS)
        return int(at_ms) if at_ms < LAST_MS else None


class ScannedEvent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An event of a window, with what it takes to decide whether it fits. `state` is that of its newest delivery to the
    webhook, None without one; where nobody asked for it None too.
    """

    id: int
    position: int
    type: str
    accepted_at: int
    state: int | None
