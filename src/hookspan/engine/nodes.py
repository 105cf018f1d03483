"""This node among others: its registration and its lease, who else lives, and what was changed through another.

A node may send while it holds its lease: for as long after its last beat as no other can have taken it for dead and
have sent the same again. Where the store is this node's alone the lease has no end.
"""

import math
from collections.abc import Callable

import msgspec
import structlog

from hookspan.clock import Clock
from hookspan.engine.dispatcher import Dispatcher
from hookspan.engine.duty import Duty
from hookspan.engine.index import Index
from hookspan.engine.intake import Intake
from hookspan.engine.options import EngineOptions
from hookspan.engine.pausing import Pausing
from hookspan.engine.recorder import Recorder
from hookspan.engine.roll_out import RollOut
from hookspan.errors import HookspanError
from hookspan.ids import IdMaker, node_slot
from hookspan.store.contract import ClaimRef, NodeSeen, Store
from hookspan.telemetry import Counters

log = structlog.get_logger()

_UNHELD_LIMIT = 100_000
_BEATS_A_WINDOW = 6
_LEASE_SHARE_MIN = 1 / 3  # of the trust window, where that is not much longer than a request may take
_ROUNDING_S = 0.001
_APPLICATIONS_A_LOOK = 5_000
_UNSEEN_INTERVALS_MAX = (
    2  # of what passed between two looks so much counts: a late look is no proof for the time before
)
_UNSEEN_SHARE_MAX = 1 / 3  # and no more of the window of who is watched, which may be far shorter than the watcher's
_FLUSH_TIME_MAX_S = 2.0  # before a new registration, for until then events are refused
_SWEEPS_EVERY = 10  # looks at the register between two looks for claims that nobody's name stands for


def trust_window_least_s(timeout_s: float) -> int:
    """From which trust window on (whole seconds) no request of such a timeout can outlast it, whenever it is sent."""
    return math.ceil(timeout_s / (1 - _LEASE_SHARE_MIN) - _ROUNDING_S)


class Node(Duty):
    """Keeps this node registered; when it was taken out, it records what it knows and registers anew: what it has sent
    no request for is others'.

    Also frees claims that stand in this node's name without being in its hands: a commit whose outcome was in doubt
    leaves such rows, and without this they would wait for ever.
    """

    name = "node"

    def __init__(
        self,
        store: Store,
        dispatcher: Dispatcher,
        recorder: Recorder,
        intake: Intake,
        clock: Clock,
        ids: IdMaker,
        options: EngineOptions,
        roll_out: RollOut,
    ) -> None:
        super().__init__(clock)
        self._store = store
        self._roll_out = roll_out
        self._dispatcher = dispatcher
        self._recorder = recorder
        self._ids = ids
        self._options = options
        self._window_ms = int(options.trust_window_s * 1000)
        self._looked_s = clock.monotonic()
        self._suspects: set[ClaimRef] = set()
        self.id = 0
        self._unsettled: int | None = None  # registered, and not in use yet: what comes after that failed
        self.on_registered: Callable[[int], None]
        self.on_freed: Callable[[], None]
        intake.on_node_gone = self.wake

    async def register(self) -> None:
        began_ms = self._clock.now_ms()
        if self._unsettled is None or not await self._store.beat(self._unsettled):
            self._unsettled = await self._store.register_node(
                began_ms,
                delivers=self._options.delivers,
                profiles=self._roll_out.hashes,
                trust_window_ms=self._window_ms,
            )
        node = self._unsettled
        await self._roll_out.settle(lambda: node)  # before anything is claimed in its name
        self.id, self._unsettled = node, None
        if self._store.is_shared:
            self._ids.move_to(node_slot(self._options.cell, self.id))
        self.on_registered(self.id)
        self._renew(began_ms)

    async def turn(self) -> float:
        began_ms = self._clock.now_ms()
        if await self._store.beat(self.id):
            self._renew(began_ms)
        else:
            log.warning("node was deregistered, registers anew", node=self.id)
            self._dispatcher.drop_claims()
            self._suspects.clear()
            await self._record_known()
            await self.register()
        due = self._clock.monotonic() - self._looked_s >= self._options.unheld_interval_s
        if due or self._dispatcher.is_in_doubt or self._suspects:
            self._dispatcher.is_in_doubt = False
            await self._free_unheld()
        if self._store.is_shared:
            return min(self._options.beat_interval_s, self._options.trust_window_s / _BEATS_A_WINDOW)
        return self._options.beat_interval_s

    async def _record_known(self) -> None:
        """What is known is written before its claims are due again here: what others have not claimed meanwhile is not
        sent a second time. Of what can't be written the same is tried under the new registration.
        """
        try:
            await self._recorder.flush(_FLUSH_TIME_MAX_S)
        except HookspanError as error:
            log.warning("known outcomes could not be written at once", code=error.code, left=self._recorder.waiting)

    def _renew(self, began_ms: int) -> None:
        """The store has seen this node after `began_ms`: what is sent while the lease lasts has an answer, or has met
        its deadline, before another node may send the same. Where the window is not much longer than a request may
        take, a part of it is lent all the same.
        """
        if self._store.is_shared:
            window_ms = self._window_ms
            self._dispatcher.renew(began_ms + window_ms, began_ms + int(window_ms * _LEASE_SHARE_MIN))

    async def _free_unheld(self) -> None:
        """Only what is unknown in two looks in a row is freed: the first may see a commit before its result does."""
        self._looked_s = self._clock.monotonic()
        refs = await self._store.unheld(self.id, _UNHELD_LIMIT)
        held = self._dispatcher.held
        unknown = {ref for ref in refs if held.get(ref.delivery_id) != ref.claim}
        freed = [ref for ref in unknown if ref in self._suspects]
        self._suspects = unknown.difference(freed)
        if freed:
            log.warning("claims freed after a commit in doubt", count=len(freed))
            await self._store.release(self.id, freed, self._clock.now_ms())
            self.on_freed()


