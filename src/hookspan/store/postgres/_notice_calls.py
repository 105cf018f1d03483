"""The calls of `hookspan.store.notices` on PostgreSQL: each is one transaction of a lane."""

from hookspan.domain.notice import Notice, NoticeOutcome, Watched
from hookspan.store.notices import NewNotice, Outgoing
from hookspan.store.postgres import _notices
from hookspan.store.postgres._ways import Ways


class NoticeCalls(Ways):
    """Part of `PostgresStore`."""

    async def watched(self, failing_before: int, after: int, limit: int) -> list[Watched]:
        return await self._read(lambda db: _notices.watched(db, failing_before, after, limit))

    async def add_notice(self, new: NewNotice) -> int | None:
        return await self._write(lambda db: _notices.add(db, new))

    async def take_notices(self, now_ms: int, until_ms: int, limit: int, per_application: int) -> list[Outgoing]:
        return await self._write(lambda db: _notices.take(db, now_ms, until_ms, limit, per_application))

    async def end_notice_attempt(
        self, notice: Notice, outcome: NoticeOutcome | None, problem: str | None, at_ms: int
    ) -> None:
        await self._write(lambda db: _notices.end_attempt(db, notice, outcome, problem, at_ms))

    async def notices(self, application_id: int, limit: int) -> list[Notice]:
        return await self._look(lambda db: _notices.read(db, application_id, limit))

    async def drop_notices(self, below: int, limit: int) -> int:
        return await self._write(lambda db: _notices.drop(db, below, limit))
