"""From records to what people see: ids and times become texts, secrets stay out. Pure."""

import base64
from collections.abc import Sequence
from typing import cast

import msgspec
from msgspec import UNSET, UnsetType

from hookspan.domain.explain import Explanation
from hookspan.domain.pause import Pause
from hookspan.domain.records import Application, Attempt, Delivery, Event, SealedCredential, Webhook
from hookspan.domain.states import StatusReason, WebhookStatus
from hookspan.domain.times import to_text as time_text
from hookspan.engine.post import ALSO
from hookspan.ids import ATTEMPT_PREFIX, DELIVERY_PREFIX, to_text
from hookspan.manage import views
from hookspan.manage._credentials import own
from hookspan.manage._headers import header_names
from hookspan.profiles import Profile
from hookspan.store.contract import Waiting
from hookspan.store.statistics import WebhookHealth

_EPOCH_POSITION = "position:"
_UTF8_TAIL_MAX = 3  # bytes of a character that a cut may leave at the end


class Once(msgspec.Struct, frozen=True):
    """Secrets that were just made: the one time that they are shown."""

    secret: str | None = None
    also_secret: str | None = None


NOTHING = Once()
NO_NUMBERS = WebhookHealth(last_success_at=None, stalled_since=None, attempts=0, attempts_succeeded=0)


def time_or_none(at_ms: int | None) -> str | None:
    return None if at_ms is None else time_text(at_ms)


def show_application(application: Application, pause: Pause | None) -> views.Application:
    """`pause`: what it is under."""
    return views.Application(
        id=application.public_id,
        name=application.name,
        profile=application.profile,
        uuid=application.uuid,
        settings=application.settings,
        metadata=application.metadata,
        notify=application.notify,
        last_position=application.last_position,
        paused=show_paused(pause),
        created_at=time_text(application.created_at),
        updated_at=time_text(application.updated_at),
    )


def show_paused(pause: Pause | None) -> views.Paused | None:
    if pause is None:
        return None
    return views.Paused(
        scope=cast("views.ShownPauseScope", pause.scope.word), since=time_text(pause.paused_at), reason=pause.reason
    )


def show_webhook(
    webhook: Webhook,
    application: Application,
    profile: Profile,
    health: views.Health,
    now_ms: int,
    once: Once = NOTHING,
) -> views.Webhook:
    credentials = own(webhook.credentials)
    is_active = webhook.status in {WebhookStatus.ACTIVE, WebhookStatus.CATCHING_UP}
    is_active_now = webhook.status is WebhookStatus.ACTIVE
    return views.Webhook(
        id=to_text(profile.webhook_prefix, webhook.id),
        application_id=application.public_id,
        name=webhook.name,
        url=webhook.url,
        status="active" if is_active else cast("views.ShownStatus", webhook.status.word),
        status_reason=_status_reason(webhook.status_reason),
        events=None if webhook.events is None else list(webhook.events),
        secret=once.secret or UNSET,
        secret_previous_until=time_or_none(
            max((at_ms for one in credentials if (at_ms := one.expires_at or 0) > now_ms), default=None)
        ),
        public_key=next((one.public for one in credentials if one.public is not None), None),
        credentials=_states(credentials),
        order=cast("views.Order", webhook.order.word),
        rate=webhook.rate,
        concurrency=webhook.concurrency,
        headers=dict.fromkeys(header_names(webhook.credentials)),
        also_sign=_also_sign(webhook, once.also_secret),
        event_epoch=epoch_view(webhook.event_epoch),
        position=application.last_position if is_active_now else webhook.position,
        version=webhook.version,
        created_at=time_text(webhook.created_at),
        updated_at=time_text(webhook.updated_at),
        health=health,
    )


def _also_sign(webhook: Webhook, secret: str | None) -> views.AlsoSign | None:
    if webhook.also_sign is None:
        return None
    credentials = [one for one in webhook.credentials if one.name.startswith(ALSO)]
    return views.AlsoSign(
        profile=webhook.also_sign.profile,
        until=time_or_none(webhook.also_sign.until),
        secret=secret or UNSET,
        public_key=next((one.public for one in credentials if one.public is not None), None),
        credentials=_states(credentials),
    )


def _states(credentials: Sequence[SealedCredential]) -> dict[str, views.CredentialState]:
    """By the names that they are given by; of several with one name the newest, which is first."""
    return {
        _given_as(one): views.CredentialState(is_set=True, set_at=time_text(one.made_at))
        for one in reversed(credentials)
    }


def _given_as(credential: SealedCredential) -> str:
    """As `CredentialKind.given_as`, without the profile, whose folder may be gone: key pairs have a public half."""
    return "private_key" if credential.public is not None else credential.name.removeprefix(ALSO)


def show_health(
    webhook: Webhook,
    waiting: Waiting | None = None,
    numbers: WebhookHealth = NO_NUMBERS,
    *,
    can_sign: bool = True,
) -> views.Health:
    """Without `waiting` and `numbers` as if nothing waited and nothing was ever delivered. `numbers` are of 24 hours.
    `can_sign` False: its secrets don't allow that anything is sent.
    """
    state: views.HealthState = "healthy"
    since = None
    if webhook.status is WebhookStatus.CATCHING_UP:
        state = "catching_up"
    elif numbers.stalled_since is not None:
        state, since = "stalled", numbers.stalled_since
    elif webhook.failing_since is not None or not can_sign:
        state, since = "failing", webhook.failing_since
    return views.Health(
        state=state,
        since=time_or_none(since),
        success_rate_24h=rate_of(numbers.attempts_succeeded, numbers.attempts),
        last_delivery_at=time_or_none(numbers.last_success_at),
        waiting=0 if waiting is None else waiting.count,
        oldest_waiting_at=None if waiting is None else time_or_none(waiting.oldest_at),
    )


