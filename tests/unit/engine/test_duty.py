"""A duty goes on whatever its turn does, and says how it fares."""

import asyncio

import pytest

from hookspan.clock import SystemClock
from hookspan.engine.duty import Duty
from hookspan.errors import StoreUnavailable

pytestmark = pytest.mark.anyio


class Scripted(Duty):
    name = "scripted"
    after_error_s = 0.001

    def __init__(self, *script) -> None:
        super().__init__(SystemClock())
        self.script = list(script)
        self.is_over = asyncio.Event()

    async def turn(self) -> float:
        if not self.script:
            self.is_over.set()
            return 60
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


async def test_an_error_ends_the_turn_and_not_the_duty():
    duty = Scripted(StoreUnavailable("gone"), ValueError("a bug"), 0, 0.001)
    task = asyncio.ensure_future(duty.run())
    async with asyncio.timeout(5):
        await duty.is_over.wait()
    task.cancel()
    assert duty.errors == 2
    assert not duty.is_failing


async def test_a_failing_duty_says_so_until_a_turn_goes_well():
    duty = Scripted(StoreUnavailable("the disk is on fire"), 0)
    await duty._guarded_turn()
    assert duty.is_failing
    assert duty.last_error == "the disk is on fire"
    await duty._guarded_turn()
    assert not duty.is_failing
    assert duty.turn_age_s < 5


async def test_a_duty_that_is_to_end_turns_no_more() -> None:
    """The turn under way goes to its end; one that waits ends at once."""
    duty = Scripted(0, 60, 0)
    task = asyncio.ensure_future(duty.run())
    while len(duty.script) > 1:
        await asyncio.sleep(0)
    duty.end()
    async with asyncio.timeout(5):
        await task
    assert duty.script == [0]
