"""Rows of tables as records, and the other way round: what both stores' statements give, column by column."""

from typing import Any

import msgspec

from hookspan.domain.pause import Pause, PauseScope
from hookspan.domain.records import AlsoSign, Application, Attempt, Delivery, Event, SealedCredential, Webhook
from hookspan.domain.states import (
    Cause,
    DeliveryReason,
    DeliveryState,
    Order,
    StatusReason,
    VerdictKind,
    WebhookStatus,
)
from hookspan.ids import first_id_at, made_at_ms
from hookspan.store.contract import Page, Revision

Values = tuple[Any, ...]

ID_MAX = (1 << 63) - 1

to_json = msgspec.json.encode
_credentials_decoder = msgspec.msgpack.Decoder(tuple[SealedCredential, ...])
_also_sign_decoder = msgspec.json.Decoder(AlsoSign)
_events_decoder = msgspec.json.Decoder(tuple[str, ...])
_ids_decoder = msgspec.json.Decoder(list[int])


def json_text(value: Any) -> str:
    return to_json(value).decode()


def decode_ids(text: str) -> list[int]:
    return _ids_decoder.decode(text)


def pack_credentials(credentials: tuple[SealedCredential, ...]) -> bytes:
    return msgspec.msgpack.encode(credentials)


def pack_events(events: tuple[str, ...] | None) -> str | None:
    return None if events is None else json_text(events)


def pack_also_sign(also_sign: AlsoSign | None) -> str | None:
    return None if also_sign is None else json_text(also_sign)


def _unpack_events(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else _events_decoder.decode(text)


def id_range(page: Page) -> tuple[int, int]:
    """The ids of a page's times: from, and below."""
    low = 0 if page.since is None else first_id_at(page.since)
    high = ID_MAX if page.until is None else first_id_at(page.until)
    return low, high


def application(row: Values) -> Application:
    ident, public_id, name, profile, uuid, settings, metadata, notify, version, position, created_at, updated_at = row
    return Application(
        id=ident,
        public_id=public_id,
        name=name,
        profile=profile,
        uuid=uuid,
        settings=msgspec.json.decode(settings),
        metadata=msgspec.json.decode(metadata),
        notify=notify,
        webhooks_version=version,
        last_position=position,
        created_at=created_at,
        updated_at=updated_at,
    )


def webhook(row: Values) -> Webhook:
    return Webhook(
        id=row[0],
        application_id=row[1],
        name=row[2],
        url=row[3],
        status=WebhookStatus(row[4]),
        status_reason=None if row[5] is None else StatusReason(row[5]),
        events=_unpack_events(row[6]),
        order=Order(row[7]),
        rate=row[8],
        concurrency=row[9],
        event_epoch=row[10],
        credentials=_credentials_decoder.decode(row[11]),
        position=row[12],
        version=row[13],
        failing_since=row[14],
        created_at=row[15],
        updated_at=row[16],
        also_sign=None if row[17] is None else _also_sign_decoder.decode(row[17]),
        activated_at=row[18],
    )


def revision(row: Values) -> Revision:
    return Revision(
        webhook_id=row[0],
        version=row[1],
        from_position=row[2],
        status=WebhookStatus(row[3]),
        events=_unpack_events(row[4]),
        url=row[5],
        changed_at=row[6],
    )


def event(row: Values) -> Event:
    ident, application_id, publisher_id, event_type, position, occurred_at, accepted_at = row[:7]
    content, content_at, content_bytes, context, body = row[7:]
    return Event(
        id=ident,
        application_id=application_id,
        publisher_id=publisher_id,
        type=event_type,
        position=position,
        occurred_at=occurred_at,
        accepted_at=accepted_at,
        content=body[content_at : content_at + content_bytes] if content is None else content,
        context=context,
        body=body,
    )


def delivery(row: Values) -> Delivery:
    return Delivery(
        id=row[0],
        application_id=row[1],
        webhook_id=row[2],
        event_id=row[3],
        type=row[4],
        run=row[5],
        round=row[6],
        state=DeliveryState(row[7]),
        reason=None if row[8] is None or row[7] == 1 else DeliveryReason(row[8]),  # pending with one: marked
        is_claimed=bool(row[9]),
        attempt_count=row[10],
        last_response_status=row[11],
        last_attempt_id=row[12],
        created_at=made_at_ms(row[0]),
        next_attempt_at=row[13],
        round_started_at=row[14],
        finished_at=row[15],
        is_aside=bool(row[16]),
        job_id=row[17],
        round_attempts=row[18],
    )


def attempt(row: Values) -> Attempt:
    return Attempt(
        id=row[0],
        delivery_id=row[1],
        webhook_id=row[2],
        event_id=row[3],
        number=row[4],
        round=row[5],
        cause=Cause(row[6]),
        webhook_version=row[7],
        started_at=row[8],
        duration_us=row[9],
        verdict=VerdictKind(row[10]),
        retry_at=row[11],
        error=row[12],
        error_message=row[13],
        remote_address=row[14],
        request_headers=row[15],
        response_status=row[16],
        response_headers=row[17],
        response_body=row[18],
        response_bytes=row[19],
        previous_attempt_id=row[20],
        request_body=row[21],
    )


def pause(row: Values) -> Pause:
    ident, scope, profile, application_id, reason, paused_at, ended_at = row
    return Pause(
        id=ident,
        scope=PauseScope(scope),
        profile=profile,
        application_id=application_id,
        reason=reason,
        paused_at=paused_at,
        ended_at=ended_at,
    )
