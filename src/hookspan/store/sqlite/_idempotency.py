"""Idempotency-Keys: taken, finished, given free, dropped; and publishing under one, in one transaction."""

from collections.abc import Sequence

import apsw
import msgspec

from hookspan.store.contract import Appended, AppendedEvent, FanOut, NewEvent
from hookspan.store.idempotency import (
    ANSWER_KEPT_MS,
    KEY_FORCE_MS,
    KEY_KEPT_MS,
    KeyedPublish,
    KeyOutcome,
    KeyState,
    KeyUse,
    TakenKey,
)
from hookspan.store.sqlite import _rows as rows
from hookspan.store.sqlite._append import append

# Rows of one application that go at once when there is no room for a key.
_SPENT_CHUNK = 1_000

# Of a publish: which place in the request became which event; 0 where its publisher_id stood for another one.
_Kept = tuple[tuple[int, int], ...]
_Place = tuple[int, str, str]  # of a key: its application, owner and text
_Seen = dict[_Place, tuple[KeyedPublish, _Kept | None]]
_kept_decoder = msgspec.msgpack.Decoder(_Kept)


class Room(msgspec.Struct, frozen=True):
    """How much one application can have."""

    keys_max: int
    bytes_max: int | None = None  # of answers; None: that is asked later


def take(connection: apsw.Connection, use: KeyUse, keys_max: int) -> TakenKey | None:
    """See `Store.take_key`."""
    found = _find(connection, use)
    if found is not None:
        return found
    if not _has_room(connection, use, Room(keys_max), 0, is_publish=False):
        return None
    return _insert(connection, use, KeyState.RUNNING, None, is_publish=False)


def finish(
    connection: apsw.Connection,
    key_id: int,
    state: KeyState,
    answer: bytes | None,
    short: bytes | None,
    bytes_max: int,
) -> bool:
    """See `Store.finish_key`."""
    if answer is not None and short is not None:
        kept = rows.value(connection, "read_tally_of_idempotency", (key_id,)) or 0
        answer = answer if kept + len(answer) <= bytes_max else short
    return rows.run(connection, "finish_idempotency", {"id": key_id, "state": state, "answer": answer}) > 0


def forget(connection: apsw.Connection, key_id: int) -> None:
    """See `Store.forget_key`."""
    rows.run(connection, "delete_idempotency", (key_id,))


def interrupt_all(connection: apsw.Connection) -> None:
    """One process holds the database: what runs as it begins is another's, and that has ended."""
    rows.run(connection, "interrupt_idempotency")


def sweep(connection: apsw.Connection, now_ms: int, limit: int) -> bool:
    """Drop what is too old, at most `limit` of each. True when there is more."""
    answers = rows.run(connection, "drop_answers", (now_ms - ANSWER_KEPT_MS, limit))
    keys = rows.run(connection, "delete_idempotency_old", (now_ms - KEY_KEPT_MS, limit))
    return answers >= limit or keys >= limit


def drop_keys_of(connection: apsw.Connection, application_id: int, limit: int) -> int:
    """Drop those of an application that is gone, at most `limit`; how many."""
    return rows.run(connection, "delete_idempotency_of", (application_id, limit))


def append_keyed(
    connection: apsw.Connection,
    node: int,
    events: Sequence[NewEvent],
    versions: dict[int, int],
    fan_out: FanOut,
    keyed: Sequence[KeyedPublish],
    room: Room,
) -> Appended:
    """`append` with some requests under keys: those are kept once, and answered alike ever after.

    The key and the events are in one transaction, so that nothing is ever in doubt: either both are there or neither.
    """
    seen: _Seen = {}
    outcomes = []
    aside: dict[int, KeyedPublish] = {}
    for one in keyed:
        outcome = _look(connection, one, seen, room)
        outcomes.append(outcome)
        if outcome is not KeyOutcome.FRESH:
            aside |= dict.fromkeys(one.event_ids, one)
    appended = append(connection, node, [event for event in events if event.id not in aside], versions, fan_out)
    done = iter(appended.events)
    by_id = {event.id: next(done) for event in events if event.id not in aside}
    for one, outcome in zip(keyed, outcomes, strict=True):
        if outcome is KeyOutcome.FRESH:
            seen[_place(one.use)] = (one, _keep(connection, one, by_id))
    for one, outcome in zip(keyed, outcomes, strict=True):
        if outcome is not KeyOutcome.FRESH:
            ids = dict(seen[_place(one.use)][1] or ()) if outcome is KeyOutcome.REPLAYED else {}
            for slot, event_id in zip(one.slots, one.event_ids, strict=True):
                first = ids.get(slot, 0)
                by_id[event_id] = AppendedEvent(first or event_id, 0, first > 0, first == 0, ())
    return msgspec.structs.replace(appended, events=tuple(by_id[event.id] for event in events), keyed=tuple(outcomes))


