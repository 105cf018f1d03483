"""Events on their way out: encoded, batched, and what was answered for each. No I/O here.

The same event gives the same bytes, alone or in a batch: the server tells by them whether a `publisher_id` that it has
seen stands for the same event.
"""

import datetime
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from hookspan.client._answer import refusal
from hookspan.client._errors import Refused, UnexpectedAnswer
from hookspan.client._request import Call, new_id, path_of
from hookspan.client._retry import Repeat
from hookspan.client.shapes import Accepted

BATCH_EVENTS_MAX = 1_000
BATCH_BYTES_MAX = 5 * 1024 * 1024
BATCH_EVENTS = 500  # of publish_all, unless told
IN_FLIGHT_MAX = 64


class NewEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event to publish. `content` and `context` are objects that JSON can tell of, or JSON text as msgspec.Raw,
    whose bytes stay as they are. Without a `publisher_id` of your own it gets one, so that this event can be sent again
    without being doubled. `occurred_at` has a time zone.
    """

    type: str
    content: Any
    publisher_id: str = msgspec.field(default_factory=new_id)
    context: Any = None
    occurred_at: datetime.datetime | str | None = None


Result = Accepted | Refused


class _Batched(msgspec.Struct, frozen=True):
    """One place of a batch's answer."""

    id: str = ""
    publisher_id: str | None = None
    error: Any = None


class _BatchAnswer(msgspec.Struct, frozen=True):
    data: list[_Batched]


NO_ANSWERS = _BatchAnswer([])


class Batch(msgspec.Struct, frozen=True):
    """Events that go in one request; `results` has those that were judged without being sent, by their place."""

    events: list[NewEvent]
    encoded: list[bytes]
    results: dict[int, Refused]

    def call(self, application: str) -> Call[_BatchAnswer]:
        return Call("POST", publish_path(application), _BatchAnswer, Repeat.HARMLESS, b"[%b]" % b",".join(self.encoded))


def encode(event: NewEvent) -> bytes:
    """Raises ValueError or TypeError for what JSON can't tell of: NaN, infinity, a cycle, an object of unknown kind."""
    if not isinstance(event, NewEvent):
        raise TypeError(
            f"Events are NewEvent(type=…, content=…), not {type(event).__name__}; of a dict NewEvent(**it)."
        )
    parts = [b'{"type":', _encode_value(event.type), b',"content":', _encode_value(event.content)]
    parts += [b',"publisher_id":', _encode_value(event.publisher_id)]
    if event.context is not None:
        parts += [b',"context":', _encode_value(event.context)]
    if event.occurred_at is not None:
        parts += [b',"occurred_at":', _encode_value(_time(event.occurred_at))]
    return b"".join([*parts, b"}"])


def _encode_value(value: Any) -> bytes:
    # The standard library's encoder, as it refuses NaN, which others would silently turn into null.
    if isinstance(value, msgspec.Raw):
        raw = bytes(value)
        json.loads(raw.decode())  # a text that is not exactly one value must not slip into the request around it
        return raw
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=msgspec.to_builtins)
    return text.encode()


def _time(at: datetime.datetime | str) -> str:
    if isinstance(at, str):
        return at
    if not isinstance(at, datetime.datetime):
        raise TypeError(f"occurred_at is a datetime with a time zone or an RFC 3339 text, not {type(at).__name__}.")
    if at.tzinfo is None:
        raise ValueError("occurred_at needs a time zone, such as datetime.now(UTC).")
    return at.isoformat()


def publish_path(application: str) -> str:
    return path_of("applications", application, "events")


def publish_call(application: str, event: NewEvent) -> Call[Accepted]:
    return Call("POST", publish_path(application), Accepted, Repeat.HARMLESS, encode(event))


class Batcher:
    """Gathers events up to what one request may hold."""

    def __init__(self, events_max: int = BATCH_EVENTS_MAX) -> None:
        if not 1 <= events_max <= BATCH_EVENTS_MAX:
            raise ValueError(f"A batch has 1 to {BATCH_EVENTS_MAX:,} events.")
        self._events_max = events_max
        self._start()

    def _start(self) -> None:
        self._batch = Batch([], [], {})
        self._bytes = 1  # each event brings a comma, and the brackets take one more than there are commas

    @property
    def is_empty(self) -> bool:
        return not self._batch.events

    def add(self, event: NewEvent) -> Batch | None:
        """Take `event` in; gives the batch before it where it did not fit, or the one that is full with it."""
        raw = encode(event)
        full = None
        if len(raw) + 2 > BATCH_BYTES_MAX:
            self._batch.results[len(self._batch.events)] = _too_large(len(raw))
        else:
            if self._bytes + len(raw) + 1 > BATCH_BYTES_MAX:
                full = self.take()
            self._batch.encoded.append(raw)
            self._bytes += len(raw) + 1
        self._batch.events.append(event)
        # At most one is full: a batch of one event is never given away for its bytes and its number at once.
        if full is None and len(self._batch.events) >= self._events_max:
            full = self.take()
        return full

    def take(self) -> Batch:
        """What is there so far; a new batch begins."""
        taken = self._batch
        self._start()
        return taken


def batches(events: Iterable[NewEvent], events_max: int = BATCH_EVENTS_MAX) -> Iterator[Batch]:
    batcher = Batcher(events_max)
    for event in events:
        full = batcher.add(event)
        if full is not None:
            yield full
    if not batcher.is_empty:
        yield batcher.take()


def _too_large(size: int) -> Refused:
    return Refused(
        f"The event has {size:,} bytes; not even a whole request may have more than {BATCH_BYTES_MAX:,}.",
        code="too_large",
        status=413,
        data={"limit": BATCH_BYTES_MAX},
    )


def results(batch: Batch, answer: _BatchAnswer) -> list[Result]:
    """For each event of `batch` what became of it, in order. Raises UnexpectedAnswer when answers are missing."""
    answered = iter(answer.data)
    found: list[Result] = [
        batch.results[place] if place in batch.results else _result(next(answered, None), event)
        for place, event in enumerate(batch.events)
    ]
    if next(answered, None) is not None:
        raise UnexpectedAnswer("The server answered for more events than were sent.", status=202)
    return found


def _result(one: _Batched | None, event: NewEvent) -> Result:
    if one is None:
        raise UnexpectedAnswer("The server answered for fewer events than were sent.", status=202)
    if one.error is not None:
        status = one.error.get("status") if isinstance(one.error, dict) else None
        refused = refusal(one.error, status if isinstance(status, int) else 400)
        refused.publisher_id = event.publisher_id
        return refused
    return Accepted(id=one.id, publisher_id=one.publisher_id)


def zipped(batch: Batch, found: Sequence[Result]) -> Iterator[tuple[NewEvent, Result]]:
    return zip(batch.events, found, strict=True)
