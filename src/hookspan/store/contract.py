"""The store: what every database under Hookspan promises. SQLite and PostgreSQL pass one contract suite.

The rules that SQL alone does not show:

* **One row lock, three jobs.** `append` and every change of an application's webhooks lock that application's row.
  So positions are gap-free and equal commit order, a stale webhook index is noticed (`Appended.refreshed`), and no
  event falls between two versions of a webhook.
* **Claimed or scheduled.** A pending delivery is scheduled (`next_attempt_at`, no node) or claimed (node, claim
  number). Parked is derived from the webhook's status and never written to deliveries.
* **The fence** is (node, claim number); the number only grows. A result that does not carry both is refused.
* A call either returns, and then its effect is durable, or raises and has none, or raises `StoreUnavailable` whose
  outcome is in doubt. Nothing hangs: every call has a time limit of its own.

Errors of any call: `StoreUnavailable`, `DiskFull`.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

import msgspec

from hookspan.domain.records import (
    Application,
    Attempt,
    Delivery,
    Event,
    Record,
    SealedCredential,
    Webhook,
    Webhooks,
)
from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, Order, StatusReason, WebhookStatus
from hookspan.errors import StoreUnavailable

# --- publishing ---------------------------------------------------------------------------------------------------


class NewDelivery(msgspec.Struct, frozen=True):
    """A delivery to insert with its event; `is_claimed` when the publishing node holds it already (claim number 1)."""

    id: int
    webhook_id: int
    is_claimed: bool
    is_fifo: bool


class NewEvent(msgspec.Struct, frozen=True):
    """An event as intake has checked and rendered it. Its position is given by the store.

    `content` None means that the body holds it verbatim at `content_at` … `content_at + content_bytes`, so that it is
    not kept twice. `input_hash` is of the publisher's input; it matters only beside a `publisher_id`.
    """

    id: int
    application_id: int
    type: str
    category: str | None  # for fan-out only, not kept
    publisher_id: str | None
    input_hash: bytes
    occurred_at: int
    accepted_at: int
    content: bytes | None
    content_at: int
    content_bytes: int
    context: bytes | None
    body: bytes
    deliveries: tuple[NewDelivery, ...]


FanOut = Callable[[Webhooks, NewEvent], tuple[NewDelivery, ...]]
"""Plans an event's deliveries anew from fresh webhooks. Pure and safe on any thread; claims nothing."""


class AppendedEvent(msgspec.Struct, frozen=True):
    """What became of one event of a batch, in the order given.

    `event_id` is the kept event's: the given one, or that of the earlier publish with the same `publisher_id`.
    `position` is 0 and `deliveries` empty when nothing was inserted.
    """

    event_id: int
    position: int
    is_duplicate: bool
    is_conflict: bool  # the same publisher_id with another input: nothing was kept
    deliveries: tuple[NewDelivery, ...]


class Appended(msgspec.Struct, frozen=True):
    events: tuple[AppendedEvent, ...]
    refreshed: tuple[Webhooks, ...]  # applications whose version was stale, as they were used instead
    unknown: frozenset[int]  # applications that are gone; none of their events was kept (position 0, not duplicate)


# --- delivering ---------------------------------------------------------------------------------------------------


ORPHANS_ALONE = 3  # from then on a delivery is claimed by `Store.claim_suspect` only


class ClaimRef(msgspec.Struct, frozen=True):
    """A claim that this node holds: enough to record against it or to give it back."""

    delivery_id: int
    claim: int


class Claimed(msgspec.Struct, frozen=True):
    """A delivery in this node's hands, with all that sending and deciding need."""

    id: int
    claim: int
    application_id: int
    webhook_id: int
    event_id: int
    event_type: str
    run: int
    round: int
    cause: Cause  # of the attempt that is due
    attempt_count: int  # over all rounds
    round_attempts: int  # that count against the retry policy
    round_started_at: int | None
    orphan_count: int  # times that a node died, or lost its registration, while it held this delivery
    last_attempt_id: int | None
    occurred_at: int
    body: bytes