def rate_of(succeeded: int, attempts: int) -> float | None:
    """The share that succeeded, to four places; None where there was no attempt. 1 only if all of them did."""
    if attempts == 0:
        return None
    return succeeded / attempts if succeeded in {0, attempts} else min(round(succeeded / attempts, 4), 0.9999)


def epoch_text(position: int) -> str:
    """How a position is kept as a webhook's `event_epoch`."""
    return f"{_EPOCH_POSITION}{position}"


def epoch_view(kept: str | None) -> views.Epoch:
    if kept is None:
        return "now"
    if kept.startswith(_EPOCH_POSITION):
        return views.EpochPosition(position=int(kept.removeprefix(_EPOCH_POSITION)))
    return cast("views.EpochWord", kept)


def show_event(
    event: Event, application: Application, profile: Profile, webhooks: list[views.EventWebhook]
) -> views.Event:
    return views.Event(
        id=to_text(profile.event_prefix, event.id),
        publisher_id=event.publisher_id,
        application_id=application.public_id,
        type=event.type,
        category=profile.category_of(event.type),
        position=event.position,
        occurred_at=time_text(event.occurred_at),
        accepted_at=time_text(event.accepted_at),
        content=msgspec.Raw(event.content),
        context=None if event.context is None else msgspec.Raw(event.context),
        body=event.body.decode(),
        webhooks=webhooks,
    )


def show_delivery(
    delivery: Delivery,
    application: Application,
    profile: Profile,
    why: Explanation,
    attempts: list[views.Attempt] | UnsetType = UNSET,
) -> views.Delivery:
    return views.Delivery(
        id=to_text(DELIVERY_PREFIX, delivery.id),
        application_id=application.public_id,
        webhook_id=to_text(profile.webhook_prefix, delivery.webhook_id),
        event_id=to_text(profile.event_prefix, delivery.event_id),
        type=delivery.type,
        state=cast("views.ShownState", delivery.state.word),
        reason=why.reason,
        sentence=why.sentence,
        run=delivery.run,
        round=delivery.round,
        attempt_count=delivery.attempt_count,
        last_response_status=delivery.last_response_status,
        created_at=time_text(delivery.created_at),
        next_attempt_at=time_or_none(delivery.next_attempt_at),
        gives_up_at=time_or_none(why.gives_up_at),
        finished_at=time_or_none(delivery.finished_at),
        attempts=attempts,
    )


def show_attempt(attempt: Attempt, profile: Profile, url: str | None, body: bytes | None) -> views.Attempt:
    """`url` and `body` are what was sent; None where they are not kept any more."""
    return views.Attempt(
        id=to_text(ATTEMPT_PREFIX, attempt.id),
        delivery_id=None if attempt.delivery_id is None else to_text(DELIVERY_PREFIX, attempt.delivery_id),
        webhook_id=to_text(profile.webhook_prefix, attempt.webhook_id),
        event_id=None if attempt.event_id is None else to_text(profile.event_prefix, attempt.event_id),
        number=attempt.number,
        round=attempt.round,
        cause=cast("views.ShownCause", attempt.cause.word),
        started_at=time_text(attempt.started_at),
        duration_ms=attempt.duration_us / 1000,
        verdict=cast("views.ShownVerdict", attempt.verdict.word),
        retry_at=time_or_none(attempt.retry_at),
        error=None
        if attempt.error is None
        else views.AttemptError(code=attempt.error, message=attempt.error_message or attempt.error),
        remote_address=attempt.remote_address,
        request=views.AttemptRequest(
            method="POST",
            url=url,
            headers=_header_lines(attempt.request_headers),
            body=None if body is None else body.decode(errors="replace"),
            body_bytes=0 if body is None else len(body),
        ),
        response=_response(attempt),
    )


def _response(attempt: Attempt) -> views.AttemptResponse | None:
    if attempt.response_status is None:
        return None
    raw, headers = attempt.response_body or b"", attempt.response_headers or b""
    return show_response(attempt.response_status, headers, raw, attempt.response_bytes)


def show_response(status: int, headers: bytes, raw: bytes, body_bytes: int) -> views.AttemptResponse:
    """`raw` is what was kept of the body's `body_bytes`."""
    is_truncated = body_bytes > len(raw)
    text = _text(raw, is_truncated=is_truncated)
    return views.AttemptResponse(
        status=status,
        headers=_header_lines(headers),
        body=text,
        body_base64=base64.b64encode(raw).decode() if text is None else None,
        body_bytes=body_bytes,
        is_truncated=is_truncated,
    )


def _text(raw: bytes, *, is_truncated: bool) -> str | None:
    """The bytes as text, or None when they are none. The cut of a truncated body may halve its last character."""
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        if is_truncated and error.reason == "unexpected end of data" and len(raw) - error.start <= _UTF8_TAIL_MAX:
            return raw[: error.start].decode()
        return None


def _header_lines(lines: bytes) -> list[views.HeaderLine]:
    """Raw header lines as pairs. They come from a receiver, so any byte may be in them."""
    pairs: list[views.HeaderLine] = []
    for line in lines.decode("latin-1").replace("\r\n", "\n").split("\n"):
        if line:
            name, _, value = line.partition(":")
            pairs.append((name, value.strip()))
    return pairs


def _status_reason(reason: StatusReason | None) -> views.ShownStatusReason | None:
    return None if reason is None else cast("views.ShownStatusReason", reason.word)
