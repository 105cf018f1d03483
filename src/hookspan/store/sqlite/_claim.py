"""Claiming what is due, fairly between webhooks; and what is due next."""

from collections.abc import Collection
from typing import Any

import apsw
import msgspec

from hookspan.domain.states import Cause
from hookspan.store.contract import Claimed
from hookspan.store.sqlite._pauses import passed_by
from hookspan.store.sqlite._rows import ID_MAX, id_list, value
from hookspan.store.sqlite._statements import statement

_FIND_DUE = statement("find_due")
_TAKE = statement("take_deliveries")
_READ_TAKEN = statement("read_taken")
_FIND_ASIDE = statement("find_aside")
ASIDES_MAX = 100  # of one claim: what people send by hand goes first, and leaves room for the rest

_due_decoder = msgspec.json.Decoder(list[tuple[int, int, int]])


class _Taken(msgspec.Struct, frozen=True, array_like=True):
    """A row of read_taken: a Claimed without its body."""

    id: int
    claim: int
    application_id: int
    webhook_id: int
    event_id: int
    event_type: str
    run: int
    round: int
    cause: Cause
    attempt_count: int
    round_attempts: int
    round_started_at: int | None
    orphan_count: int
    last_attempt_id: int | None
    occurred_at: int
    body_bytes: int
    is_aside: int


_taken_decoder = msgspec.json.Decoder(list[_Taken])


class Claimer:
    """Remembers which webhook the last claim came to, so that the next goes on from there: when there is always more
    due than fits, each webhook still gets its turn. Used on the writer's thread only.
    """

    def __init__(self) -> None:
        self._after = 0

    def claim(
        self,
        connection: apsw.Connection,
        node: int,
        now_ms: int,
        *,
        limit: int,
        per_webhook: int,
        bytes_max: int,
        skip: Collection[int],
        leave: Collection[str] = (),
    ) -> list[Claimed]:
        """Take due deliveries; see `Store.claim`."""
        if limit <= 0 or per_webhook <= 0 or not value(connection, "has_node", (node,)):
            return []
        passed = passed_by(connection, leave)
        if passed.is_all:
            return []
        bindings = {"now": now_ms, "per_webhook": min(per_webhook, limit), "skip": id_list(skip)}
        bindings |= passed.bindings
        asides = _find_asides(connection, {"now": now_ms, "limit": min(limit, ASIDES_MAX)} | passed.bindings)
        limit -= len(asides)
        found = _find_due(connection, bindings, self._after, ID_MAX, limit)
        if self._after and len(found) < limit:
            found += _find_due(connection, bindings, 0, self._after, limit - len(found))
        picked = _within(asides + found, bytes_max)
        if not picked:
            self._after = 0
            return []
        is_all = len(found) < limit and len(picked) == len(asides) + len(found)
        if len(picked) > len(asides):
            self._after = 0 if is_all else picked[-1][1]
        idents = id_list(ident for ident, _, _ in picked)
        connection.execute(_TAKE, (node, idents))
        return _read_taken(connection, idents)


def claim_suspect(
    connection: apsw.Connection, node: int, now_ms: int, skip: Collection[int], leave: Collection[str]
) -> Claimed | None:
    """See `Store.claim_suspect`."""
    if not value(connection, "has_node", (node,)):
        return None
    passed = passed_by(connection, leave)
    if passed.is_all:
        return None
    ident = value(connection, "find_suspect", {"now": now_ms, "skip": id_list(skip)} | passed.bindings)
    if ident is None:
        return None
    idents = id_list([ident])
    connection.execute(_TAKE, (node, idents))
    return _read_taken(connection, idents)[0]


def _find_due(
    connection: apsw.Connection, bindings: dict[str, Any], after: int, last: int, limit: int
) -> list[tuple[int, int, int]]:
    text = connection.execute(_FIND_DUE, bindings | {"after": after, "last": last, "limit": limit}).get
    return _due_decoder.decode(text)


def _find_asides(connection: apsw.Connection, bindings: dict[str, Any]) -> list[tuple[int, int, int]]:
    return _due_decoder.decode(connection.execute(_FIND_ASIDE, bindings).get)


def _within(found: list[tuple[int, int, int]], bytes_max: int) -> list[tuple[int, int, int]]:
    """As many from the front as `bytes_max` holds, but at least one."""
    size = 0
    for count, (_, _, body_bytes) in enumerate(found):
        size += body_bytes
        if count and size > bytes_max:
            return found[:count]
    return found


def _read_taken(connection: apsw.Connection, idents: str) -> list[Claimed]:
    """One row for all: each row that SQLite hands out costs a turn of the GIL under a busy event loop."""
    text, bodies = connection.execute(_READ_TAKEN, (idents,)).get
    claimed = []
    start = 0
    for row in _taken_decoder.decode(text):
        end = start + row.body_bytes
        claimed.append(
            Claimed(
                row.id,
                row.claim,
                row.application_id,
                row.webhook_id,
                row.event_id,
                row.event_type,
                row.run,
                row.round,
                row.cause,
                row.attempt_count,
                row.round_attempts,
                row.round_started_at,
                row.orphan_count,
                row.last_attempt_id,
                row.occurred_at,
                bodies[start:end],
                bool(row.is_aside),
            )
        )
        start = end
    return claimed


def next_due_at(connection: apsw.Connection, skip: Collection[int], leave: Collection[str]) -> int | None:
    """See `Store.next_due_at`."""
    passed = passed_by(connection, leave)
    if passed.is_all:
        return None
    found = (
        value(connection, "find_next_due", {"skip": id_list(skip)} | passed.bindings),
        value(connection, "find_next_aside", passed.bindings),
    )
    return min((at_ms for at_ms in found if at_ms is not None), default=None)