def _look(connection: apsw.Connection, one: KeyedPublish, seen: _Seen, room: Room) -> KeyOutcome:
    """What a request under a key is, and in `seen` the one that came first: in this very batch, or long ago."""
    place = _place(one.use)
    if place in seen:
        first, kept = seen[place]
        is_same = first.use.fingerprint == one.use.fingerprint and first.slots == one.slots
        return KeyOutcome.REPLAYED if is_same else KeyOutcome.CONFLICT
    found = _find(connection, one.use)
    if found is None:
        if not _has_room(connection, one.use, room, len(seen), is_publish=True):
            return KeyOutcome.FULL
        seen[place] = (one, None)
        return KeyOutcome.FRESH
    kept = None
    if found.fingerprint == one.use.fingerprint and found.state is KeyState.DONE and found.answer is not None:
        kept = _kept_decoder.decode(found.answer)
    slots = () if kept is None else tuple(slot for slot, _ in kept)
    use = msgspec.structs.replace(one.use, fingerprint=found.fingerprint)
    seen[place] = (msgspec.structs.replace(one, use=use, slots=slots), kept)
    # Where the catalog has changed meanwhile other members of the body may be events: that is another request.
    return KeyOutcome.REPLAYED if slots == one.slots else KeyOutcome.CONFLICT


def _keep(connection: apsw.Connection, one: KeyedPublish, by_id: dict[int, AppendedEvent]) -> _Kept | None:
    """Take the key with what was kept under it. Where nothing was, it stays free."""
    kept = []
    for slot, event_id in zip(one.slots, one.event_ids, strict=True):
        became = by_id[event_id]
        kept.append((slot, became.event_id if became.position or became.is_duplicate else 0))
    if any(event_id for _, event_id in kept):
        _insert(connection, one.use, KeyState.DONE, msgspec.msgpack.encode(kept), is_publish=True)
    return tuple(kept)


def _find(connection: apsw.Connection, use: KeyUse) -> TakenKey | None:
    """What is kept under the key; one that may be taken anew is taken out."""
    row = rows.first_row(connection, "find_idempotency", _place(use))
    if row is None:
        return None
    ident, fingerprint, began_at, state, answer = row
    if began_at < use.free_below:
        forget(connection, ident)
        return None
    return TakenKey(ident, False, fingerprint, began_at, KeyState(state), answer)


def _place(use: KeyUse) -> _Place:
    return use.application_id, use.owner, use.key


def _has_room(connection: apsw.Connection, use: KeyUse, room: Room, more: int, *, is_publish: bool) -> bool:
    """Whether an application can have a key beside `more` that are about to be kept. What is in force never goes."""
    place = (use.application_id, is_publish)
    for is_last in (False, True):
        keys, size = rows.first_row(connection, "read_idempotency_tally", place) or (0, 0)
        if keys + more < room.keys_max and (room.bytes_max is None or size < room.bytes_max):
            return True
        if not is_last:
            spent = use.began_at - KEY_FORCE_MS
            rows.run(connection, "delete_idempotency_spent", (*place, spent, _SPENT_CHUNK))
    return False


def _insert(
    connection: apsw.Connection, use: KeyUse, state: KeyState, answer: bytes | None, *, is_publish: bool
) -> TakenKey:
    bindings = {
        "application_id": use.application_id,
        "is_publish": is_publish,
        "owner": use.owner,
        "key": use.key,
        "began_at": use.began_at,
        "fingerprint": use.fingerprint,
        "state": state,
        "answer": answer,
    }
    ident = rows.value(connection, "insert_idempotency", bindings)
    return TakenKey(ident, True, use.fingerprint, use.began_at, state, answer)
