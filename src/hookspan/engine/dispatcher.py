"""The dispatcher: takes turns among the lanes that may send, sends, and turns outcomes into results.

Everything here runs on the loop and nothing waits: a send is a callback, so that one event costs no task, no future
and no timer. Lanes share the node fairly because each sends one request in its turn.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Sequence

import structlog

from hookspan.clock import Clock
from hookspan.domain.outcome import Outcome, Owner
from hookspan.domain.pause import Pauses
from hookspan.domain.records import Webhook
from hookspan.domain.states import Cause, DeliveryState, StatusReason, VerdictKind
from hookspan.domain.verdict import STALLED, SUCCEEDED, History, Verdict, decide
from hookspan.engine.index import Entry
from hookspan.engine.lane import Lane, Share
from hookspan.engine.lease import Lease
from hookspan.engine.options import EngineOptions
from hookspan.engine.post import Post
from hookspan.engine.rate_timer import RateTimer
from hookspan.engine.recorder import Recorder
from hookspan.engine.result import given_up, line_of, result_of, round_of
from hookspan.engine.sender import Sender
from hookspan.errors import InvalidCredential
from hookspan.ids import IdMaker
from hookspan.store.contract import ORPHANS_ALONE, Claimed, Result
from hookspan.telemetry import Counters
from hookspan.vault import SecretUnreadable

log = structlog.get_logger()


class Dispatcher:
    """All lanes of this node, by webhook."""

    def __init__(
        self,
        sender: Sender,
        recorder: Recorder,
        clock: Clock,
        ids: IdMaker,
        options: EngineOptions,
        counters: Counters,
        jitter: Callable[[], float],
        share: Share | None = None,
    ) -> None:
        self.lanes: dict[int, Lane] = {}
        self.backlogged: dict[int, Lane] = {}  # lanes of which the store may hold more
        self.held: dict[int, int] = {}  # deliveries in this node's hands, and the claim by which it has them
        self.suspect: int | None = None  # the one of them, at most, that nodes may have died of
        self.items = 0  # waiting or promised, in all lanes
        self.bytes = 0
        self.in_flight = 0
        self.is_stopped = False
        self.is_halted = False  # it must not send: stopped, or its lease has ended
        self.share = share or Share()
        self.drops = 0  # how often all claims were dropped: what was claimed before the last time is not this node's
        self.is_in_doubt = False  # a commit's outcome is unknown: claims may stand in our name that we don't hold
        self.rate_timer = RateTimer(clock, self.ready)
        self.on_disable: Callable[[Webhook, StatusReason], None]
        self.on_room: Callable[[], None]
        self._sender = sender
        self._recorder = recorder
        self._clock = clock
        self._ids = ids
        self._options = options
        self._counters = counters
        self._jitter = jitter
        self._by_application: defaultdict[int, set[int]] = defaultdict(set)
        self._ready: deque[Lane] = deque()
        self._asides: deque[tuple[Lane, Claimed]] = deque()  # what people sent by hand, aside of the lanes' queues
        self._sweep_at = options.idle_lanes_max
        self._room_wanted = False
        self._lease = Lease()
        sender.done = self._done
        sender.may_leave = self._may_leave
        sender.unsent = self._unsent
        recorder.on_written = self._written
        recorder.on_given_back = self._given_back
        recorder.on_room = self.pump

    # --- lanes

    def lane(self, entry: Entry, webhook: Webhook) -> Lane:
        """The webhook's lane, made if need be."""
        lane = self.lanes.get(webhook.id)
        if lane is None:
            if len(self.lanes) >= self._sweep_at:
                self._drop_idle_lanes()
            lane = Lane(entry, webhook, self._clock, self._options.lane_items_max, self.backlogged, self.share)
            self.lanes[webhook.id] = lane
            self._by_application[webhook.application_id].add(webhook.id)
        return lane

    def entry_changed(self, entry: Entry) -> None:
        """Lanes follow their webhooks: new URL and secrets from the next send; what is off gives back its queue."""
        webhooks = {webhook.id: webhook for webhook in entry.webhooks}
        for webhook_id in list(self._by_application.get(entry.application.id, ())):
            webhook = webhooks.get(webhook_id)
            lane = self.lanes[webhook_id]
            if webhook is None:
                self._close(lane)
                continue
            lane.use(entry, webhook)
            if not lane.is_open:
                self._give_back(lane.empty())
            self._make_ready(lane)
        self._keep_asides()
        self.pump()

    def application_gone(self, application_id: int) -> None:
        for webhook_id in list(self._by_application.get(application_id, ())):
            self._close(self.lanes[webhook_id])
        self.pump()

    def _close(self, lane: Lane) -> None:
        webhook = lane.webhook
        self._give_back(lane.empty())
        lane.close()
        del self.lanes[webhook.id]
        self._by_application[webhook.application_id].discard(webhook.id)
        if not self._by_application[webhook.application_id]:
            del self._by_application[webhook.application_id]

    def recall(self, webhook_id: int) -> None:
        """What waits in the webhook's lane goes back to the store, which may have cancelled some of it."""
        lane = self.lanes.get(webhook_id)
        if lane is not None:
            self._give_back(lane.empty())

    def _drop_idle_lanes(self) -> None:
        """Forget lanes with nothing to do. Looked for again only when there are a quarter more: busy ones stay, and
        are as many as there are deliveries in this node at most.
        """
        for lane in [lane for lane in self.lanes.values() if lane.is_idle]:
            self._close(lane)
        self._sweep_at = max(self._options.idle_lanes_max, len(self.lanes) * 5 // 4)

    # --- taking in

    def reserve(self, entry: Entry, webhook: Webhook, body_bytes: int) -> bool:
        """Promise a place for a delivery that intake is about to insert as claimed."""
        lane = self.lanes.get(webhook.id) or self.lane(entry, webhook)
        if (
            self.items >= self._options.node_items_max
            or self.bytes + body_bytes > self._options.node_bytes_max
            or self.is_stopped
        ):
            lane.mark_backlog()
            return False
        if not lane.reserve():
            return False
        self.items += 1
        self.bytes += body_bytes
        return True

    def unreserve(self, webhook_id: int, body_bytes: int) -> None:
        """The promised delivery did not come."""
        self.items -= 1
        self.bytes -= body_bytes
        lane = self.lanes.get(webhook_id)
        if lane is not None and lane.reserved:
            lane.reserved -= 1

    def put_reserved(self, item: Claimed) -> None:
        """The promised delivery is durable: it waits in its lane now."""
        self.held[item.id] = item.claim
        lane = self.lanes.get(item.webhook_id)
        if lane is not None and lane.reserved:
            lane.reserved -= 1
        if lane is None:
            self._give_back([item])
        else:
            self._enqueue(lane, item)

    def _enqueue(self, lane: Lane, item: Claimed) -> None:
        """Into its lane, or back to the store when that was switched off or paused meanwhile."""
        if lane.is_open and not lane.is_held:
            lane.queue.append(item)
            self._make_ready(lane)
        else:
            lane.mark_backlog()
            self._give_back([item])

    def take_over(self, claimed: Sequence[Claimed]) -> None:
        """The poller has claimed these in the store; each will be `put`, or `let_go` once it was given back."""
        for item in claimed:
            self.held[item.id] = item.claim
            if item.orphan_count >= ORPHANS_ALONE:
                self.suspect = item.id

    def put(self, entry: Entry, webhook: Webhook, item: Claimed) -> None:
        """One of those that were taken over goes into its lane."""
        self.items += 1
        self.bytes += len(item.body)
        lane = self.lane(entry, webhook)
        if item.is_aside and lane.is_paused:
            self._give_back([item])
        elif item.is_aside:
            self._asides.append((lane, item))
        else:
            self._enqueue(lane, item)

    def has_room(self, webhook_id: int) -> bool:
        """Whether the poller could bring some of this webhook now."""
        lane = self.lanes.get(webhook_id)
        least = min(self._options.claim_per_webhook_max, self._options.lane_items_max // 2)
        return lane is None or lane.room() >= least

    def room(self) -> tuple[int, int]:
        """How many deliveries and bytes the poller may bring; asks to be told when there is more."""
        items = self._options.node_items_max - self.items
        size = self._options.node_bytes_max - self.bytes
        self._room_wanted = True
        return max(0, items), max(0, size)

    # --- sending

    def _make_ready(self, lane: Lane) -> None:
        if not lane.is_ready and lane.may_send():
            lane.is_ready = True
            self._ready.append(lane)

    def ready(self, lane: Lane) -> None:
        """The lane's rate allows another request."""
        self._make_ready(lane)
        self.pump()

    def pump(self) -> None:
        """Send whatever may be sent now, one request of each lane in turn."""
        ready = self._ready
        in_flight_max = self._options.in_flight_max
        if self._asides:
            self._send_asides()
        while ready and not self.is_halted and self._recorder.has_room and self.in_flight < in_flight_max:
            lane = ready.popleft()
            lane.is_ready = False
            if not lane.may_send():
                continue
            if lane.rate is not None and (wait_s := lane.wait_s()) > 0:
                self.rate_timer.add(lane, wait_s)
                continue
            self._send(lane)
            self._make_ready(lane)

    def _halt(self) -> None:
        """Nothing leaves until `renew`: others may take this node for dead, and send what it holds."""
        self.is_halted = True
        log.warning("lease ended: this node has not reached the store for too long, and sends nothing")

    def _may_leave(self, post: Post, now_ms: int) -> bool:
        if self._lease.covers(now_ms, post.timeout_ms):
            return True
        if not self.is_halted:
            self._halt()
        return False

    def _unsent(self, lane: Lane, item: Claimed) -> None:
        """The lease ended while it was being signed, or the claim: it goes back, if it is this node's still."""
        self._landed(lane, item)
        lane.mark_backlog()
        self._recorder.give_back([item])
        if lane.is_fifo and not item.is_aside:  # nothing overtakes it
            lane.is_blocked = False
            self._give_back(lane.empty())

    def _send(self, lane: Lane) -> None:
        """The head of a lane."""
        now_ms = self._clock.now_ms()
        try:
            post = self._sender.post(lane, now_ms)
        except (SecretUnreadable, InvalidCredential):
            self._hold(lane)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the delivery must not be stuck
            self._sender.could_not(lane, self._take(lane), error)
            return
        if self._may_leave(post, now_ms):
            self._transmit(lane, self._take(lane), post, now_ms)

    def _send_asides(self) -> None:
        """They ask neither the lane's order nor its status, concurrency and rate: a person is waiting."""
        while self._asides and not self.is_halted and self._recorder.has_room:
            if self.in_flight >= self._options.in_flight_max:
                return
            now_ms = self._clock.now_ms()
            lane, item = self._asides.popleft()
            if self.lanes.get(item.webhook_id) is not lane:  # the webhook was deleted
                self._give_back([item])
                continue
            try:
                post = self._sender.post(lane, now_ms)
            except Exception as error:  # noqa: BLE001 - whatever it is, the delivery must not be stuck
                self._take_aside()
                self._sender.could_not(lane, item, error)
                continue
            if not self._may_leave(post, now_ms):
                self._asides.appendleft((lane, item))
                return
            self._take_aside()
            self._transmit(lane, item, post, now_ms)

    def _take_aside(self) -> None:
        self.in_flight += 1
        self.items -= 1

    def _transmit(self, lane: Lane, item: Claimed, post: Post, now_ms: int) -> None:
        if item.orphan_count >= self._options.orphans_max:
            self._give_up(lane, item)
        else:
            self._sender.send(lane, item, post, now_ms)

    def _take(self, lane: Lane) -> Claimed:
        item = lane.take()
        self.in_flight += 1
        self.items -= 1
        return item

    def _hold(self, lane: Lane) -> None:
        """Its secrets can't be read: what waits goes back, for unsigned it must not leave."""
        log.error("secret unreadable, deliveries wait", webhook_id=lane.webhook.id)
        lane.hold()
        self._give_back(lane.empty())

    def _give_up(self, lane: Lane, item: Claimed) -> None:
        """Nodes died over it too often: it fails without another try."""
        log.error("delivery given up, nodes died while sending it", delivery_id=item.id, times=item.orphan_count)
        self._landed(lane, item)
        self._recorder.add(lane, given_up(item, self._clock.now_ms()))

    def _landed(self, lane: Lane, item: Claimed) -> None:
        self.in_flight -= 1
        if not item.is_aside:
            lane.in_flight -= 1
        self.bytes -= len(item.body)

    # --- what came of it

    def _done(self, lane: Lane, item: Claimed, post: Post | None, lines: bytes, outcome: Outcome) -> None:
        self._landed(lane, item)
        of_round = round_of(item, lane.round_since, outcome)
        resumes = False
        if outcome.is_success:
            verdict = SUCCEEDED
            resumes = lane.entry.profile.rules.delivery.stalls and _is_by_hand(item)
            self._counters.attempts_succeeded += 1
            if self._options.logs_successes:
                log.debug("attempt", **line_of(lane.entry.profile, lane.entry.application, item, outcome, verdict))
            if lane.failing_since is not None:
                lane.failing_since = None
                self._recorder.note_failing(lane)
        else:
            verdict = self._failed(lane, item, outcome, of_round)
        shown = lines if post is None else post.shown(lines)
        version = lane.webhook.version
        result = result_of(self._ids.make(), item, version, shown, outcome, verdict, of_round, resumes=resumes)
        self._recorder.add(lane, result)
        self._make_ready(lane)
        self.pump()
        if self._room_wanted and lane.has_backlog and self.has_room(lane.webhook.id):
            self._room_wanted = False
            self.on_room()

    def _failed(self, lane: Lane, item: Claimed, outcome: Outcome, of_round: tuple[int, int]) -> Verdict:
        """The verdict on anything but a 2xx, and what it means for the webhook."""
        now_ms = self._clock.now_ms()
        if outcome.owner is Owner.RECEIVER and lane.failing_since is None:
            lane.failing_since = now_ms
            self._recorder.note_failing(lane)
        attempts, started_at = of_round
        failing_since = lane.failing_since
        if failing_since is not None and lane.round_since is not None:
            failing_since = max(failing_since, lane.round_since)  # nothing of a pause counts as having failed
        history = History(attempts + 1, started_at, failing_since, item.is_aside, lane.is_on)
        verdict = decide(lane.entry.profile.rules.delivery, outcome, history, now_ms, self._jitter())
        if verdict.kind is VerdictKind.RETRY:
            self._counters.attempts_retried += 1
        else:
            self._counters.attempts_failed += 1
        if self._options.logs_failures:
            log.info("attempt", **line_of(lane.entry.profile, lane.entry.application, item, outcome, verdict))
        if verdict is STALLED:
            log.warning("webhook stalled until an event sent by hand is accepted", webhook_id=lane.webhook.id)
        if verdict.disable is not None:
            self.on_disable(lane.webhook, verdict.disable)
        if lane.is_fifo and verdict.state is DeliveryState.PENDING:
            lane.mark_backlog()  # from now on nothing may be claimed at birth before this one
        return verdict

    def _written(self, lane: Lane, result: Result, *, is_late: bool) -> None:
        """The result is durable (or its claim was lost): a fifo lane may go on, or must let the store decide."""
        self.let_go(result.delivery_id, result.claim)
        if result.resumes is not None:
            lane.mark_backlog()
            self.on_room()
        if not lane.is_fifo or result.is_aside:
            return
        lane.is_blocked = False
        if is_late or result.state is DeliveryState.PENDING:
            lane.mark_backlog()
            self._give_back(lane.empty())
        if lane.queue:
            self.ready(lane)
        elif lane.has_backlog:
            self.on_room()

    def _give_back(self, items: list[Claimed]) -> None:
        if items:
            self.items -= len(items)
            self.bytes -= sum(len(item.body) for item in items)
            self._recorder.give_back(items)

    def _given_back(self, item: Claimed) -> None:
        self.let_go(item.id, item.claim)

    def let_go(self, delivery_id: int, claim: int) -> None:
        """This claim is in this node's hands no more. Where it has the delivery by a younger one, that stays."""
        if self.held.get(delivery_id) != claim:
            return
        del self.held[delivery_id]
        if delivery_id == self.suspect:
            self.suspect = None
            self.on_room()

    # --- the node

    def renew(self, trusted_until_ms: int, lent_until_ms: int) -> None:
        """This node is registered; see `Lease.renew`."""
        self._lease.renew(trusted_until_ms, lent_until_ms)
        if self.is_halted and not self.is_stopped:
            self.is_halted = False
            self.pump()

    def count_nodes(self, nodes: int) -> None:
        """So many nodes deliver now."""
        if nodes != self.share.nodes:
            log.info("nodes that deliver", nodes=nodes)
            self.share.nodes = nodes
            for lane in list(self.lanes.values()):
                lane.divide()
                self._make_ready(lane)
            self.pump()

    def use_pauses(self, pauses: Pauses) -> None:
        """This is paused now: what lanes hold of it goes back, what is in flight ends, and the rest goes on."""
        self.share.pauses = pauses
        self._follow_share()

    def leave(self, profiles: frozenset[str]) -> None:
        """Applications of these profiles are other nodes' to send for."""
        self.share.left = profiles
        self._follow_share()

    def _follow_share(self) -> None:
        for lane in list(self.lanes.values()):
            lane.look_at_pauses()
            if lane.is_paused:
                self._give_back(lane.empty())
            self._make_ready(lane)
        self._keep_asides()
        self.pump()

    def _keep_asides(self) -> None:
        """What is paused of them goes back."""
        if any(lane.is_paused for lane, _ in self._asides):
            self._give_back([item for lane, item in self._asides if lane.is_paused])
            self._asides = deque(one for one in self._asides if not one[0].is_paused)

    def drop_claims(self) -> None:
        """This node lost its registration: all that waits here, or is still on its way here, belongs to others now."""
        self.drops += 1
        self._sender.forget()
        for lane in self.lanes.values():
            for item in lane.empty():
                self._drop(item)
        while self._asides:
            self._drop(self._asides.popleft()[1])

    def _drop(self, item: Claimed) -> None:
        self.items -= 1
        self.bytes -= len(item.body)
        self.let_go(item.id, item.claim)

    def stop(self) -> None:
        """Send nothing more; what waits goes back to the store, what is in flight ends."""
        self.is_stopped = self.is_halted = True
        for lane in self.lanes.values():
            self._give_back(lane.empty())
        self._give_back([item for _, item in self._asides])
        self._asides.clear()


def _is_by_hand(item: Claimed) -> bool:
    """Whether a person has asked for it, or it went on because of that, at whichever of its attempts: when it is
    accepted, what is stalled goes on. A round after the first begins for no other reason.
    """
    return item.is_aside or item.round > 0 or item.cause is Cause.MANUAL
