"""A background duty: wakes when told or when its time has come, and does one bounded turn."""

import asyncio

import structlog

from hookspan.clock import Clock
from hookspan.errors import HookspanError

log = structlog.get_logger()

_WARN_INTERVAL_S = 5.0


class Duty:
    """Subclasses implement `turn`, which a test can call by itself, without `run`.

    An error ends the turn, never the duty: it is logged, counted in `errors`, and the next turn comes in a second.
    """

    name = "duty"
    after_error_s = 1.0

    def __init__(self, clock: Clock) -> None:
        self.wake = asyncio.Event()
        self.is_ending = False
        self.errors = 0
        self.last_error: str | None = None  # of the last turn; None when it went well
        self._clock = clock
        self._warned_s = clock.monotonic() - _WARN_INTERVAL_S
        self._turned_s = clock.monotonic()

    async def turn(self) -> float:
        """Do one bounded piece of work. Returns the seconds until the next turn, unless woken before."""
        raise AssertionError("a duty says what its turn is")

    @property
    def is_failing(self) -> bool:
        return self.last_error is not None

    @property
    def turn_age_s(self) -> float:
        """How long ago the last turn ended."""
        return self._clock.monotonic() - self._turned_s

    def _warn(self, error: HookspanError) -> None:
        """At most a line in a while: a full disk fails every turn."""
        now_s = self._clock.monotonic()
        if now_s - self._warned_s >= _WARN_INTERVAL_S:
            self._warned_s = now_s
            log.warning("duty failed", duty=self.name, code=error.code, detail=error.detail, errors=self.errors)

    def end(self) -> None:
        """The turn under way is the last one."""
        self.is_ending = True
        self.wake.set()

    async def run(self) -> None:
        """Turn until `end`, or for ever."""
        while not self.is_ending:
            wait_s = await self._guarded_turn()
            if wait_s > 0:
                await self._clock.wait(self.wake, wait_s)

    async def _guarded_turn(self) -> float:
        try:
            wait_s = await self.turn()
            self.last_error = None
        except HookspanError as error:
            self.errors += 1
            self.last_error = error.detail
            self._warn(error)
            wait_s = self.after_error_s
        except Exception:  # the outermost turn of a service: it must go on
            self.errors += 1
            self.last_error = "an unexpected error; see the log"
            log.exception("duty failed", duty=self.name)
            wait_s = self.after_error_s
        self._turned_s = self._clock.monotonic()
        return wait_s
