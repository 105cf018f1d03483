"""The poller: brings what is due in the store into lanes. It is the truth; wake-ups only make it sooner."""

from collections import deque
from collections.abc import Awaitable, Callable

import structlog

from hookspan.clock import Clock
from hookspan.engine.dispatcher import Dispatcher
from hookspan.engine.duty import Duty
from hookspan.engine.index import Entry, Index
from hookspan.engine.options import EngineOptions
from hookspan.errors import StoreUnavailable, UnknownProfile
from hookspan.store.contract import Claimed, ClaimRef, Store
from hookspan.telemetry import Counters

log = structlog.get_logger()

# Fifo lanes looked up in one turn to see whether anything of theirs waits in the store.
_BACKLOG_LOOKS_MAX = 200
# Webhooks of profiles that this node does not have are left to others for so long; so many are remembered.
_STRANGE_S = 60.0
_STRANGE_MAX = 10_000


class Poller(Duty):
    """One turn claims what is due and fits; it turns again at once while there is more."""

    name = "poller"

    def __init__(
        self,
        store: Store,
        index: Index,
        dispatcher: Dispatcher,
        clock: Clock,
        options: EngineOptions,
        counters: Counters,
    ) -> None:
        super().__init__(clock)
        self._store = store
        self._index = index
        self._dispatcher = dispatcher
        self._options = options
        self._counters = counters
        self.node = 0
        self.look_at_pauses: Callable[[], Awaitable[None]]
        self._suspect_webhook = 0  # of the last one
        self._suspect_look_s = 0.0  # when to look for one again
        self._strange: dict[int, float] = {}  # webhooks of unknown profiles, oldest first, and until when

    async def turn(self) -> float:
        options = self._options
        items, size = self._dispatcher.room()
        limit = min(items, options.claim_items_max)
        if limit == 0 or size == 0:
            return options.poll_interval_s  # the dispatcher wakes us when there is room
        if self._dispatcher.share.pauses.in_force:
            await self.look_at_pauses()  # what has ended elsewhere is claimed from now on, and must find its lane open
        skip, marks = self._look()
        skip += self._left_to_others()
        await self._bring_suspect(skip)
        now_ms, drops = self._clock.now_ms(), self._dispatcher.drops
        claimed = await self._claim(now_ms, limit, size, skip)
        if claimed:
            self._counters.deliveries_claimed += len(claimed)
            await self._put(claimed, drops)
            return 0
        await self._clear_backlogs(marks)
        if self._dispatcher.suspect is not None:
            return options.poll_interval_s  # what is due may be other suspects; we are woken when this one is done
        due_at = await self._store.next_due_at(skip, self._dispatcher.share.left)
        return self._wait_s(due_at, now_ms)

    async def _claim(self, now_ms: int, limit: int, size: int, skip: list[int]) -> list[Claimed]:
        options = self._options
        try:
            return await self._store.claim(
                self.node,
                now_ms,
                limit=limit,
                per_webhook=options.claim_per_webhook_max,
                bytes_max=min(size, options.claim_bytes_max),
                skip=skip,
                nodes=self._dispatcher.share.nodes,
                leave=self._dispatcher.share.left,
            )
        except StoreUnavailable:
            self._dispatcher.is_in_doubt = True
            raise

    async def _bring_suspect(self, skip: list[int]) -> None:
        """At most one at a time, so that only the guilty one is counted again when the node dies; looked for now and
        then only. Webhooks take turns, so that one that hangs keeps no other's waiting for more than its deadline.
        """
        if self._dispatcher.suspect is not None:
            return
        now_s = self._clock.monotonic()
        if now_s < self._suspect_look_s:
            return
        now_ms = self._clock.now_ms()
        leave = self._dispatcher.share.left
        for skipped in ([*skip, self._suspect_webhook], skip):
            drops = self._dispatcher.drops
            found = await self._store.claim_suspect(self.node, now_ms, skip=skipped, leave=leave)
            if found is not None:
                self._suspect_webhook = found.webhook_id
                await self._put([found], drops)
                return
        self._suspect_look_s = now_s + self._options.suspect_interval_s

    def _wait_s(self, due_at: int | None, looked_ms: int) -> float:
        """Until the next delivery is due, within bounds: another process may make something due unseen. What was due
        when a look found nothing is in other nodes' hands, and looking at once again would find the same.
        """
        options = self._options
        if due_at is None:
            return options.poll_interval_s
        least_s = options.poll_interval_min_s if due_at > looked_ms else options.poll_interval_taken_s
        return min(options.poll_interval_s, max(least_s, (due_at - self._clock.now_ms()) / 1000))

    def _look(self) -> tuple[list[int], dict[int, int]]:
        """Lanes of which the store may hold more: those that can't take any now, and the others with their marks.

        A lane that is full without a backlog may be brought a portion too many, which does no harm.
        """
        dispatcher = self._dispatcher
        full = []
        marks = {}
        for webhook_id, lane in dispatcher.backlogged.items():
            if lane.room() > 0 and (lane.is_fifo or dispatcher.has_room(webhook_id)):
                marks[webhook_id] = lane.backlog_marks
            else:
                full.append(webhook_id)
        return full, marks

    def _left_to_others(self) -> list[int]:
        now_s = self._clock.monotonic()
        while self._strange and (oldest := next(iter(self._strange))) and self._strange[oldest] <= now_s:
            del self._strange[oldest]
        return list(self._strange)

    async def _entry_of(self, item: Claimed) -> Entry | None:
        try:
            return await self._index.find_by_id(item.application_id)
        except UnknownProfile as error:
            if item.webhook_id not in self._strange:
                log.warning("deliveries left to nodes that know their profile", detail=error.detail)
                if len(self._strange) < _STRANGE_MAX:
                    self._strange[item.webhook_id] = self._clock.monotonic() + _STRANGE_S
            return None

    async def _clear_backlogs(self, marks: dict[int, int]) -> None:
        """Nothing was due. A fifo lane must also know that nothing of its webhook waits for a later time."""
        fifo = []
        for webhook_id, seen in marks.items():
            lane = self._dispatcher.lanes.get(webhook_id)
            if lane is None:
                continue
            if lane.is_fifo:
                fifo.append(webhook_id)
            else:
                lane.clear_backlog(seen)
        if not fifo:
            return
        looked_up = fifo[:_BACKLOG_LOOKS_MAX]
        waiting = await self._store.waiting(looked_up)
        for webhook_id in looked_up:
            lane = self._dispatcher.lanes.get(webhook_id)
            if lane is not None and (webhook_id not in waiting or waiting[webhook_id].count == 0):
                lane.clear_backlog(marks[webhook_id])

    async def _put(self, found: list[Claimed], drops: int) -> None:
        """Into lanes, or back to the store where the webhook is not known (any more). What was claimed before this node
        lost its registration (`drops` says how often it had, then) is let go: of that, what no other node has claimed
        is found again as due.
        """
        claimed = deque(found)
        self._dispatcher.take_over(found)
        orphans: list[ClaimRef] = []
        try:
            while claimed:
                item = claimed[0]
                entry = await self._entry_of(item)
                if self._dispatcher.drops != drops:
                    break
                webhook = None if entry is None else entry.webhook(item.webhook_id)
                if entry is None or webhook is None:
                    orphans.append(ClaimRef(item.id, item.claim))
                else:
                    self._dispatcher.put(entry, webhook, item)
                claimed.popleft()
        finally:
            self._dispatcher.pump()
            rest = orphans + [ClaimRef(item.id, item.claim) for item in claimed]
            if rest:
                await self._give_back(rest, drops)

    async def _give_back(self, refs: list[ClaimRef], drops: int) -> None:
        """Whether the store can be told or not, this node has them no more: then it frees them as nobody's."""
        try:
            if self._dispatcher.drops == drops:  # else they were freed with the registration
                await self._store.release(self.node, refs, self._clock.now_ms())
        except StoreUnavailable:
            self._dispatcher.is_in_doubt = True
            raise
        finally:
            for ref in refs:
                self._dispatcher.let_go(ref.delivery_id, ref.claim)
