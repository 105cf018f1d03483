"""Publishing: events with their deliveries and positions, in one transaction."""

from collections.abc import Iterable, Sequence
from typing import Any

import apsw
import msgspec

from hookspan.domain.records import Webhooks
from hookspan.store.contract import Appended, AppendedEvent, FanOut, NewDelivery, NewEvent, NodeGone
from hookspan.store.sqlite._frozen import frozen_of
from hookspan.store.sqlite._rows import json_text
from hookspan.store.sqlite._statements import Many, statement
from hookspan.store.sqlite._webhooks import webhooks_of

_INSERT_EVENTS = Many("insert_events")
_INSERT_DELIVERIES = Many("insert_deliveries")
_INSERT_KEYS = Many("insert_publish_keys")
_FIND_KEYS = Many("find_publish_keys")
_ADVANCE = Many("advance_positions")
_READ_HEADS = statement("read_heads")

_heads_decoder = msgspec.json.Decoder(list[tuple[int, int, int]])
_keys_decoder = msgspec.json.Decoder(list[tuple[int, int, str]])


def append(
    connection: apsw.Connection, node: int, events: Sequence[NewEvent], versions: dict[int, int], fan_out: FanOut
) -> Appended:
    """Keep the events; see `Store.append`. Raises NodeGone before anything is written."""
    positions, stale = _read_heads(connection, node, events, versions)
    known = [event for event in events if event.application_id in positions]
    duplicates = (
        _take_publisher_ids(connection, known) if any(event.publisher_id is not None for event in known) else {}
    )
    appended = []
    kept: list[AppendedEvent] = []
    event_values: list[Any] = []
    delivery_values: list[Any] = []
    for event in events:
        application_id = event.application_id
        position = positions.get(application_id)
        if position is None:
            appended.append(AppendedEvent(event.id, 0, False, False, ()))
            continue
        if duplicates and (earlier := duplicates.get(event.id)) is not None:
            appended.append(earlier)
            continue
        positions[application_id] = position = position + 1
        refreshed = stale.get(application_id)
        deliveries = event.deliveries if refreshed is None else fan_out(refreshed, event)
        one = AppendedEvent(event.id, position, False, False, deliveries)
        appended.append(one)
        kept.append(one)
        event_values += (
            event.id,
            application_id,
            position,
            event.type,
            event.publisher_id,
            event.occurred_at,
            event.accepted_at,
            event.content,
            event.content_at,
            event.content_bytes,
            event.context,
            event.body,
        )
        if deliveries:
            _add_deliveries(delivery_values, event, deliveries, node)
    if kept:
        _advance(connection, positions)
        _INSERT_EVENTS.run(connection, event_values)
        _INSERT_DELIVERIES.run(connection, delivery_values)
    unknown = frozenset(versions.keys() - positions.keys())
    frozen = frozen_of(connection, sorted(unknown)) if unknown else unknown
    return Appended(tuple(appended), tuple(stale.values()), unknown - frozen, frozen)


def _add_deliveries(values: list[Any], event: NewEvent, deliveries: Iterable[NewDelivery], node: int) -> None:
    for delivery in deliveries:
        is_claimed = delivery.is_claimed
        values += (
            delivery.id,
            event.application_id,
            delivery.webhook_id,
            event.id,
            node if is_claimed else 0,
            1 if is_claimed else 0,
            delivery.is_fifo,
            event.accepted_at,
        )


def _read_heads(
    connection: apsw.Connection, node: int, events: Sequence[NewEvent], versions: dict[int, int]
) -> tuple[dict[int, int], dict[int, Webhooks]]:
    """The last position of each application that is there, in id order, and those whose webhooks have changed."""
    wanted = sorted(versions.keys() | {event.application_id for event in events})
    is_registered, text = connection.execute(_READ_HEADS, (node, json_text(wanted))).get
    if not is_registered:
        raise NodeGone
    heads = sorted(_heads_decoder.decode(text))
    stale = {}
    for application_id, version, _ in heads:
        if versions.get(application_id) != version:
            fresh = webhooks_of(connection, application_id)
            assert fresh is not None, "it was there a statement ago, in the same transaction"
            stale[application_id] = fresh
    return {application_id: position for application_id, _, position in heads}, stale


def _advance(connection: apsw.Connection, positions: dict[int, int]) -> None:
    values: list[Any] = []
    for application_id, position in positions.items():
        values += (application_id, position)
    _ADVANCE.run(connection, values)


def _take_publisher_ids(connection: apsw.Connection, events: list[NewEvent]) -> dict[int, AppendedEvent]:
    """Take the publishers' own ids; what became of the events whose id is taken already, also in this very batch."""
    given = [event for event in events if event.publisher_id is not None]
    values: list[Any] = []
    for event in given:
        values += (event.application_id, event.publisher_id, event.id, event.input_hash)
    before = connection.total_changes()
    _INSERT_KEYS.run(connection, values)
    if connection.total_changes() - before == len(given):
        return {}
    values = []
    for event in given:
        values += (event.id, event.application_id, event.publisher_id)
    hashes = {event.id: event.input_hash for event in given}
    taken = {}
    for text in _FIND_KEYS.fetch(connection, values):
        for event_id, kept_id, kept_hash in _keys_decoder.decode(text):
            if event_id == kept_id:
                continue
            is_same = hashes[event_id] == bytes.fromhex(kept_hash)
            taken[event_id] = AppendedEvent(kept_id, 0, is_same, not is_same, ())
    return taken
