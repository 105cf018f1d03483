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
VIEWERS_APPLICATION_MAX: Final = 6  # people and portals of one application
VIEWERS_APPLICATIONS_MAX: Final = 15  # those of all applications together: the operator's people have the rest
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
        self._viewers: dict[tuple[str, str | None], int] = {}  # of a session and its application
        self._reads: dict[Place, _Read] = {}
        self.ending: Final = asyncio.Event()

    @property
    def viewers(self) -> int:
        return sum(self._viewers.values())

    @contextlib.contextmanager
    def admit(self, who: str, application: str | None = None) -> Iterator[None]:
        """Watch inside of the block. `who` is a session, `application` the one that it is of; None: the operator's.
        Raises RateLimited when it watches too often at once, Overloaded when too many do.
        """
        key = (who, application)
        self._check(key)
        self._viewers[key] = self._viewers.get(key, 0) + 1
        try:
            yield
        finally:
            self._viewers[key] -= 1
            if not self._viewers[key]:
                del self._viewers[key]
            if not self._viewers:
                self._reads.clear()

    def _check(self, key: tuple[str, str | None]) -> None:
        """Whether there is a place: a customer's people take none of another's, and none of the operator's."""
        if self._viewers.get(key, 0) >= VIEWERS_EACH_MAX:
            raise RateLimited(
                f"You watch in {VIEWERS_EACH_MAX} places already. Close one of them, then open this one again.",
                retry_after_s=_RETRY_S,
            )
        application = key[1]
        near = sum(count for (_, other), count in self._viewers.items() if other == application)
        applications = sum(count for (_, other), count in self._viewers.items() if other is not None)
        is_full = self.viewers >= VIEWERS_MAX
        if application is not None:
            is_full |= near >= VIEWERS_APPLICATION_MAX or applications >= VIEWERS_APPLICATIONS_MAX
        if is_full:
            raise Overloaded("As many people watch already as can. Try again later.")

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
