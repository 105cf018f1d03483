"""The engine: intake, lanes, recorder and poller put together, started and stopped in the right order."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from concurrent.futures import Executor

import structlog

from hookspan.clock import Clock
from hookspan.domain.outcome import Outcome
from hookspan.domain.pause import Pauses
from hookspan.domain.records import Attempt, Delivery, Event, Webhook
from hookspan.domain.states import Cause, StatusReason, WebhookStatus
from hookspan.egress import Egress
from hookspan.engine.dispatcher import Dispatcher
from hookspan.engine.duties import CatchUp, Retention
from hookspan.engine.duty import Duty
from hookspan.engine.inbox import InboxTaker
from hookspan.engine.index import Index
from hookspan.engine.intake import Intake
from hookspan.engine.jobs import JobRunner
from hookspan.engine.lane import Share
from hookspan.engine.nodes import Following, Node, Watch
from hookspan.engine.notices import Courier, Letters, NoticeFinder, NoticeSender
from hookspan.engine.options import EngineOptions
from hookspan.engine.pausing import Pausing
from hookspan.engine.poller import Poller
from hookspan.engine.recorder import Recorder
from hookspan.engine.roll_out import RollOut
from hookspan.engine.sender import Sender
from hookspan.engine.slow_signing import SlowSigning
from hookspan.engine.statistics import Statistics
from hookspan.engine.try_out import TryOut
from hookspan.errors import HookspanError, NotFound
from hookspan.ids import IdMaker
from hookspan.profiles import Profiles
from hookspan.store.contract import NewAside, Store
from hookspan.telemetry import Counters
from hookspan.vault import Vault

log = structlog.get_logger()

_UNHEARD_MAX = 100_000  # claims whose commit's answer was never heard, given back at the end; the rest is freed as lost


def _random_jitter() -> float:
    return random.uniform(-1.0, 1.0)  # noqa: S311 - spreads retries, protects nothing


class Engine:
    """One node. The store, egress and vault are opened and closed by whoever made them.

    `ids` is the maker that the store uses too: ids of deliveries that either makes must rise together.
    """

    def __init__(  # noqa: PLR0913 - the parts of a node, each by name
        self,
        *,
        store: Store,
        profiles: Profiles,
        egress: Egress,
        vault: Vault,
        clock: Clock,
        ids: IdMaker,
        counters: Counters,
        options: EngineOptions | None = None,
        jitter: Callable[[], float] = _random_jitter,
        signing: Executor | None = None,
        mail: Letters | None = None,
    ) -> None:
        """`signing`: where slow signatures are made, threads of its own by default. `mail`: for notices."""
        options = options or EngineOptions()
        self._signing = SlowSigning(clock, signing)
        self.options = options
        self.ids = ids
        self.index = Index(store, profiles, options.applications_max)
        self.retention = Retention(store, clock, options, counters)
        self.statistics = Statistics(store, clock, options, counters, lambda: self.retention.obeyed_ms)
        self.recorder = Recorder(store, clock, options, counters, self.statistics)
        self.dispatcher = Dispatcher(
            Sender(egress, vault, self._signing, clock),
            self.recorder,
            clock,
            self.ids,
            options,
            counters,
            jitter,
            Share(is_shared=store.is_shared, delivers=options.delivers),
        )
        self.intake = Intake(store, self.index, self.dispatcher, clock, self.ids, options, counters, self.statistics)
        self.inbox = InboxTaker(
            store,
            self.index,
            self.intake,
            clock,
            options,
            counters,
            lambda: self.node.id,
            lambda: self.roll_out.left,
        )
        self.poller = Poller(store, self.index, self.dispatcher, clock, options, counters)
        self.catch_up = CatchUp(store, self.index, clock, options, counters)
        self.jobs = JobRunner(store, clock, options)
        self.roll_out = RollOut(store, self.dispatcher, clock, options, profiles.hashes)
        self.node = Node(store, self.dispatcher, self.recorder, self.intake, clock, ids, options, self.roll_out)
        self.watch = Watch(store, clock, options, counters, lambda: self.node.id, self.roll_out)
        self.pausing = Pausing(store, self.dispatcher, clock, ids)
        self.following = Following(store, self.index, self.pausing, clock, options)
        self._try_out = TryOut(
            store=store,
            index=self.index,
            egress=egress,
            vault=vault,
            signing=self._signing,
            clock=clock,
            ids=ids,
            options=options,
            pausing=self.pausing,
        )
        self.courier = Courier(egress, vault, clock, mail)
        self.notice_finder = NoticeFinder(
            store,
            self.index,
            self.ids,
            clock,
            counters,
            lambda: self.retention.obeyed_ms,
            lambda: self.pausing.pauses,
        )
        self.notice_sender = NoticeSender(store, self.index, self.courier, clock, counters)
        self.disabler = Disabler(store, self.index, clock, counters)
        self._store = store
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []
        self._is_stopped = False
        self._connect()

    def _connect(self) -> None:
        """Who wakes whom."""
        self.index.watcher = self.dispatcher
        self.intake.on_backlog = self.catch_up.on_backlog = self._something_due
        self.jobs.on_made = self.wake
        self.dispatcher.on_room = self.poller.wake.set
        self.dispatcher.on_disable = self.disabler.add
        self.node.on_freed = self.watch.on_freed = self._something_due
        self.watch.on_count = self.dispatcher.count_nodes
        self.following.on_change = self._webhooks_changed
        self._store.on_ring = self.poller.wake.set
        self.poller.look_at_pauses = self.pausing.look
        self.roll_out.on_taken = self.poller.wake.set
        self.pausing.on_resumed = self.poller.wake.set
        self.node.on_registered = self._registered
        self.notice_finder.on_notice = self.notice_sender.wake.set

    def _registered(self, node: int) -> None:
        self.intake.node = self.recorder.node = self.poller.node = self.statistics.node = node
        self.recorder.forget_claims()
        self.poller.wake.set()

    # --- life

    async def prepare(self) -> None:
        """Register the node and take over what earlier ones left. Without `start`, a test turns the duties itself."""
        self.ids.start_after(await self._store.highest_id())
        await self.pausing.begin(is_paused=self.options.start_paused)
        await self.node.register()

    async def start(self) -> None:
        await self.prepare()
        self._tasks = [asyncio.create_task(duty.run(), name=duty.name) for duty in self._duties()]

    def _duties(self) -> list[Duty]:
        """What turns here. A node that only takes in leaves to the others what makes deliveries due, and retention."""
        duties: list[Duty] = [self.intake, self.recorder, self.dispatcher.rate_timer, self.node]
        duties += [self.disabler, self.statistics, self.following]
        if self._store.is_shared:
            duties += [self.watch]
        if self._store.has_inbox and self.options.takes_in:
            duties += [self.inbox]
        if self.options.delivers:
            duties += [self.poller, self.catch_up, self.jobs, self.retention, self.notice_finder, self.notice_sender]
        return duties

    async def stop(self, grace_s: float = 20.0) -> None:
        """Refuse new events, commit what was taken in, let requests in flight end (at most `grace_s` seconds), record
        what came of them, give back the rest. Nothing is lost; within the grace nothing is doubled.
        """
        if self._is_stopped:
            return
        self._is_stopped = True
        self.intake.is_stopped = True
        deadline_s = self._clock.monotonic() + grace_s
        await self._end_task(self.inbox)
        await self._end_turn(self.poller, deadline_s)  # in the middle of a claim nobody would have what it takes
        await self._settle(lambda: self.intake.waiting_events == 0, self.intake.wake, deadline_s)
        self.dispatcher.stop()
        await self._settle(lambda: self.dispatcher.in_flight == 0, self.recorder.wake, deadline_s)
        await self._settle(lambda: self.recorder.is_empty, self.recorder.wake, deadline_s)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._finish()
        self._signing.close()

    async def _end_task(self, duty: Duty) -> None:
        for task in self._tasks_of(duty):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _end_turn(self, duty: Duty, deadline_s: float) -> None:
        """As `_end_task`, once its turn has ended, or at the deadline."""
        duty.end()
        await self._settle(lambda: all(task.done() for task in self._tasks_of(duty)), duty.wake, deadline_s)
        await self._end_task(duty)

    def _tasks_of(self, duty: Duty) -> list[asyncio.Task[None]]:
        return [task for task in self._tasks if task.get_name() == duty.name]

    async def _settle(self, is_settled: Callable[[], bool], wake: asyncio.Event, deadline_s: float) -> None:
        """Wait until the duties have finished something, looking every few milliseconds."""
        while not is_settled() and self._clock.monotonic() < deadline_s:
            wake.set()
            await asyncio.sleep(0.005)

    async def _finish(self) -> None:
        """Write the last results and leave the register; a store that is gone frees our claims at its next start."""
        try:
            while not self.recorder.is_empty:
                await self.recorder.turn()
            await self.statistics.flush()
            await self._give_back_unheard()
            await self._store.deregister_node(self.node.id, self._clock.now_ms())
        except HookspanError as error:
            log.error("not everything could be recorded at the end", code=error.code, detail=error.detail)

    async def _give_back_unheard(self) -> None:
        """What a commit has claimed whose answer was not heard was not sent, and nodes don't die of it. All else that
        stands in this node's name is in flight, and held.
        """
        held = self.dispatcher.held
        refs = await self._store.unheld(self.node.id, len(held) + _UNHEARD_MAX)
        unheard = [ref for ref in refs if held.get(ref.delivery_id) != ref.claim]
        await self._store.release(self.node.id, unheard[:_UNHEARD_MAX], self._clock.now_ms())

    # --- what manage calls

    async def webhooks_changed(self, application_id: int) -> None:
        """An application or one of its webhooks has changed: from the next publish and the next send it is in
        force. Never fails: the change is durable already.
        """
        await self.index.refresh(application_id)
        self._webhooks_changed()
        self._store.ring()

    def _webhooks_changed(self) -> None:
        self.catch_up.wake.set()
        self.jobs.wake.set()
        self.poller.wake.set()

    def _something_due(self) -> None:
        """Here and for others: this node may have no room for it, or not deliver at all."""
        self.poller.wake.set()
        self._store.ring()

    def wake(self, webhook_id: int | None = None) -> None:
        """Something became due, of this webhook if it is named."""
        lane = None if webhook_id is None else self.dispatcher.lanes.get(webhook_id)
        if lane is not None:
            lane.mark_backlog()
        self._something_due()

    @property
    def pauses(self) -> Pauses:
        """What is paused, as far as this node knows: what others changed, within two seconds."""
        return self.pausing.pauses

    async def pauses_changed(self) -> None:
        """A pause began or ended in the store: from the next send it is in force here, and soon on other nodes. Never
        fails: the change is durable already.
        """
        await self.pausing.look_soon()
        self._something_due()

    def job_created(self) -> None:
        """There is a job to turn."""
        self.jobs.wake.set()

    def job_cancelled(self, webhook_id: int) -> None:
        """What lanes hold unsent of this webhook goes back to the store, which keeps what belongs to the job."""
        self.dispatcher.recall(webhook_id)
        self.jobs.wake.set()

    @property
    def has_mail(self) -> bool:
        """Whether notices can go by mail."""
        return self.courier.mail is not None

    async def settle_statistics(self) -> None:
        """What this node has counted until now is in the store, where the store takes it: what can't be written is
        left out of what is shown, for that is no reason to show nothing.
        """
        with contextlib.suppress(HookspanError):
            await self.statistics.flush()

    async def send(self, webhook: Webhook, event: Event, *, store: Store | None = None) -> Delivery:
        """Send an event to a webhook now, as a delivery of its own: aside of what waits, and though the webhook is
        disabled (then it is tried once). Raises NotFound when the event was dropped meanwhile, StateForbidden when the
        webhook was deleted. `store` keeps it in the place of the engine's own.
        """
        new = NewAside(
            id=self.ids.make(),
            application_id=webhook.application_id,
            webhook_id=webhook.id,
            event_id=event.id,
            cause=Cause.SEND,
        )
        delivery = await (store or self._store).send_aside(new, self._clock.now_ms())
        if delivery is None:
            raise NotFound("The event is no longer kept.")
        self._something_due()
        return delivery

    async def try_notify(self, application_id: int, url: str, notice_id: int, body: bytes) -> Outcome:
        """One notice now, kept nowhere. Raises NotFound when the application is gone, Overloaded when too many are
        under way.
        """
        return await self.courier.try_out(await self.index.find_by_id(application_id), url, notice_id, body)

    async def try_out(
        self, webhook: Webhook, event_type: str, event_id: int, body: bytes, *, store: Store | None = None
    ) -> Attempt:
        """One test request now, kept as an attempt without a delivery; see `TryOut.send`."""
        return await self._try_out.send(webhook, event_type, event_id, body, store=store)

    def readiness(self) -> str | None:
        """None when events can be taken in and sent, else the reason in a sentence."""
        if self._is_stopped:
            return "The node is stopping."
        if not self._tasks:
            return "The node is starting."
        duties: tuple[Duty, ...] = (self.node, self.recorder, self.intake)
        for duty in (*duties, self.poller) if self.options.delivers else duties:
            if duty.turn_age_s > self.options.turn_age_max_s:
                return f"The {duty.name} has not turned for {duty.turn_age_s:.0f} s."
            if duty.is_failing:
                return f"The {duty.name} fails: {duty.last_error}"
        return None


class Disabler(Duty):
    """Switches off webhooks whose receivers asked for it (410) or have failed too long, as their profile says."""

    name = "disabler"
    _IDLE_S = 5.0

    def __init__(self, store: Store, index: Index, clock: Clock, counters: Counters) -> None:
        super().__init__(clock)
        self._store = store
        self._index = index
        self._counters = counters
        self._waiting: dict[int, tuple[Webhook, StatusReason]] = {}  # once for each webhook

    def add(self, webhook: Webhook, reason: StatusReason) -> None:
        self._waiting[webhook.id] = (webhook, reason)
        self.wake.set()

    async def turn(self) -> float:
        for webhook, reason in list(self._waiting.values()):
            changed = await self._store.set_webhook_status(
                webhook.id,
                WebhookStatus.DISABLED,
                reason,
                keep=True,
                expected_version=None,
                changed_at=self._clock.now_ms(),
            )
            if changed is not None:
                self._counters.webhooks_disabled += 1
                log.warning("webhook disabled", webhook_id=webhook.id, reason=reason.word)
            await self._index.refresh(webhook.application_id)
            del self._waiting[webhook.id]
        return self._IDLE_S
