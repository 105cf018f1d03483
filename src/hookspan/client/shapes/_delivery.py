# Made from hookspan.manage.views by `python -m tests.unit.client.mirror`: change it there.
"""Applications, webhooks, events, deliveries, attempts, profiles, pauses."""

from typing import Any

from hookspan.client.shapes._base import Shape


class EventWebhook(Shape, frozen=True, kw_only=True):
    """What became of an event for one webhook, or why nothing did."""

    webhook_id: str
    delivery_id: str | None
    state: str | None
    reason: str | None
    next_attempt_at: str | None
    sentence: str


class Event(Shape, frozen=True, kw_only=True):
    """Something that happened to an application. `content` is as published, `body` exactly what is signed and sent."""

    id: str
    publisher_id: str | None
    application_id: str
    type: str
    category: str | None
    position: int
    occurred_at: str
    accepted_at: str
    content: Any
    context: Any
    body: str
    webhooks: list[EventWebhook]


class AttemptError(Shape, frozen=True, kw_only=True):
    code: str
    message: str


class AttemptRequest(Shape, frozen=True, kw_only=True):
    """What was sent. Values that come from a credential are masked."""

    method: str
    url: str | None
    headers: list[tuple[str, str]]
    body: str | None
    body_bytes: int


class AttemptResponse(Shape, frozen=True, kw_only=True):
    """What came back. `body` is its text, or null and `body_base64` its bytes when they are no UTF-8."""

    status: int
    headers: list[tuple[str, str]]
    body: str | None
    body_base64: str | None
    body_bytes: int
    is_truncated: bool


class Attempt(Shape, frozen=True, kw_only=True):
    """One HTTP request of a delivery, with what came back."""

    id: str
    delivery_id: str | None
    webhook_id: str
    event_id: str | None
    number: int
    round: int
    cause: str
    started_at: str
    duration_ms: float
    verdict: str
    retry_at: str | None
    error: AttemptError | None
    remote_address: str | None
    request: AttemptRequest
    response: AttemptResponse | None


class Delivery(Shape, frozen=True, kw_only=True):
    """One event on its way to one webhook. `attempts` is there only when one delivery is asked for."""

    id: str
    application_id: str
    webhook_id: str
    event_id: str
    type: str
    state: str
    reason: str | None
    sentence: str
    run: int
    round: int
    attempt_count: int
    last_response_status: int | None
    created_at: str
    next_attempt_at: str | None
    gives_up_at: str | None
    finished_at: str | None
    attempts: list[Attempt] | None = None


class Accepted(Shape, frozen=True, kw_only=True):
    """A published event: kept durably, on its way."""

    id: str
    publisher_id: str | None


class Paused(Shape, frozen=True, kw_only=True):
    """Why nothing is sent to an application's webhooks now: the widest pause that it is under."""

    scope: str
    since: str
    reason: str


class Pause(Shape, frozen=True, kw_only=True):
    """The operator has stopped sending of everything, of one profile or of one application. Events are taken in and
    kept meanwhile, and their deliveries wait.
    """

    id: str
    scope: str
    profile: str | None
    application_id: str | None
    reason: str
    paused_at: str
    ended_at: str | None


class Rotation(Shape, frozen=True, kw_only=True):
    """How long the credential before goes on signing, and how many there are at most."""

    overlap_ms: int
    live_max: int


class CredentialRule(Shape, frozen=True, kw_only=True):
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
    shown: str
    rotation: Rotation | None


class SubscriptionRule(Shape, frozen=True, kw_only=True):
    """What people choose events by, and what a webhook without a list gets."""

    by: str
    absent: str


