"""Intake: concurrent publishes share one durable commit, and only then are they acknowledged.

A request waits in a bounded queue while the commit before it runs; everything that has gathered goes into the next.
A request's events are kept together or not at all.
"""

import asyncio
from collections import deque

import msgspec

from hookspan.clock import Clock
from hookspan.domain.records import Webhooks
from hookspan.domain.states import Cause, Order
from hookspan.engine.dispatcher import Dispatcher
from hookspan.engine.duty import Duty
from hookspan.engine.index import Entry, Index
from hookspan.engine.options import EngineOptions
from hookspan.engine.publication import Reader
from hookspan.errors import EventIdConflict, HookspanError, NotFound, Overloaded, StoreUnavailable
from hookspan.ids import IdMaker, to_text
from hookspan.store.contract import AppendedEvent, Claimed, NewDelivery, NewEvent, NodeGone, Store
from hookspan.telemetry import Counters

_IDLE_S = 5.0


class Published(msgspec.Struct, frozen=True):
    """The receipt of one event: it is durable. The same for a repeated publish of it."""

    id: str
    publisher_id: str | None


Receipt = Published | list[Published | HookspanError]


class _Request:
    """What one HTTP request published. `slots` are its members in order; NewEvent where one is to be kept."""

    __slots__ = ("entry", "events", "future", "is_batch", "slots")

    def __init__(
        self,
        entry: Entry,
        slots: list[NewEvent | HookspanError],
        future: asyncio.Future[Receipt],
        *,
        is_batch: bool,
    ) -> None:
        self.entry = entry
        self.slots = slots
        self.events = [slot for slot in slots if isinstance(slot, NewEvent)]
        self.future = future
        self.is_batch = is_batch


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
    ) -> None:
        super().__init__(clock)
        self._store = store
        self._index = index
        self._dispatcher = dispatcher
        self._ids = ids
        self._options = options
        self._counters = counters
        self._reader = Reader(clock, ids, options)
        self._queue: deque[_Request] = deque()
        self._events = 0  # waiting or being committed
        self._bytes = 0
        self._anew: dict[int, Entry] = {}
        self.node = 0
        self.is_stopped = False
        self.is_in_doubt = False  # a commit's outcome is unknown: claims may stand in our name that we don't know
        self.on_backlog: asyncio.Event | None = None
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
        self._check_room(len(raw))
        found = self._reader.read(entry, raw)
        is_batch = isinstance(found, list)
        slots: list[NewEvent | HookspanError] = found if isinstance(found, list) else [found]
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        request = _Request(entry, slots, future, is_batch=is_batch)
        if not request.events:
            return self._receipt(request, ())
        self._check_room(0, len(request.events))
        self._queue.append(request)
        self._events += len(request.events)
        self._bytes += sum(len(event.body) for event in request.events)
        self.wake.set()
        return await future

    def _check_room(self, size: int, events: int = 1) -> None:
        if self.is_stopped:
            raise Overloaded("This node is stopping. Nothing was stored: send it again.")
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

    def _take(self) -> tuple[list[_Request], list[NewEvent]]:
        """The next requests that fit into one commit (at least one), with their deliveries planned."""
        options = self._options
        requests: list[_Request] = []
        events: list[NewEvent] = []
        size = deliveries = 0
        while self._queue and len(events) < options.commit_events_max and size < options.commit_bytes_max:
            if deliveries >= options.commit_deliveries_max:
                break
            request = self._queue.popleft()
            requests.append(request)
            for event in request.events:
                planned = self._plan(event, request.entry)
                events.append(planned)
                size += len(event.body)
                deliveries += len(planned.deliveries)
        return requests, events

    def _plan(self, event: NewEvent, entry: Entry) -> NewEvent:
        """Find the webhooks that asked for the event, and promise room for what fits into lanes."""
        entry = self._index.known_by_id(event.application_id) or entry
        webhooks = entry.subscribers(event.type, event.category)
        if not webhooks:
            return event
        reserve = self._dispatcher.reserve
        size = len(event.body)
        deliveries = tuple(
            [
                NewDelivery(self._ids.make(), webhook.id, reserve(entry, webhook, size), webhook.order is Order.FIFO)
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

    def _versions(self, requests: list[_Request]) -> dict[int, int]:
        versions: dict[int, int] = {}
        for request in requests:
            application_id = request.entry.application.id
            if application_id not in versions:
                entry = self._index.known_by_id(application_id) or request.entry
                versions[application_id] = entry.version
        return versions

    async def _commit(self, requests: list[_Request], events: list[NewEvent]) -> None:
        self._anew.clear()
        try:
            appended = await self._store.append(self.node, events, self._versions(requests), self._fan_out)
        except NodeGone:
            self._unreserve_all(events)
            if self.on_node_gone is not None:
                self.on_node_gone.set()
            self._refuse(requests, StoreUnavailable("This node has lost its registration and registers anew."))
            return
        except HookspanError as error:
            self._unreserve_all(events)
            self.is_in_doubt = self.is_in_doubt or isinstance(error, StoreUnavailable)
            self._refuse(requests, error)
            raise
        except BaseException:
            self._unreserve_all(events)
            self.is_in_doubt = True
            self._refuse(requests, StoreUnavailable("Whether the event was stored is not known: send it again."))
            raise
        self._counters.appends += 1
        for webhooks in appended.refreshed:
            self._index.replace(webhooks)
        for application_id in appended.unknown:
            self._index.forget(application_id)
        kept = iter(appended.events)
        for request in requests:
            self._acknowledge(request, tuple(next(kept) for _ in request.events), appended.unknown)
        self._dispatch(events, appended.events)

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

    def _acknowledge(self, request: _Request, kept: tuple[AppendedEvent, ...], unknown: frozenset[int]) -> None:
        if request.future.done():  # the publisher went away; its events are kept all the same
            return
        if request.entry.application.id in unknown:
            request.future.set_exception(NotFound("The application was deleted."))
            return
        try:
            request.future.set_result(self._receipt(request, kept))
        except HookspanError as error:
            request.future.set_exception(error)

    def _receipt(self, request: _Request, kept: tuple[AppendedEvent, ...]) -> Receipt:
        prefix = request.entry.profile.event_prefix
        outcomes = iter(kept)
        members: list[Published | HookspanError] = []
        for slot in request.slots:
            if isinstance(slot, HookspanError):
                members.append(slot)
                continue
            outcome = next(outcomes)
            if outcome.is_conflict:
                members.append(_conflict(slot, len(members) if request.is_batch else None))
            else:
                members.append(Published(to_text(prefix, outcome.event_id), slot.publisher_id))
        if request.is_batch:
            return members
        only = members[0]
        if isinstance(only, HookspanError):
            raise only
        return only

    def _refuse(self, requests: list[_Request], error: HookspanError) -> None:
        self._counters.events_refused += sum(len(request.events) for request in requests)
        for request in requests:
            if not request.future.done():
                request.future.set_exception(error)

    # --- handing on

    def _dispatch(self, events: list[NewEvent], kept: tuple[AppendedEvent, ...]) -> None:
        """Put what was claimed at birth into its lanes; leave the rest to the poller."""
        dispatcher = self._dispatcher
        has_backlog = False
        for event, outcome in zip(events, kept, strict=True):
            if outcome.deliveries is not event.deliveries and outcome.deliveries != event.deliveries:
                self._unreserve(event)
                has_backlog |= self._note_unclaimed(outcome)
                continue
            if outcome.position == 0:
                self._counters.events_duplicate += outcome.is_duplicate
                self._unreserve(event)
                continue
            self._counters.events_accepted += 1
            for delivery in event.deliveries:
                if delivery.is_claimed:
                    dispatcher.put_reserved(_born(event, delivery))
                else:
                    has_backlog |= dispatcher.has_room(delivery.webhook_id)
        dispatcher.pump()
        if has_backlog and self.on_backlog is not None:
            self.on_backlog.set()

    def _note_unclaimed(self, outcome: AppendedEvent) -> bool:
        if outcome.position:
            self._counters.events_accepted += 1
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

    def _unreserve_all(self, events: list[NewEvent]) -> None:
        for event in events:
            self._unreserve(event)

    async def drain(self) -> None:
        """Refuse what is new and commit what waits. Used when the node stops."""
        self.is_stopped = True
        while self._queue:
            await self.turn()


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


def _conflict(event: NewEvent, index: int | None) -> EventIdConflict:
    error = EventIdConflict(
        f"publisher_id {event.publisher_id!r} was used before for an event with another body. Nothing was stored."
    )
    if index is not None:
        error.data["index"] = index
    return error
