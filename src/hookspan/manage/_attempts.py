"""How often somebody may try what needs no key, by address. In memory and bounded: it slows down, it protects nothing
that could be guessed (links are 256 random bits).
"""

import ipaddress
import math

from hookspan.clock import Clock
from hookspan.errors import RateLimited

ATTEMPTS_MAX = 10  # in a row
INTERVAL_S = 6.0  # after which one more is allowed
ADDRESSES_MAX = 10_000  # remembered; beyond it the one that tried least lately is forgotten
_PREFIX_BITS = 64  # of IPv6: what one subscriber has


class Attempts:
    """A bucket for each address (IPv6: each /64)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._full_at_s: dict[str, float] = {}  # when all attempts are back

    def take(self, address: str | None) -> None:
        """Use one attempt. Raises RateLimited when none is left."""
        who, now_s = _who(address), self._clock.monotonic()
        full_at_s = max(now_s, self._full_at_s.pop(who, now_s))
        wait_s = full_at_s + INTERVAL_S - now_s - ATTEMPTS_MAX * INTERVAL_S
        is_left = wait_s <= 0
        if len(self._full_at_s) >= ADDRESSES_MAX:
            del self._full_at_s[next(iter(self._full_at_s))]
        self._full_at_s[who] = full_at_s + INTERVAL_S if is_left else full_at_s
        if not is_left:
            raise RateLimited("Too many attempts from this address.", retry_after_s=math.ceil(wait_s))

    def give_back(self, address: str | None) -> None:
        """It went well: it was no attempt."""
        who = _who(address)
        if who in self._full_at_s:
            self._full_at_s[who] -= INTERVAL_S


def _who(address: str | None) -> str:
    try:
        one = ipaddress.ip_address(address or "")
    except ValueError:
        return address or ""
    if one.version == 4:  # noqa: PLR2004 - IPv4
        return str(one)
    return str(ipaddress.ip_network((one, _PREFIX_BITS), strict=False))
