"""Which profiles a node leaves to others, and what it says of it."""

import pytest
import structlog

from hookspan.engine.options import EngineOptions
from hookspan.engine.roll_out import RollOut
from hookspan.store.nodes import LeftProfile
from tests.support.clock import VirtualClock

pytestmark = pytest.mark.anyio


class Store:
    """Others have `theirs` in force."""

    def __init__(self) -> None:
        self.theirs: list[LeftProfile] = []
        self.asked = 0

    async def settle_profiles(self, _node, _now_ms):
        self.asked += 1
        return self.theirs


class Dispatcher:
    def __init__(self) -> None:
        self.left: list[frozenset[str]] = []

    def leave(self, profiles: frozenset[str]) -> None:
        self.left.append(profiles)


class World:
    def __init__(self, **options) -> None:
        self.store, self.dispatcher = Store(), Dispatcher()
        self.taken = 0
        hashes = {"a": "new" * 20, "b": "b" * 60}
        self.roll_out = RollOut(
            self.store,  # type: ignore[arg-type]
            self.dispatcher,  # type: ignore[arg-type]
            VirtualClock(),
            EngineOptions(**options),
            hashes,
        )
        self.roll_out.on_taken = self._take

    def _take(self) -> None:
        self.taken += 1

    async def settle(self) -> list[str]:
        """The warnings that it leads to."""
        with structlog.testing.capture_logs() as logs:
            await self.roll_out.settle(lambda: 1)
        assert all(line["log_level"] == "warning" for line in logs)
        return [f"{line['profile']} {line['in_force']} {line.get('own')}" for line in logs]


async def test_what_others_have_in_force_is_left_and_said_once() -> None:
    """With both hashes, short; then it is taken over, and the poller looks at once."""
    world = World()
    assert await world.settle() == []
    assert world.dispatcher.left == []
    world.store.theirs = [LeftProfile("a", "old" * 20, "new" * 20), LeftProfile("c", "c" * 60, None)]
    assert await world.settle() == ["a oldoldoldold newnewnewnew"], "what it does not have at all needs no word"
    assert await world.settle() == []
    assert world.dispatcher.left == [frozenset({"a", "c"})]
    assert world.taken == 0
    world.store.theirs = [LeftProfile("c", "c" * 60, None)]
    assert await world.settle() == ["a newnewnewnew None"]
    assert world.dispatcher.left[-1] == frozenset({"c"})
    assert world.taken == 1


async def test_a_moment_without_a_registration_is_no_take_over() -> None:
    """Then all is left alone, and goes on afterwards."""
    world = World()
    world.store.theirs = [LeftProfile("a", "new" * 20, None), LeftProfile("b", "b" * 60, None)]
    assert await world.settle() == []
    world.store.theirs = []
    assert await world.settle() == []
    assert world.taken == 1
    assert world.dispatcher.left == [frozenset({"a", "b"}), frozenset()]


async def test_who_sends_nothing_leaves_nothing() -> None:
    """A node that only takes in asks nobody."""
    world = World(delivers=False)
    await world.settle()
    assert world.store.asked == 0
