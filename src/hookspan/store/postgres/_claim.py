"""Claiming what is due, fairly between webhooks and beside other nodes; and what is due next."""

from collections.abc import Collection
from typing import Any

from hookspan.domain.states import Cause
from hookspan.store.contract import Claimed
from hookspan.store.postgres import _lowest
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._columns import numbers
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._pauses import PassedBy, passed_by
from hookspan.store.postgres._rows import ID_MAX, id_list

ASIDES_MAX = 100  # of one claim: what people send by hand goes first, and leaves room for the rest
# Of one claim: each passes by as many webhooks that another node holds as there is room for deliveries.
LOOKS_MAX = 8

_Picked = tuple[int, int, int]  # delivery id, webhook id, event id
_Found = tuple[int | None, int, int]  # None: the webhook can't be divided among nodes, and is yet to be looked at


class Claimer:
    """Remembers which webhook the last claim came to, so that the next goes on from there: when there is always more
    due than fits, each webhook still gets its turn. Two claims at once only take their turns in another order.
    """

    def __init__(self) -> None:
        self._after = 0

    def claim(  # noqa: PLR0913 - the contract's, each by name
        self,
        connection: Connection,
        node: int,
        now_ms: int,
        *,
        limit: int,
        per_webhook: int,
        bytes_max: int,
        skip: Collection[int],
        nodes: int,
        leave: Collection[str] = (),
    ) -> list[Claimed]:
        """Take due deliveries; see `Store.claim`."""
        if limit <= 0 or per_webhook <= 0:
            return []
        ground = _ground(connection, node, leave)
        if ground is None:
            return []
        bindings = {
            "node": node,
            "nodes": nodes,
            "now": now_ms,
            "per_webhook": min(per_webhook, limit),
            "skip": id_list(skip),
        } | ground
        asides = _find_asides(connection, bindings | {"limit": min(limit, ASIDES_MAX)})
        limit -= len(asides)
        found, came_to = _find_around(connection, bindings, self._after, limit)
        picked = _within(connection, asides + found, bytes_max)
        if len(picked) == len(asides) + len(found):
            self._after = came_to
        elif len(picked) > len(asides):
            self._after = picked[-1][1]
        return _take(connection, node, picked) if picked else []


def claim_suspect(
    connection: Connection, node: int, now_ms: int, skip: Collection[int], leave: Collection[str]
) -> Claimed | None:
    """See `Store.claim_suspect`."""
    ground = _ground(connection, node, leave)
    if ground is None:
        return None
    bindings = {"now": now_ms, "skip": id_list(skip)} | ground
    found: list[_Picked] = rows.many(connection, "find_suspect", tuple, bindings)
    taken = _take(connection, node, found) if found else []
    return taken[0] if taken else None


def next_due_at(connection: Connection, skip: Collection[int], leave: Collection[str]) -> int | None:
    """See `Store.next_due_at`."""
    passed = passed_by(connection, leave)
    if passed.is_all:
        return None
    bindings = {"skip": id_list(skip), "low": _lowest.read(connection)} | passed.bindings
    found = [rows.value(connection, name, bindings) for name in ("find_next_due", "find_next_aside")]
    return min((at_ms for at_ms in found if at_ms is not None), default=None)


def _ground(connection: Connection, node: int, leave: Collection[str]) -> dict[str, Any] | None:
    """What all that claims is bound by, with the node held registered; None when it is not, or everything is paused."""
    row = rows.first_row(connection, "lock_claimer", (node,))
    if row is None:
        return None
    lowest, has_pauses = row
    passed = (
        passed_by(connection, leave) if has_pauses else PassedBy(is_all=False, profiles=list(leave), applications=[])
    )
    return None if passed.is_all else {"low": lowest} | passed.bindings


