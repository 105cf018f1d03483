"""Idempotency-Keys: taken, finished, given free, dropped; and publishing under one, in one transaction.

Several nodes do this at once. Whatever takes or drops keys of an application locks its tallies first (and applications
before them), so that of two who ask at the same moment the second waits for the first, and then finds its key; and so
that the counts are what they say. A key that is in force is found without any lock.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import msgspec

from hookspan.ids import IdMaker
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
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._append import append
from hookspan.store.postgres._connection import Connection

# Rows of one application that go at once when there is no room for a key.
_SPENT_CHUNK = 1_000

# Of a publish: which place in the request became which event; 0 where its publisher_id stood for another one.
_Kept = tuple[tuple[int, int], ...]
_Place = tuple[int, str, str]  # of a key: its application, owner and text
_kept_decoder = msgspec.msgpack.Decoder(_Kept)


class Room(msgspec.Struct, frozen=True):
    """How much one application can have."""

    keys_max: int
    bytes_max: int | None = None  # of answers; None: that is asked later


class _Tally(msgspec.Struct):
    """Of one application and kind of key, while it is locked."""

    keys: int
    bytes: int


_Tallies = dict[tuple[int, bool], _Tally]


# --- keys of management's requests


def take(connection: Connection, use: KeyUse, keys_max: int, node: int) -> TakenKey | None:
    """See `Store.take_key`. `node` is the one that answers the request: when it is gone the key is interrupted."""
    found = _find(connection, use)
    if found is not None and found.began_at >= use.free_below:
        return found
    tallies = _lock_tallies(connection, [use.application_id])
    found = _find(connection, use)
    if found is not None:
        if found.began_at >= use.free_below:
            return found
        _drop(connection, [found.id])
        tallies[use.application_id, False] = _tally(connection, use.application_id, is_publish=False)
    if not _has_room(connection, use, tallies, Room(keys_max), is_publish=False):
        return None
    key_id = _insert(connection, [(use, None)], KeyState.RUNNING, node, is_publish=False)
    return TakenKey(key_id, True, use.fingerprint, use.began_at, KeyState.RUNNING, None)


def finish(
    connection: Connection,
    key_id: int,
    state: KeyState,
    answer: bytes | None,
    short: bytes | None,
    bytes_max: int,
) -> bool:
    """See `Store.finish_key`."""
    kept = rows.value(connection, "lock_tally_of_idempotency", (key_id,)) or 0
    if answer is not None and short is not None and kept + len(answer) > bytes_max:
        answer = short
    return rows.run(connection, "finish_idempotency", {"id": key_id, "state": state, "answer": answer}) > 0


def forget(connection: Connection, key_id: int) -> None:
    """See `Store.forget_key`."""
    rows.value(connection, "lock_tally_of_idempotency", (key_id,))
    _drop(connection, [key_id])


def _find(connection: Connection, use: KeyUse) -> TakenKey | None:
    return _find_all(connection, [use]).get(_place(use))


def _find_all(connection: Connection, uses: Iterable[KeyUse]) -> dict[_Place, TakenKey]:
    """What is kept under keys, also what may be taken anew."""
    places = list(dict.fromkeys(_place(use) for use in uses))
    application_ids, owners, keys = zip(*places, strict=True)
    bindings = {"application_ids": list(application_ids), "owners": list(owners), "keys": list(keys)}
    return {
        places[number - 1]: TakenKey(ident, False, fingerprint, began_at, KeyState(state), answer)
        for number, ident, fingerprint, began_at, state, answer in rows.many(
            connection, "find_idempotency", tuple, bindings
        )
    }


def _place(use: KeyUse) -> _Place:
    return use.application_id, use.owner, use.key


def _lock_tallies(connection: Connection, application_ids: Collection[int]) -> _Tallies:
    """Both kinds' of these applications, in order; there is one for each."""
    found = rows.many(connection, "lock_tallies", tuple, (sorted(set(application_ids)),))
    return {(application_id, is_publish): _Tally(keys, size) for application_id, is_publish, keys, size in found}


