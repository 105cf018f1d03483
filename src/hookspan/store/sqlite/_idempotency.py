"""Idempotency-Keys: taken, finished, given free, dropped; and publishing under one, in one transaction."""

from collections.abc import Sequence

import apsw
import msgspec

from hookspan.store.contract import Appended, AppendedEvent, FanOut, NewEvent
from hookspan.store.idempotency import (
    ANSWER_KEPT_MS,
    KEY_KEPT_MS,
    KeyedPublish,
    KeyOutcome,
    KeyState,
    KeyUse,
    TakenKey,
)
from hookspan.store.sqlite import _rows as rows
from hookspan.store.sqlite._append import append

# Rows of one owner that go at once when a key is taken: one is usual.
_TOO_MANY_CHUNK = 1_000

# Of a publish: which place in the request became which event; 0 where its publisher_id stood for another one.
_Kept = tuple[tuple[int, int], ...]
_kept_decoder = msgspec.msgpack.Decoder(_Kept)


def take(connection: apsw.Connection, use: KeyUse, keys_max: int) -> TakenKey:
    """See `Store.take_key`."""
    found = _find(connection, use)
    if found is not None:
        return found
    return _insert(connection, use, KeyState.RUNNING, None, keys_max)


def finish(connection: apsw.Connection, key_id: int, state: KeyState, answer: bytes | None) -> bool:
    """See `Store.finish_key`."""
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


def append_keyed(
    connection: apsw.Connection,
    node: int,
    events: Sequence[NewEvent],
    versions: dict[int, int],
    fan_out: FanOut,
    keyed: Sequence[KeyedPublish],
    keys_max: int,
) -> Appended:
    """`append` with some requests under keys: those are kept once, and answered alike ever after.

    The key and the events are in one transaction, so that nothing is ever in doubt: either both are there or neither.
    """
    seen: dict[tuple[str, str], tuple[KeyedPublish, _Kept | None]] = {}
    outcomes = []
    aside: dict[int, KeyedPublish] = {}
    for one in keyed:
        outcome = _look(connection, one, seen)
        outcomes.append(outcome)
        if outcome is not KeyOutcome.FRESH:
            aside |= dict.fromkeys(one.event_ids, one)
    appended = append(connection, node, [event for event in events if event.id not in aside], versions, fan_out)
    done = iter(appended.events)
    by_id = {event.id: next(done) for event in events if event.id not in aside}
    for one, outcome in zip(keyed, outcomes, strict=True):
        if outcome is KeyOutcome.FRESH:
            kept = _keep(connection, one, by_id, keys_max)
            seen[one.use.owner, one.use.key] = (one, kept)
    for one, outcome in zip(keyed, outcomes, strict=True):
        if outcome is not KeyOutcome.FRESH:
            kept = seen[one.use.owner, one.use.key][1] or ()
            ids = dict(kept) if outcome is KeyOutcome.REPLAYED else {}
            for slot, event_id in zip(one.slots, one.event_ids, strict=True):
                first = ids.get(slot, 0)
                by_id[event_id] = AppendedEvent(first or event_id, 0, first > 0, first == 0, ())
    return msgspec.structs.replace(appended, events=tuple(by_id[event.id] for event in events), keyed=tuple(outcomes))


def _look(
    connection: apsw.Connection, one: KeyedPublish, seen: dict[tuple[str, str], tuple[KeyedPublish, _Kept | None]]
) -> KeyOutcome:
    """What a request under a key is, and in `seen` the one that came first: in this very batch, or long ago."""
    place = (one.use.owner, one.use.key)
    if place in seen:
        first, kept = seen[place]
        is_same = first.use.fingerprint == one.use.fingerprint and first.slots == one.slots
        return KeyOutcome.REPLAYED if is_same else KeyOutcome.CONFLICT
    found = _find(connection, one.use)
    if found is None:
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


def _keep(
    connection: apsw.Connection, one: KeyedPublish, by_id: dict[int, AppendedEvent], keys_max: int
) -> _Kept | None:
    """Take the key with what was kept under it. Where nothing was, it stays free."""
    kept = []
    for slot, event_id in zip(one.slots, one.event_ids, strict=True):
        became = by_id[event_id]
        kept.append((slot, became.event_id if became.position or became.is_duplicate else 0))
    if any(event_id for _, event_id in kept):
        _insert(connection, one.use, KeyState.DONE, msgspec.msgpack.encode(kept), keys_max)
    return tuple(kept)


def _find(connection: apsw.Connection, use: KeyUse) -> TakenKey | None:
    """What is kept under the key; one that may be taken anew is taken out."""
    row = rows.first_row(connection, "find_idempotency", (use.owner, use.key))
    if row is None:
        return None
    ident, fingerprint, began_at, state, answer = row
    if began_at < use.free_below:
        forget(connection, ident)
        return None
    return TakenKey(ident, False, fingerprint, began_at, KeyState(state), answer)


def _insert(connection: apsw.Connection, use: KeyUse, state: KeyState, answer: bytes | None, keys_max: int) -> TakenKey:
    bindings = {
        "owner": use.owner,
        "key": use.key,
        "began_at": use.began_at,
        "fingerprint": use.fingerprint,
        "state": state,
        "answer": answer,
    }
    ident, number = rows.first_row(connection, "insert_idempotency", bindings)
    rows.run(connection, "delete_idempotency_numbers", (use.owner, number - keys_max, _TOO_MANY_CHUNK))
    return TakenKey(ident, True, use.fingerprint, use.began_at, state, answer)
