"""Publishing whatever an iterator gives, with bounded memory; for asyncio. Its twin with threads is `_sync/all.py`."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from typing import Any

from hookspan.client._async.wire import AsyncWire
from hookspan.client._publishing import (
    BATCH_EVENTS,
    IN_FLIGHT_MAX,
    NO_ANSWERS,
    Batch,
    Batcher,
    NewEvent,
    Result,
    batches,
    results,
    zipped,
)

Sent = tuple[Batch, list[Result]]


class AsyncPublishAll:
    """What AsyncClient can do with an iterator."""

    _wire: AsyncWire

    async def publish_all(
        self,
        application: str,
        events: AsyncIterable[NewEvent] | Iterable[NewEvent],
        *,
        batch_events: int = BATCH_EVENTS,
        in_flight: int = 4,
        linger_s: float = 0.1,
    ) -> AsyncGenerator[tuple[NewEvent, Result], None]:
        """Publish all that `events` gives, however much, and get each event with what became of it, in order.

        No more than `in_flight` batches of `batch_events` are on their way at once, and it asks `events` for more only
        as results are taken. A batch goes when it is full, or when its first event has waited `linger_s`. Raises
        ClientError where a batch failed as a whole: of the events without a result it is not known whether they were
        kept. Left early (`aclose`), it cancels what is under way.
        """
        if not 1 <= in_flight <= IN_FLIGHT_MAX:
            raise ValueError(f"in_flight must be from 1 to {IN_FLIGHT_MAX}.")
        source = _batches(events, batch_events, linger_s)
        sends: deque[asyncio.Task[Sent]] = deque()
        pull: asyncio.Task[Batch | None] | None = None
        is_over = False
        try:
            while sends or not is_over:
                if pull is None and not is_over and len(sends) < in_flight:
                    pull = asyncio.create_task(_next(source))
                under_way: list[asyncio.Task[Any]] = [*([sends[0]] if sends else []), *([pull] if pull else [])]
                await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                if pull is not None and pull.done():
                    batch, pull = pull.result(), None
                    is_over = batch is None
                    if batch is not None:
                        sends.append(asyncio.create_task(_send(self._wire, application, batch)))
                while sends and sends[0].done():
                    for pair in zipped(*sends.popleft().result()):
                        yield pair
        finally:
            await _end([*([pull] if pull else []), *sends])
            await source.aclose()


async def _send(wire: AsyncWire, application: str, batch: Batch) -> Sent:
    if not batch.encoded:
        return batch, results(batch, NO_ANSWERS)
    return batch, results(batch, await wire.run(batch.call(application)))


async def _next(source: AsyncIterator[Batch]) -> Batch | None:
    """The next of `source`, None at its end: StopAsyncIteration can't leave a task."""
    return await anext(source, None)


async def _end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel what is still under way, and see it end."""
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _batches(
    events: AsyncIterable[NewEvent] | Iterable[NewEvent], events_max: int, linger_s: float
) -> AsyncGenerator[Batch, None]:
    if isinstance(events, Iterable):
        for batch in batches(events, events_max):
            yield batch
        return
    batcher = Batcher(events_max)
    queue: asyncio.Queue[NewEvent | None] = asyncio.Queue(events_max)
    pump = asyncio.create_task(_pump(events, queue))
    loop = asyncio.get_running_loop()
    goes_at_s: float | None = None  # when the batch goes, full or not
    try:
        while True:
            try:
                event = queue.get_nowait() if not queue.empty() else await _within(queue, goes_at_s)
            except TimeoutError:
                yield batcher.take()
                goes_at_s = None
                continue
            if event is None:
                break
            full = batcher.add(event)
            if goes_at_s is None or full is not None:
                goes_at_s = None if batcher.is_empty else loop.time() + linger_s
            if full is not None:
                yield full
        if not batcher.is_empty:
            yield batcher.take()
        await pump  # the source's own error comes out here, after what it gave before
    finally:
        await _end([pump])


async def _within(queue: asyncio.Queue[NewEvent | None], at_s: float | None) -> NewEvent | None:
    """Raises TimeoutError at `at_s` of the loop's clock."""
    async with asyncio.timeout_at(at_s):
        return await queue.get()


async def _pump(events: AsyncIterable[NewEvent], queue: asyncio.Queue[NewEvent | None]) -> None:
    """Out of the source in one task, not in one for each event; None stands for its end."""
    try:
        async for event in events:
            await queue.put(event)
    except Exception:
        await queue.put(None)
        raise
    await queue.put(None)
