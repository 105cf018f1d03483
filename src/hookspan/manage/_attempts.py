"""How often somebody may try what needs no key, by address. In memory and bounded: it slows down, it protects nothing
that could be guessed (links are 256 random bits).
"""

import ipaddress
import math

from hookspan.clock import Clock
from hookspan.errors import RateLimited
from hookspan.manage._buckets import Buckets

ATTEMPTS_MAX = 10  # in a row
INTERVAL_S = 6.0  # after which one more is allowed
ADDRESSES_MAX = 10_000  # remembered; beyond it the one that tried least lately is forgotten
_PREFIX_BITS = 64  # of IPv6: what one subscriber has


class Attempts:
    """A bucket for each address (IPv6: each /64)."""

    def __init__(self, clock: Clock) -> None:
        self._buckets = Buckets[str](clock, ADDRESSES_MAX)

    def take(self, address: str | None) -> None:
        """Use one attempt. Raises RateLimited when none is left."""
        wait_s = self._buckets.take(_who(address), most=ATTEMPTS_MAX, interval_s=INTERVAL_S)
        if wait_s > 0:
            retry_after_s = math.ceil(wait_s)
            raise RateLimited(
                f"Too many attempts from this address: try again in {retry_after_s} s.", retry_after_s=retry_after_s
            )

    def give_back(self, address: str | None) -> None:
        """It went well: it was no attempt."""
        self._buckets.give_back(_who(address), interval_s=INTERVAL_S)


def _who(address: str | None) -> str:
    try:
        one = ipaddress.ip_address(address or "")
    except ValueError:
        return address or ""
    if one.version == 4:  # noqa: PLR2004 - IPv4
        return str(one)
    return str(ipaddress.ip_network((one, _PREFIX_BITS), strict=False))
