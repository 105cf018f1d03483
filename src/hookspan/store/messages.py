"""What is said between the engine and the store: batches, claims, results, turns. See `hookspan.store.contract`.

What is made for each event has gc=False: none of it can be part of a cycle, so the collector need not look at it.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from hookspan.domain.records import (
    AlsoSign,
    Attempt,
    Event,
    Record,
    SealedCredential,
    Webhook,
    Webhooks,
)
from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, Order, StatusReason, WebhookStatus
from hookspan.store.idempotency import KeyOutcome

# --- publishing ---------------------------------------------------------------------------------------------------


class NewDelivery(msgspec.Struct, frozen=True, gc=False):
    """A delivery to insert with its event; `is_claimed` when the publishing node holds it already (claim number 1)."""

    id: int
    webhook_id: int
    is_claimed: bool
    is_fifo: bool


class NewEvent(msgspec.Struct, frozen=True, gc=False):
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


class AppendedEvent(msgspec.Struct, frozen=True, gc=False):
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
    frozen: frozenset[int] = frozenset()  # applications that are frozen; none of their events was kept either
    keyed: tuple[KeyOutcome, ...] = ()  # what became of each request under an Idempotency-Key


# --- delivering ---------------------------------------------------------------------------------------------------


EXPIRED_SHOWN_MS = 86_400_000  # an expired delivery can be read for so long before its event may be dropped
# After a clock was set back a retry further ahead than this is brought forward: the longest Retry-After and an hour. A
# policy with longer delays gets such a retry too early once, rather than never.
RETRY_AHEAD_MS_MAX = 25 * 3_600_000
ORPHANS_ALONE = 3  # from then on a delivery is claimed by `Store.claim_suspect` only
WAITING_MAX = 10_000  # what waits for a webhook is counted exactly up to here
UNDELIVERED_LOOK_MAX = 2_000  # events that one search for undelivered ones looks at
UPCOMING_LOOK_MAX = 2_000  # deliveries, and events, among which the next ones are looked for


class ClaimRef(msgspec.Struct, frozen=True, gc=False):
    """A claim that this node holds: enough to record against it or to give it back."""

    delivery_id: int
    claim: int


class Claimed(msgspec.Struct, frozen=True, gc=False):
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
    orphan_count: int  # times that a node died, or lost its registration, while it held it, since its last attempt
    last_attempt_id: int | None
    occurred_at: int
    body: bytes
    is_aside: bool = False  # sent by a person, aside of its webhook's queue


class Result(msgspec.Struct, frozen=True, gc=False):
    """One attempt and what it means for its delivery; written only if the claim still holds.

    When `state` is PENDING the delivery becomes scheduled at `next_attempt_at`, or stalled where that is None.
    `attempt` None changes the delivery without an attempt (a poisonous delivery that is given up, for instance). The
    event's bytes are not repeated.
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
    is_aside: bool = False
    resumes: int | None = None  # the webhook of which what is stalled goes on, since this was accepted
    is_ours: bool = False  # the attempt failed for a reason of ours or of the way out, not of the receiver


class NewAside(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a person sends to a webhook by hand: a delivery of its own."""

    id: int
    application_id: int
    webhook_id: int
    event_id: int
    cause: Cause


class ExpiredTurn(msgspec.Struct, frozen=True):
    """One bounded turn of retention."""

    expired_deliveries: int  # were pending, are now failed(expired), still readable
    dropped_events: int
    is_done: bool  # nothing more to do now


class CatchUpTurn(msgspec.Struct, frozen=True):
    """One chunk of a webhook's catch-up. `refreshed` is set by the last chunk, which made the webhook active.

    `is_stale`: nothing was done, for the webhook is not at the version that was planned with; `webhook` is the present
    one.
    """

    created: int
    position: int
    is_done: bool
    refreshed: Webhooks | None
    is_stale: bool = False
    webhook: Webhook | None = None


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
    also_sign: AlsoSign | None = None
    credentials: tuple[SealedCredential, ...]
    position: int | None
    created_at: int


class WebhookChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Members to change; UNSET leaves as it is.

    `status` moves the webhook in the same transaction, after the members; `status_reason` and `keep` belong to it and
    mean what they mean to `set_webhook_status`.
    """

    name: str | msgspec.UnsetType | None = msgspec.UNSET
    url: str | msgspec.UnsetType = msgspec.UNSET
    events: tuple[str, ...] | msgspec.UnsetType | None = msgspec.UNSET
    order: Order | msgspec.UnsetType = msgspec.UNSET
    rate: float | msgspec.UnsetType | None = msgspec.UNSET
    concurrency: int | msgspec.UnsetType = msgspec.UNSET
    also_sign: AlsoSign | msgspec.UnsetType | None = msgspec.UNSET
    credentials: tuple[SealedCredential, ...] | msgspec.UnsetType = msgspec.UNSET
    status: WebhookStatus | msgspec.UnsetType = msgspec.UNSET
    status_reason: StatusReason | None = None
    keep: bool = True


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a list, newest first: below where the page before ended, made in [since, until) ms.

    That place is of a row which may have been dropped since, so it says itself all that the order is by. `before` is an
    id; of events it is a position. `place` is (event id, run, delivery id), of deliveries only.
    """

    limit: int
    before: int | None = None
    place: tuple[int, int, int] | None = None
    since: int | None = None
    until: int | None = None


class Undelivered(msgspec.Struct, frozen=True):
    """A part of the events that have not arrived everywhere, newest first. `next_before` is the position below which
    the search goes on, also where it found nothing; None: it came to the end.
    """

    events: tuple[Event, ...]
    next_before: int | None


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
