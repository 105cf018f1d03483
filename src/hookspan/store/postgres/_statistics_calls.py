"""The calls of `hookspan.store.statistics` on PostgreSQL: each is one transaction of a lane."""

import contextlib
from collections.abc import Sequence

from hookspan.store.messages import Waiting
from hookspan.store.postgres import _statistics
from hookspan.store.postgres._ways import Ways
from hookspan.store.statistics import HourCounts, WebhookHealth


class StatisticsCalls(Ways):
    """Part of `PostgresStore`."""

    async def add_statistics(self, counts: Sequence[HourCounts], node: int = 0, number: int = 0) -> None:
        with contextlib.suppress(_statistics.BroughtBefore):
            await self._write(lambda db: _statistics.add(db, counts, node, number))

    async def statistics(self, subject_id: int, since_hour: int, until_hour: int) -> list[HourCounts]:
        return await self._look(lambda db: _statistics.read(db, subject_id, since_hour, until_hour))

    async def drop_statistics(self, before_hour: int, limit: int) -> int:
        return await self._write(lambda db: _statistics.drop(db, before_hour, limit))

    async def health(self, webhook_ids: Sequence[int], since_hour: int) -> dict[int, WebhookHealth]:
        return await self._read(lambda db: _statistics.health(db, webhook_ids, since_hour))

    async def waiting_of_all(self) -> Waiting:
        return await self._read(_statistics.waiting_of_all)
