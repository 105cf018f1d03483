"""The calls of `hookspan.store.idempotency` on SQLite: each is one job for the writer."""

from hookspan.store.idempotency import KeyState, KeyUse, TakenKey
from hookspan.store.sqlite import _idempotency
from hookspan.store.sqlite._ways import Ways


class IdempotencyCalls(Ways):
    """Part of `SqliteStore`."""

    async def take_key(self, use: KeyUse) -> TakenKey | None:
        keys_max = self._options.keys_max
        return await self._create(lambda db: _idempotency.take(db, use, keys_max))

    async def finish_key(
        self, key_id: int, state: KeyState, answer: bytes | None, *, short: bytes | None = None
    ) -> bool:
        bytes_max = self._options.key_answers_bytes_max
        return await self._write(lambda db: _idempotency.finish(db, key_id, state, answer, short, bytes_max))

    async def forget_key(self, key_id: int) -> None:
        await self._write(lambda db: _idempotency.forget(db, key_id))
