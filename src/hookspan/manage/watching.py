"""Who watches attempts on this node, how many may, and what they read together.

Nothing runs while nobody watches. What one viewer has read of a place serves all others of that place for a moment, so
that ten of them cost hardly more than one.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Final

from hookspan.clock import Clock
from hookspan.errors import Overloaded, RateLimited
from hookspan.store.contract import AttemptLine, Store

VIEWERS_MAX: Final = 20  # of this node
VIEWERS_EACH_MAX: Final = 3  # of one session: a browser opens six connections to a host, and must have some left
LOOK_MAX: Final = 1_000  # newest attempts that one read looks at
FRESH_S: Final = 0.9
_RETRY_S: Final = 30

Place = tuple[int | None, int | None]  # application and webhook; None: all


class _Read:
    """The last one of a place."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.after_id = 0
        self.until_s = 0.0  # monotonic
        self.found: list[AttemptLine] = []


class Tails:
    """`admit` lets viewers in, `lines` reads for them. `ending` is set when the node stops: streams end by it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._viewers: dict[str, int] = {}
        self._reads: dict[Place, _Read] = {}
        self.ending: Final = asyncio.Event()

    @property
    def viewers(self) -> int:
        return sum(self._viewers.values())

    @contextlib.contextmanager
    def admit(self, who: str) -> Iterator[None]:
        """Watch inside of the block. `who` is a session. Raises RateLimited when it watches too often at once,
        Overloaded when too many do.
        """
        if self._viewers.get(who, 0) >= VIEWERS_EACH_MAX:
            raise RateLimited(
                f"You watch in {VIEWERS_EACH_MAX} places already. Close one of them, then open this one again.",
                retry_after_s=_RETRY_S,
            )
        if self.viewers >= VIEWERS_MAX:
            raise Overloaded(f"{VIEWERS_MAX} people watch already, which is as many as can. Try again later.")
        self._viewers[who] = self._viewers.get(who, 0) + 1
        try:
            yield
        finally:
            self._viewers[who] -= 1
            if not self._viewers[who]:
                del self._viewers[who]
            if not self._viewers:
                self._reads.clear()

    async def lines(self, store: Store, place: Place, after_id: int) -> list[AttemptLine]:
        """The newest attempts of a place above an id, newest first, at most LOOK_MAX; as new as FRESH_S."""
        read = self._reads.get(place)
        if read is None:
            if len(self._reads) >= VIEWERS_MAX:
                del self._reads[next(iter(self._reads))]
            read = self._reads[place] = _Read()
        async with read.lock:
            now_s = self._clock.monotonic()
            if read.until_s <= now_s or read.after_id > after_id:
                application_id, webhook_id = place
                read.found = await store.attempt_lines(
                    after_id, LOOK_MAX, application_id=application_id, webhook_id=webhook_id
                )
                read.after_id, read.until_s = after_id, now_s + FRESH_S
            return [one for one in read.found if one.id > after_id]
