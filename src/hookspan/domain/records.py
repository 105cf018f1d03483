"""What Hookspan keeps: frozen records that cross every border between rooms.

Points in time are ms since 1970 and end in ``_at``. Ids are the integers of `hookspan.ids`; texts exist at the edge.
"""

from typing import Any

import msgspec

from hookspan.domain.states import (
    Cause,
    DeliveryReason,
    DeliveryState,
    Order,
    StatusReason,
    VerdictKind,
    WebhookStatus,
)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The base of every record."""


class Application(Record, frozen=True, kw_only=True):
    """A customer of the platform: owns webhooks, receives events, speaks one profile."""

    id: int
    public_id: str  # "app_…", or what the platform gave; the same everywhere outside
    name: str
    profile: str
    uuid: str
    settings: dict[str, Any]
    metadata: dict[str, Any]
    notify: str | None
    webhooks_version: int  # grows with each change of its webhooks; see Store.append
    last_position: int  # of its newest event; 0 before the first
    created_at: int
    updated_at: int


class SealedCredential(Record, frozen=True, kw_only=True):
    """One live secret of a webhook, encrypted at rest. The newest of a name comes first.

    `sealed` is opened with the encryption key, the webhook's id and the application's id as associated data.
    `public` is what may be shown (a public key, the names of custom headers), or None. `expires_at` is the end of a
    rotation's overlap. Custom headers are a credential too (name "headers"): their values may hold secrets.
    """

    name: str
    sealed: bytes
    public: str | None
    made_at: int
    expires_at: int | None


class AlsoSign(Record, frozen=True, kw_only=True):
    """A second profile whose headers and signatures go beside the first's, for a receiver that moves from one to the
    other. Its credentials are kept under ``also:NAME``. `until` ends it (ms); None is until it is taken away.
    """

    profile: str
    until: int | None


class Webhook(Record, frozen=True, kw_only=True):
    """A URL with a subscription, credentials and a state; a position in its application's event sequence."""

    id: int
    application_id: int
    name: str | None
    url: str
    status: WebhookStatus
    status_reason: StatusReason | None
    events: tuple[str, ...] | None  # the subscription as given; None is the profile's rule for absent
    order: Order
    rate: float | None  # requests a second
    concurrency: int
    event_epoch: str | None
    also_sign: AlsoSign | None = None
    credentials: tuple[SealedCredential, ...]
    position: int  # every event up to it became a delivery, if asked for; implied while active
    version: int
    failing_since: int | None  # first failure after the last success
    activated_at: int | None = None  # last switched on; rounds that began before begin anew, see `domain.retry`
    created_at: int
    updated_at: int


class Webhooks(Record, frozen=True, kw_only=True):
    """One application with all its webhooks that are not deleted, read together at one version."""

    application: Application
    webhooks: tuple[Webhook, ...]


class Event(Record, frozen=True, kw_only=True):
    """Something that happened to an application: published once, immutable."""

    id: int
    application_id: int
    publisher_id: str | None
    type: str
    position: int
    occurred_at: int
    accepted_at: int
    content: bytes  # JSON, as the publisher sent it
    context: bytes | None
    body: bytes  # exactly what is signed and sent


class Delivery(Record, frozen=True, kw_only=True):
    """One event on its way to one webhook."""

    id: int
    application_id: int
    webhook_id: int
    event_id: int
    type: str
    run: int  # 0 the original; send and replay make further ones
    round: int  # grows when a final state is reopened
    state: DeliveryState
    reason: DeliveryReason | None
    is_claimed: bool
    attempt_count: int  # over all rounds
    last_response_status: int | None
    last_attempt_id: int | None
    created_at: int
    next_attempt_at: int | None
    round_started_at: int | None  # the retry window of this round is counted from here
    finished_at: int | None
    is_aside: bool = False  # sent by a person, past its webhook's queue, order and rate
    job_id: int | None = None  # the job that made it
    round_attempts: int = 0  # that count against the retry policy


class Attempt(Record, frozen=True, kw_only=True, gc=False):
    """One HTTP request of a delivery, with what came back."""

    id: int
    delivery_id: int | None  # None for a test
    webhook_id: int
    event_id: int | None
    number: int  # within the delivery, from 1
    round: int
    cause: Cause
    webhook_version: int  # the revision of the webhook that was in force: its URL and fixed headers
    started_at: int
    duration_us: int
    verdict: VerdictKind
    retry_at: int | None
    error: str | None  # code of `domain.outcome.ErrorCode`, or None when a response came
    error_message: str | None
    remote_address: str | None
    request_headers: bytes  # the header lines made for this attempt, credentials masked
    response_status: int | None
    response_headers: bytes | None  # as received, capped
    response_body: bytes | None  # its beginning, capped
    response_bytes: int
    request_body: bytes | None = None  # of a test: the others send their event's body
    previous_attempt_id: int | None  # attempts of a delivery are a chain from its last_attempt_id
