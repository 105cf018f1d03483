"""The retry policy: when the next attempt is due. Pure: the clock and the jitter come from outside."""

import email.utils
import itertools
import math
import re

import msgspec

# A receiver may ask for patience (RFC 9110, 10.2.3), but not to be forgotten.
RETRY_AFTER_MS_MAX = 24 * 3_600_000
_SECONDS = re.compile(r"[0-9]{1,10}", re.ASCII)


def present_round(attempts: int, started_at: int | None, activated_at: int | None) -> tuple[int, int | None]:
    """What counts of a delivery's round: its attempts, and when its first was made (None: not yet).

    Nothing of what was before its webhook was switched on, so that the time in which that was off spends no window.
    Derived, for switching on changes one row however much waits; the next result writes it down.
    """
    if started_at is not None and activated_at is not None and started_at < activated_at:
        return 0, None
    return attempts, started_at


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Delays in ms between attempts of one round: a list, or a geometric series with an end.

    List: `delays_ms[n]` comes before attempt n + 1, so the first is the delay before the first attempt.
    Series: `first_ms`, times `factor` up to `cap_ms`; the last attempt is made exactly `until_ms` after the first.
    `jitter` spreads each delay by ± that share.
    """

    delays_ms: tuple[int, ...] | None = None
    first_ms: int = 5_000
    factor: float = 3.0
    cap_ms: int = 6 * 3_600_000
    until_ms: int = 36 * 3_600_000
    jitter: float = 0.2

    def next_delay_ms(self, attempts: int, elapsed_ms: int, jitter: float) -> int | None:
        """Time from now to the next attempt, or None when the policy is exhausted.

        `attempts` are those made in this round (at least 1), `elapsed_ms` the time since the round's first attempt,
        `jitter` a number in [-1, 1).
        """
        if self.delays_ms is not None:
            if attempts >= len(self.delays_ms):
                return None
            return self._spread(self.delays_ms[attempts], jitter)
        left_ms = self.until_ms - elapsed_ms
        if left_ms <= 0:
            return None
        # The exponent is bounded so that a float can't overflow; the cap is reached long before.
        delay_ms = min(self.cap_ms, int(self.first_ms * self.factor ** min(attempts - 1, 64)))
        return min(self._spread(delay_ms, jitter), left_ms)

    def patient(self, attempts: int, elapsed_ms: int, delay_ms: int, asked_ms: int) -> tuple[int, int]:
        """How long to wait where the receiver asks for more than `delay_ms`, and how many attempts that spends.

        Never beyond the end of the window. In a list it takes the place of as many delays as it is long, so that what
        is left of them still ends in time.
        """
        if self.delays_ms is None:
            return max(delay_ms, min(asked_ms, self.until_ms - elapsed_ms)), 1
        left = self.delays_ms[attempts:]
        wait_ms = max(delay_ms, min(asked_ms, sum(left)))
        if wait_ms == delay_ms:
            return delay_ms, 1
        covered = itertools.accumulate(left)
        return wait_ms, next((count for count, sum_ms in enumerate(covered, 1) if sum_ms >= wait_ms), len(left))

    def window_ms(self) -> int:
        """From the first to the last attempt of a round at the latest, without parked time."""
        if self.delays_ms is None:
            return self.until_ms
        return int(sum(self.delays_ms[1:]) * (1 + self.jitter))

    def _spread(self, delay_ms: int, jitter: float) -> int:
        return max(0, int(delay_ms * (1 + self.jitter * jitter)))


def retry_after_ms(text: str | None, now_ms: int) -> int | None:
    """The wait that a Retry-After header asks for, clamped to 0 … 24 h; None when it says nothing that we accept."""
    if text is None:
        return None
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return min(int(text) * 1000, RETRY_AFTER_MS_MAX)
    try:
        at_s = email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    if not math.isfinite(at_s):
        return None
    return max(0, min(int(at_s * 1000) - now_ms, RETRY_AFTER_MS_MAX))
