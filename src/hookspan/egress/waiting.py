"""Requests that wait a moment for a connection of their own key to come free, where sockets are crowded."""

from collections import deque

from hookspan.egress.job import Job
from hookspan.egress.pool import Key

PATIENCE_S = 0.1
# A key whose connections did not come free in time opens as many as it needs for so long.
HASTE_S = 20.0


class Waiting:
    """By key, in order. Bounded by what is in flight."""

    def __init__(self) -> None:
        self.jobs: dict[Key, deque[Job]] = {}
        self._in_haste: dict[Key, float] = {}  # and until when

    def suits(self, key: Key, now: float) -> bool:
        """Whether waiting may spare a connection: not where it lately did not."""
        until = self._in_haste.get(key)
        return until is None or now >= until

    def add(self, key: Key, job: Job) -> None:
        self.jobs.setdefault(key, deque()).append(job)

    def next(self, key: Key) -> Job | None:
        """The one that has waited longest for this key; None when none does."""
        jobs = self.jobs.get(key)
        if jobs is None:
            return None
        job = jobs.popleft()
        if not jobs:
            del self.jobs[key]
        return job

    def drop(self, key: Key, job: Job) -> None:
        """It was given up, if it waited at all."""
        jobs = self.jobs.get(key)
        if jobs is not None and job in jobs:
            jobs.remove(job)
            if not jobs:
                del self.jobs[key]

    def impatient(self, now: float) -> list[Job]:
        """Take out those that have waited for too long."""
        self._in_haste = {key: until for key, until in self._in_haste.items() if now < until}
        found: list[Job] = []
        for key, jobs in list(self.jobs.items()):
            if now - jobs[0].started < PATIENCE_S:
                continue
            self._in_haste[key] = now + HASTE_S
            found += jobs
            del self.jobs[key]
        return found
