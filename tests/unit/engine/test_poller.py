"""How long the poller waits where nothing could be claimed, against a store and a dispatcher of a few lines."""

import pytest

from hookspan.engine.lane import Share
from hookspan.engine.options import EngineOptions
from hookspan.engine.poller import Poller
from hookspan.telemetry import Counters
from tests.support.clock import VirtualClock

pytestmark = pytest.mark.anyio

OPTIONS = EngineOptions()


class Store:
    """`due_in_ms` says when the next is due; nothing of it can be claimed."""

    def __init__(self, clock: VirtualClock, due_in_ms: int | None) -> None:
        self._clock = clock
        self._due_in_ms = due_in_ms

    async def claim(self, *_args, **_kwargs):
        return []

    async def claim_suspect(self, *_args, **_kwargs):
        return None

    async def next_due_at(self, _skip, _leave):
        return None if self._due_in_ms is None else self._clock.now_ms() + self._due_in_ms


class Dispatcher:
    suspect = None
    is_in_doubt = False
    drops = 0

    def __init__(self) -> None:
        self.backlogged: dict = {}
        self.share = Share()

    def room(self) -> tuple[int, int]:
        return 100, 1_000_000


@pytest.mark.parametrize(
    ("due_in_ms", "wait_s"),
    [
        (None, OPTIONS.poll_interval_s),
        (300, 0.3),
        (5, OPTIONS.poll_interval_min_s),
        (60_000, OPTIONS.poll_interval_s),
        (-5, OPTIONS.poll_interval_taken_s),
        (0, OPTIONS.poll_interval_taken_s),
    ],
)
async def test_the_wait_for_what_is_due_next(due_in_ms: int | None, wait_s: float) -> None:
    """Until then; but for what was due already and is another node's, nobody asks the database fifty times a second."""
    clock = VirtualClock()
    store, dispatcher = Store(clock, due_in_ms), Dispatcher()
    poller = Poller(store, None, dispatcher, clock, OPTIONS, Counters())  # type: ignore[arg-type]
    assert await poller.turn() == pytest.approx(wait_s)
