"""Reading what a publisher sent: one event or a batch, checked, and rendered into the bytes that will be signed."""

import datetime
import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from hookspan import jsontext
from hookspan.clock import Clock
from hookspan.domain import times
from hookspan.engine.index import Entry
from hookspan.engine.options import EngineOptions
from hookspan.errors import Fault, HookspanError, InvalidJson, InvalidRequest, TooLarge
from hookspan.explain_json import explain_validation
from hookspan.ids import IdMaker, to_text
from hookspan.store.contract import NewEvent
from hookspan.store.inbox import InboxRow
from hookspan.telemetry import log

PUBLISHER_ID_LENGTH_MAX = 256
_NOT_SET = msgspec.UNSET


class _Input(msgspec.Struct, forbid_unknown_fields=True):
    """One event as published. See docs: POST /v1/applications/{app}/events."""

    type: str
    content: msgspec.Raw
    publisher_id: str | None = None
    context: msgspec.Raw | msgspec.UnsetType = _NOT_SET
    occurred_at: datetime.datetime | None = None


_decode_event = msgspec.json.Decoder(_Input).decode
_decode_batch = msgspec.json.Decoder(list[msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode

_T = TypeVar("_T")


class Reader:
    """Turns a publisher's bytes into events that are ready to be kept, apart from their deliveries."""

    def __init__(self, clock: Clock, ids: IdMaker, options: EngineOptions) -> None:
        self._clock = clock
        self._ids = ids
        self._options = options

    def read(self, entry: Entry, raw: bytes) -> NewEvent | list[NewEvent | HookspanError]:
        """An object gives its event or raises; an array gives an event or an error for each member, in order.

        Raises InvalidJson, DuplicateKey, TooLarge (nothing of the request is kept then), and for an object also
        InvalidRequest, UnknownField, UnknownEventType, SchemaMismatch. What nobody foresaw in a member of an array is
        that member's own error (`internal`), and logged.
        """
        if len(raw) > self._options.batch_bytes_max:
            raise TooLarge(
                f"The body has {len(raw):,} bytes; a batch may have {self._options.batch_bytes_max:,}.",
                limit=self._options.batch_bytes_max,
            )
        jsontext.check(raw)
        if raw.lstrip()[:1] == b"[":
            return self._read_batch(entry, raw)
        return self._read_one(entry, raw)

    def _read_batch(self, entry: Entry, raw: bytes) -> list[NewEvent | HookspanError]:
        members = _decode_batch(raw)
        if not members:
            raise InvalidRequest("The batch is empty: send at least one event.")
        if len(members) > self._options.batch_events_max:
            raise TooLarge(
                f"The batch has {len(members):,} events; it may have {self._options.batch_events_max:,}.",
                limit=self._options.batch_events_max,
            )
        return self._read_each(entry, members, self._read_member)

    def read_rows(self, entry: Entry, rows: Sequence[InboxRow]) -> list[NewEvent | HookspanError]:
        """Rows of the inbox, each as if it had been published by itself: an event or an error for each, in order."""
        return self._read_each(entry, rows, self._read_row)

    def _read_member(self, entry: Entry, member: msgspec.Raw) -> NewEvent:
        return self._read_one(entry, bytes(member))

    def _read_row(self, entry: Entry, row: InboxRow) -> NewEvent:
        raw = _raw_of(row)
        jsontext.check(raw)
        return self._read_one(entry, raw, row.published_at)

    def _read_each(
        self, entry: Entry, members: Sequence[_T], read: Callable[[Entry, _T], NewEvent]
    ) -> list[NewEvent | HookspanError]:
        found: list[NewEvent | HookspanError] = []
        fault: Exception | None = None
        for member in members:
            try:
                found.append(read(entry, member))
            except HookspanError as error:
                found.append(error)
            except Exception as error:  # noqa: BLE001 - whatever it is, the others of the batch are no part of it
                fault = fault or error
                found.append(HookspanError("This event could not be read for a reason that is ours: see the log."))
        if fault is not None:  # once for a batch, however many of its events have it
            log.error("an event of a batch could not be read", application=entry.application.public_id, exc_info=fault)
        return found

    def _read_one(self, entry: Entry, raw: bytes, published_at: int | None = None) -> NewEvent:
        """`published_at` (ms): when it was published, where that was before now."""
        if len(raw) > self._options.event_bytes_max:
            raise TooLarge(
                f"The event has {len(raw):,} bytes; it may have {self._options.event_bytes_max:,}.",
                limit=self._options.event_bytes_max,
            )
        event = _decode(raw)
        publisher_id = event.publisher_id
        if publisher_id is not None:
            _check_publisher_id(publisher_id)
        profile = entry.profile
        content = bytes(event.content)
        context = None if event.context is _NOT_SET else bytes(event.context)
        if context == b"null":
            context = None
        profile.check(event.type, content, context)
        ident = self._ids.make()
        accepted_at = self._clock.now_ms()
        if event.occurred_at is not None:
            occurred_at = _ms(event.occurred_at)
        else:
            occurred_at = accepted_at if published_at is None else published_at
        application = entry.application
        body, content_at, content_bytes = profile.render(
            event.type, content, context, to_text(profile.event_prefix, ident), occurred_at, application.uuid
        )
        return NewEvent(
            id=ident,
            application_id=application.id,
            type=event.type,
            category=profile.category_of(event.type),
            publisher_id=publisher_id,
            input_hash=b"" if publisher_id is None else hashlib.blake2b(raw.strip(), digest_size=16).digest(),
            occurred_at=occurred_at,
            accepted_at=accepted_at,
            content=None if content_at >= 0 else content,
            content_at=content_at,
            content_bytes=content_bytes,
            context=context,
            body=body,
            deliveries=(),
        )


def _raw_of(row: InboxRow) -> bytes:
    """The row as the body of a publish: content and context as they were written."""
    members = [b'{"type":%b,"content":%b' % (_encode(row.type), row.content.encode())]
    if row.publisher_id is not None:
        members.append(b',"publisher_id":%b' % _encode(row.publisher_id))
    if row.context is not None:
        members.append(b',"context":%b' % row.context.encode())
    if row.occurred_at is not None:
        members.append(b',"occurred_at":%b' % _encode(times.to_text(row.occurred_at)))
    return b"".join((*members, b"}"))


def _decode(raw: bytes) -> _Input:
    try:
        return _decode_event(raw)
    except msgspec.ValidationError as error:
        raise explain_validation(error, _Input) from None
    except msgspec.DecodeError as error:
        raise InvalidJson(f"The event is not a JSON object: {error}.") from None


def _check_publisher_id(text: str) -> None:
    if not 1 <= len(text) <= PUBLISHER_ID_LENGTH_MAX or "\x00" in text:
        detail = f"publisher_id must have 1 to {PUBLISHER_ID_LENGTH_MAX} characters and no NUL."
        raise InvalidRequest(detail, errors=(Fault("/publisher_id", "invalid_request", detail),))


def _ms(at: datetime.datetime) -> int:
    at_ms = None if at.tzinfo is None else times.from_moment(at)
    if at_ms is None:
        detail = "occurred_at needs a time zone, such as 2026-05-01T12:00:00Z, and a year from 1970 to 9999 in UTC."
        raise InvalidRequest(detail, errors=(Fault("/occurred_at", "invalid_request", detail),))
    return at_ms
