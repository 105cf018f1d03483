"""The register of nodes, and the claims that stand in their names."""

from collections.abc import Mapping, Sequence

from hookspan.errors import ConfigurationError, StoreUnavailable
from hookspan.ids import NODE_SLOTS, made_at_ms
from hookspan.store.contract import RETRY_AHEAD_MS_MAX, ClaimRef
from hookspan.store.nodes import LeftProfile, NodeSeen
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection

# Over so long the retries are spread that are brought forward, so that receivers don't get them all at once.
_SPREAD_MS = 600_000
CELL_FACT = "cell"
_FLUSHES_KEPT = 1_000  # registrations ago: a node that was taken out brings what it has within seconds
_REGISTER_LOCK = 0x486F6F6B4E6F6465  # "HookNode" read as a number


def register_node(
    connection: Connection,
    now_ms: int,
    *,
    delivers: bool,
    cell: int,
    profiles: Mapping[str, str],
    trust_window_ms: int | None,
) -> int:
    """A new node's id, whose remainder by the slots no other node's has. Other nodes live, so nothing of theirs is
    freed; for what nodes that are gone have left see `free_claims`, for a clock that was set back `bring_forward`.
    """
    connection.execute("select pg_advisory_xact_lock(%s)", (_REGISTER_LOCK,))
    _check_cell(connection, cell)
    taken = {one.id % NODE_SLOTS for one in nodes(connection)}
    for _ in range(NODE_SLOTS):
        node = rows.value(connection, "next_node")
        assert isinstance(node, int)
        if node % NODE_SLOTS not in taken:
            new = {"id": node, "now": now_ms, "delivers": delivers, "trust_window": trust_window_ms}
            rows.run(connection, "insert_node", new)
            own = {"node": node, "names": list(profiles), "hashes": list(profiles.values())}
            rows.run(connection, "insert_node_profiles", own)
            rows.run(connection, "delete_flushes", (node - _FLUSHES_KEPT,))
            return node
    raise StoreUnavailable(f"{NODE_SLOTS} nodes are registered, and no more can be.")


def other_profiles(connection: Connection, node: int) -> list[LeftProfile]:
    """What the node leaves to others."""
    return [
        LeftProfile(name, in_force, own)
        for name, in_force, own in rows.many(connection, "list_other_profiles", tuple, {"node": node})
        if in_force is not None
    ]


def are_settled(connection: Connection, node: int) -> bool:
    """Whether all of the node's profiles are in force: a look that changes nothing."""
    found = rows.many(connection, "list_other_profiles", tuple, {"node": node})
    return all(own is None for _, _, own in found)


def settle_profiles(connection: Connection, node: int, now_ms: int) -> list[LeftProfile]:
    """See `Store.settle_profiles`. Nobody registers meanwhile: whoever comes after sees what is in force."""
    connection.execute("select pg_advisory_xact_lock(%s)", (_REGISTER_LOCK,))
    rows.run(connection, "put_profiles_in_force", {"node": node, "now": now_ms})
    return other_profiles(connection, node)


def _check_cell(connection: Connection, cell: int) -> None:
    """The first node's number is the database's. Raises ConfigurationError for another."""
    rows.run(connection, "insert_cell", (cell,))
    kept = rows.value(connection, "read_fact", (CELL_FACT,))
    if kept != cell:
        raise ConfigurationError(
            f"This database is cell {kept}, and the node is to serve cell {cell}. A database keeps its number, for its "
            f"ids are made with it: set HOOKSPAN_CELL={kept}."
        )


def free_claims(connection: Connection, now_ms: int, limit: int) -> int:
    """Free some claims of nodes that are not in the table; how many. A statement of its own after the one that took a
    node out was committed: what that node's last transactions have claimed is seen only then.
    """
    return rows.run(connection, "free_claims", {"now": now_ms, "limit": limit})


def is_set_back(connection: Connection, now_ms: int) -> bool:
    """Whether something was made later than now: every attempt that planned a retry left an id."""
    return now_ms < made_at_ms(highest_id(connection))


def bring_forward(connection: Connection, now_ms: int, limit: int) -> bool:
    """After a clock was set back: first attempts are due at once, whatever the wall says, and retries that are out of
    reach soon; so many of each. True when more may be left.
    """
    if not is_set_back(connection, now_ms):
        return False
    firsts = rows.run(connection, "bring_forward_firsts", {"now": now_ms, "limit": limit})
    rows.run(connection, "bring_forward_failures", {"now": now_ms})
    rows.run(connection, "bring_forward_pauses", {"now": now_ms})
    bindings = {"now": now_ms, "latest": now_ms + RETRY_AHEAD_MS_MAX, "spread": _SPREAD_MS, "limit": limit}
    retries = rows.run(connection, "bring_forward_retries", bindings)
    return firsts >= limit or retries >= limit


def delete_node(connection: Connection, node: int, counter: int | None) -> bool:
    """Take it out: what it holds is free from the commit on. Whether it was there, with the counter that is given."""
    gone: int = rows.value(connection, "delete_node", {"node": node, "counter": counter})
    connection.changes += gone
    return gone > 0


def beat(connection: Connection, node: int) -> bool:
    """Whether it is registered."""
    return rows.run(connection, "raise_counter", (node,)) == 1


def nodes(connection: Connection) -> list[NodeSeen]:
    """See `Store.nodes`."""
    return rows.many(
        connection, "list_nodes", lambda row: NodeSeen(row[0], row[1], delivers=row[2], trust_window_ms=row[3])
    )


def versions_of(connection: Connection, application_ids: Sequence[int]) -> dict[int, int]:
    """See `Store.versions_of`."""
    found: list[tuple[int, int]] = rows.many(connection, "list_versions", tuple, (rows.id_list(application_ids),))
    return dict(found)


def unheld(connection: Connection, node: int, limit: int) -> list[ClaimRef]:
    """See `Store.unheld`."""
    return rows.many(connection, "find_held_by", lambda row: ClaimRef(row[0], row[1]), (node, limit))


def clock_ms(connection: Connection) -> int:
    """See `Store.clock_ms`."""
    found = rows.value(connection, "read_clock")
    assert isinstance(found, int)
    return found


def highest_id(connection: Connection) -> int:
    """See `Store.highest_id`."""
    found = rows.value(connection, "find_highest_id")
    assert isinstance(found, int)
    return found
