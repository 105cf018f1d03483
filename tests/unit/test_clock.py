"""One clock per node: a wall clock that leaps moves nothing that is planned."""

import asyncio
import time

import pytest

from hookspan.clock import SystemClock

HOUR_NS = 3_600 * 10**9


def set_wall(monkeypatch, offset_ns: int) -> None:
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + offset_ns)


@pytest.mark.parametrize("leap_ns", [HOUR_NS, -HOUR_NS, 10 * 365 * 24 * HOUR_NS, -10 * 365 * 24 * HOUR_NS])
def test_a_leap_of_the_wall_clock_is_not_followed(monkeypatch, leap_ns):
    """±1 h and ±10 y: the node's time goes on as it was, slewed by half a percent at most."""
    clock = SystemClock()
    began_s, before_ms = clock.monotonic(), clock.now_ms()
    set_wall(monkeypatch, leap_ns)
    clock._slewed_s -= 10  # ten seconds without a look
    after_ms = clock.now_ms()
    passed_s = clock.monotonic() - began_s
    assert abs(after_ms - before_ms) <= (10 + passed_s) * SystemClock._SLEW_MS_PER_S + passed_s * 1000 + 1


def test_a_small_difference_is_slewed_away(monkeypatch):
    clock = SystemClock()
    set_wall(monkeypatch, 3 * 10**6)
    clock._slewed_s -= 10
    clock.now_ms()
    before_ms = time.time_ns() // 10**6
    shown_ms = clock.now_ms()
    assert before_ms - 2 <= shown_ms <= time.time_ns() // 10**6 + 2


@pytest.mark.anyio
async def test_waiting_ends_by_being_woken_and_forgets_it():
    clock, wake = SystemClock(), asyncio.Event()
    wake.set()
    await clock.wait(wake, 60)
    assert not wake.is_set()


@pytest.mark.anyio
async def test_waiting_ends_when_its_time_is_over():
    clock, wake = SystemClock(), asyncio.Event()
    began_s = clock.monotonic()
    await clock.wait(wake, 0.01)
    assert 0.009 <= clock.monotonic() - began_s < 5
