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
EpochChoice = Literal["now", "webhook_creation", "beginning_of_time", "position"]
Order = Literal["any", "fifo"]
NameRule = Literal["optional", "required", "none"]
HttpsRule = Literal["required", "unless_operator_allows"]
NewStatus = Literal["active", "disabled"]
UrlChange = Literal["any", "disabled"]
SubscriptionBy = Literal["type", "pattern", "group", "matrix"]
SubscriptionAbsent = Literal["all", "none", "refused"]
ShownRule = Literal["once", "public", "never"]
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


class AlsoSign(View, frozen=True, kw_only=True):
    """A second profile whose signature goes beside the first's. `secret` is there only where it was just made."""

    profile: str
    until: Time | None
    secret: str | UnsetType = UNSET
    public_key: str | None


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
    also_sign: AlsoSign | None
    event_epoch: Epoch
    position: int
    version: int
    created_at: Time
    updated_at: Time
    health: Health


class RotatedSecret(View, frozen=True, kw_only=True):
    """A new credential, this once: `secret` is null where it was given, or is a private key that never leaves. The one
    before signs too, until `previous_until`.
    """

    secret: str | None
    public_key: str | None
    previous_until: Time | None


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


class Rotation(View, frozen=True, kw_only=True):
    """How long the credential before goes on signing, and how many there are at most."""

    overlap_ms: int
    live_max: int


class CredentialRule(View, frozen=True, kw_only=True):
    """A credential as a webhook's `credentials` name it. Of several with the same `one_of` one is required.

    `given_by` says who may bring one, `is_made` whether Hookspan makes one; `shown` is whether people get to see the
    secret once, only its public half, or never anything.
    """

    name: str
    kind: str
    is_required: bool
    one_of: str | None
    given_by: list[str]
    is_made: bool
    shown: ShownRule
    rotation: Rotation | None


class SubscriptionRule(View, frozen=True, kw_only=True):
    """What people choose events by, and what a webhook without a list gets."""

    by: SubscriptionBy
    absent: SubscriptionAbsent


class Profile(View, frozen=True, kw_only=True):
    """A wire format with its rules, as far as they concern who configures webhooks and who receives.

    `webhooks_max` 0: no limit. `headers` are all that its signers may write, in lower case. `retry_window_ms`
    is from the first attempt to the last.
    """

    name: str
    title: str
    hash: str
    webhooks_max: int
    webhook_name: NameRule
    https: HttpsRule
    checks_certificate: bool
    new_status: NewStatus
    url_change: UrlChange
    configure: list[str]
    subscription: SubscriptionRule
    credentials: list[CredentialRule]
    headers: list[str]
    has_test: bool
    order: Order
    retry_window_ms: int
    epochs: list[EpochChoice]
    epoch_default: EpochChoice
    settable: list[str]
    management_api: str | None


class CatalogEntry(View, frozen=True, kw_only=True):
    """One event type of a profile, with the JSON Schema of its content and a sample; `context` belongs to the sample
    where the profile's body asks for one.
    """

    type: str
    category: str | None
    title: str | None
    description: str | None
    since: str | None
    schema: msgspec.Raw | None
    sample: msgspec.Raw | None
    context: msgspec.Raw | None


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
