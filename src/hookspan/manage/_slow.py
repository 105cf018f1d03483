"""Work that takes a processor up to a second, kept off the event loop: making RSA keys."""

from asyncio import wrap_future
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, TypeVar

from hookspan.errors import Overloaded

AT_ONCE_MAX: Final = 2
WAITING_MAX: Final = 16  # about ten seconds of RSA keys

T = TypeVar("T")


class SlowWork:
    """A few threads with a short queue. A caller that leaves takes its work out of the queue, but stops no thread."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE_MAX, "hookspan-slow")  # starts none before there is work
        self._pending: list[Future[Any]] = []

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises. Raises Overloaded at once when the queue is full."""
        self._pending = [one for one in self._pending if not one.done()]
        if len(self._pending) >= AT_ONCE_MAX + WAITING_MAX:
            raise Overloaded("Too many keys are being made at this moment. Nothing was changed.")
        future = self._threads.submit(work)
        self._pending.append(future)
        return await wrap_future(future)
