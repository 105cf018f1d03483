"""What goes to and from the store about the audit log."""

from typing import Protocol

import msgspec

from hookspan.domain.audit import AuditEntry, AuditLine
from hookspan.store.messages import Page

WALK_MAX = 10_000
PAGE_BYTES_MAX = 4 * 1024 * 1024


class AuditQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Filters of the log. `application` is a public id, which several applications may have had, one after another;
    `application_id` names one of them.
    """

    application: str | None = None
    application_id: int | None = None
    action: str | None = None
    actor_id: str | None = None
    object_id: str | None = None
    own_actors: bool = False  # `actor_id` finds nobody of the operator's


class AuditPage(msgspec.Struct, frozen=True):
    """Some lines, newest first. The list goes on before the id `before`, where that is not None."""

    lines: tuple[AuditLine, ...]
    before: int | None


class AuditLog(Protocol):
    """The part of the contract about the log itself; `Store.audited` writes it."""

    async def keep_audit(self, entry: AuditEntry) -> None:
        """Keep a line by itself, of what is no change of the store's own."""
        ...

    async def list_audit(self, page: Page, query: AuditQuery) -> AuditPage:
        """Lines of all chains or of some applications', newest first: of one chain from its head down without a gap,
        where nothing is filtered. Nothing is ever taken out, also when an application is deleted.

        A page ends early, before it is full, rather than walk past more than WALK_MAX lines, or hold more than
        PAGE_BYTES_MAX of them.
        """
        ...
