"""Intake: concurrent publishes share one durable commit, and only then are they acknowledged.

A request waits in a bounded queue while the commit before it runs; everything that has gathered goes into the next.
A request's events are kept together or not at all.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence

import msgspec
import structlog

from hookspan.clock import Clock
from hookspan.domain.records import Webhooks
from hookspan.domain.states import Cause, Order
from hookspan.engine.dispatcher import Dispatcher
from hookspan.engine.duty import Duty
from hookspan.engine.index import Entry, Index
from hookspan.engine.options import EngineOptions
from hookspan.engine.publication import Reader
from hookspan.engine.request import Done, DrawnRequest, Found, KeyedRequest, Published, Receipt, Request
from hookspan.engine.statistics import Statistics
from hookspan.errors import (
    HookspanError,
    IdempotencyConflict,
    NotFound,
    Overloaded,
    RateLimited,
    StoreUnavailable,
)
from hookspan.ids import IdMaker
from hookspan.store.contract import (
    Appended,
    AppendedEvent,
    ApplicationFrozen,
    Claimed,
    DataRefused,
    NewDelivery,
    NewEvent,
    NodeGone,
    Store,
)
from hookspan.store.idempotency import KeyOutcome, KeyUse
from hookspan.store.inbox import InboxRow
from hookspan.telemetry import Counters

_IDLE_S = 5.0
_ID_BLOCK = 64
KEYS_FULL_RETRY_S = 60

log = structlog.get_logger()


class Intake(Duty):
    """`publish` takes in; one turn commits what has gathered."""

    name = "intake"
    after_error_s = 0.0  # what comes next is refused by its own try, at once, not after a pause

    def __init__(
        self,
        store: Store,
        index: Index,
        dispatcher: Dispatcher,
        clock: Clock,
        ids: IdMaker,
        options: EngineOptions,
        counters: Counters,
        statistics: Statistics,
    ) -> None:
        super().__init__(clock)
        self._store = store
        self._statistics = statistics
        self._index = index
        self._dispatcher = dispatcher
        self._ids = ids
        self._options = options
        self._counters = counters
        self._reader = Reader(clock, ids, options)
        self._queue: deque[Request] = deque()
        self._keyed = 0  # of those that wait: requests under a key
        self._drawn = 0  # and from the inbox
        self._events = 0  # waiting or being committed
        self._bytes = 0
        self._anew: dict[int, Entry] = {}
        self.node = 0
        self.is_stopped = not options.takes_in
        self.on_backlog: Callable[[], None] | None = None
        self.on_node_gone: asyncio.Event | None = None

    @property
    def waiting_events(self) -> int:
        return self._events

    @property
    def waiting_bytes(self) -> int:
        return self._bytes

    # --- taking in

    async def publish(self, application: str, raw: bytes) -> Receipt:
        """Keep one event (an object) or many (an array) of an application, named by its public id.

        Returns when they are durable. Raises NotFound, what `Reader.read` raises, EventIdConflict (object only),
        Overloaded at once when a queue is full or the node is stopping, StoreUnavailable, DiskFull.
        """
        entry = self._index.known(application) or await self._index.find(application)
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()

        def done(outcome: Receipt | HookspanError) -> None:
            if answer.done():  # the publisher went away; its events are kept all the same
                return
            if isinstance(outcome, HookspanError):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)

        self._submit(entry, raw, done)
        return await answer

    async def publish_keyed(self, application: str, raw: bytes, use: KeyUse) -> tuple[Receipt, bool]:
        """As `publish`, under an Idempotency-Key: of requests under one key the first is kept, those like it get the
        same receipt (and True), any other is refused whole with IdempotencyConflict; RateLimited without room for keys.
        """
        entry = self._index.known(application) or await self._index.find(application)
        use = msgspec.structs.replace(use, application_id=entry.application.id)
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()

        def done(outcome: Receipt | HookspanError) -> None:
            if answer.done():
                return
            if made[0].outcome is KeyOutcome.CONFLICT:
                outcome = IdempotencyConflict(
                    "This Idempotency-Key was used for another request, or the same body is read otherwise now. "
                    "Nothing was stored."
                )
            if made[0].outcome is KeyOutcome.FULL:
                outcome = RateLimited(
                    "The application has too many Idempotency-Keys of the last 24 hours. Nothing was stored: send it "
                    "later, or with a publisher_id in place of the key.",
                    retry_after_s=KEYS_FULL_RETRY_S,
                )
            if isinstance(outcome, HookspanError):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)

        made: list[KeyedRequest] = []

        def make(entry: Entry, found: Found, done: Done) -> KeyedRequest:
            made.append(KeyedRequest(entry, found, done, use))
            return made[0]

        self._submit(entry, raw, done, make)
        if made[0].events:
            self._keyed += 1
        return await answer, made[0].outcome is KeyOutcome.REPLAYED

    def submit(self, application: str, raw: bytes, done: Done) -> bool:
        """`publish` by callback, for the hot path: no task and no future for an event.

        False, and nothing was done, when the application is not in memory: `publish` loads it. Errors that
        `publish` would raise go to `done`, at once or later.
        """
        entry = self._index.known(application)
        if entry is None:
            return False
        try:
            self._submit(entry, raw, done)
        except HookspanError as error:
            done(error)
        return True

    def take_in(self, application: Entry, rows: Sequence[InboxRow]) -> asyncio.Future[list[Published | HookspanError]]:
        """What was drawn from the inbox for one application, as one batch, with which the rows go. Gives what becomes
        of each, in order; of one that is gone already that is the same as of one that is kept. Raises Overloaded; the
        future raises what `publish` would.
        """
        answer: asyncio.Future[list[Published | HookspanError]] = asyncio.get_running_loop().create_future()

        def done(outcome: Receipt | HookspanError) -> None:
            if answer.done():
                return
            if isinstance(outcome, HookspanError):
                answer.set_exception(outcome)
            else:
                assert isinstance(outcome, list), "it was a batch"
                answer.set_result(outcome)

        self._check_room(sum(len(row.content) for row in rows), len(rows))
        found = self._reader.read_rows(application, rows)
        drawn = {event.id: row.id for event, row in zip(found, rows, strict=True) if isinstance(event, NewEvent)}
        request = DrawnRequest(application, found, done, drawn)
        self._add(request)
        self._drawn += bool(request.events)
        return answer

    def _submit(self, entry: Entry, raw: bytes, done: Done, make: Callable[..., Request] = Request) -> None:
        self._check_room(len(raw))
        self._add(make(entry, self._reader.read(entry, raw), done))

    def _add(self, request: Request) -> None:
        events = request.events
        if not events:
            request.done(request.receipt(()))
            return
        self._check_room(0, len(events))
        self._queue.append(request)
        self._events += len(events)
        for event in events:
            self._bytes += len(event.body)
        self.wake.set()

    def _check_room(self, size: int, events: int = 1) -> None:
        if self.is_stopped:
            what = "is stopping" if self._options.takes_in else "only sends"
            raise Overloaded(f"This node {what}. Nothing was stored: send it again.")
        options = self._options
        if self._events + events > options.intake_events_max or self._bytes + size > options.intake_bytes_max:
            self._counters.events_refused += events
            raise Overloaded(
                f"{self._events:,} events wait to be stored, more than this node takes. Nothing was stored."
            )

    # --- committing

    async def turn(self) -> float:
        if not self._queue:
            return _IDLE_S
        requests, events = self._take()
        size = sum(len(event.body) for event in events)
        try:
            await self._commit(requests, events)
        finally:
            self._events -= len(events)
            self._bytes -= size
        return 0 if self._queue else _IDLE_S

    def _take(self) -> tuple[list[Request], list[NewEvent]]:
        """The next requests that fit into one commit (at least one), with their deliveries planned."""
        options = self._options
        requests: list[Request] = []
        events: list[NewEvent] = []
        size = deliveries = 0
        rising = self._rising_ids()
        while self._queue and len(events) < options.commit_events_max and size < options.commit_bytes_max:
            if deliveries >= options.commit_deliveries_max:
                break
            request = self._queue.popleft()
            requests.append(request)
            for event in request.events:
                planned = self._plan(event, request.entry, rising)
                events.append(planned)
                size += len(event.body)
                deliveries += len(planned.deliveries)
        return requests, events

    def _rising_ids(self) -> Iterator[int]:
        """Ids for one turn, made in blocks: what a block has too many is dropped with it."""
        while True:
            yield from self._ids.make_many(_ID_BLOCK)

    def _plan(self, event: NewEvent, entry: Entry, rising: Iterator[int]) -> NewEvent:
        """Find the webhooks that asked for the event, and promise room for what fits into lanes."""
        entry = self._index.known_by_id(event.application_id) or entry
        webhooks = entry.subscribers(event.type, event.category)
        if not webhooks:
            return event
        reserve = self._dispatcher.reserve
        size = len(event.body)
        deliveries = tuple(
            [
                NewDelivery(next(rising), webhook.id, reserve(entry, webhook, size), webhook.order is Order.FIFO)
                for webhook in webhooks
            ]
        )
        # replace() by hand: msgspec.structs.replace costs several times as much, and this is once an event
        return NewEvent(
            event.id,
            event.application_id,
            event.type,
            event.category,
            event.publisher_id,
            event.input_hash,
            event.occurred_at,
            event.accepted_at,
            event.content,
            event.content_at,
            event.content_bytes,
            event.context,
            event.body,
            deliveries,
        )

    def _versions(self, requests: list[Request]) -> dict[int, int]:
        versions: dict[int, int] = {}
        for request in requests:
            application_id = request.entry.application.id
            if application_id not in versions:
                entry = self._index.known_by_id(application_id) or request.entry
                versions[application_id] = entry.version
        return versions

    async def _commit(self, requests: list[Request], events: list[NewEvent]) -> None:
        self._anew.clear()
        began_s, drops = self._clock.monotonic(), self._dispatcher.drops
        try:
            appended = await self._append(requests, events)
        except BaseException as error:
            if isinstance(error, DataRefused) and len(requests) > 1:
                await self._commit_each(requests, events)
                return
            self._fail(requests, events, error)
            if isinstance(error, NodeGone):
                return
            raise
        self._counters.appends += 1
        self._counters.commit_seconds.observe(self._clock.monotonic() - began_s)
        for webhooks in appended.refreshed:
            self._index.replace(webhooks)
        for application_id in appended.unknown | appended.frozen:
            self._index.forget(application_id)
        first = 0
        for request in requests:
            after = first + len(request.events)
            try:
                self._acknowledge(request, appended.events[first:after], appended)
            except Exception:  # one publisher's connection must not cost the others their answers
                log.exception("a publish could not be answered")
            first = after
        if self._dispatcher.drops == drops:
            self._dispatch(events, appended.events)
        else:
            self._leave(events, appended.events)

    async def _commit_each(self, requests: list[Request], events: list[NewEvent]) -> None:
        """The database refuses what one of them holds, and nothing was written: each is tried alone, so that nobody is
        refused for what another has published. Raises the last fault, when all have their answers.
        """
        fault: HookspanError | None = None
        waiting, left = deque(requests), deque(events)
        try:
            while waiting:
                request = waiting.popleft()
                self._keyed += isinstance(request, KeyedRequest)
                self._drawn += isinstance(request, DrawnRequest)
                try:
                    await self._commit([request], [left.popleft() for _ in request.events])
                except DataRefused as error:
                    fault = error
        finally:  # the store went away: none of the rest was begun
            self._unreserve_all(left)
            self._refuse(waiting, StoreUnavailable("The store can't be reached. Nothing of this was stored."))
        if fault is not None:
            raise fault

    def _append(self, requests: list[Request], events: list[NewEvent]) -> Awaitable[Appended]:
        if self._keyed or self._drawn:
            return self._append_more(requests, events)
        return self._store.append(self.node, events, self._versions(requests), self._fan_out)

    async def _append_more(self, requests: list[Request], events: list[NewEvent]) -> Appended:
        """As the store's `append`, where requests under keys wait, or what was drawn, perhaps among these."""
        keyed = [request for request in requests if isinstance(request, KeyedRequest)]
        drawn = [request for request in requests if isinstance(request, DrawnRequest)]
        self._keyed -= len(keyed)
        self._drawn -= len(drawn)
        rows = {event_id: row_id for request in drawn for event_id, row_id in request.rows.items()}
        publishes = [request.publish() for request in keyed]
        appended = await self._store.append(self.node, events, self._versions(requests), self._fan_out, publishes, rows)
        for request, outcome in zip(keyed, appended.keyed, strict=True):
            request.outcome = outcome
        return appended

    def _fan_out(self, webhooks: Webhooks, event: NewEvent) -> tuple[NewDelivery, ...]:
        """Runs inside the store's transaction, on its thread: plans from fresh webhooks, and promises nothing."""
        application = webhooks.application
        entry = self._anew.get(application.id)
        if entry is None or entry.version != application.webhooks_version:
            entry = self._anew[application.id] = self._index.entry_of(webhooks)
        return tuple(
            NewDelivery(self._ids.make(), webhook.id, False, webhook.order is Order.FIFO)
            for webhook in entry.subscribers(event.type, event.category)
        )

    # --- answering

    def _acknowledge(self, request: Request, kept: Sequence[AppendedEvent], appended: Appended) -> None:
        if appended.unknown and request.entry.application.id in appended.unknown:
            request.done(NotFound("The application was deleted."))
        elif appended.frozen and request.entry.application.id in appended.frozen:
            request.done(ApplicationFrozen())
        else:
            request.done(request.receipt(kept))

    def _fail(self, requests: list[Request], events: list[NewEvent], error: BaseException) -> None:
        """A commit did not succeed, or nobody knows: what was promised is taken back, and everybody told."""
        self._unreserve_all(events)
        said = error if isinstance(error, HookspanError) else None
        if isinstance(error, NodeGone):
            said = StoreUnavailable("This node has lost its registration and registers anew.")
            if self.on_node_gone is not None:
                self.on_node_gone.set()
        elif said is None or (isinstance(said, StoreUnavailable) and not isinstance(said, DataRefused)):
            self._doubt(events)
        self._refuse(requests, said or StoreUnavailable("Whether the event was stored is not known: send it again."))

    def _refuse(self, requests: Collection[Request], error: HookspanError) -> None:
        self._counters.events_refused += sum(len(request.events) for request in requests)
        for request in requests:
            request.done(error)

    # --- handing on

    def _dispatch(self, events: list[NewEvent], kept: tuple[AppendedEvent, ...]) -> None:
        """Put what was claimed at birth into its lanes; leave the rest to the poller."""
        dispatcher = self._dispatcher
        has_backlog = False
        for event, outcome in zip(events, kept, strict=True):
            if outcome.deliveries is not event.deliveries and outcome.deliveries != event.deliveries:
                self._unreserve(event)
                has_backlog |= self._note_unclaimed(event, outcome)
                continue
            if outcome.position == 0:
                self._counters.events_duplicate += outcome.is_duplicate
                self._unreserve(event)
                continue
            self._counters.events_accepted += 1
            self._statistics.event(event.application_id, event.accepted_at)
            for delivery in event.deliveries:
                if delivery.is_claimed:
                    dispatcher.put_reserved(_born(event, delivery))
                else:
                    has_backlog |= dispatcher.has_room(delivery.webhook_id)
        dispatcher.pump()
        if has_backlog and self.on_backlog is not None:
            self.on_backlog()

    def _leave(self, events: list[NewEvent], kept: tuple[AppendedEvent, ...]) -> None:
        """This node lost its registration after the append, and the claims with it: who finds them due sends them."""
        has_backlog = False
        for event, outcome in zip(events, kept, strict=True):
            self._unreserve(event)
            has_backlog |= self._note_unclaimed(event, outcome)
        if has_backlog and self.on_backlog is not None:
            self.on_backlog()

    def _note_unclaimed(self, event: NewEvent, outcome: AppendedEvent) -> bool:
        if outcome.position:
            self._counters.events_accepted += 1
            self._statistics.event(event.application_id, event.accepted_at)
        else:
            self._counters.events_duplicate += outcome.is_duplicate
        for delivery in outcome.deliveries:
            lane = self._dispatcher.lanes.get(delivery.webhook_id)
            if lane is not None:
                lane.mark_backlog()
        return bool(outcome.deliveries)

    def _unreserve(self, event: NewEvent) -> None:
        for delivery in event.deliveries:
            if delivery.is_claimed:
                self._dispatcher.unreserve(delivery.webhook_id, len(event.body))

    def _unreserve_all(self, events: Iterable[NewEvent]) -> None:
        for event in events:
            self._unreserve(event)

    def _doubt(self, events: list[NewEvent]) -> None:
        """The events may be kept, claimed in our name: until that is settled nothing of a fifo webhook may overtake."""
        self._dispatcher.is_in_doubt = True
        for event in events:
            for delivery in event.deliveries:
                lane = self._dispatcher.lanes.get(delivery.webhook_id)
                if lane is not None:
                    lane.mark_backlog()


def _born(event: NewEvent, delivery: NewDelivery) -> Claimed:
    return Claimed(
        delivery.id,
        1,
        event.application_id,
        delivery.webhook_id,
        event.id,
        event.type,
        0,
        0,
        Cause.FIRST,
        0,
        0,
        None,
        0,
        None,
        event.occurred_at,
        event.body,
    )
