"""The store's promises again, as plain Python without transactions: what the state machine compares with."""

from dataclasses import dataclass, field

from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, Order, WebhookStatus
from hookspan.store.contract import EXPIRED_SHOWN_MS, ORPHANS_ALONE


@dataclass
class ModelDelivery:
    id: int
    webhook_id: int
    event_id: int
    due_at: int | None  # None: stalled
    node: int = 0
    claim: int = 0
    state: DeliveryState = DeliveryState.PENDING
    reason: DeliveryReason | None = None
    round: int = 0
    cause: Cause = Cause.FIRST
    attempts: int = 0
    orphans: int = 0
    is_skipped: bool = False  # claimed when its webhook was told to skip
    expired_at: int | None = None
    is_aside: bool = False
    spent: int = 0  # attempts of this round

    @property
    def is_waiting(self) -> bool:
        return self.state is DeliveryState.PENDING and not self.node

    @property
    def is_held(self) -> bool:
        return self.state is DeliveryState.PENDING and bool(self.node)

    @property
    def is_suspect(self) -> bool:
        return self.orphans >= ORPHANS_ALONE

    def is_due(self, now_ms: int) -> bool:
        return self.is_waiting and self.due_at is not None and self.due_at <= now_ms and not self.is_suspect

    def resume(self, now_ms: int) -> None:
        """It was stalled, and begins a new round."""
        self.round += 1
        self.spent = self.orphans = 0
        self.due_at, self.cause = now_ms, Cause.RESEND

    def close(self, state: DeliveryState, reason: DeliveryReason | None) -> None:
        self.state, self.reason, self.node, self.is_skipped, self.expired_at = state, reason, 0, False, None

    def give_back(self, now_ms: int) -> None:
        """Its claim ends unsent."""
        if self.is_skipped:
            self.close(DeliveryState.CANCELLED, DeliveryReason.SKIPPED)
        else:
            self.node, self.due_at = 0, now_ms

    def keeps_event(self, now_ms: int) -> bool:
        if self.expired_at is not None:
            return self.expired_at > now_ms - EXPIRED_SHOWN_MS
        return self.state is DeliveryState.PENDING


@dataclass
class ModelEvent:
    id: int
    position: int
    publisher_id: str | None


@dataclass
class ModelWebhook:
    id: int
    application_id: int
    order: Order
    status: WebhookStatus
    position: int


@dataclass
class ModelApplication:
    id: int
    last_position: int = 0
    events: dict[int, ModelEvent] = field(default_factory=dict)


