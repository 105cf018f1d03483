"""What every store keeps of pauses: where the operator has stopped sending.

Part of the contract in `hookspan.store.contract`.
"""

from typing import Final, Protocol

from hookspan.domain.pause import Pause

PAUSES_MAX: Final = 1_000  # in force at once
ENDED_KEPT_MS: Final = 8 * 86_400_000  # longer than any round lasts


class PauseCalls(Protocol):
    """See the module. `claim`, `claim_suspect` and `next_due_at` pass by what a pause in force covers, whatever the
    calling node knows of it.
    """

    async def pauses(self) -> list[Pause]:
        """Those in force, and of each scope (with its profile or application) the last that ended, within
        ENDED_KEPT_MS; by id.
        """
        ...

    async def pause(self, new: Pause) -> Pause:
        """Keep a pause in force, and return it; of a scope (with its profile or application) that is paused already
        the pause that is there, unchanged. Raises NotFound when its application is gone, StateForbidden at PAUSES_MAX;
        for a pause of everything there is always room.
        """
        ...

    async def end_pause(self, pause_id: int, now_ms: int) -> Pause | None:
        """End one that is in force, and return it as it is then. None when there is none such. Also drops the one of
        its scope that had ended before, and those that ended before ENDED_KEPT_MS. An application's pauses go with it.
        """
        ...
