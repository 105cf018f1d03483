"""What intake has to commit: the events of one request, and who is told what became of them."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from hookspan.engine.index import Entry
from hookspan.errors import EventIdConflict, HookspanError
from hookspan.ids import to_text
from hookspan.store.contract import AppendedEvent, NewEvent
from hookspan.store.idempotency import KeyedPublish, KeyOutcome, KeyUse


class Published(msgspec.Struct, frozen=True):
    """The receipt of one event: it is durable. The same for a repeated publish of it."""

    id: str
    publisher_id: str | None


Receipt = Published | list[Published | HookspanError]

Done = Callable[[Receipt | HookspanError], None]
"""Told once what became of a publish, on the loop; it must not raise."""

Found = NewEvent | list[NewEvent | HookspanError]
"""What the reader made of a request: one event, or a batch's members in order."""


class Request:
    """What one HTTP request published. `slots` are its members in order; NewEvent where one is to be kept."""

    __slots__ = ("done", "entry", "events", "is_batch", "slots")

    def __init__(self, entry: Entry, found: Found, done: Done) -> None:
        self.entry = entry
        self.done = done
        self.is_batch = isinstance(found, list)
        self.slots: Sequence[NewEvent | HookspanError]
        self.events: Sequence[NewEvent]
        if isinstance(found, list):
            self.slots = found
            self.events = [slot for slot in found if isinstance(slot, NewEvent)]
        else:
            self.slots = self.events = (found,)

    def receipt(self, kept: Sequence[AppendedEvent]) -> Receipt | HookspanError:
        """What became of it, given what became of its events."""
        prefix = self.entry.profile.event_prefix
        if not self.is_batch:
            return _member(self.events[0], kept[0], prefix)
        outcomes = iter(kept)
        members: list[Published | HookspanError] = []
        for index, slot in enumerate(self.slots):
            member = slot if isinstance(slot, HookspanError) else _member(slot, next(outcomes), prefix)
            if isinstance(member, HookspanError):
                member.data["index"] = index
            members.append(member)
        return members


class KeyedRequest(Request):
    """A request under an Idempotency-Key. `outcome` is known once it is committed."""

    __slots__ = ("outcome", "use")

    def __init__(self, entry: Entry, found: Found, done: Done, use: KeyUse) -> None:
        super().__init__(entry, found, done)
        self.use = use
        self.outcome: KeyOutcome | None = None

    def publish(self) -> KeyedPublish:
        """What the store is told of it."""
        slots = tuple(index for index, slot in enumerate(self.slots) if isinstance(slot, NewEvent))
        return KeyedPublish(self.use, tuple(event.id for event in self.events), slots)


class DrawnRequest(Request):
    """What was drawn from the inbox for one application. `rows`: which row each event comes from."""

    __slots__ = ("rows",)

    def __init__(
        self, entry: Entry, found: list[NewEvent | HookspanError], done: Done, rows: Mapping[int, int]
    ) -> None:
        super().__init__(entry, found, done)
        self.rows = rows


def _member(event: NewEvent, kept: AppendedEvent, prefix: str) -> Published | HookspanError:
    if kept.is_conflict:
        return EventIdConflict(
            f"publisher_id {event.publisher_id!r} was used before for an event with another body. Nothing was stored."
        )
    return Published(to_text(prefix, kept.event_id), event.publisher_id)
