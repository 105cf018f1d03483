"""What every store keeps of what happened, by the hour, and the numbers of a webhook's health.

Part of the contract in `hookspan.store.contract`.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from hookspan.domain.records import Record
from hookspan.store.messages import Waiting

HOUR_MS = 3_600_000
STATISTICS_HOURS = 90 * 24  # kept
ALL = 0  # the subject that counts everything


class HourCounts(msgspec.Struct, frozen=True):
    """What happened in one hour (of UTC) to a subject: a webhook, an application (events, and all of its webhooks,
    deleted ones too), or ALL. `hour` counts from 1970.

    `latency` counts answered attempts by bucket, see `domain.latency`. Numbers are added up wherever they meet.
    """

    subject_id: int
    hour: int
    events: int = 0
    attempts: int = 0
    attempts_succeeded: int = 0
    deliveries_succeeded: int = 0
    deliveries_failed: int = 0
    latency: dict[int, int] = msgspec.field(default_factory=dict)


class WebhookHealth(Record, frozen=True, kw_only=True):
    """What a webhook's health is made of, but for what waits. Attempts are those of the hours that were asked for."""

    last_success_at: int | None  # when it last took a delivery (its attempt's end, ms), as its newest 200 attempts tell
    stalled_since: int | None
    attempts: int
    attempts_succeeded: int


class Statistics(Protocol):
    """See the module."""

    async def add_statistics(self, counts: Sequence[HourCounts], node: int = 0, number: int = 0) -> None:
        """Add to what is kept of these hours: what several nodes bring sums up. All of the call or nothing. A node's
        calls have rising numbers: one that comes again (its outcome was in doubt) adds nothing, on a shared database
        also after the node was taken out. 0: without a number.
        """
        ...

    async def statistics(self, subject_id: int, since_hour: int, until_hour: int) -> list[HourCounts]:
        """A subject's hours from one (inclusive) to another (exclusive), oldest first; those in which nothing happened
        are left out.
        """
        ...

    async def drop_statistics(self, before_hour: int, limit: int) -> int:
        """Drop at most `limit` of what is kept of earlier hours; how many were dropped."""
        ...

    async def health(self, webhook_ids: Sequence[int], since_hour: int) -> dict[int, WebhookHealth]:
        """The numbers of each of these webhooks in one read, attempts from `since_hour` on."""
        ...

    async def waiting_of_all(self) -> Waiting:
        """What waits in all, in flight included: exact up to 100,000, then the oldest of those counted."""
        ...
