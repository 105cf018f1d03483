"""Time that stands still until a test moves it."""

import asyncio


class VirtualClock:
    """A Clock whose present is set by the test. `wait` returns only when woken or when time was moved past it."""

    def __init__(self, start_ms: int = 1_767_225_600_000) -> None:  # 2026-01-01T00:00:00Z
        self._start_ms = start_ms
        self._elapsed_ms = 0
        self._moved = asyncio.Event()

    def now_ms(self) -> int:
        return self._start_ms + self._elapsed_ms

    def monotonic(self) -> float:
        return self._elapsed_ms / 1000

    def move(self, ms: int) -> None:
        assert ms >= 0, "time does not run backwards"
        self._elapsed_ms += ms
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def move_to(self, at_ms: int) -> None:
        self.move(max(0, at_ms - self.now_ms()))

    async def wait(self, wake: asyncio.Event, timeout_s: float) -> None:
        deadline = self.monotonic() + timeout_s
        while not wake.is_set() and self.monotonic() < deadline:
            woken = asyncio.ensure_future(wake.wait())
            moved = asyncio.ensure_future(self._moved.wait())
            await asyncio.wait({woken, moved}, return_when=asyncio.FIRST_COMPLETED)
            for task in (woken, moved):
                task.cancel()
        wake.clear()
