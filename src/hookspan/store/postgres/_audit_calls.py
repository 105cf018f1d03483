"""The calls of `hookspan.store.audit` on PostgreSQL: each is one transaction of a lane."""

from hookspan.domain.audit import AuditEntry
from hookspan.store.audit import AuditPage, AuditQuery
from hookspan.store.messages import Page
from hookspan.store.postgres import _audit
from hookspan.store.postgres._ways import Ways


class AuditCalls(Ways):
    """Part of `PostgresStore`."""

    async def keep_audit(self, entry: AuditEntry) -> None:
        await self._create(lambda db: _audit.keep(db, entry, self._ids))

    async def list_audit(self, page: Page, query: AuditQuery) -> AuditPage:
        return await self._look(lambda db: _audit.list_audit(db, page, query))
