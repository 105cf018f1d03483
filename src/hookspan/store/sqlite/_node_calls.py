"""The calls of `hookspan.store.nodes` on SQLite: one process holds the file, so there are never others to hear of."""

from collections.abc import Callable, Mapping, Sequence

from hookspan.store.contract import ClaimRef, NodeSeen
from hookspan.store.nodes import LeftProfile
from hookspan.store.sqlite import _nodes
from hookspan.store.sqlite._ways import Ways


class NodeCalls(Ways):
    """Part of `SqliteStore`."""

    on_ring: Callable[[], None]

    @property
    def is_shared(self) -> bool:
        return False

    async def register_node(
        self,
        now_ms: int,
        *,
        delivers: bool = True,
        profiles: Mapping[str, str] | None = None,
        trust_window_ms: int | None = None,
    ) -> int:
        del delivers, trust_window_ms  # alone, it does everything, and nobody watches it
        own = dict(profiles or {})
        node = await self._write(lambda db: _nodes.register_node(db, now_ms, own))
        while await self._write(lambda db: _nodes.bring_forward(db, now_ms, self._options.forward_chunk)):
            pass  # each turn takes some out of what is left
        return node

    async def settle_profiles(self, node: int, now_ms: int) -> list[LeftProfile]:
        del node, now_ms
        return []  # a registration puts its own in force

    async def deregister_node(self, node: int, now_ms: int, *, counter: int | None = None) -> int | None:
        return await self._write(lambda db: _nodes.deregister_node(db, node, now_ms, counter))

    async def beat(self, node: int) -> bool:
        return await self._write(lambda db: _nodes.beat(db, node))

    async def free_orphans(self, now_ms: int) -> int:
        del now_ms
        return 0  # a registration frees them all in its own transaction

    async def nodes(self) -> list[NodeSeen]:
        return await self._read(_nodes.nodes)

    async def unheld(self, node: int, limit: int) -> list[ClaimRef]:
        return await self._read(lambda db: _nodes.unheld(db, node, limit))

    async def highest_id(self) -> int:
        return await self._read(_nodes.highest_id)

    async def versions_of(self, application_ids: Sequence[int]) -> dict[int, int]:
        return await self._read(lambda db: _nodes.versions_of(db, application_ids))

    async def clock_ms(self) -> int:
        return self._clock.now_ms()

    def ring(self) -> None:
        pass  # nobody else is there
