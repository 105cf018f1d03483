"""What people watch: the newest attempts of many webhooks, and what fails; see the contract."""

from collections.abc import Sequence

from hookspan.domain.records import Webhook
from hookspan.domain.states import VerdictKind
from hookspan.ids import EPOCH_MS, first_id_at
from hookspan.store.attempts import GIVEN_UP_LOOK_MAX, AttemptLine, FailureGroup
from hookspan.store.jobs import IDS_APART_MS
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection

# A delivery's id can be so far below its event's, by the clocks of two nodes.
_AHEAD_IDS = first_id_at(EPOCH_MS + IDS_APART_MS)


def attempt_lines(
    connection: Connection, after_id: int, limit: int, application_id: int | None, webhook_id: int | None
) -> list[AttemptLine]:
    """See `Store.attempt_lines`."""
    if application_id is None:
        return rows.many(connection, "list_attempt_lines", _line, {"after": after_id, "limit": limit})
    bindings = {
        "after": after_id,
        "limit": limit,
        "application_id": application_id,
        "webhook_low": webhook_id or 0,
        "webhook_high": webhook_id or rows.ID_MAX,
    }
    return rows.many(connection, "list_attempt_lines_of", _line, bindings)


def in_trouble(connection: Connection, application_id: int | None, limit: int) -> list[Webhook]:
    bindings = {"low": application_id or 0, "high": application_id or rows.ID_MAX, "limit": limit}
    return rows.many(connection, "list_in_trouble", rows.webhook, bindings)


def failures(connection: Connection, webhook_ids: Sequence[int], each: int) -> list[FailureGroup]:
    bindings = {"webhook_ids": rows.id_list(webhook_ids), "each": each}
    return rows.many(connection, "list_failures", _group, bindings)


def given_up(
    connection: Connection, application_id: int | None, since_id: int, webhooks: int, each: int
) -> list[FailureGroup]:
    bindings = {
        "low": application_id or 0,
        "high": application_id or rows.ID_MAX,
        "since": since_id,
        "lowest": max(0, since_id - _AHEAD_IDS),
        "look": GIVEN_UP_LOOK_MAX,
        "webhooks": webhooks,
        "each": each,
    }
    return rows.many(connection, "list_given_up", _group, bindings)


def _line(row: rows.Values) -> AttemptLine:
    return AttemptLine(
        id=row[0],
        application=row[1],
        application_name=row[2],
        profile=row[3],
        webhook_id=row[4],
        webhook_name=row[5],
        webhook_url=row[6],
        delivery_id=row[7],
        event_id=row[8],
        type=row[9],
        number=row[10],
        started_at=row[11],
        duration_us=row[12],
        verdict=VerdictKind(row[13]),
        error=row[14],
        error_message=row[15],
        response_status=row[16],
    )


def _group(row: rows.Values) -> FailureGroup:
    return FailureGroup(
        webhook_id=row[0],
        error=row[1],
        response_status=row[2],
        deliveries=row[3],
        first_at=row[4],
        last_at=row[5],
        delivery_id=row[6],
        is_cut=bool(row[7]),
    )
