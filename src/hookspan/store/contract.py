"""The store: what every database under Hookspan promises. SQLite and PostgreSQL pass one contract suite.

The rules that SQL alone does not show:

* **One row lock, three jobs.** `append` and every change of an application's webhooks lock that application's row.
  So positions are gap-free and equal commit order, a stale webhook index is noticed (`Appended.refreshed`), and no
  event falls between two versions of a webhook.
* **Claimed, scheduled or stalled.** A pending delivery is scheduled (`next_attempt_at`, no node), claimed (node, claim
  number) or stalled (neither): then it waits for a person, and at the head of a fifo webhook it holds back the others.
  Parked is derived from the webhook's status and never written to deliveries.
* **The fence** is (node, claim number); the number only grows. A result that does not carry both is refused.
* A call either returns, and then its effect is durable, or raises and has none, or raises `StoreUnavailable` whose
  outcome is in doubt. Nothing hangs: every call has a time limit of its own.

Errors of any call: `StoreUnavailable`, `DiskFull`.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Literal, Protocol, Self

import msgspec

from hookspan.domain.audit import AuditEntry
from hookspan.domain.records import (
    Application,
    Attempt,
    Delivery,
    Event,
    Webhook,
    Webhooks,
)
from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, StatusReason, WebhookStatus
from hookspan.store.attempts import GIVEN_UP_LOOK_MAX, AttemptLine, FailureGroup, Watching
from hookspan.store.audit import AuditLog
from hookspan.store.idempotency import KeyedPublish, RequestKeys
from hookspan.store.identity import Identities
from hookspan.store.inbox import NOTHING_DRAWN, Drawn, Inbox
from hookspan.store.jobs import Jobs
from hookspan.store.messages import (
    EXPIRED_SHOWN_MS,
    ORPHANS_ALONE,
    RETRY_AHEAD_MS_MAX,
    UNDELIVERED_LOOK_MAX,
    UPCOMING_LOOK_MAX,
    WAITING_MAX,
    Appended,
    AppendedEvent,
    CatchUpTurn,
    Claimed,
    ClaimRef,
    ExpiredTurn,
    FanOut,
    NewApplication,
    NewAside,
    NewDelivery,
    NewEvent,
    NewWebhook,
    Page,
    Result,
    Revision,
    Undelivered,
    Waiting,
    WebhookChange,
)
from hookspan.store.nodes import Nodes, NodeSeen
from hookspan.store.notices import Notices
from hookspan.store.pauses import PauseCalls
from hookspan.store.refusals import ApplicationFrozen, DataRefused, NodeGone
from hookspan.store.search import Search
from hookspan.store.statistics import Statistics

__all__ = [
    "EXPIRED_SHOWN_MS",
    "GIVEN_UP_LOOK_MAX",
    "ORPHANS_ALONE",
    "RETRY_AHEAD_MS_MAX",
    "UNDELIVERED_LOOK_MAX",
    "UPCOMING_LOOK_MAX",
    "WAITING_MAX",
    "Appended",
    "AppendedEvent",
    "ApplicationFrozen",
    "AttemptLine",
    "CatchUpTurn",
    "ClaimRef",
    "Claimed",
    "DataRefused",
    "ExpiredTurn",
    "FailureGroup",
    "FanOut",
    "NewApplication",
    "NewAside",
    "NewDelivery",
    "NewEvent",
    "NewWebhook",
    "NodeGone",
    "NodeSeen",
    "Page",
    "Result",
    "Revision",
    "Store",
    "Undelivered",
    "Waiting",
    "WebhookChange",
]


class Store(
    Nodes, Identities, Statistics, AuditLog, RequestKeys, Jobs, Notices, PauseCalls, Search, Watching, Inbox, Protocol
):
    """The contract. Hot calls first; those about keys, people and sessions are in `Identities`, about counts by
    the hour in `Statistics`, about replays in `Jobs`, about what people are told in
    `Notices`, about where sending is stopped in `PauseCalls`, about who else works here in `Nodes`, about names
    that have a text in `Search`, about what people watch in `Watching`, about events published in SQL in `Inbox`.
    """

    # --- publishing and delivering, the hot path

    async def append(
        self,
        node: int,
        events: Sequence[NewEvent],
        versions: dict[int, int],
        fan_out: FanOut,
        keyed: Sequence[KeyedPublish] = (),
        drawn: Drawn = NOTHING_DRAWN,
    ) -> Appended:
        """Keep events with their deliveries in one durable commit: all or nothing.

        `keyed` are requests under Idempotency-Keys, each with its share of the events. The first under a key is kept,
        with the key; of one like it nothing more is, and its events are told as duplicates of the first one's; of
        another nothing is (`Appended.keyed`). A key under which nothing was kept stays free. `drawn`: which of the
        events come from the inbox, see `Inbox`.

        `versions` holds, for each application of the batch, the `webhooks_version` its deliveries were planned
        with. Where it is stale the application is read inside the transaction and `fan_out` plans anew.
        Raises NodeGone when `node` is not registered any more, Overloaded when too much waits to be written.
        """
        ...

    async def record(self, node: int, results: Sequence[Result]) -> frozenset[int]:
        """Write results in one durable commit. Returns the delivery ids whose claim did not hold any more:
        for those nothing was written.

        A claim that was only freed because its node was taken out still counts as long as nobody has claimed the
        delivery again: its number says so. Those are written by a commit of their own.

        Where a result `resumes` a webhook, its stalled deliveries (of very many a part) begin a new round at once.
        """
        ...

    async def claim(
        self,
        node: int,
        now_ms: int,
        *,
        limit: int,
        per_webhook: int,
        bytes_max: int,
        skip: Collection[int],
        nodes: int = 1,
        leave: Collection[str] = (),
    ) -> list[Claimed]:
        """Take due deliveries of active webhooks: at most `limit`, `per_webhook` of one, `bytes_max` of bodies
        (but at least one). Webhooks in `skip` are left alone, and all of applications whose profile's name is in
        `leave`. A backlog of one webhook hides no other. What a pause in force covers is passed by.

        Of a fifo webhook the oldest pending ones are taken in order, as far as they are due, and nothing at all while
        an older one is claimed. Suspects are left to `claim_suspect`. A CATCHING_UP webhook's deliveries are claimed
        like an active one's. A node that is not registered gets nothing.

        `nodes` is how many nodes deliver. Of a webhook that can't be divided among them (fifo, or its concurrency or
        its rate a second is below their number) nothing is taken while another node holds some of it: those claims are
        the lease.
        """
        ...

    async def claim_suspect(
        self, node: int, now_ms: int, *, skip: Collection[int] = (), leave: Collection[str] = ()
    ) -> Claimed | None:
        """Take one due delivery that was orphaned `ORPHANS_ALONE` times or more: it may be what kills nodes, so
        `claim` leaves it alone and its holder sends it with nothing else under way. None when there is none.

        Held one at a time, only the guilty one is counted again when the node dies.
        """
        ...

    async def send_aside(self, new: NewAside, now_ms: int) -> Delivery | None:
        """Insert a delivery of its own (its run is above 0), due at `now_ms`, for an event and a webhook of one
        application. `claim` brings it before anything else, whatever the order of its webhook and though that is
        disabled; then it is tried once only. None when there is no such event. Raises StateForbidden for a webhook that
        was deleted.
        """
        ...

    async def keep_test(self, attempt: Attempt) -> None:
        """Keep the attempt of a test: it belongs to no delivery, and holds the body that was sent."""
        ...

    async def stalled(self, webhook_ids: Sequence[int]) -> dict[int, int]:
        """Which of these webhooks have stalled deliveries, and when (ms) the first of those was tried for the last
        time, or the one that it took the stall over from.
        """
        ...

    async def release(self, node: int, claims: Sequence[ClaimRef], now_ms: int) -> None:
        """Give claims back unsent: they become scheduled, due at `now_ms`; what was claimed when its webhook was told
        to skip is cancelled(skipped) instead.
        """
        ...

    async def next_due_at(self, skip: Collection[int], leave: Collection[str] = ()) -> int | None:
        """When the next scheduled delivery of an active webhook is due that `claim` would bring, `skip` and `leave` as
        there; None when there is none.
        """
        ...

    # webhooks on the move

    async def catch_up(
        self, webhook_id: int, events_max: int, asks_for: Callable[[str], bool], *, version: int | None = None
    ) -> CatchUpTurn:
        """Turn the next events after a CATCHING_UP webhook's position into deliveries, in order, in one transaction.

        `asks_for` tells by event type; it was made from the webhook at `version`. Where that is not its version any
        more nothing is done: `is_stale`, with the webhook as it is now (None: not checked). The chunk that reaches
        the end makes the webhook ACTIVE in the same transaction, under the application's lock. A webhook that is not
        catching up is done, with nothing created.
        """
        ...

    async def catching_up(self) -> list[Webhook]:
        """Every webhook that is catching up, for the duty that turns them."""
        ...

    # retention

    async def expire(
        self, expire_below: int, drop_below: int, limit: int, now_ms: int, *, mark_ms: int | None = None
    ) -> ExpiredTurn:
        """One turn: pending deliveries of events with id below either border fail as expired; events with id <
        `drop_below` are dropped with their deliveries, attempts and publisher ids. At most `limit` of each.

        An event stays while one of its deliveries is pending or expired less than EXPIRED_SHOWN_MS before `now_ms`.
        What is in flight is left alone. Of very many events of one day a store may drop none before the last of them is
        below the border. `mark_ms` is kept for `retention_mark`. A turn also cancels a part of what
        waits for deleted webhooks, and drops what deleted applications have left, expired or not.
        """
        ...

    async def retention_mark(self, now_ms: int) -> int:
        """The time that retention obeyed last (`mark_ms` of `expire`), so that a clock that leaps can be told from
        time that passes. When there is none: when the newest thing in the store was made; in an empty one `now_ms`.
        """
        ...

    # applications and webhooks

    async def create_application(self, new: NewApplication) -> Application | None:
        """None when the public id is taken."""
        ...

    async def get_application(self, public_id: str) -> Application | None: ...

    async def application_of(self, kind: Literal["event", "webhook", "delivery"], ident: int) -> str | None:
        """The public id of the application that has this thing; None when there is no such thing (any more)."""
        ...

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
        events dropped by retention at leisure; its keys, people and sessions are gone at once. False when there is
        none.
        """
        ...

    async def freeze_application(self, application_id: int, frozen_at: int | None) -> bool:
        """Freeze an application since `frozen_at` (ms), or let it go on (None). False when there is none.

        While it is frozen none of its events is kept (`Appended.frozen`), nothing of it is claimed, no notice of it is
        sent, and every call that would change it raises ApplicationFrozen, as `webhooks_of` does: so whoever has it in
        memory lets go of it. What is in flight is recorded. It can be read.
        """
        ...

    async def webhooks_of(self, application_id: int) -> Webhooks | None:
        """An application with its webhooks at one version, for the subscription index. None: no such application.
        Raises ApplicationFrozen.
        """
        ...

    async def create_webhook(self, new: NewWebhook, webhooks_max: int) -> Webhook | None:
        """None when the application has `webhooks_max` already (0: no limit). Counted under the lock.

        One that is to be ACTIVE but starts in the past is made CATCHING_UP. Raises NotFound without the application.
        """
        ...

    async def get_webhook(self, webhook_id: int) -> Webhook | None:
        """Also a deleted one is None."""
        ...

    async def update_webhook(
        self, webhook_id: int, change: WebhookChange, expected_version: int | None, changed_at: int
    ) -> Webhook | None:
        """None when there is no such webhook. Raises ChangedMeanwhile when `expected_version` is not its version,
        StateForbidden for a change of `order` while deliveries wait or for a move outside the table of states. All
        of the change or nothing; members and status together make two versions.
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
        deliveries are cancelled(skipped); what is claimed then is too, should it be given back unsent. To DELETED:
        its waiting deliveries are cancelled(webhook_deleted) at leisure and its credentials are erased at once. To
        ACTIVE is taken as to CATCHING_UP, which leads there. CATCHING_UP forgets `failing_since`, sets `activated_at`
        to `changed_at`, and what was stalled begins a new round. A no-op move returns the webhook unchanged.

        Of a long backlog only a part is cancelled at once, the rest by turns of `catch_up` or `expire`; nothing of
        the webhook is claimed before that is done.
        """
        ...

    async def set_failing_since(self, webhook_id: int, failing_since: int | None) -> None:
        """Remember since when a webhook has only failed. No new version: nothing about sending changes."""
        ...

    async def waiting(self, webhook_ids: Sequence[int]) -> dict[int, Waiting]:
        """What waits for each of these webhooks, in flight included."""
        ...

    async def revision(self, webhook_id: int, version: int) -> Revision | None: ...

    async def revisions_at(self, webhook_ids: Sequence[int], position: int) -> dict[int, Revision]:
        """What each of these webhooks was when the event at `position` was published: its newest revision from an
        earlier position. One that did not exist then, or whose revisions were dropped, is not in the answer.
        """
        ...

    # events, deliveries and attempts, to read

    async def get_event(self, application_id: int, event_id: int) -> Event | None: ...

    async def list_events(
        self, application_id: int, page: Page, *, event_types: Collection[str] | None, publisher_id: str | None
    ) -> list[Event]:
        """Newest first by position, of some types or all; `page.before` is a position, and the page's times are those
        of acceptance, whatever the clock did.
        """
        ...

    async def events_after(
        self, application_id: int, position: int, limit: int, *, event_types: Collection[str] | None = None
    ) -> list[Event]:
        """Events oldest first, positions above `position`, of some types or all. Positions have no gaps and equal the
        order of commits, so that who reads on after the last one misses nothing.
        """
        ...

    async def undelivered(self, application_id: int, page: Page, *, event_types: Collection[str] | None) -> Undelivered:
        """Events of which some delivery is pending or failed, or none has succeeded, newest first. A call looks at
        UNDELIVERED_LOOK_MAX events at most, so a part may be short, or empty, before the end.
        """
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
    ) -> list[Delivery]:
        """Newest event first (not newest delivery: a catch-up makes young deliveries of old events). A page goes on
        from `page.place`; `since` and `until` are about the event.
        """
        ...

    async def fifo_head(self, webhook_id: int) -> int | None:
        """The delivery of a fifo webhook that goes next: its oldest pending one, which need not be of its oldest event
        (a replay's is younger than its event). None when nothing waits in order.
        """
        ...

    async def attempts_of(self, delivery: Delivery) -> list[Attempt]:
        """Oldest first, at most the newest 200."""
        ...

    async def list_attempts(self, webhook_id: int, page: Page) -> list[Attempt]: ...

    async def reopen_delivery(
        self, application_id: int, delivery_id: int, cause: Cause, now_ms: int
    ) -> Delivery | None:
        """A new round of a final delivery, or the pending one due now. None when there is no such delivery; raises
        StateForbidden when it is in flight, its webhook was deleted, or it stands behind a stalled head.
        """
        ...

    async def cancel_delivery(
        self, application_id: int, delivery_id: int, reason: DeliveryReason, now_ms: int
    ) -> Delivery | None:
        """Raises StateForbidden when it is final already or in flight. A stalled head of a fifo webhook hands its stall
        on: what is next in order has no next attempt then, and the used-up round; refused while that is claimed.
        `expire` and `cancel_job` do the same, but pass by what is claimed.
        """
        ...

    # upcoming

    async def upcoming(
        self, webhook_id: int, asks_for: Callable[[str], bool], wants: Callable[[str], bool], limit: int
    ) -> list[Event]:
        """The next events that will be delivered to a webhook, at most `limit`, in the order in which they go.

        First what waits as a delivery: of a fifo webhook the oldest first, else what a node holds (in flight included:
        it is not delivered yet), then by the time at which it is due, then what is stalled. Then, for a webhook that is
        DISABLED or CATCHING_UP, the events after its position that it `asks_for`. What is sent aside is left out, and
        what is being cancelled. `wants` filters all by event type. Of deliveries and of events at most
        UPCOMING_LOOK_MAX are looked at. Both functions are pure and safe on any thread.
        """
        ...

    async def behind(self, webhook_id: int, asks_for: Callable[[str], bool]) -> Waiting:
        """The events after the position of a webhook that is DISABLED or CATCHING_UP which it asks for: they wait too,
        without a delivery. Of the first WAITING_MAX events after its position; none for another webhook.
        """
        ...

    # the audit log

    def audited(self, entry: AuditEntry) -> Self:
        """This store, whose next changing call keeps `entry` in the same transaction if it changes something: not where
        it raises, gives False, or leaves every row as it was. For one such call, and not for `append` and `record`.
        """
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

    def check_intake(self) -> None:
        """Raise the refusal that `append` would give now for want of room; else nothing. Cheap, and asks no thread."""
        ...

    async def stats(self) -> dict[str, int]:
        """Gauges for /metrics, by name with unit; cheap."""
        ...
