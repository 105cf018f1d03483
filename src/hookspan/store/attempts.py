"""What people watch: attempts of many webhooks in a few words each, and what fails, put together by webhook and error.

Part of the contract in `hookspan.store.contract`.
"""

from collections.abc import Sequence
from typing import Protocol

from hookspan.domain.records import Record, Webhook
from hookspan.domain.states import VerdictKind

GIVEN_UP_LOOK_MAX = 2_000  # webhooks, of the newest applications, among which `Store.given_up` looks


class AttemptLine(Record, frozen=True, kw_only=True, gc=False):
    """An attempt without what was sent and what came back, with the names of where it belongs."""

    id: int
    application: str  # its public id
    application_name: str
    profile: str
    webhook_id: int
    webhook_name: str | None
    webhook_url: str  # as it is now
    delivery_id: int | None  # None for a test
    event_id: int | None
    type: str | None  # None for a test
    number: int
    started_at: int
    duration_us: int
    verdict: VerdictKind
    error: str | None
    error_message: str | None
    response_status: int | None


class FailureGroup(Record, frozen=True, kw_only=True):
    """Deliveries of one webhook that failed in one way: an error's code, else a status, else (neither) untold.

    `first_at` and `last_at` are beginnings of attempts (ms); `delivery_id` is that of the last one. `is_cut`: there are
    more than were counted, and they may have begun before `first_at`.
    """

    webhook_id: int
    error: str | None
    response_status: int | None
    deliveries: int
    first_at: int
    last_at: int
    delivery_id: int
    is_cut: bool


class Watching(Protocol):
    """See the module."""

    async def attempt_lines(
        self, after_id: int, limit: int, *, application_id: int | None = None, webhook_id: int | None = None
    ) -> list[AttemptLine]:
        """The newest attempts with ids above `after_id`, newest first: of all applications, of one, or of one webhook
        of it. Those of applications that were deleted are left out, after the limit: fewer than `limit` say nothing.

        An attempt is kept somewhat after its id was made, and makers' ids interleave: one that is read later may have a
        lower id than one that was read before.
        """
        ...

    async def in_trouble(self, application_id: int | None, limit: int) -> list[Webhook]:
        """Webhooks that fail (`failing_since`), or were switched off because they did (GONE, FAILING), of one
        application or of all; those whose trouble is the youngest first. Not one that a person has switched off.
        """
        ...

    async def failures(self, webhook_ids: Sequence[int], each: int) -> list[FailureGroup]:
        """What has failed since each of these webhooks last took a delivery, by error and status, in no order. Tests
        count for nothing; each webhook's newest `each` attempts are looked at.
        """
        ...

    async def given_up(
        self, application_id: int | None, since_id: int, *, webhooks: int, each: int
    ) -> list[FailureGroup]:
        """Failed deliveries of events with ids from `since_id` on, of one application or of all, by how the last
        attempt failed (one without an attempt: neither error nor status, and its end is its time), in no order. Left
        out is what a later run has brought. Told are at most `webhooks` webhooks, and of each the newest `each`; of all
        applications, those among GIVEN_UP_LOOK_MAX of the newest ones.
        """
        ...
