"""The calls of `hookspan.store.audit` on SQLite: each is one job for the writer or for a reader."""

from collections.abc import Callable
from typing import TypeVar

import apsw

from hookspan.domain.audit import AuditEntry
from hookspan.ids import IdMaker
from hookspan.store.audit import AuditPage, AuditQuery
from hookspan.store.messages import Page
from hookspan.store.sqlite import _audit

T = TypeVar("T")
_Run = Callable[[apsw.Connection], T]


class AuditCalls:
    """Part of `SqliteStore`, which brings the ways to the database."""

    _ids: IdMaker

    async def _create(self, run: _Run[T]) -> T:
        raise NotImplementedError

    async def _read(self, read: _Run[T]) -> T:
        raise NotImplementedError

    async def keep_audit(self, entry: AuditEntry) -> None:
        await self._create(lambda db: _audit.keep(db, entry, self._ids))

    async def list_audit(self, page: Page, query: AuditQuery) -> AuditPage:
        return await self._read(lambda db: _audit.list_audit(db, page, query))