class Profile(Shape, frozen=True, kw_only=True):
    """A wire format with its rules, as far as they concern who configures webhooks and who receives.

    `webhooks_max` 0: no limit. `headers` are all that its signers may write, in lower case. `retry_window_ms`
    is from the first attempt to the last.
    """

    name: str
    title: str
    hash: str
    webhooks_max: int
    webhook_name: str
    https: str
    checks_certificate: bool
    new_status: str
    url_change: str
    configure: list[str]
    subscription: SubscriptionRule
    credentials: list[CredentialRule]
    headers: list[str]
    has_test: bool
    order: str
    retry_window_ms: int
    epochs: list[str]
    epoch_default: str
    settable: list[str]
    management_api: str | None


class EventGroup(Shape, frozen=True, kw_only=True):
    """Event types that belong together, as people choose them: `verbs` in the profile's order."""

    name: str
    title: str
    verbs: list[str]


class Dialect(Shape, frozen=True, kw_only=True):
    """How one application's pages and forms speak: its profile with the application's settings in force, the vendor's
    own words, and its groups. `form_of_types` is a sentence where any type of a form will do; `addresses` are those
    that requests come from; `test_types` are those that a test may be a sample of, where there is a choice. Not of the
    API.
    """

    profile: Profile
    words: dict[str, Any]
    groups: list[EventGroup]
    form_of_types: str | None
    is_given_by_operator: bool
    addresses: list[str]
    test_types: list[str]


class CatalogEntry(Shape, frozen=True, kw_only=True):
    """One event type of a profile, with the JSON Schema of its content and a sample; `context` belongs to the sample
    where the profile's body asks for one.
    """

    type: str
    category: str | None
    title: str | None
    description: str | None
    since: str | None
    schema: Any
    sample: Any
    context: Any


class Application(Shape, frozen=True, kw_only=True):
    """A customer of the platform: owns webhooks, receives events, speaks one profile."""

    id: str
    name: str
    profile: str
    uuid: str
    settings: dict[str, Any]
    metadata: dict[str, Any]
    notify: str | None
    last_position: int
    paused: Paused | None
    created_at: str
    updated_at: str


class CredentialState(Shape, frozen=True, kw_only=True):
    """Whether a credential is set, and since when; never its value."""

    is_set: bool
    set_at: str


class Health(Shape, frozen=True, kw_only=True):
    """How deliveries to a webhook go. `waiting` is exact up to 10,000."""

    state: str
    since: str | None
    success_rate_24h: float | None
    last_delivery_at: str | None
    waiting: int
    oldest_waiting_at: str | None


class EpochPosition(Shape, frozen=True, kw_only=True):
    """Deliver the events after this position of the application's event sequence."""

    position: int


class AlsoSign(Shape, frozen=True, kw_only=True):
    """A second profile whose signature goes beside the first's. `secret` is there only where it was just made;
    `credentials` are those of the second that are set.
    """

    profile: str
    until: str | None
    secret: str | None = None
    public_key: str | None
    credentials: dict[str, CredentialState]


class Webhook(Shape, frozen=True, kw_only=True):
    """A URL with a subscription, credentials and a state. `secret` is there only where it was just made."""

    id: str
    application_id: str
    name: str | None
    url: str
    status: str
    status_reason: str | None
    events: list[str] | None
    secret: str | None = None
    secret_previous_until: str | None
    public_key: str | None
    credentials: dict[str, CredentialState]
    order: str
    rate: float | None
    concurrency: int
    headers: dict[str, None]
    also_sign: AlsoSign | None
    event_epoch: str | EpochPosition
    position: int
    version: int
    created_at: str
    updated_at: str
    health: Health


class RotatedSecret(Shape, frozen=True, kw_only=True):
    """A new credential, this once: `secret` is null where it was given, or is a private key that never leaves. The one
    before signs too, until `previous_until`.
    """

    secret: str | None
    public_key: str | None
    previous_until: str | None


class Rights(Shape, frozen=True, kw_only=True):
    """What the caller may do; `configurers` says in a sentence who configures webhooks. Not of the API."""

    looks: bool
    configures: bool
    publishes: bool
    operates: bool
    administers: bool
    sees_all: bool
    configurers: str