class Result(msgspec.Struct, frozen=True):
    """One attempt and what it means for its delivery; written only if the claim still holds.

    When `state` is PENDING the delivery becomes scheduled at `next_attempt_at`. `attempt` None changes the delivery
    without an attempt (a poisonous delivery that is given up, for instance). The event's bytes are not repeated.
    """

    delivery_id: int
    claim: int
    state: DeliveryState
    reason: DeliveryReason | None
    next_attempt_at: int | None
    attempt_count: int
    round_attempts: int
    round_started_at: int | None
    attempt: Attempt | None
    finished_at: int | None


class ExpiredTurn(msgspec.Struct, frozen=True):
    """One bounded turn of retention."""

    expired_deliveries: int  # were pending, are now failed(expired), still readable
    dropped_events: int
    is_done: bool  # nothing more to do now


class CatchUpTurn(msgspec.Struct, frozen=True):
    """One chunk of a webhook's catch-up. `refreshed` is set by the last chunk, which made the webhook active."""

    created: int
    position: int
    is_done: bool
    refreshed: Webhooks | None


# --- managing -----------------------------------------------------------------------------------------------------


class NewApplication(Record, frozen=True, kw_only=True):
    id: int
    public_id: str
    name: str
    profile: str
    uuid: str
    settings: dict[str, Any]
    metadata: dict[str, Any]
    notify: str | None
    created_at: int


class NewWebhook(Record, frozen=True, kw_only=True):
    """`position` is where it starts: None means now (the application's last position), else as given."""

    id: int
    application_id: int
    name: str | None
    url: str
    status: WebhookStatus
    status_reason: StatusReason | None
    events: tuple[str, ...] | None
    order: Order
    rate: float | None
    concurrency: int
    event_epoch: str | None
    credentials: tuple[SealedCredential, ...]
    position: int | None
    created_at: int


class WebhookChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Members to change; UNSET leaves as it is. A change of status goes by `set_webhook_status`."""

    name: str | msgspec.UnsetType | None = msgspec.UNSET
    url: str | msgspec.UnsetType = msgspec.UNSET
    events: tuple[str, ...] | msgspec.UnsetType | None = msgspec.UNSET
    order: Order | msgspec.UnsetType = msgspec.UNSET
    rate: float | msgspec.UnsetType | None = msgspec.UNSET
    concurrency: int | msgspec.UnsetType = msgspec.UNSET
    credentials: tuple[SealedCredential, ...] | msgspec.UnsetType = msgspec.UNSET


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a list, newest first: ids below `before` (exclusive) made in [since, until) ms."""

    limit: int
    before: int | None = None
    since: int | None = None
    until: int | None = None


class Waiting(msgspec.Struct, frozen=True):
    """What waits for a webhook: pending deliveries, and the oldest one's creation."""

    count: int  # exact up to 10,000, then 10,000
    oldest_at: int | None


class Revision(Record, frozen=True, kw_only=True):
    """A webhook's URL and fixed headers as some version of it had them, for showing old attempts."""

    webhook_id: int
    version: int
    from_position: int
    status: WebhookStatus
    events: tuple[str, ...] | None
    url: str
    changed_at: int


