"""Nodes: who works on this database, who of them lives, and how they hear of each other's changes.

A node is dead when another has watched its counter stand still for the trust window. Its row goes first, then its
claims are free; a node without a row can neither take events in nor claim. What it still knows of its requests counts
for as long as nobody else has claimed them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from hookspan.store.messages import ClaimRef


class NodeSeen(msgspec.Struct, frozen=True):
    """A registered node as another sees it. `counter` is raised by each of its beats; `delivers`: it claims too;
    `trust_window_ms`: for how long the counter may stand still, None where it has not said.
    """

    id: int
    counter: int
    delivers: bool
    trust_window_ms: int | None = None


class LeftProfile(msgspec.Struct, frozen=True):
    """A profile that a node leaves to others: the hash in force, and its own (None: it has no such profile)."""

    name: str
    in_force: str
    own: str | None


class Nodes(Protocol):
    """The calls about nodes; part of `hookspan.store.contract.Store`."""

    on_ring: Callable[[], None]
    """Called on the loop when another node rang. Set before `open`; does nothing by default."""

    @property
    def is_shared(self) -> bool:
        """Whether other nodes may work on this database at the same time."""
        ...

    async def register_node(
        self,
        now_ms: int,
        *,
        delivers: bool = True,
        profiles: Mapping[str, str] | None = None,
        trust_window_ms: int | None = None,
    ) -> int:
        """Register under a new id (from 1) and return it. Where only one process can hold the database (SQLite) every
        claim of earlier nodes is freed and counted as orphaned; elsewhere those of nodes that are not registered.

        On a shared database the remainders of living nodes' ids by `ids.NODE_SLOTS` differ, so that ids that two
        nodes make never meet (`ids.node_slot`). StoreUnavailable when so many are registered.

        A shared database keeps the cell of its first node: ConfigurationError for a node of another.

        `profiles` are those that the node has, with the hashes of their contents; see `settle_profiles`. Others see by
        `trust_window_ms` for how long its counter may stand still.

        A clock that was set back (`now_ms` is before the newest id) puts nothing out of reach: first attempts in the
        future, and retries further ahead than RETRY_AHEAD_MS_MAX, are due at `now_ms` or some minutes after, and
        rounds and failures have begun at `now_ms` at the latest.
        """
        ...

    async def settle_profiles(self, node: int, now_ms: int) -> list[LeftProfile]:
        """Put the node's profiles in force where none of that name is, or where no registered node that delivers has
        the one that is; alone on its database a node has all of its own in force. Returns those that others have in
        force, by name, which it must neither claim nor send for: all of them for a node that is not registered.
        """
        ...

    async def deregister_node(self, node: int, now_ms: int, *, counter: int | None = None) -> int | None:
        """Take a node out and free its claims, as by `release`, but counted as orphaned: a node that ends in order
        releases what it holds before. Returns how many were freed.

        With the `counter` that somebody has seen it is taken out only as long as it has that one. Else nothing is done,
        and None returned: it has beaten since, and sends on the lease that this gave it, or it is gone.
        """
        ...

    async def beat(self, node: int) -> bool:
        """Raise the node's counter and prove that the store is writable. False: this node is not registered."""
        ...

    async def free_orphans(self, now_ms: int) -> int:
        """Free claims of nodes that are not registered: a release that was cut short leaves some. How many."""
        ...

    async def nodes(self) -> list[NodeSeen]:
        """Every registered node, by id."""
        ...

    async def unheld(self, node: int, limit: int) -> list[ClaimRef]:
        """Claims that stand in this node's name, oldest first: those the caller does not know are given back."""
        ...

    async def highest_id(self) -> int:
        """The highest id that was ever kept, so that a clock set back never repeats one."""
        ...

    async def versions_of(self, application_ids: Sequence[int]) -> dict[int, int]:
        """The `webhooks_version` of each of these applications that is still there: what a node compares to see
        changes that were made through another.
        """
        ...

    async def clock_ms(self) -> int:
        """The time (ms since 1970) by which all nodes of this database go: its own where it is shared."""
        ...

    def ring(self) -> None:
        """Tell other nodes that something became due. Never waits nor fails; rings close together become one, and one
        may be lost: looking now and then is what counts.
        """
        ...
