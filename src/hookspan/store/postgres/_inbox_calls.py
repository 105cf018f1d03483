"""The calls of `hookspan.store.inbox` on PostgreSQL: each is one transaction of a lane."""

from collections.abc import Sequence

from hookspan.store.inbox import InboxApplication, InboxRefusal, InboxRow
from hookspan.store.postgres import _inbox
from hookspan.store.postgres._ways import Ways


class InboxCalls(Ways):
    """Part of `PostgresStore`."""

    @property
    def has_inbox(self) -> bool:
        return True

    async def inbox_applications(self, node: int, after: str, limit: int) -> list[InboxApplication]:
        return await self._read(lambda db: _inbox.applications(db, node, after, limit))

    async def draw_inbox(
        self, node: int, applications: Sequence[str], *, each: int, limit: int, bytes_max: int
    ) -> list[InboxRow]:
        return await self._create(lambda db: _inbox.draw(db, node, applications, each, limit, bytes_max))

    async def settle_inbox(
        self, node: int, applications: Sequence[str], refusals: Sequence[InboxRefusal], now_ms: int
    ) -> None:
        await self._write(lambda db: _inbox.settle(db, node, applications, refusals, now_ms))
