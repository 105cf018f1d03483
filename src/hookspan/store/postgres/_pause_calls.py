"""The calls of `hookspan.store.pauses`."""

from hookspan.domain.pause import Pause
from hookspan.store.postgres import _pauses
from hookspan.store.postgres._ways import Ways


class PausingCalls(Ways):
    """See `PauseCalls`."""

    async def pauses(self) -> list[Pause]:
        now_ms = self._clock.now_ms()
        return await self._read(lambda db: _pauses.pauses(db, now_ms))

    async def pause(self, new: Pause) -> Pause:
        return await self._write(lambda db: _pauses.pause(db, new))

    async def end_pause(self, pause_id: int, now_ms: int) -> Pause | None:
        return await self._write(lambda db: _pauses.end_pause(db, pause_id, now_ms))
