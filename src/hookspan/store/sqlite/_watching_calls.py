"""What people watch, on SQLite: each call of `hookspan.store.attempts.Watching`, on a reader."""

from collections.abc import Sequence

from hookspan.domain.records import Webhook
from hookspan.store.attempts import AttemptLine, FailureGroup
from hookspan.store.sqlite import _watching
from hookspan.store.sqlite._ways import Ways


class WatchingCalls(Ways):
    """`Watching` says what each does."""

    async def attempt_lines(
        self, after_id: int, limit: int, *, application_id: int | None = None, webhook_id: int | None = None
    ) -> list[AttemptLine]:
        return await self._read(lambda db: _watching.attempt_lines(db, after_id, limit, application_id, webhook_id))

    async def in_trouble(self, application_id: int | None, limit: int) -> list[Webhook]:
        return await self._read(lambda db: _watching.in_trouble(db, application_id, limit))

    async def failures(self, webhook_ids: Sequence[int], each: int) -> list[FailureGroup]:
        return await self._read(lambda db: _watching.failures(db, webhook_ids, each))

    async def given_up(
        self, application_id: int | None, since_id: int, *, webhooks: int, each: int
    ) -> list[FailureGroup]:
        return await self._read(lambda db: _watching.given_up(db, application_id, since_id, webhooks, each))