class Store(Protocol):
    """The contract. Hot calls first."""

    # --- publishing and delivering, the hot path

    async def append(
        self, node: int, events: Sequence[NewEvent], versions: dict[int, int], fan_out: FanOut
    ) -> Appended:
        """Keep events with their deliveries in one durable commit: all or nothing.

        `versions` holds, for each application of the batch, the `webhooks_version` its deliveries were planned
        with. Where it is stale the application is read inside the transaction and `fan_out` plans anew.
        Raises NodeGone when `node` is not registered any more.
        """
        ...

    async def record(self, node: int, results: Sequence[Result]) -> frozenset[int]:
        """Write results in one durable commit. Returns the delivery ids whose claim did not hold any more:
        for those nothing was written.
        """
        ...

    async def claim(
        self, node: int, now_ms: int, *, limit: int, per_webhook: int, bytes_max: int, skip: Collection[int]
    ) -> list[Claimed]:
        """Take due deliveries of active webhooks: at most `limit`, `per_webhook` of one, `bytes_max` of bodies
        (but at least one). Webhooks in `skip` are left alone. A backlog of one webhook hides no other.

        Of a fifo webhook the oldest pending ones are taken in order, as far as they are due, and nothing at all while
        an older one is claimed. Suspects are left to `claim_suspect`. A CATCHING_UP webhook's deliveries are claimed
        like an active one's.
        """
        ...

    async def claim_suspect(self, node: int, now_ms: int) -> Claimed | None:
        """Take one due delivery that was orphaned `ORPHANS_ALONE` times or more: it may be what kills nodes, so
        `claim` leaves it alone and its holder sends it with nothing else under way. None when there is none.

        Held one at a time, only the guilty one is counted again when the node dies.
        """
        ...

    async def release(self, node: int, claims: Sequence[ClaimRef], now_ms: int) -> None:
        """Give claims back unsent: they become scheduled, due at `now_ms`."""
        ...

    async def next_due_at(self, skip: Collection[int]) -> int | None:
        """When the next scheduled delivery of an active webhook outside `skip` is due; None when there is none."""
        ...

    # webhooks on the move

    async def catch_up(self, webhook_id: int, events_max: int, asks_for: Callable[[str], bool]) -> CatchUpTurn:
        """Turn the next events after a CATCHING_UP webhook's position into deliveries, in order, in one transaction.

        `asks_for` tells by event type. The chunk that reaches the end makes the webhook ACTIVE in the same
        transaction, under the application's lock. A webhook that is not catching up is done, with nothing created.
        """
        ...

    async def catching_up(self) -> list[Webhook]:
        """Every webhook that is catching up, for the duty that turns them."""
        ...

    # nodes

    async def register_node(self, now_ms: int) -> int:
        """Register under a new id (from 1) and return it. On SQLite it frees every claim of earlier nodes, since
        only one process can hold the database, and counts them as orphaned.
        """
        ...

    async def deregister_node(self, node: int, now_ms: int) -> int:
        """Take a node out and free its claims, as by `release`. Returns how many were freed."""
        ...

    async def beat(self, node: int) -> bool:
        """Raise the node's counter and prove that the store is writable. False: this node is not registered."""
        ...

    async def unheld(self, node: int, limit: int) -> list[ClaimRef]:
        """Claims that stand in this node's name, oldest first: those the caller does not know are given back."""
        ...

    async def highest_id(self) -> int:
        """The highest id that was ever kept, so that a clock set back never repeats one."""
        ...

    # retention

    async def expire(self, expire_below: int, drop_below: int, limit: int, now_ms: int) -> ExpiredTurn:
        """One turn: pending deliveries of events with id < `expire_below` fail as expired; events with id <
        `drop_below` are dropped with their deliveries, attempts and publisher ids. At most `limit` of each.
        """
        ...

    # applications and webhooks

    async def create_application(self, new: NewApplication) -> Application | None:
        """None when the public id is taken."""
        ...

    async def get_application(self, public_id: str) -> Application | None: ...

    async def list_applications(self, page: Page) -> list[Application]: ...

    async def update_application(
        self,
        application_id: int,
        changed_at: int,
        *,
        name: str | None,
        profile: str | None,
        uuid: str | None,
        settings: dict[str, Any] | None,
        metadata: dict[str, Any] | None,
        notify: str | msgspec.UnsetType | None,
    ) -> Application | None:
        """None for a member leaves it (UNSET for notify). A new profile is refused with StateForbidden after the
        first event. Bumps `webhooks_version`. Returns None when there is no such application.
        """
        ...

    async def delete_application(self, application_id: int, now_ms: int) -> bool:
        """Take an application and its webhooks out of reach; its pending deliveries are cancelled(erased) and its
        events dropped by retention at leisure. False when there is none.
        """
        ...

    async def webhooks_of(self, application_id: int) -> Webhooks | None:
        """An application with its webhooks at one version, for the subscription index. None: no such application."""
        ...

    async def create_webhook(self, new: NewWebhook, webhooks_max: int) -> Webhook | None:
        """None when the application has `webhooks_max` already (0: no limit). Counted under the lock."""
        ...

    async def get_webhook(self, webhook_id: int) -> Webhook | None:
        """Also a deleted one is None."""
        ...

    async def update_webhook(
        self, webhook_id: int, change: WebhookChange, expected_version: int | None, changed_at: int
    ) -> Webhook | None:
        """None when there is no such webhook. Raises ChangedMeanwhile when `expected_version` is not its version,
        StateForbidden for a change of `order` while deliveries wait.
        """
        ...

    async def set_webhook_status(
        self,
        webhook_id: int,
        status: WebhookStatus,
        reason: StatusReason | None,
        *,
        keep: bool,
        expected_version: int | None,
        changed_at: int,
    ) -> Webhook | None:
        """Move along the table of states, under the application's lock. None when there is no such webhook.

        To DISABLED: the position becomes the application's last, unless it was catching up. To CATCHING_UP: nothing
        fans out to it until `catch_up` is done; with `keep` False its position becomes the last and its waiting
        deliveries are cancelled(skipped). To DELETED: its waiting deliveries are cancelled(webhook_deleted) at
        leisure and its credentials are erased at once. A no-op move returns the webhook unchanged.
        """
        ...

    async def set_failing_since(self, webhook_id: int, failing_since: int | None) -> None:
        """Remember since when a webhook has only failed. No new version: nothing about sending changes."""
        ...

    async def waiting(self, webhook_ids: Sequence[int]) -> dict[int, Waiting]:
        """What waits for each of these webhooks."""
        ...

    async def revision(self, webhook_id: int, version: int) -> Revision | None: ...

    # events, deliveries and attempts, to read

    async def get_event(self, application_id: int, event_id: int) -> Event | None: ...

    async def list_events(
        self, application_id: int, page: Page, *, event_type: str | None, publisher_id: str | None
    ) -> list[Event]: ...

    async def events_after(self, application_id: int, position: int, limit: int) -> list[Event]:
        """Events oldest first, positions above `position`."""
        ...

    async def get_delivery(self, application_id: int, delivery_id: int) -> Delivery | None: ...

    async def deliveries_of_event(self, application_id: int, event_id: int) -> list[Delivery]: ...

    async def list_deliveries(
        self,
        application_id: int,
        page: Page,
        *,
        webhook_id: int | None,
        state: DeliveryState | None,
        event_type: str | None,
    ) -> list[Delivery]: ...

    async def attempts_of(self, delivery: Delivery) -> list[Attempt]:
        """Oldest first, at most the newest 200."""
        ...

    async def list_attempts(self, webhook_id: int, page: Page) -> list[Attempt]: ...

    async def reopen_delivery(
        self, application_id: int, delivery_id: int, cause: Cause, now_ms: int
    ) -> Delivery | None:
        """A new round of a final delivery, or the pending one due now. None when there is no such delivery; raises
        StateForbidden when it is in flight.
        """
        ...

    async def cancel_delivery(
        self, application_id: int, delivery_id: int, reason: DeliveryReason, now_ms: int
    ) -> Delivery | None:
        """Raises StateForbidden when it is final already or in flight."""
        ...

    # the store itself

    async def open(self) -> None:
        """Connect, check version and settings, migrate. Raises ConfigurationError saying what to change."""
        ...

    async def close(self) -> None:
        """Finish what was accepted, then let go. Idempotent."""
        ...

    async def check_value(self, fresh: bytes) -> bytes:
        """The sealed value that proves the encryption key: keeps `fresh` if there is none, returns the kept one."""
        ...

    async def stats(self) -> dict[str, int]:
        """Gauges for /metrics, by name with unit; cheap."""
        ...


class DataRefused(StoreUnavailable):
    """The database refuses a row of this call for what it holds; nothing was written. Other data may pass."""


class NodeGone(Exception):
    """This node is not registered any more: it must stop sending and register anew."""
