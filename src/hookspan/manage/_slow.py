"""Work that takes a processor up to a second, kept off the event loop: making RSA keys."""

from asyncio import Future, shield, wrap_future
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from hookspan.clock import Clock
from hookspan.engine.fair import Shares

AT_ONCE_MAX: Final = 2
EACH_MAX: Final = 1  # of one application: another's key needs not wait for any of them
WAITING_MAX: Final = 16  # about ten seconds of RSA keys
WAIT_S: Final = 10.0

T = TypeVar("T")


class SlowWork:
    """A few threads with a short queue, shared by applications. A caller that leaves takes its work out of the queue,
    but stops no thread: that has its place until it is done.
    """

    def __init__(self, clock: Clock) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE_MAX, "hookspan-slow")  # starts none before there is work
        self._shares = Shares(
            AT_ONCE_MAX,
            EACH_MAX,
            waiting_max=WAITING_MAX,
            wait_s=WAIT_S,
            clock=clock,
            refusal="Too many keys are being made at this moment. Nothing was changed.",
        )

    async def run(self, application_id: int, work: Callable[[], T]) -> T:
        """What `work` returns or raises. Raises Overloaded when there was no thread for it in time."""
        await self._shares.take(application_id)
        try:
            future = wrap_future(self._threads.submit(work))
        except BaseException:
            self._shares.give_back(application_id)
            raise

        def ended(one: Future[Any]) -> None:
            one.cancelled() or one.exception()  # of a caller that left, nobody else asks for it
            self._shares.give_back(application_id)

        future.add_done_callback(ended)
        return await shield(future)
