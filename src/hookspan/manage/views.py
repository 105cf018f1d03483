"""What management shows: the shapes of the API, member for member. JSON made of them by msgspec is what goes out.

Times are RFC 3339 texts, ids are texts with a prefix. A member that may be null is always present; the few members
that are left out elsewhere (a secret, the attempts of a delivery) are UNSET there.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
HeaderLine = tuple[str, str]
ShownStatus = Literal["active", "disabled", "deleted"]
ShownStatusReason = Literal["created", "person", "gone", "failing"]
HealthState = Literal["healthy", "catching_up", "failing", "open", "stalled"]
EpochWord = Literal["now", "webhook_creation", "beginning_of_time"]
Order = Literal["any", "fifo"]
NameRule = Literal["optional", "required", "none"]
HttpsRule = Literal["required", "unless_operator_allows"]
ShownState = Literal["pending", "succeeded", "failed", "cancelled"]
ShownCause = Literal["first", "retry", "manual", "send", "replay", "resend", "probe", "test"]
ShownVerdict = Literal["succeeded", "retry", "failed", "disable"]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The base of every shape."""


class Application(View, frozen=True, kw_only=True):
    """A customer of the platform: owns webhooks, receives events, speaks one profile."""

    id: str
    name: str
    profile: str
    uuid: str
    settings: dict[str, Any]
    metadata: dict[str, Any]
    notify: str | None
    last_position: int
    created_at: Time
    updated_at: Time


class CredentialState(View, frozen=True, kw_only=True):
    """Whether a credential is set, and since when; never its value."""

    is_set: bool
    set_at: Time


class Health(View, frozen=True, kw_only=True):
    """How deliveries to a webhook go. `waiting` is exact up to 10,000."""

    state: HealthState
    since: Time | None
    success_rate_24h: float | None
    last_delivery_at: Time | None
    waiting: int
    oldest_waiting_at: Time | None


class EpochPosition(View, frozen=True, kw_only=True):
    """Deliver the events after this position of the application's event sequence."""

    position: Annotated[int, Meta(ge=0)]


Epoch = EpochWord | EpochPosition


class Webhook(View, frozen=True, kw_only=True):
    """A URL with a subscription, credentials and a state. `secret` is there only where it was just made."""

    id: str
    application_id: str
    name: str | None
    url: str
    status: ShownStatus
    status_reason: ShownStatusReason | None
    events: list[str] | None
    secret: str | UnsetType = UNSET
    secret_previous_until: Time | None
    public_key: str | None
    credentials: dict[str, CredentialState]
    order: Order
    rate: float | None
    concurrency: int
    headers: dict[str, None]  # names of the custom headers; their values may be secrets and are never shown
    also_sign: None
    event_epoch: Epoch
    position: int
    version: int
    created_at: Time
    updated_at: Time
    health: Health


class EventWebhook(View, frozen=True, kw_only=True):
    """What became of an event for one webhook, or why nothing did."""

    webhook_id: str
    delivery_id: str | None
    state: ShownState | None
    reason: str | None
    next_attempt_at: Time | None
    sentence: str


class Event(View, frozen=True, kw_only=True):
    """Something that happened to an application. `content` is as published, `body` exactly what is signed and sent."""

    id: str
    publisher_id: str | None
    application_id: str
    type: str
    category: str | None
    position: int
    occurred_at: Time
    accepted_at: Time
    content: msgspec.Raw
    context: msgspec.Raw | None
    body: str
    webhooks: list[EventWebhook]


class AttemptError(View, frozen=True, kw_only=True):
    code: str
    message: str


class AttemptRequest(View, frozen=True, kw_only=True):
    """What was sent. Values that come from a credential are masked."""

    method: str
    url: str | None
    headers: list[HeaderLine]
    body: str | None
    body_bytes: int


class AttemptResponse(View, frozen=True, kw_only=True):
    """What came back. `body` is its text, or null and `body_base64` its bytes when they are no UTF-8."""

    status: int
    headers: list[HeaderLine]
    body: str | None
    body_base64: str | None
    body_bytes: int
    is_truncated: bool


class Attempt(View, frozen=True, kw_only=True):
    """One HTTP request of a delivery, with what came back."""

    id: str
    delivery_id: str | None
    webhook_id: str
    event_id: str | None
    number: int
    round: int
    cause: ShownCause
    started_at: Time
    duration_ms: float
    verdict: ShownVerdict
    retry_at: Time | None
    error: AttemptError | None
    remote_address: str | None
    request: AttemptRequest
    response: AttemptResponse | None


class Delivery(View, frozen=True, kw_only=True):
    """One event on its way to one webhook. `attempts` is there only when one delivery is asked for."""

    id: str
    application_id: str
    webhook_id: str
    event_id: str
    type: str
    state: ShownState
    reason: str | None
    sentence: str
    run: int
    round: int
    attempt_count: int
    last_response_status: int | None
    created_at: Time
    next_attempt_at: Time | None
    gives_up_at: Time | None
    finished_at: Time | None
    attempts: list[Attempt] | UnsetType = UNSET


class Profile(View, frozen=True, kw_only=True):
    """A wire format with its rules, as far as they concern who configures webhooks. `webhooks_max` 0: no limit."""

    name: str
    title: str
    hash: str
    webhooks_max: int
    webhook_name: NameRule
    https: HttpsRule
    order: Order
    configure: list[str]


class CatalogEntry(View, frozen=True, kw_only=True):
    """One event type of a profile, with the JSON Schema of its content and a sample."""

    type: str
    category: str | None
    title: str | None
    description: str | None
    since: str | None
    schema: msgspec.Raw | None
    sample: msgspec.Raw | None


class Accepted(View, frozen=True, kw_only=True):
    """A published event: kept durably, on its way."""

    id: str
    publisher_id: str | None


class ApplicationList(View, frozen=True, kw_only=True):
    data: list[Application]
    next: str | None


class WebhookList(View, frozen=True, kw_only=True):
    data: list[Webhook]
    next: str | None


class EventList(View, frozen=True, kw_only=True):
    data: list[Event]
    next: str | None


class DeliveryList(View, frozen=True, kw_only=True):
    data: list[Delivery]
    next: str | None


class AttemptList(View, frozen=True, kw_only=True):
    data: list[Attempt]
    next: str | None


class ProfileList(View, frozen=True, kw_only=True):
    data: list[Profile]
    next: None


class Catalog(View, frozen=True, kw_only=True):
    data: list[CatalogEntry]
    next: None
