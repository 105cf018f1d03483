"""The inbox: events that a platform has published in SQL, inside a transaction of its own, on their way into intake.

A row of it was committed with the platform's own change. A node takes it in like any publish, and the row goes in the
same transaction that keeps the event: so each row becomes one event, whatever dies on the way. What is refused for good
is kept aside. Only a database that the platform can write to has one. Part of the contract in
`hookspan.store.contract`.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import msgspec

REFUSED_KEPT_MS: Final = 30 * 86_400_000  # what was refused can be looked at, and tried again, for so long
INBOX_COUNTED_MAX: Final = 10_000  # what waits, and what was refused, is counted exactly up to here


class InboxRow(msgspec.Struct, frozen=True, gc=False):
    """One event as it was published. `application` is a public id; content and context are JSON as it was written."""

    id: int
    application: str
    type: str
    content: str
    publisher_id: str | None
    occurred_at: int | None
    context: str | None
    published_at: int


class InboxApplication(msgspec.Struct, frozen=True):
    """Something waits for it; `is_held`: another node that lives is at it."""

    public_id: str
    is_held: bool


class InboxRefusal(msgspec.Struct, frozen=True):
    """A row that is refused for good: code and sentence of the refusal, and where in the event (a JSON pointer)."""

    row_id: int
    code: str
    detail: str
    pointer: str | None


Drawn = Mapping[int, int]
"""Which events of an append come from the inbox: event id → row."""

NOTHING_DRAWN: Final[Drawn] = {}


class Inbox(Protocol):
    """See the module. `Store.append` takes rows out: it is told which events come from the inbox (`drawn`). Of one
    whose row is gone nothing is kept (position 0, and neither a duplicate nor a conflict); the row of one that was
    kept, or is a duplicate, goes in the same transaction.
    """

    @property
    def has_inbox(self) -> bool:
        """Whether there is one. Where there is none, nothing waits and nothing is held."""
        ...

    async def inbox_applications(self, node: int, after: str, limit: int) -> list[InboxApplication]:
        """Those of which something waits, by public id above `after`. Cheap where nothing does."""
        ...

    async def draw_inbox(
        self, node: int, applications: Sequence[str], *, each: int, limit: int, bytes_max: int
    ) -> list[InboxRow]:
        """Hold these applications for a node that is registered, as far as no other living node holds them, and read
        what waits: the oldest rows of each, at most `each`, `limit` and about `bytes_max` in all (but at least one), by
        application and in the inbox's order.
        """
        ...

    async def settle_inbox(
        self, node: int, applications: Sequence[str], refusals: Sequence[InboxRefusal], now_ms: int
    ) -> None:
        """Put aside what was refused, where it still waits, and give these applications free."""
        ...
