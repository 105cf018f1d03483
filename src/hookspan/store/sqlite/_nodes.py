"""The register of nodes, and the claims that stand in their names."""

from collections.abc import Mapping, Sequence

import apsw
import msgspec

from hookspan.ids import made_at_ms
from hookspan.store.contract import RETRY_AHEAD_MS_MAX, ClaimRef, NodeSeen
from hookspan.store.sqlite import _rows as rows

# Over so long the retries are spread that are brought forward, so that receivers don't get them all at once.
_SPREAD_MS = 600_000

_refs_decoder = msgspec.json.Decoder(list[tuple[int, int]])


def register_node(connection: apsw.Connection, now_ms: int, profiles: Mapping[str, str]) -> int:
    """A new node's id. The lock file proves that no other node lives, so every claim is free.

    A clock that was set back while nobody ran would let new deliveries wait for the time in which they were made:
    first attempts are due at once, whatever the wall says. For retries see `bring_forward`.
    """
    rows.run(connection, "delete_nodes")
    rows.run(connection, "free_claims", (now_ms,))
    if is_set_back(connection, now_ms):
        rows.run(connection, "bring_forward_firsts", (now_ms,))
        rows.run(connection, "bring_forward_failures", (now_ms,))
        rows.run(connection, "bring_forward_pauses", {"now": now_ms})
    rows.run(connection, "put_profiles_in_force", {"profiles": rows.json_text(profiles), "now": now_ms})
    node = rows.value(connection, "insert_node", (now_ms,))
    assert isinstance(node, int)
    return node


def is_set_back(connection: apsw.Connection, now_ms: int) -> bool:
    """Whether something was made later than now: every attempt that planned a retry left an id."""
    return now_ms < made_at_ms(highest_id(connection))


def bring_forward(connection: apsw.Connection, now_ms: int, limit: int) -> bool:
    """Make some retries due soon that a clock since set back had put out of reach. True when more may be left."""
    if not is_set_back(connection, now_ms):
        return False
    bindings = {"now": now_ms, "latest": now_ms + RETRY_AHEAD_MS_MAX, "spread": _SPREAD_MS, "limit": limit}
    return rows.run(connection, "bring_forward_retries", bindings) >= limit


def deregister_node(connection: apsw.Connection, node: int, now_ms: int, counter: int | None) -> int | None:
    """See `Store.deregister_node`."""
    if not rows.run(connection, "delete_node", (node, counter)) and counter is not None:
        return None
    return rows.run(connection, "free_claims_of_node", (now_ms, node))


def beat(connection: apsw.Connection, node: int) -> bool:
    """Whether it is registered."""
    return rows.run(connection, "raise_counter", (node,)) == 1


def nodes(connection: apsw.Connection) -> list[NodeSeen]:
    """See `Store.nodes`."""
    return rows.many(connection, "list_nodes", lambda row: NodeSeen(row[0], row[1], delivers=True))


def versions_of(connection: apsw.Connection, application_ids: Sequence[int]) -> dict[int, int]:
    """See `Store.versions_of`."""
    found = rows.many(connection, "list_versions", lambda row: (row[0], row[1]), (rows.id_list(application_ids),))
    return dict(found)


def unheld(connection: apsw.Connection, node: int, limit: int) -> list[ClaimRef]:
    """See `Store.unheld`."""
    found = _refs_decoder.decode(rows.value(connection, "find_held_by", (node, limit)))
    return [ClaimRef(delivery_id, claim) for delivery_id, claim in found]


def highest_id(connection: apsw.Connection) -> int:
    """See `Store.highest_id`."""
    found = rows.value(connection, "find_highest_id")
    assert isinstance(found, int)
    return found
