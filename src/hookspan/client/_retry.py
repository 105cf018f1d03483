"""When to try again, and how long to wait before: pure, so that no test of it has to wait."""

import enum
from collections.abc import Callable

import msgspec

from hookspan.client._errors import ClientError, Conflict, Unavailable, Unreachable, Untrusted

RETRY_AFTER_S_MAX = 3_600  # what a header may ask for and be shown; how long is waited, `Retry.wait_s_max` bounds
_STATUSES = frozenset({429, 502, 503, 504})
_NOTHING_KEPT = frozenset({"overloaded", "disk_full", "rate_limited"})
_TOO_MANY_REQUESTS = 429


class Repeat(enum.Enum):
    """What a second sending of the same request does."""

    HARMLESS = enum.auto()  # it reads, or carries an id by which the server knows it again
    DOUBTFUL = enum.auto()  # it might be done twice: only where it surely was not done


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """How long the client goes on trying.

    Between tries it waits `first_wait_s`, doubled each time, up to `wait_s_max`, less up to half of it by chance so
    that many clients don't come back together; or as long as the server's Retry-After asks, up to `wait_s_max`. It ends
    after `tries_max` requests, or where the next would begin more than `total_s` after the first.
    """

    tries_max: int = 6
    total_s: float = 60.0
    first_wait_s: float = 0.2
    wait_s_max: float = 10.0

    def __post_init__(self) -> None:
        if self.tries_max < 1 or not (self.total_s >= 0 and self.first_wait_s >= 0 and self.wait_s_max >= 0):
            raise ValueError("Retry needs at least one try, and no negative times.")


class Tries:
    """The tries of one call. `monotonic` gives seconds, `chance` a number from 0 to below 1."""

    def __init__(
        self, retry: Retry, repeat: Repeat, monotonic: Callable[[], float], chance: Callable[[], float]
    ) -> None:
        self._retry = retry
        self._repeat = repeat
        self._monotonic = monotonic
        self._chance = chance
        self._ends_at_s = monotonic() + retry.total_s
        self._tries = 0

    def wait_s(self, error: ClientError) -> float | None:
        """How long to wait after a try that ended with `error`; None: give up."""
        self._tries += 1
        if self._tries >= self._retry.tries_max or not is_worth_another(error, self._repeat):
            return None
        retry = self._retry
        wait_s = min(retry.first_wait_s * 2.0 ** (self._tries - 1), retry.wait_s_max) * (1 - self._chance() / 2)
        if error.retry_after_s is not None:
            wait_s = max(wait_s, min(error.retry_after_s, retry.wait_s_max))
        return wait_s if self._monotonic() + wait_s <= self._ends_at_s else None


def is_worth_another(error: ClientError, repeat: Repeat) -> bool:
    """Whether another try could help, and could not harm."""
    if isinstance(error, Untrusted):
        return False
    if isinstance(error, Unreachable):
        return repeat is Repeat.HARMLESS or not error.is_in_doubt
    if isinstance(error, Unavailable) and error.status in _STATUSES:
        return repeat is Repeat.HARMLESS or error.status == _TOO_MANY_REQUESTS or error.code in _NOTHING_KEPT
    # the try before is still being carried out under the same Idempotency-Key
    return isinstance(error, Conflict) and error.code == "idempotency_running" and repeat is Repeat.HARMLESS
