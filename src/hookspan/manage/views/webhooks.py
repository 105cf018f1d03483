"""Applications and their webhooks."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from hookspan.manage.views._base import Time, View
from hookspan.manage.views.pauses import Paused

ShownStatus = Literal["active", "disabled", "deleted"]
ShownStatusReason = Literal["created", "person", "gone", "failing"]
HealthState = Literal["healthy", "catching_up", "failing", "open", "stalled"]
EpochWord = Literal["now", "webhook_creation", "beginning_of_time"]
EpochChoice = Literal["now", "webhook_creation", "beginning_of_time", "position"]
Order = Literal["any", "fifo"]


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
    paused: Paused | None
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
    """A second profile whose signature goes beside the first's. `secret` is there only where it was just made;
    `credentials` are those of the second that are set.
    """

    profile: str
    until: Time | None
    secret: str | UnsetType = UNSET
    public_key: str | None
    credentials: dict[str, CredentialState]


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


class Rights(View, frozen=True, kw_only=True):
    """What the caller may do; `configurers` says in a sentence who configures webhooks. Not of the API."""

    looks: bool
    configures: bool
    publishes: bool
    operates: bool
    administers: bool
    sees_all: bool
    configurers: str


class ApplicationList(View, frozen=True, kw_only=True):
    data: list[Application]
    next: str | None


class WebhookList(View, frozen=True, kw_only=True):
    data: list[Webhook]
    next: str | None
