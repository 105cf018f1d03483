"""Retention on PostgreSQL: one turn is many short transactions, so that nothing waits for it."""

from hookspan.store.contract import ExpiredTurn
from hookspan.store.postgres import _drops, _idempotency, _inbox, _lowest, _retention
from hookspan.store.postgres._retention import Borders
from hookspan.store.postgres._sweep import sweep_one, swept
from hookspan.store.postgres._ways import Ways


class RetentionCalls(Ways):
    """Part of `PostgresStore`."""

    _dropped_to = 0  # the event that retention came to in its present pass over the old ones

    async def expire(
        self, expire_below: int, drop_below: int, limit: int, now_ms: int, *, mark_ms: int | None = None
    ) -> ExpiredTurn:
        borders = Borders(expire_below, drop_below, now_ms)
        if mark_ms is not None:
            await self._write(lambda db: _retention.set_mark(db, mark_ms))
        await self._alone(lambda db: _drops.make_room(db, now_ms, self._options))
        await self._write(lambda db: _lowest.rise(db, now_ms))
        cancelled = await self._sweep(now_ms, limit)
        findings = await self._read(lambda db: _retention.look(db, borders, limit))
        expirable, forgettable = findings.expirable, findings.forgettable
        expired = await self._write(lambda db: _retention.expire(db, expirable, now_ms)) if expirable else 0
        if forgettable:
            await self._write(lambda db: _retention.forget(db, forgettable))
        is_full = limit in (len(expirable), len(forgettable)) or cancelled >= limit
        dropped, has_more = await self._erase(findings.erased, limit)
        if not has_more and dropped < limit:
            old, has_more = await self._drop_old(borders, limit - dropped)
            dropped += old
        if not has_more:
            has_more = await self._write(lambda db: _retention.drop_rest(db, drop_below, limit))
        has_more |= await self._write(lambda db: _idempotency.sweep(db, now_ms, limit))
        obeyed_ms = now_ms if mark_ms is None else mark_ms
        has_more |= await self._write(lambda db: _inbox.drop_refused(db, obeyed_ms, limit)) >= limit
        return ExpiredTurn(expired, dropped, not (is_full or has_more))

    async def retention_mark(self, now_ms: int) -> int:
        return await self._read(lambda db: _retention.read_mark(db, now_ms))

    async def _sweep(self, now_ms: int, limit: int) -> int:
        cancelled = 0
        for webhook_id in await self._read(swept):
            if cancelled >= limit:
                break
            cancelled += await self._sweep_one(webhook_id, now_ms, limit - cancelled)
        return cancelled

    async def _sweep_one(self, webhook_id: int, now_ms: int, limit: int) -> int:
        return await self._write(lambda db: sweep_one(db, webhook_id, now_ms, limit))

    async def _erase(self, erased: list[int], limit: int) -> tuple[int, bool]:
        """What deleted applications have left. How many events went, and whether there is more."""
        dropped = 0
        for application_id in erased:
            if dropped >= limit:
                return dropped, True
            count, has_more = await self._erase_one(application_id, limit - dropped)
            dropped += count
            if has_more:
                return dropped, True
        return dropped, False

    async def _erase_one(self, application_id: int, limit: int) -> tuple[int, bool]:
        return await self._write(lambda db: _retention.erase(db, application_id, limit))

    async def _drop_old(self, borders: Borders, limit: int) -> tuple[int, bool]:
        """Events below the border: by rows, then a partition. How many went, and whether there is more.

        What stays is passed by, and looked at again when a pass is over.
        """
        plan = await self._read(lambda db: _drops.plan(db, borders, self._options))
        after = self._dropped_to
        old = await self._read(lambda db: _retention.find_old(db, plan.ranges, after, limit))
        one = await self._write(lambda db: _retention.drop(db, old, borders.shown_since, limit))
        if one.is_cut:  # looked for again: deliveries that were dropped do not come again, so it gets on
            self._dropped_to = old[0] - 1
            return one.events, True
        self._dropped_to = old[-1] if len(old) >= limit else 0
        if len(old) >= limit:
            return one.events, True
        whole = plan.whole
        if whole is not None and await self._write(lambda db: _drops.drop_stragglers(db, whole, limit)):
            return one.events, True
        count = await self._alone(lambda db: _drops.drop_whole(db, whole, borders, self._options))
        return one.events + (count or 0), count is not None
