"""The order of fifo webhooks over nodes: it is that of delivery ids, which each node makes by a clock of its own."""

import msgspec

from hookspan.ids import IdMaker
from hookspan.store.contract import AppendedEvent, NewDelivery, NewEvent
from hookspan.store.postgres import _lowest
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection

__all__ = ["behind_what_waits"]

Kept = list[tuple[NewEvent, AppendedEvent]]


def behind_what_waits(connection: Connection, ids: IdMaker, kept: Kept) -> Kept:
    """`kept`, where deliveries of fifo webhooks that another node's clock has put in front of younger events' get new
    ids behind them. To be called under the applications' locks, so that nobody comes in between.
    """
    planned = _planned(kept)
    if not planned:
        return kept
    low = _lowest.read(connection)
    overtaking = set()
    for webhook_id, first in planned.items():
        tail = rows.value(connection, "read_fifo_tail_from", {"webhook": webhook_id, "low": low})
        if tail is not None and tail >= first:
            overtaking.add(webhook_id)
            ids.start_after(tail)
    if not overtaking:
        return kept
    return [(event, _renumbered(ids, one, overtaking)) for event, one in kept]


def _planned(kept: Kept) -> dict[int, int]:
    """The first id that is planned for each fifo webhook."""
    planned: dict[int, int] = {}
    for _, one in kept:
        for delivery in one.deliveries:
            if delivery.is_fifo:
                planned.setdefault(delivery.webhook_id, delivery.id)
    return planned


def _renumbered(ids: IdMaker, one: AppendedEvent, webhooks: set[int]) -> AppendedEvent:
    deliveries = tuple(
        _again(ids, delivery) if delivery.is_fifo and delivery.webhook_id in webhooks else delivery
        for delivery in one.deliveries
    )
    return msgspec.structs.replace(one, deliveries=deliveries)


def _again(ids: IdMaker, delivery: NewDelivery) -> NewDelivery:
    return msgspec.structs.replace(delivery, id=ids.make(), is_claimed=False)
