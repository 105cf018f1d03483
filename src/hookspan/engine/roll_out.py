"""Whose profiles are sent by: of several nodes whose files of one profile differ, only those that have the content in
force send for it. The others leave it alone until the last of those has ended, and then take over together.
"""

import asyncio
from collections.abc import Callable, Mapping

import structlog

from hookspan.clock import Clock
from hookspan.engine.dispatcher import Dispatcher
from hookspan.engine.options import EngineOptions
from hookspan.store.contract import Store
from hookspan.store.nodes import LeftProfile

_HASH_CHARACTERS = 12

log = structlog.get_logger()


class RollOut:
    """`hashes` are this node's profiles; `left` what it leaves to others. `on_taken` hears when it takes something
    over.
    """

    def __init__(
        self, store: Store, dispatcher: Dispatcher, clock: Clock, options: EngineOptions, hashes: Mapping[str, str]
    ) -> None:
        self._store = store
        self._dispatcher = dispatcher
        self._clock = clock
        self._delivers = options.delivers
        self.hashes = hashes
        self.left: dict[str, LeftProfile] = {}
        self._settling = asyncio.Lock()  # an older look never takes the place of a younger one
        self.on_taken: Callable[[], None]

    async def settle(self, own: Callable[[], int]) -> None:
        """See who has which, take over what nobody has any more, and leave alone the rest. A node that does not deliver
        sends nothing, so that it has nothing to leave. `own` is this node's number, asked when it is this look's turn:
        one that waited behind a new registration goes by that.
        """
        if not self._delivers:
            return
        async with self._settling:
            found = {one.name: one for one in await self._store.settle_profiles(own(), self._clock.now_ms())}
            if found != self.left:
                self._use(found)

    def _use(self, found: dict[str, LeftProfile]) -> None:
        before, self.left = self.left, found
        self._dispatcher.leave(frozenset(found))
        for one in found.values():
            if one.own is not None and before.get(one.name) != one:
                log.warning(
                    "another content of a profile is in force: its deliveries are left to the nodes that have it, and "
                    "this node takes over when the last of them has ended",
                    profile=one.name,
                    in_force=_short(one.in_force),
                    own=_short(one.own),
                )
        gone = sorted(before.keys() - found.keys())
        for name in gone:
            if before[name].own is not None:  # else it was not registered for a moment, and left all alone
                log.warning("profile taken over", profile=name, in_force=_short(self.hashes[name]))
        if gone:
            self.on_taken()


def _short(content_hash: str) -> str:
    return content_hash[:_HASH_CHARACTERS]
