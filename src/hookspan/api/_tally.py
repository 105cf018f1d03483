"""Counting what was answered, and keeping a storm of refusals from becoming a storm of log lines."""

import time

from hookspan.errors import HookspanError
from hookspan.telemetry import Counters

_LINE_INTERVAL_S = 1.0  # between two log lines about requests refused for the same reason of ours


class Tally:
    """Bumps the counters that belong to answers."""

    def __init__(self, counters: Counters) -> None:
        self._by_status = counters.requests_by_status
        self._by_code = counters.refusals_by_code
        self._by_status.setdefault("2xx", 0)
        self._logged_at_s: dict[str, float] = {}

    def accepted(self) -> None:
        self._by_status["2xx"] += 1

    def answered(self, status: int) -> None:
        kind = f"{status // 100}xx"
        self._by_status[kind] = self._by_status.get(kind, 0) + 1

    def refused(self, error: HookspanError) -> None:
        self.answered(error.status)
        self.refused_because(error.code)

    def refused_because(self, code: str) -> None:
        """Also of one event of a batch, which was answered as a whole."""
        self._by_code[code] = self._by_code.get(code, 0) + 1

    def is_worth_a_line(self, error: HookspanError) -> bool:
        """At most once a second for each code."""
        now_s = time.monotonic()
        if now_s - self._logged_at_s.get(error.code, -_LINE_INTERVAL_S) < _LINE_INTERVAL_S:
            return False
        self._logged_at_s[error.code] = now_s
        return True
