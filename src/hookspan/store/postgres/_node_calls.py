"""The calls of `hookspan.store.nodes` on PostgreSQL: other nodes live on the same database."""

from collections.abc import Mapping, Sequence

from hookspan.store.contract import ClaimRef
from hookspan.store.nodes import LeftProfile, NodeSeen
from hookspan.store.postgres import _nodes
from hookspan.store.postgres._ways import Ways

# Slots tried for a new node: each one that a living node has is passed by.
_FREE_TURNS_MAX = 10_000


class NodeCalls(Ways):
    """Part of `PostgresStore`."""

    @property
    def is_shared(self) -> bool:
        return True

    async def register_node(
        self,
        now_ms: int,
        *,
        delivers: bool = True,
        profiles: Mapping[str, str] | None = None,
        trust_window_ms: int | None = None,
    ) -> int:
        cell, own = self._options.cell, dict(profiles or {})
        # Before it is registered: where one of these fails, no node is left in the register that nobody is.
        await self.free_orphans(now_ms)
        while await self._write(lambda db: _nodes.bring_forward(db, now_ms, self._options.forward_chunk)):
            pass  # each turn takes some out of what is left
        node = await self._write(
            lambda db: _nodes.register_node(
                db, now_ms, delivers=delivers, cell=cell, profiles=own, trust_window_ms=trust_window_ms
            )
        )
        self._node = node
        if self._replica is not None:
            self._replica.registered(node)
        return node

    async def settle_profiles(self, node: int, now_ms: int) -> list[LeftProfile]:
        if await self._read(lambda db: _nodes.are_settled(db, node)):
            return await self._read(lambda db: _nodes.other_profiles(db, node))
        return await self._write(lambda db: _nodes.settle_profiles(db, node, now_ms))

    async def deregister_node(self, node: int, now_ms: int, *, counter: int | None = None) -> int | None:
        if not await self._write(lambda db: _nodes.delete_node(db, node, counter)) and counter is not None:
            return None
        return await self.free_orphans(now_ms)

    async def beat(self, node: int) -> bool:
        is_registered = await self._beat(lambda db: _nodes.beat(db, node))
        if is_registered and self._replica is not None:
            self._replica.beaten()
        return is_registered

    async def free_orphans(self, now_ms: int) -> int:
        chunk = self._options.free_chunk
        freed = 0
        for _ in range(_FREE_TURNS_MAX):  # each turn takes some out of what is left
            turn = await self._write(lambda db: _nodes.free_claims(db, now_ms, chunk))
            freed += turn
            if turn < chunk:
                break
        return freed

    async def nodes(self) -> list[NodeSeen]:
        return await self._read(_nodes.nodes)

    async def unheld(self, node: int, limit: int) -> list[ClaimRef]:
        return await self._read(lambda db: _nodes.unheld(db, node, limit))

    async def highest_id(self) -> int:
        return await self._read(_nodes.highest_id)

    async def versions_of(self, application_ids: Sequence[int]) -> dict[int, int]:
        return await self._read(lambda db: _nodes.versions_of(db, application_ids))

    async def clock_ms(self) -> int:
        return await self._read(_nodes.clock_ms)

    def ring(self) -> None:
        self._bell.ring()
