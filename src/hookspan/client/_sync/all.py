"""Publishing whatever an iterator gives, with bounded memory; with threads. Its twin for asyncio is `_async/all.py`."""

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from hookspan.client._publishing import (
    BATCH_EVENTS,
    IN_FLIGHT_MAX,
    NO_ANSWERS,
    Batch,
    NewEvent,
    Result,
    batches,
    results,
    zipped,
)
from hookspan.client._sync.wire import Wire

Sent = tuple[Batch, list[Result]]


class PublishAll:
    """What Client can do with an iterator."""

    _wire: Wire

    def publish_all(
        self,
        application: str,
        events: Iterable[NewEvent],
        *,
        batch_events: int = BATCH_EVENTS,
        in_flight: int = 4,
    ) -> Generator[tuple[NewEvent, Result], None, None]:
        """Publish all that `events` gives, however much, and get each event with what became of it, in order.

        No more than `in_flight` batches of `batch_events` are on their way at once, each in a thread, and it asks
        `events` for more only as results are taken. Raises ClientError where a batch failed as a whole: of the events
        without a result it is not known whether they were kept. Left early, it waits for what is under way.
        """
        if not 1 <= in_flight <= IN_FLIGHT_MAX:
            raise ValueError(f"in_flight must be from 1 to {IN_FLIGHT_MAX}.")
        sends: deque[Future[Sent]] = deque()
        with ThreadPoolExecutor(in_flight, "hookspan-publish") as threads:
            try:
                for batch in batches(events, batch_events):
                    sends.append(threads.submit(_send, self._wire, application, batch))
                    while sends and (len(sends) >= in_flight or sends[0].done()):
                        yield from zipped(*sends.popleft().result())
                while sends:
                    yield from zipped(*sends.popleft().result())
            finally:
                for send in sends:
                    send.cancel()


def _send(wire: Wire, application: str, batch: Batch) -> Sent:
    if not batch.encoded:
        return batch, results(batch, NO_ANSWERS)
    return batch, results(batch, wire.run(batch.call(application)))