@dataclass
class Model:
    """Everything that is kept. Ids are the store's: what it makes itself is told to the model."""

    applications: dict[int, ModelApplication] = field(default_factory=dict)
    webhooks: dict[int, ModelWebhook] = field(default_factory=dict)
    deliveries: dict[int, ModelDelivery] = field(default_factory=dict)

    def webhooks_of(self, application_id: int) -> list[ModelWebhook]:
        return [one for one in self.webhooks.values() if one.application_id == application_id]

    def pending(self, webhook_id: int) -> list[ModelDelivery]:
        found = [one for one in self.deliveries.values() if one.webhook_id == webhook_id]
        return sorted((one for one in found if one.state is DeliveryState.PENDING), key=lambda one: one.id)

    def claimable(self, webhook: ModelWebhook, now_ms: int) -> list[ModelDelivery]:
        """What a claim without limits takes of one webhook's queue."""
        if webhook.status not in (WebhookStatus.ACTIVE, WebhookStatus.CATCHING_UP):
            return []
        pending = [one for one in self.pending(webhook.id) if not one.is_aside]
        if webhook.order is Order.ANY:
            return [one for one in pending if one.is_due(now_ms)]
        taken = []
        for one in pending:
            if not one.is_due(now_ms):
                break
            taken.append(one)
        return taken

    def asides(self, now_ms: int) -> list[ModelDelivery]:
        """What a claim takes before all queues. Of a webhook that is off only what was not tried yet."""
        return [
            one
            for one in self.deliveries.values()
            if one.is_aside
            and one.is_due(now_ms)
            and (self.webhooks[one.webhook_id].status is not WebhookStatus.DISABLED or not one.spent)
        ]

    def resume(self, webhook_id: int, now_ms: int) -> None:
        for one in self.pending(webhook_id):
            if one.is_waiting and one.due_at is None:
                one.resume(now_ms)

    def queue(self, webhook_id: int) -> list[ModelDelivery]:
        """What a fifo webhook gets, in order; nothing of another one."""
        if self.webhooks[webhook_id].order is not Order.FIFO:
            return []
        return [one for one in self.pending(webhook_id) if not one.is_aside]

    def stalled_head(self, webhook_id: int) -> ModelDelivery | None:
        return next((one for one in self.queue(webhook_id)[:1] if one.is_waiting and one.due_at is None), None)

    def heir(self, head: ModelDelivery) -> ModelDelivery | None:
        """Who takes the stall over from the head of a queue."""
        return next(iter(self.queue(head.webhook_id)[1:]), None)

    def suspects(self, now_ms: int) -> list[ModelDelivery]:
        """What `claim_suspect` may take: of a fifo webhook only the head."""
        found = []
        for webhook in self.webhooks.values():
            if webhook.status in (WebhookStatus.ACTIVE, WebhookStatus.CATCHING_UP):
                pending = self.pending(webhook.id)
                if webhook.order is Order.FIFO:
                    queue = [one for one in pending if not one.is_aside]
                    pending = [one for one in pending if one.is_aside] + queue[:1]
                found += [one for one in pending if one.is_suspect and one.is_waiting and (one.due_at or 0) <= now_ms]
        return found

    def free_claims(self, now_ms: int) -> None:
        """The node is gone."""
        for one in self.deliveries.values():
            if one.is_held:
                one.orphans += 1
                one.give_back(now_ms)

    def move(self, webhook: ModelWebhook, status: WebhookStatus, now_ms: int, *, keep: bool) -> None:
        last = self.applications[webhook.application_id].last_position
        if webhook.status is WebhookStatus.ACTIVE:
            webhook.position = last
        webhook.status = status
        if status is WebhookStatus.CATCHING_UP and not keep:
            webhook.position = last
            self.cancel_waiting(webhook.id, DeliveryReason.SKIPPED)
            for one in self.pending(webhook.id):
                one.is_skipped = True
        elif status is WebhookStatus.CATCHING_UP:
            self.resume(webhook.id, now_ms)

    def cancel_waiting(self, webhook_id: int, reason: DeliveryReason) -> None:
        for one in self.pending(webhook_id):
            if one.is_waiting:
                one.close(DeliveryState.CANCELLED, reason)

    def expire(self, below: int, now_ms: int) -> None:
        were_stalled = [ident for ident in self.webhooks if self.stalled_head(ident) is not None]
        for one in self.deliveries.values():
            if one.is_waiting and one.event_id < below:
                one.close(DeliveryState.FAILED, DeliveryReason.EXPIRED)
                one.expired_at = now_ms
        for ident in were_stalled:
            for head in self.queue(ident)[:1]:
                if head.is_waiting:
                    head.due_at = None

    def drop(self, below: int, now_ms: int) -> None:
        """Events below an id go with all that hangs on them, but not while something of them is in flight, or has
        expired within a day.
        """
        self.expire(below, now_ms)
        kept = {one.event_id for one in self.deliveries.values() if one.keeps_event(now_ms)}
        gone = {
            event.id
            for application in self.applications.values()
            for event in application.events.values()
            if event.id < below and event.id not in kept
        }
        for application in self.applications.values():
            application.events = {ident: event for ident, event in application.events.items() if ident not in gone}
        self.deliveries = {ident: one for ident, one in self.deliveries.items() if one.event_id not in gone}
