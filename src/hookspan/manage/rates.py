"""How many changes a second an application may ask management for: what one key can write is bounded by it.

Every change keeps a line of the audit log for ever, and most keep more; so one key in a loop, or in the wrong hands,
would else fill the disk and the store's queue for everybody. All keys, people and portal sessions of an application
share its bucket, so that more keys are no more changes. Publishing has bounds of its own, and looking writes nothing.
"""

import math
from typing import Final

from hookspan.clock import Clock
from hookspan.domain.caller import Caller
from hookspan.errors import RateLimited
from hookspan.manage._buckets import Buckets

BURST_S: Final = 10  # so many seconds' changes may come at once: a program may set up all of its webhooks
OPERATOR_TIMES: Final = 10  # what a key or person of the operator may do: they work for many applications
REMEMBERED_MAX: Final = 10_000  # applications, and as many of the operator's; 2 MB
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110 9.2.1


class Rates:
    """The buckets of one node."""

    def __init__(self, clock: Clock, changes_per_s: int) -> None:
        """`changes_per_s`: of an application; 0 is no bound for anybody."""
        self._per_s = changes_per_s
        self._applications = Buckets[str](clock, REMEMBERED_MAX)
        self._operators = Buckets[str](clock, REMEMBERED_MAX)

    def take(self, caller: Caller) -> None:
        """Count one change. Raises RateLimited when there are too many of them."""
        per_s = self._per_s
        if per_s == 0:
            return
        if caller.application is not None:
            buckets, who, whose = self._applications, caller.application, "of this application"
        else:
            buckets, who, whose = self._operators, f"{caller.kind} {caller.id}", "by this key or person"
            per_s *= OPERATOR_TIMES
        wait_s = buckets.take(who, most=per_s * BURST_S, interval_s=1 / per_s)
        if wait_s > 0:
            detail = f"There are too many changes {whose} in a short time. Nothing was changed."
            raise RateLimited(detail, retry_after_s=math.ceil(wait_s))