class _Sighting(msgspec.Struct):
    """A node's counter as it was seen last, and for how long it has stood still while we could look."""

    counter: int
    still_s: float = 0.0


class Watch(Duty):
    """Looks at the other nodes: takes out those that stand still, tells how many deliver, takes over their profiles.

    Only time in which this node could look counts, so that a database that was away makes nobody dead.
    """

    name = "watch"

    def __init__(
        self,
        store: Store,
        clock: Clock,
        options: EngineOptions,
        counters: Counters,
        own: Callable[[], int],
        roll_out: RollOut,
    ) -> None:
        super().__init__(clock)
        self._roll_out = roll_out
        self._store = store
        self._counters = counters
        self._own = own
        self._window_s = options.trust_window_s  # for nodes that have not said theirs
        self._interval_s = min(options.beat_interval_s, options.trust_window_s / _BEATS_A_WINDOW)
        self._seen: dict[int, _Sighting] = {}
        self._looked_s = clock.monotonic()
        self._looks = 0
        self.on_count: Callable[[int], None]
        self.on_freed: Callable[[], None]

    async def turn(self) -> float:
        # From the last answer on, for that was true at some moment before it: only so much is proven.
        passed_s = min(self._clock.monotonic() - self._looked_s, self._interval_s * _UNSEEN_INTERVALS_MAX)
        nodes = await self._store.nodes()
        self._looked_s = self._clock.monotonic()
        gone = [node for node in self._look(nodes, passed_s) if await self._take_out(node)]
        self.on_count(max(1, sum(node.delivers for node in nodes if node not in gone)))
        await self._roll_out.settle(self._own)
        self._looks += 1
        if self._looks % _SWEEPS_EVERY == 0 and await self._store.free_orphans(self._clock.now_ms()):
            self.on_freed()
        return self._interval_s

    def _look(self, nodes: list[NodeSeen], passed_s: float) -> list[NodeSeen]:
        """The others that stood still for the whole window: each one's own, for by that it holds its lease."""
        seen, own, dead = {}, self._own(), []
        for node in nodes:
            before = self._seen.get(node.id)
            if before is None or before.counter != node.counter:
                seen[node.id] = _Sighting(node.counter)
                continue
            window_s = self._window_s if node.trust_window_ms is None else node.trust_window_ms / 1000
            before.still_s += min(passed_s, window_s * _UNSEEN_SHARE_MAX)
            seen[node.id] = before
            if before.still_s >= window_s and node.id != own:
                dead.append(node)
        self._seen = seen
        return dead

    async def _take_out(self, node: NodeSeen) -> bool:
        """Not where it has beaten since, and sends by the lease that this gave it, or where another was first."""
        freed = await self._store.deregister_node(node.id, self._clock.now_ms(), counter=node.counter)
        self._seen.pop(node.id, None)
        if freed is None:
            return False
        self._counters.nodes_taken_out += 1
        log.warning("node stood still and was taken out", node=node.id, claims_freed=freed)
        self.on_freed()
        return True


class Following(Duty):
    """Sees what was changed through other nodes: pauses, and the applications that this node has in memory, by their
    versions. Where nobody else is there, it makes up for a look at the pauses that failed.
    """

    name = "following"

    def __init__(self, store: Store, index: Index, pausing: Pausing, clock: Clock, options: EngineOptions) -> None:
        super().__init__(clock)
        self._store = store
        self._index = index
        self._pausing = pausing
        self._interval_s = options.follow_interval_s
        self.on_change: Callable[[], None]

    async def turn(self) -> float:
        await self._pausing.look()
        if self._store.is_shared:
            await self._follow()
        return self._interval_s

    async def _follow(self) -> None:
        known = [(entry.application.id, entry.version) for entry in self._index]
        has_changed = False
        for start in range(0, len(known), _APPLICATIONS_A_LOOK):
            part = known[start : start + _APPLICATIONS_A_LOOK]
            versions = await self._store.versions_of([ident for ident, _ in part])
            for ident, version in part:
                if versions.get(ident) != version:
                    await self._index.refresh(ident)
                    has_changed = True
        if has_changed:
            self.on_change()