def _has_room(connection: Connection, use: KeyUse, tallies: _Tallies, room: Room, *, is_publish: bool) -> bool:
    """Whether an application can have one key more. What is in force never goes."""
    tally = tallies[use.application_id, is_publish]
    if _is_room(tally, room):
        return True
    spent = {
        "application_id": use.application_id,
        "is_publish": is_publish,
        "before": use.began_at - KEY_FORCE_MS,
        "limit": _SPENT_CHUNK,
    }
    tally.keys -= rows.run(connection, "delete_idempotency_spent", spent)
    tally.bytes = _tally(connection, use.application_id, is_publish=is_publish).bytes
    return _is_room(tally, room)


def _is_room(tally: _Tally, room: Room) -> bool:
    return tally.keys < room.keys_max and (room.bytes_max is None or tally.bytes < room.bytes_max)


def _tally(connection: Connection, application_id: int, *, is_publish: bool) -> _Tally:
    found = rows.first_row(connection, "read_idempotency_tally", (application_id, is_publish))
    return _Tally(*(found or (0, 0)))


def _insert(
    connection: Connection,
    keys: Sequence[tuple[KeyUse, bytes | None]],
    state: KeyState,
    node: int,
    *,
    is_publish: bool,
) -> int:
    """Keys of one kind, each with its answer; the first one's id. Their tallies are locked: nobody else takes one."""
    uses = [use for use, _ in keys]
    bindings: dict[str, Any] = {
        "application_ids": [use.application_id for use in uses],
        "owners": [use.owner for use in uses],
        "keys": [use.key for use in uses],
        "times": [use.began_at for use in uses],
        "fingerprints": [use.fingerprint for use in uses],
        "answers": [answer for _, answer in keys],
        "is_publish": is_publish,
        "state": state,
        "node": node,
    }
    ident = rows.value(connection, "insert_idempotency", bindings)
    assert isinstance(ident, int)
    return ident


def _drop(connection: Connection, key_ids: Sequence[int]) -> int:
    return rows.run(connection, "delete_idempotencies", (list(key_ids),))


# --- retention


def sweep(connection: Connection, now_ms: int, limit: int) -> bool:
    """Drop what is too old, at most `limit` of each. True when there is more."""
    answers = _sweep(connection, "find_old_answers", now_ms - ANSWER_KEPT_MS, limit, _drop_answers)
    keys = _sweep(connection, "find_old_idempotency", now_ms - KEY_KEPT_MS, limit, _drop)
    return answers >= limit or keys >= limit


def _sweep(
    connection: Connection, find: str, before: int, limit: int, drop: Callable[[Connection, list[int]], int]
) -> int:
    found: list[tuple[int, int]] = rows.many(connection, find, tuple, (before, limit))
    if found:
        _lock_tallies(connection, {application_id for _, application_id in found})
        drop(connection, [key_id for key_id, _ in found])
    return len(found)


def _drop_answers(connection: Connection, key_ids: list[int]) -> int:
    return rows.run(connection, "drop_answers", (key_ids,))


def drop_keys_of(connection: Connection, application_id: int, limit: int) -> int:
    """Drop those of an application that is gone, at most `limit`; how many."""
    _lock_tallies(connection, [application_id])
    key_ids = rows.many(connection, "find_idempotency_of", lambda row: int(row[0]), (application_id, limit))
    if not key_ids:
        rows.run(connection, "delete_tallies", (application_id,))
    return _drop(connection, key_ids) if key_ids else 0


# --- publishing under a key


