"""Jobs in the background: past events become deliveries again, a few at a time, so that live ones are not kept waiting.

A turn looks at a bounded number of jobs, which costs no commit, and gives each that has something to do one bounded
step: jobs, and so applications, take turns. How fast a job goes is the store's to know (`store.jobs`): a crash or a
second node changes neither its pace nor its counts.
"""

from collections.abc import Callable

from hookspan.clock import Clock
from hookspan.domain.jobs import JobState
from hookspan.engine.duty import Duty
from hookspan.engine.options import EngineOptions
from hookspan.store.contract import Store
from hookspan.store.jobs import JobLook

_IDLE_S = 5.0  # nobody has a job; a new one wakes us
_OFF_S = 1.0  # its webhook is disabled
_MOVING_S = 0.1  # its deliveries are being sent
_PACE_S = 0.05  # for a rate: so many deliveries are made at once as are due by then


class JobRunner(Duty):
    """Turns the jobs of all applications."""

    name = "jobs"

    def __init__(self, store: Store, clock: Clock, options: EngineOptions) -> None:
        super().__init__(clock)
        self._store = store
        self._options = options
        self._after = 0  # the job that the last look ended with, where there were more
        self.on_made: Callable[[int], None]  # a webhook has got deliveries, or is about to

    async def turn(self) -> float:
        options = self._options
        looks = await self._store.look_at_jobs(self._after, options.jobs_per_turn, options.job_untried_max)
        is_cut = len(looks) == options.jobs_per_turn
        waits_s = [await self._step(one) for one in looks]
        began = self._after
        self._after = looks[-1].id if is_cut else 0
        if is_cut or began:  # the others have waited for their turn
            waits_s.append(_PACE_S)
        return min(waits_s, default=_IDLE_S)

    async def _step(self, look: JobLook) -> float:
        """Give the job a step if there is one to do. Seconds until it is worth another look."""
        now_ms = self._clock.now_ms()
        wait_s = self._wait_s(look, now_ms)
        if wait_s > 0:
            return wait_s
        is_feeding = look.state is JobState.RUNNING and look.has_unfed
        if is_feeding:
            self.on_made(look.webhook_id)  # from now on nothing newer is claimed at birth before them
        done = await self._store.advance_job(look.id, now_ms, self._options.job_chunk, self._options.job_untried_max)
        if done.made:
            self.on_made(look.webhook_id)
        if done.made or done.skipped or done.cancelled or done.is_finished:
            return 0
        return _MOVING_S

    def _wait_s(self, look: JobLook, now_ms: int) -> float:
        """0 where there is something to do now."""
        if look.state is not JobState.RUNNING:
            return 0 if look.has_waiting or not look.has_pending else _MOVING_S
        if look.is_webhook_gone:
            return 0
        return self._feed_wait_s(look, now_ms) if look.has_unfed else _MOVING_S * look.has_pending

    def _feed_wait_s(self, look: JobLook, now_ms: int) -> float:
        if not look.is_webhook_on:
            return _OFF_S
        if look.untried > self._options.job_untried_max // 2:
            return _MOVING_S
        if look.feeds_at > now_ms:
            return min(max((look.feeds_at - now_ms) / 1000, _PACE_S), _IDLE_S)
        return 0
