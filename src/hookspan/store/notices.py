"""What every store keeps of notices: which webhooks' condition has changed, and what is to be sent because of it.

Part of the contract in `hookspan.store.contract`.
"""

from typing import Final, Protocol

from hookspan.domain.notice import Notice, NoticeKind, NoticeOutcome, Watched
from hookspan.domain.records import Record

NOTICES_MAX: Final = 500  # kept of one application; the oldest go first


class NewNotice(Record, frozen=True, kw_only=True):
    """`was` is the kind that had been noticed when this one was decided on."""

    id: int
    application_id: int
    webhook_id: int
    kind: NoticeKind
    was: NoticeKind | None
    body: bytes
    created_at: int
    has_url: bool


class Outgoing(Record, frozen=True, kw_only=True):
    """A notice that this node may send now, and where to; None: the application has no URL any more, or is gone."""

    notice: Notice
    url: str | None


class Notices(Protocol):
    """See the module."""

    async def watched(self, failing_before: int, after: int, limit: int) -> list[Watched]:
        """Webhooks that may have something to be told, ids above `after`, rising: those failing since before
        `failing_before` (ms; of fifo ones all, for they may have stalled), those disabled by Hookspan, and those that
        were noticed and fail no more.
        """
        ...

    async def add_notice(self, new: NewNotice) -> int | None:
        """Keep a notice and what was noticed, in one transaction; due at once where it has a URL. How many older ones
        of the application went beyond NOTICES_MAX. None, and nothing is done, when something else than `was` is noticed
        by now: another node was faster.
        """
        ...

    async def take_notices(self, now_ms: int, until_ms: int, limit: int, per_application: int) -> list[Outgoing]:
        """Notices that are due, to be sent by this node: nobody else gets them before `until_ms`, and if nothing is
        heard of them they are due again then. Each counts as an attempt.
        """
        ...

    async def end_notice_attempt(
        self, notice: Notice, outcome: NoticeOutcome | None, problem: str | None, at_ms: int
    ) -> None:
        """What came of sending one: final at `at_ms`, or (None) to be tried again then. Nothing if somebody else has
        taken it meanwhile.
        """
        ...

    async def notices(self, application_id: int, limit: int) -> list[Notice]:
        """Newest first."""
        ...

    async def drop_notices(self, below: int, limit: int) -> int:
        """Drop at most `limit` with ids below; how many were dropped."""
        ...
