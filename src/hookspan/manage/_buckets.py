"""How often somebody may do something: some in a row, and one more at a time. In memory, and bounded."""

from collections.abc import Hashable
from typing import Generic, TypeVar

from hookspan.clock import Clock

Who = TypeVar("Who", bound=Hashable)


class Buckets(Generic[Who]):
    """A bucket for each `who`, full at first."""

    def __init__(self, clock: Clock, remembered_max: int) -> None:
        """Beyond `remembered_max` of them, who took least lately is forgotten, and begins with a full bucket."""
        self._clock = clock
        self._remembered_max = remembered_max
        self._full_at_s: dict[Who, float] = {}  # when all are back; in the order of the last takes

    def __len__(self) -> int:
        return len(self._full_at_s)

    def take(self, who: Who, *, most: int, interval_s: float) -> float:
        """Use one of `most`, of which one comes back each `interval_s`. 0 when there was one; else in how many seconds
        there is, and nothing was used.
        """
        now_s = self._clock.monotonic()
        full_at_s = max(now_s, self._full_at_s.pop(who, now_s))
        wait_s = max(0.0, full_at_s + interval_s - now_s - most * interval_s)
        if len(self._full_at_s) >= self._remembered_max:
            del self._full_at_s[next(iter(self._full_at_s))]
        self._full_at_s[who] = full_at_s if wait_s else full_at_s + interval_s
        return wait_s

    def give_back(self, who: Who, *, interval_s: float) -> None:
        """It was not to be counted."""
        if who in self._full_at_s:
            self._full_at_s[who] -= interval_s
