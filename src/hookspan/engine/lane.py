"""A webhook's queue inside this node: what waits, and when the next request may leave.

A lane only decides. The dispatcher sends; the recorder writes. One lane never waits for another.
"""

from collections import deque

from hookspan.clock import Clock
from hookspan.domain.pause import Pauses
from hookspan.domain.records import Webhook
from hookspan.domain.states import Order, WebhookStatus
from hookspan.engine.index import Entry
from hookspan.engine.post import Post
from hookspan.store.contract import Claimed

_BURST_S = 1.0  # a rate-limited lane may save up one second of requests (at least one)
_UNREADABLE_RETRY_S = 60.0


class Share:
    """How many nodes deliver, this one among them, and whether they could be more than one; and what this node leaves
    alone: what is paused, and profiles that are others'. The same for all lanes.
    """

    __slots__ = ("delivers", "is_shared", "left", "nodes", "pauses")

    def __init__(self, *, is_shared: bool = False, delivers: bool = True) -> None:
        self.is_shared = is_shared
        self.delivers = delivers
        self.nodes = 1
        self.pauses = Pauses()
        self.left: frozenset[str] = frozenset()


_SENDING = frozenset({WebhookStatus.ACTIVE, WebhookStatus.CATCHING_UP})


class Lane:
    """The waiting deliveries of one webhook that this node has claimed.

    `has_backlog` says that the store may hold more of this webhook than the lane does. A fifo lane claims nothing at
    birth while it is set, so that nothing overtakes; it begins set, and only a look into the store clears it.
    `backlogged` gathers the lanes that have one, by webhook.
    """

    def __init__(
        self,
        entry: Entry,
        webhook: Webhook,
        clock: Clock,
        items_max: int,
        backlogged: "dict[int, Lane]",
        share: Share,
    ) -> None:
        self.queue: deque[Claimed] = deque()
        self.in_flight = 0
        self.reserved = 0
        self.has_backlog = False
        self.backlog_marks = 0  # how often the store got something of this webhook that the lane did not
        self.is_blocked = False  # fifo: the head's outcome is not committed yet
        self.is_ready = False  # in the dispatcher's round
        self.is_held = False  # no request may leave: secrets unreadable, or the webhook is off
        self.is_on = webhook.status in _SENDING
        self.is_paused = False  # by the operator, or its profile is other nodes'
        self.is_open = False  # it may hold deliveries: it is on, and not paused
        self.round_since: int | None = None  # rounds that began before begin anew
        self.held_until_s = 0.0
        self.failing_since = webhook.failing_since
        self.failing_since_kept = webhook.failing_since
        self._clock = clock
        self._items_max = items_max
        self._share = share
        self._backlogged = backlogged
        self._tokens = 0.0
        self._refilled_s = clock.monotonic()
        self.post: Post | None = None
        self.entry = entry
        self.webhook = webhook
        self.use(entry, webhook)
        self._tokens = self._burst
        self.mark_backlog()

    def use(self, entry: Entry, webhook: Webhook) -> None:
        """Follow a change of the webhook or its application; what is in flight ends as it began."""
        was_on = self.is_on
        self.entry = entry
        self.webhook = webhook
        self.is_on = webhook.status in _SENDING
        if not was_on:  # what it failed before it was switched off is forgiven
            self.failing_since = self.failing_since_kept = webhook.failing_since
        self.is_fifo = webhook.order is Order.FIFO
        self.look_at_pauses()
        self.post = None  # made anew by the dispatcher at the next send
        self.is_held = False
        if self.is_fifo:
            self.mark_backlog()

    def look_at_pauses(self) -> None:
        """Follow a change of what is paused, or of whose profile it is."""
        share, application = self._share, self.entry.application
        pauses = share.pauses
        self.is_paused = pauses.of(application.id, application.profile) is not None or application.profile in share.left
        self.is_open = self.is_on and not self.is_paused
        ends = (self.webhook.activated_at, pauses.ended_at(application.id, application.profile))
        self.round_since = max((one for one in ends if one is not None), default=None)
        if self.is_paused:
            self.mark_backlog()
        self.divide()

    def divide(self) -> None:
        """Take this node's share of what the webhook allows; see `Store.claim` for what can't be divided."""
        share, webhook = self._share, self.webhook
        nodes = share.nodes
        concurrency = 1 if self.is_fifo else webhook.concurrency
        is_whole = self.is_fifo or concurrency < nodes or (webhook.rate is not None and webhook.rate < nodes)
        # Of what can't be divided another node may hold some already: only a claim can tell.
        self.claims_at_birth = share.delivers and self.is_open and not (share.is_shared and is_whole)
        if is_whole:
            nodes = 1
        self.concurrency = concurrency // nodes
        self.rate = None if webhook.rate is None else webhook.rate / nodes
        self._burst = max(1.0, (self.rate or 0.0) * _BURST_S)

    # --- taking in

    def reserve(self) -> bool:
        """Promise room for a delivery that is about to be inserted as claimed. False: insert it unclaimed."""
        # Half of a lane is the backlog's, or what came first would wait as long as anything new comes in.
        most = self._items_max // 2 if self.has_backlog else self._items_max
        if (
            len(self.queue) + self.reserved >= most
            or self.is_held
            or (self.is_fifo and self.has_backlog)
            or not self.claims_at_birth
        ):
            self.mark_backlog()
            return False
        self.reserved += 1
        return True

    def mark_backlog(self) -> None:
        """The store holds, or is about to hold, deliveries of this webhook that nobody claimed."""
        self.has_backlog = True
        self.backlog_marks += 1
        self._backlogged[self.webhook.id] = self

    def clear_backlog(self, marks_seen: int) -> None:
        """A look into the store that began when `backlog_marks` was `marks_seen` found nothing waiting."""
        if self.backlog_marks == marks_seen:
            self.has_backlog = False
            self._backlogged.pop(self.webhook.id, None)

    def room(self) -> int:
        """How many more deliveries the poller may bring."""
        if not self.is_open or self.is_held_now():
            return 0
        if self.is_fifo and (self.queue or self.in_flight or self.is_blocked or self.reserved):
            return 0  # the poller takes the head only when nothing of it is under way here
        return self._items_max - len(self.queue) - self.reserved

    # --- letting go

    def may_send(self) -> bool:
        """Whether its head may leave now, but for the rate."""
        return (
            bool(self.queue)
            and self.in_flight < self.concurrency
            and not self.is_blocked
            and self.is_open
            and not self.is_held
        )

    def wait_s(self) -> float:
        """Seconds until the rate lets the next request leave; 0 when it may leave now."""
        rate = self.rate
        if rate is None:
            return 0.0
        now_s = self._clock.monotonic()
        self._tokens = min(self._burst, self._tokens + (now_s - self._refilled_s) * rate)
        self._refilled_s = now_s
        return 0.0 if self._tokens >= 1.0 else (1.0 - self._tokens) / rate

    def take(self) -> Claimed:
        """The head, now in flight. A fifo lane sends nothing more until `committed`."""
        item = self.queue.popleft()
        self.in_flight += 1
        self.is_blocked = self.is_fifo
        if self.rate is not None:
            self._tokens -= 1.0
        return item

    def hold(self) -> None:
        """Send nothing for a while: its secrets can't be read, and unsigned it must not go out."""
        self.is_held = True
        self.held_until_s = self._clock.monotonic() + _UNREADABLE_RETRY_S
        self.mark_backlog()

    def is_held_now(self) -> bool:
        if self.is_held and self._clock.monotonic() >= self.held_until_s:
            self.is_held = False
        return self.is_held

    def empty(self) -> list[Claimed]:
        """Take everything that waits out of the lane, to be given back to the store."""
        items = list(self.queue)
        self.queue.clear()
        if items:
            self.mark_backlog()
        return items

    def close(self) -> None:
        """It is out of use. What is in flight ends, and what that leaves in the store is not to be looked for here:
        a closed lane takes nothing, and would keep the poller from bringing it.
        """
        self._backlogged.pop(self.webhook.id, None)
        self._backlogged = {}

    @property
    def is_idle(self) -> bool:
        return not (self.queue or self.in_flight or self.reserved or self.is_blocked)
