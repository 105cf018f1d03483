"""The stall of a fifo webhook when its head goes away by anything but an acceptance: it passes to the next in order.

Cancelled, expired, or cancelled with its job, a stalled head does not let the others go: only what is sent by hand
does. Whoever does either holds the webhook's row.
"""

import operator
from collections.abc import Sequence

import msgspec

from hookspan.store.postgres import _lowest
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection


class StalledHead(msgspec.Struct, frozen=True):
    """A row of find_stalled_heads. Its round is used up; `since` (ms) is when the webhook stalled."""

    webhook_id: int
    id: int
    round_attempts: int
    round_started_at: int | None
    since: int


def stalled_heads(connection: Connection, webhook_ids: Sequence[int]) -> list[StalledHead]:
    """The heads of those of these webhooks that are fifo and stalled."""
    if not webhook_ids:
        return []
    bindings = {"webhook_ids": rows.id_list(webhook_ids), "low": _lowest.read(connection)}
    return rows.many(connection, "find_stalled_heads", lambda row: StalledHead(*row), bindings)


def stalled_among(connection: Connection, delivery_ids: Sequence[int]) -> list[int]:
    """Fifo webhooks of which a stalled one is among these deliveries."""
    return rows.many(connection, "find_stalled_among", operator.itemgetter(0), (rows.id_list(delivery_ids),))


def hand_on(connection: Connection, heads: Sequence[StalledHead]) -> bool:
    """Of these heads, found before, some have gone: who comes next takes the stall over, with the used-up round.

    Nothing is done where the head is still there. False: some next one is claimed (for a moment, until the node that
    recorded the stall gives it back), and takes nothing over.
    """
    is_done = True
    for head in heads:
        if not rows.run(connection, "hand_on_stall", msgspec.structs.asdict(head)):
            is_done &= rows.value(connection, "read_fifo_head", (head.webhook_id,)) in (None, head.id)
    return is_done
