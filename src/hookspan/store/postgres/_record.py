"""Recording: outcomes of attempts, fenced by the claim; and claims given back."""

from collections.abc import Callable, Sequence
from typing import Any

import structlog

from hookspan.domain.records import Attempt
from hookspan.store.contract import ClaimRef, Result
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._columns import blobs, numbers, texts
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._faults import is_of_data
from hookspan.store.postgres._locks import lock_webhooks
from hookspan.store.postgres._webhooks import resume_stalled

log = structlog.get_logger()

Record = Callable[[Connection, int, Sequence[Result]], frozenset[int]]
"""`record` or `record_carefully`."""


def record(connection: Connection, node: int, results: Sequence[Result]) -> frozenset[int]:
    """See `Store.record`. One statement; a row that the database refuses refuses all: then `record_carefully` must
    go.
    """
    _lock_resuming(connection, results)
    held = _write(connection, node, results, keeps_attempts=True)
    return _ended(connection, results, held)


def record_carefully(connection: Connection, node: int, results: Sequence[Result]) -> frozenset[int]:
    """The same where the database refuses some row: halve until it is found, so that it does not stop the recorder.

    That delivery goes on without its attempt: rather a gap in the log than the same request for ever.
    """
    _lock_resuming(connection, results)
    held: set[ClaimRef] = set()
    parts = [list(results)]
    while parts:
        part = parts.pop()
        try:
            with connection.transaction():
                held |= _write(connection, node, part, keeps_attempts=True)
        except Exception as error:
            if not is_of_data(error):
                raise
            middle = len(part) // 2
            if middle:
                parts += [part[middle:], part[:middle]]
            else:
                log.error("an attempt could not be kept", delivery=part[0].delivery_id, problem=type(error).__name__)
                held |= _write(connection, node, part, keeps_attempts=False)
    return _ended(connection, results, held)


def record_freed(connection: Connection, node: int, results: Sequence[Result], write: Record) -> frozenset[int]:
    """Those of late results whose claims were only freed, because the node was taken out, are written by `write`: that
    nobody claimed them since makes them as good as if they had come before. The late deliveries' ids.

    Applications first, as everybody locks; one that is frozen may have been copied, and keeps nothing more.
    """
    found = {ClaimRef(row[0], row[1]): row[2] for row in rows.many(connection, "find_freed", tuple, _refs(results))}
    if not found:
        return frozenset(result.delivery_id for result in results)
    owners = sorted(set(found.values()))
    there = set(rows.many(connection, "lock_applications", lambda row: int(row[0]), (owners,)))
    wanted = [result for result in results if found.get(_ref(result)) in there]
    _lock_resuming(connection, wanted)
    taken = rows.many(connection, "take_back_deliveries", lambda row: ClaimRef(*row), _refs(wanted) | {"node": node})
    back = set(taken)
    late = frozenset(result.delivery_id for result in results if _ref(result) not in back)
    return late | write(connection, node, [result for result in wanted if _ref(result) in back])


def _lock_resuming(connection: Connection, results: Sequence[Result]) -> None:
    """Webhooks are locked before deliveries, by everybody."""
    lock_webhooks(connection, sorted({result.resumes for result in results if result.resumes is not None}))


def _ended(connection: Connection, results: Sequence[Result], held: set[ClaimRef]) -> frozenset[int]:
    """What is stalled goes on where one that a person sent was accepted. The late deliveries' ids."""
    late = set()
    for result in results:
        # By claim, not by delivery: a batch may bring an old and a new result of one delivery.
        if _ref(result) not in held:
            late.add(result.delivery_id)
        elif result.resumes is not None:
            resume_stalled(connection, result.resumes, result.finished_at or 0)
    return frozenset(late)


def _write(connection: Connection, node: int, results: Sequence[Result], *, keeps_attempts: bool) -> set[ClaimRef]:
    ordered = sorted(results, key=_delivery_id)
    made = [result for result in ordered if result.attempt is not None] if keeps_attempts else []
    bindings: dict[str, Any] = {"node": node}
    bindings |= _delivery_columns(ordered, keeps_attempts=keeps_attempts) | _attempt_columns(made)
    written = rows.execute(connection, "record_results", bindings).fetchall()
    return {ClaimRef(delivery_id, claim) for delivery_id, claim in written}


