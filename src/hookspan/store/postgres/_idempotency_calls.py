"""The calls of `hookspan.store.idempotency` on PostgreSQL: each is one transaction of a lane."""

from hookspan.store.idempotency import KeyState, KeyUse, TakenKey
from hookspan.store.postgres import _idempotency
from hookspan.store.postgres._ways import Ways


class IdempotencyCalls(Ways):
    """Part of `PostgresStore`. A key that is being answered stands in the name of the node that this store has
    registered last (0: none): when that node is gone, its keys are interrupted.
    """

    async def take_key(self, use: KeyUse) -> TakenKey | None:
        keys_max, node = self._options.keys_max, self._node
        return await self._create(lambda db: _idempotency.take(db, use, keys_max, node))

    async def finish_key(
        self, key_id: int, state: KeyState, answer: bytes | None, *, short: bytes | None = None
    ) -> bool:
        bytes_max = self._options.key_answers_bytes_max
        return await self._write(lambda db: _idempotency.finish(db, key_id, state, answer, short, bytes_max))

    async def forget_key(self, key_id: int) -> None:
        await self._write(lambda db: _idempotency.forget(db, key_id))