def append_keyed(
    connection: Connection,
    ids: IdMaker,
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
    concerned = versions.keys() | {event.application_id for event in events}
    rows.many(connection, "lock_applications", tuple, (sorted(concerned),))
    tallies = _lock_tallies(connection, {one.use.application_id for one in keyed})
    requests = _Requests(connection, tallies, room, _find_all(connection, (one.use for one in keyed)))
    outcomes = [requests.look(one) for one in keyed]
    aside: set[int] = set()
    for one, outcome in zip(keyed, outcomes, strict=True):
        if outcome is not KeyOutcome.FRESH:
            aside.update(one.event_ids)
    published = [event for event in events if event.id not in aside]
    appended = append(connection, ids, node, published, versions, fan_out)
    done = iter(appended.events)
    by_id = {event.id: next(done) for event in events if event.id not in aside}
    requests.keep([one for one, outcome in zip(keyed, outcomes, strict=True) if outcome is KeyOutcome.FRESH], by_id)
    for one, outcome in zip(keyed, outcomes, strict=True):
        if outcome is not KeyOutcome.FRESH:
            kept_ids = dict(requests.kept_under(one) or ()) if outcome is KeyOutcome.REPLAYED else {}
            for slot, event_id in zip(one.slots, one.event_ids, strict=True):
                first = kept_ids.get(slot, 0)
                by_id[event_id] = AppendedEvent(first or event_id, 0, first > 0, first == 0, ())
    return msgspec.structs.replace(appended, events=tuple(by_id[event.id] for event in events), keyed=tuple(outcomes))


class _Requests:
    """The requests under keys of one batch: what each is, and what was kept under it, now or long ago."""

    def __init__(self, connection: Connection, tallies: _Tallies, room: Room, found: dict[_Place, TakenKey]) -> None:
        self._connection = connection
        self._tallies = tallies
        self._room = room
        self._found = found
        self._seen: dict[_Place, tuple[KeyedPublish, _Kept | None]] = {}

    def look(self, one: KeyedPublish) -> KeyOutcome:
        """What a request is: the first under its key, one like it (in this very batch, or long ago), or another."""
        place = _place(one.use)
        if place in self._seen:
            first, _ = self._seen[place]
            is_same = first.use.fingerprint == one.use.fingerprint and first.slots == one.slots
            return KeyOutcome.REPLAYED if is_same else KeyOutcome.CONFLICT
        found = self._found.get(place)
        if found is not None and found.began_at < one.use.free_below:
            forget(self._connection, found.id)
            found = None
        if found is None:
            if not _has_room(self._connection, one.use, self._tallies, self._room, is_publish=True):
                return KeyOutcome.FULL
            self._tallies[one.use.application_id, True].keys += 1
            self._seen[place] = (one, None)
            return KeyOutcome.FRESH
        kept = None
        if found.fingerprint == one.use.fingerprint and found.state is KeyState.DONE and found.answer is not None:
            kept = _kept_decoder.decode(found.answer)
        slots = () if kept is None else tuple(slot for slot, _ in kept)
        use = msgspec.structs.replace(one.use, fingerprint=found.fingerprint)
        self._seen[place] = (msgspec.structs.replace(one, use=use, slots=slots), kept)
        # Where the catalog has changed meanwhile other members of the body may be events: that is another request.
        return KeyOutcome.REPLAYED if slots == one.slots else KeyOutcome.CONFLICT

    def keep(self, fresh: Sequence[KeyedPublish], by_id: dict[int, AppendedEvent]) -> None:
        """Take the keys with what was kept under them. Where nothing was, one stays free."""
        taken: list[tuple[KeyUse, bytes | None]] = []
        for one in fresh:
            became = [by_id[event_id] for event_id in one.event_ids]
            ids = [event.event_id if event.position or event.is_duplicate else 0 for event in became]
            kept = tuple(zip(one.slots, ids, strict=True))
            self._seen[_place(one.use)] = (one, kept)
            if any(ids):
                taken.append((one.use, msgspec.msgpack.encode(kept)))
        if taken:
            _insert(self._connection, taken, KeyState.DONE, 0, is_publish=True)

    def kept_under(self, one: KeyedPublish) -> _Kept | None:
        return self._seen[_place(one.use)][1]