def keep_test(connection: Connection, attempt: Attempt) -> None:
    """See `Store.keep_test`."""
    rows.run(connection, "insert_attempt", {name: getattr(attempt, name) for name in attempt.__struct_fields__})


def release(connection: Connection, node: int, claims: Sequence[ClaimRef], now_ms: int) -> None:
    """Give back what still is this node's; see `Store.release`."""
    rows.run(connection, "release_deliveries", {"node": node, "now": now_ms} | _refs(claims))


def _delivery_id(one: Result | ClaimRef) -> int:
    return one.delivery_id


def _ref(result: Result) -> ClaimRef:
    return ClaimRef(result.delivery_id, result.claim)


def _refs(claims: Sequence[Result | ClaimRef]) -> dict[str, Any]:
    ordered = sorted(claims, key=_delivery_id)
    return {
        "ids": numbers([one.delivery_id for one in ordered]),
        "claims": numbers([one.claim for one in ordered]),
    }


def _delivery_columns(results: Sequence[Result], *, keeps_attempts: bool) -> dict[str, Any]:
    attempts = [result.attempt if keeps_attempts else None for result in results]
    return {
        "ids": numbers([result.delivery_id for result in results]),
        "claims": numbers([result.claim for result in results]),
        "states": numbers([int(result.state) for result in results]),
        "reasons": numbers([None if result.reason is None else int(result.reason) for result in results]),
        "next_attempt_ats": numbers([result.next_attempt_at for result in results]),
        "attempt_counts": numbers([result.attempt_count for result in results]),
        "round_attempts": numbers([result.round_attempts for result in results]),
        "round_started_ats": numbers([result.round_started_at for result in results]),
        "finished_ats": numbers([result.finished_at for result in results]),
        "attempt_ids": numbers([None if attempt is None else attempt.id for attempt in attempts]),
        "response_statuses": numbers([None if attempt is None else attempt.response_status for attempt in attempts]),
    }


def _attempt_columns(results: Sequence[Result]) -> dict[str, Any]:
    attempts = [result.attempt for result in results if result.attempt is not None]
    return {
        "of_ids": numbers([result.delivery_id for result in results]),
        "of_claims": numbers([result.claim for result in results]),
        "made_ids": numbers([attempt.id for attempt in attempts]),
        "made_delivery_ids": numbers([attempt.delivery_id for attempt in attempts]),
        "made_webhook_ids": numbers([attempt.webhook_id for attempt in attempts]),
        "made_event_ids": numbers([attempt.event_id for attempt in attempts]),
        "made_numbers": numbers([attempt.number for attempt in attempts]),
        "made_rounds": numbers([attempt.round for attempt in attempts]),
        "made_causes": numbers([int(attempt.cause) for attempt in attempts]),
        "made_webhook_versions": numbers([attempt.webhook_version for attempt in attempts]),
        "made_started_ats": numbers([attempt.started_at for attempt in attempts]),
        "made_durations_us": numbers([attempt.duration_us for attempt in attempts]),
        "made_verdicts": numbers([int(attempt.verdict) for attempt in attempts]),
        "made_retry_ats": numbers([attempt.retry_at for attempt in attempts]),
        "made_errors": texts([attempt.error for attempt in attempts]),
        "made_error_messages": texts([attempt.error_message for attempt in attempts]),
        "made_remote_addresses": texts([attempt.remote_address for attempt in attempts]),
        "made_request_headers": blobs([attempt.request_headers for attempt in attempts]),
        "made_response_statuses": numbers([attempt.response_status for attempt in attempts]),
        "made_response_headers": blobs([attempt.response_headers for attempt in attempts]),
        "made_response_bodies": blobs([attempt.response_body for attempt in attempts]),
        "made_response_bytes": numbers([attempt.response_bytes for attempt in attempts]),
        "made_previous_attempt_ids": numbers([attempt.previous_attempt_id for attempt in attempts]),
    }
