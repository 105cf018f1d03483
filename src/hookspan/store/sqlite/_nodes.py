"""The register of nodes, and the claims that stand in their names."""

import apsw
import msgspec

from hookspan.ids import made_at_ms
from hookspan.store.contract import ClaimRef
from hookspan.store.sqlite import _rows as rows

_refs_decoder = msgspec.json.Decoder(list[tuple[int, int]])


def register_node(connection: apsw.Connection, now_ms: int) -> int:
    """A new node's id. The lock file proves that no other node lives, so every claim is free.

    A clock that was set back while nobody ran would let new deliveries wait for the time in which they were made:
    first attempts are due at once, whatever the wall says.
    """
    rows.run(connection, "delete_nodes")
    rows.run(connection, "free_claims", (now_ms,))
    if now_ms < made_at_ms(highest_id(connection)):
        rows.run(connection, "bring_forward_firsts", (now_ms,))
    node = rows.value(connection, "insert_node", (now_ms,))
    assert isinstance(node, int)
    return node


def deregister_node(connection: apsw.Connection, node: int, now_ms: int) -> int:
    """Take it out and free its claims; how many."""
    rows.run(connection, "delete_node", (node,))
    return rows.run(connection, "free_claims_of_node", (now_ms, node))


def beat(connection: apsw.Connection, node: int) -> bool:
    """Whether it is registered."""
    return rows.run(connection, "raise_counter", (node,)) == 1


def unheld(connection: apsw.Connection, node: int, limit: int) -> list[ClaimRef]:
    """See `Store.unheld`."""
    found = _refs_decoder.decode(rows.value(connection, "find_held_by", (node, limit)))
    return [ClaimRef(delivery_id, claim) for delivery_id, claim in found]


def highest_id(connection: apsw.Connection) -> int:
    """See `Store.highest_id`."""
    found = rows.value(connection, "find_highest_id")
    assert isinstance(found, int)
    return found
