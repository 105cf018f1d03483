"""Recording: outcomes of attempts, fenced by the claim; and claims given back."""

from collections.abc import Sequence
from typing import Any

import apsw
import msgspec
import structlog

from hookspan.domain.records import Attempt
from hookspan.store.contract import ClaimRef, Result
from hookspan.store.sqlite._faults import is_of_data
from hookspan.store.sqlite._rows import run
from hookspan.store.sqlite._statements import Many
from hookspan.store.sqlite._webhooks import resume_stalled
from hookspan.store.sqlite._writer import StartOver

log = structlog.get_logger()

_UPDATE_DELIVERIES = Many("update_deliveries")
_INSERT_ATTEMPTS = Many("insert_attempts")
_FIND_HELD = Many("find_held")
_RELEASE = Many("release_deliveries")
_TAKE_BACK = Many("take_back_deliveries")
_held_decoder = msgspec.json.Decoder(list[tuple[int, int]])


def record(connection: apsw.Connection, node: int, results: Sequence[Result]) -> frozenset[int]:
    """The usual case: every claim holds. Raises StartOver when one does not, for then `record_carefully` must go."""
    before = connection.total_changes()
    _UPDATE_DELIVERIES.run(connection, _delivery_values(results), node)
    if connection.total_changes() - before != len(results):
        raise StartOver
    _INSERT_ATTEMPTS.run(connection, _attempt_values(results))
    _resume(connection, results)
    return frozenset()


def record_carefully(connection: apsw.Connection, node: int, results: Sequence[Result]) -> frozenset[int]:
    """The same where some claims don't hold, or the database refuses some row. Returns the late deliveries' ids."""
    refs = [ClaimRef(result.delivery_id, result.claim) for result in results]
    _TAKE_BACK.run(connection, _ref_values(refs), node)
    held = _find_held(connection, node, refs)
    kept = [result for result, ref in zip(results, refs, strict=True) if ref in held]
    _write_parts(connection, node, kept)
    _resume(connection, kept)
    return frozenset(ref.delivery_id for ref in refs if ref not in held)


def _resume(connection: apsw.Connection, results: Sequence[Result]) -> None:
    """What is stalled goes on where one that a person sent was accepted."""
    for result in results:
        if result.resumes is not None:
            resume_stalled(connection, result.resumes, result.finished_at or 0)


def _find_held(connection: apsw.Connection, node: int, refs: Sequence[ClaimRef]) -> set[ClaimRef]:
    """By claim, not by delivery: a batch may bring an old and a new result of one delivery."""
    texts = _FIND_HELD.fetch(connection, _ref_values(refs), node)
    return {ClaimRef(ident, claim) for text in texts for ident, claim in _held_decoder.decode(text)}


def _write_parts(connection: apsw.Connection, node: int, results: list[Result]) -> None:
    """Halve until the row is found that the database refuses, so that it does not stop the recorder.

    That delivery goes on without its attempt: rather a gap in the log than the same request for ever.
    """
    parts = [results]
    while parts:
        part = parts.pop()
        if not part:
            continue
        connection.execute("savepoint part")
        try:
            _UPDATE_DELIVERIES.run(connection, _delivery_values(part), node)
            _INSERT_ATTEMPTS.run(connection, _attempt_values(part))
        except Exception as error:
            if not is_of_data(error):
                raise
            connection.execute("rollback to part")
            middle = len(part) // 2
            if middle:
                parts += [part[middle:], part[:middle]]
            else:
                log.error("an attempt could not be kept", delivery=part[0].delivery_id, problem=str(error))
                _UPDATE_DELIVERIES.run(connection, _delivery_values(part, keeps_attempt=False), node)
        connection.execute("release part")


def keep_test(connection: apsw.Connection, attempt: Attempt) -> None:
    """See `Store.keep_test`."""
    values: list[Any] = []
    _add_attempt(values, attempt)
    run(connection, "insert_attempt", [*values, attempt.request_body])


def release(connection: apsw.Connection, node: int, claims: Sequence[ClaimRef], now_ms: int) -> None:
    """Give back what still is this node's; see `Store.release`."""
    _RELEASE.run(connection, _ref_values(claims), now_ms, now_ms, node)


def _ref_values(refs: Sequence[ClaimRef]) -> list[Any]:
    values: list[Any] = []
    for ref in refs:
        values += (ref.delivery_id, ref.claim)
    return values


def _delivery_values(results: Sequence[Result], *, keeps_attempt: bool = True) -> list[Any]:
    values: list[Any] = []
    for result in results:
        attempt = result.attempt if keeps_attempt else None
        values += (
            result.delivery_id,
            result.claim,
            result.state,
            result.reason,
            result.next_attempt_at,
            result.attempt_count,
            result.round_attempts,
            result.round_started_at,
            result.finished_at,
            None if attempt is None else attempt.id,
            None if attempt is None else attempt.response_status,
        )
    return values


def _attempt_values(results: Sequence[Result]) -> list[Any]:
    values: list[Any] = []
    for result in results:
        attempt = result.attempt
        if attempt is not None:
            _add_attempt(values, attempt)
    return values


def _add_attempt(values: list[Any], attempt: Attempt) -> None:
    values += (
        attempt.id,
        attempt.delivery_id,
        attempt.webhook_id,
        attempt.event_id,
        attempt.number,
        attempt.round,
        attempt.cause,
        attempt.webhook_version,
        attempt.started_at,
        attempt.duration_us,
        attempt.verdict,
        attempt.retry_at,
        attempt.error,
        attempt.error_message,
        attempt.remote_address,
        attempt.request_headers,
        attempt.response_status,
        attempt.response_headers,
        attempt.response_body,
        attempt.response_bytes,
        attempt.previous_attempt_id,
    )