def _find_around(connection: Connection, bindings: dict[str, Any], start: int, limit: int) -> tuple[list[_Picked], int]:
    """What is due after the webhook `start`, and then up to it; and to which webhook that came, 0 after all of them."""
    found: list[_Picked] = []
    after, last = start, ID_MAX
    for _ in range(LOOKS_MAX):
        if len(found) >= limit:
            break
        part, came_to = _find_due(connection, bindings, after, last, limit - len(found))
        found += part
        if came_to is not None:
            after = came_to
        elif start and last == ID_MAX:
            after, last = 0, start
        else:
            return found, 0
    return found, after


def _find_due(
    connection: Connection, bindings: dict[str, Any], after: int, last: int, limit: int
) -> tuple[list[_Picked], int | None]:
    """What is due between two webhooks, locked; of those that can't be divided what is free, where nobody else looks at
    them now. And to which webhook that came, None when there are no more.
    """
    given = bindings | {"after": after, "last": last, "limit": limit}
    found: list[_Found] = rows.many(connection, "find_due", tuple, given)
    undivided = [webhook_id for ident, webhook_id, _ in found if ident is None]
    theirs = _find_undivided(connection, bindings, undivided) if undivided else {}
    picked: list[_Picked] = []
    for ident, webhook_id, event_id in found:
        if ident is None:
            picked += theirs.get(webhook_id, ())
        else:
            picked.append((ident, webhook_id, event_id))
    if len(picked) > limit:
        return picked[:limit], picked[limit - 1][1]
    return picked, found[-1][1] if len(found) >= limit else None


def _find_undivided(
    connection: Connection, bindings: dict[str, Any], webhook_ids: list[int]
) -> dict[int, list[_Picked]]:
    """Two statements: the second must see what the node has done that had the lock before."""
    locked = rows.many(connection, "lock_undivided", lambda row: int(row[0]), {"ids": webhook_ids})
    picked: dict[int, list[_Picked]] = {}
    if locked:
        found: list[_Picked] = rows.many(connection, "find_undivided", tuple, bindings | {"ids": locked})
        for one in found:
            picked.setdefault(one[1], []).append(one)
    return picked


def _find_asides(connection: Connection, bindings: dict[str, Any]) -> list[_Picked]:
    return rows.many(connection, "find_aside", tuple, bindings)


def _within(connection: Connection, found: list[_Picked], bytes_max: int) -> list[_Picked]:
    """As many from the front as `bytes_max` holds, but at least one."""
    if len(found) <= 1:
        return found
    sizes: dict[int, int] = dict(
        rows.many(connection, "measure_events", tuple, (list({event_id for _, _, event_id in found}),))
    )
    size = 0
    for count, (_, _, event_id) in enumerate(found):
        size += sizes.get(event_id, 0)
        if count and size > bytes_max:
            return found[:count]
    return found


def _take(connection: Connection, node: int, picked: list[_Picked]) -> list[Claimed]:
    """Claim them, in the order given. What was found by no lock and is gone meanwhile is left out."""
    idents = [ident for ident, _, _ in picked]
    bindings = {
        "node": node,
        "ids": numbers(idents),
        "event_ids": numbers(list({event_id for _, _, event_id in picked})),
    }
    by_id = {one.id: one for one in rows.many(connection, "take_deliveries", _claimed, bindings)}
    return [by_id[ident] for ident in idents if ident in by_id]


def _claimed(row: rows.Values) -> Claimed:
    (
        ident,
        claim,
        application_id,
        webhook_id,
        event_id,
        event_type,
        run,
        number,
        cause,
        attempt_count,
        round_attempts,
        round_started_at,
        orphan_count,
        last_attempt_id,
        occurred_at,
        body,
        is_aside,
    ) = row
    return Claimed(
        ident,
        claim,
        application_id,
        webhook_id,
        event_id,
        event_type,
        run,
        number,
        Cause(cause),
        attempt_count,
        round_attempts,
        round_started_at,
        orphan_count,
        last_attempt_id,
        occurred_at,
        body,
        is_aside,
    )
