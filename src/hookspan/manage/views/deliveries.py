"""Events, their deliveries and attempts."""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from hookspan.manage.views._base import Time, View

HeaderLine = tuple[str, str]
ShownState = Literal["pending", "succeeded", "failed", "cancelled"]
ShownCause = Literal["first", "retry", "manual", "send", "replay", "resend", "probe", "test"]
ShownVerdict = Literal["succeeded", "retry", "failed", "disable"]


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


class Accepted(View, frozen=True, kw_only=True):
    """A published event: kept durably, on its way."""

    id: str
    publisher_id: str | None


class EventList(View, frozen=True, kw_only=True):
    data: list[Event]
    next: str | None


class DeliveryList(View, frozen=True, kw_only=True):
    data: list[Delivery]
    next: str | None


class AttemptList(View, frozen=True, kw_only=True):
    data: list[Attempt]
    next: str | None
