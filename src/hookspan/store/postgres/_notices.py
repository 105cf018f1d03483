"""Notices: webhooks whose condition may have changed, and what is told of it.

Every node looks and takes. Of two who notice the same the second finds something else noticed already; of two who take
the same notice the second finds it put off.
"""

from typing import Any

from hookspan.domain.notice import Answer, Notice, NoticeKind, NoticeOutcome, Watched
from hookspan.store.notices import NOTICES_MAX, NewNotice, Outgoing
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres import _webhooks as webhooks
from hookspan.store.postgres._connection import Connection

DUE_LOOK_MAX = 2_000  # due ones among which each application gets its share


def watched(connection: Connection, failing_before: int, after: int, limit: int) -> list[Watched]:
    """See `Store.watched`."""
    bindings = {"failing_before": failing_before, "after": after, "limit": limit}
    found = rows.many(connection, "list_watched", tuple, bindings)
    idents = [row[0] for row in found]
    stalled = webhooks.stalled(connection, idents)
    succeeded = webhooks.last_success_at(connection, idents)
    answers = _answers(connection, idents)
    told: dict[int, dict[NoticeKind, int]] = {}
    for ident, kind, at_ms in rows.many(connection, "find_told", tuple, (idents,)):
        told.setdefault(ident, {})[NoticeKind(kind)] = at_ms
    return [
        Watched(
            webhook=rows.webhook(row),
            notify=row[19],
            noticed=NoticeKind(row[20]) if row[20] else None,
            noticed_at=row[21],
            stalled_since=stalled.get(row[0]),
            last_success_at=succeeded.get(row[0]),
            last_answer=answers.get(row[0]),
            told_at=told.get(row[0], {}),
        )
        for row in found
    ]


def _answers(connection: Connection, webhook_ids: list[int]) -> dict[int, Answer]:
    bindings = {"webhook_ids": webhook_ids, "most": webhooks.SUCCESS_ATTEMPTS_MAX}
    return {
        ident: Answer(at=at_ms, response_status=status, error=error)
        for ident, at_ms, status, error in rows.many(connection, "find_last_answers", tuple, bindings)
    }


def add(connection: Connection, new: NewNotice) -> int | None:
    """See `Store.add_notice`."""
    bindings: dict[str, Any] = {
        "id": new.webhook_id,
        "noticed": 0 if new.kind is NoticeKind.RECOVERED else new.kind,
        "at": new.created_at,
        "was": new.was or 0,
    }
    # Before the webhook, as by every change of it, and so that two notices of one application are trimmed one by one.
    rows.value(connection, "lock_application", (new.application_id,))
    if not rows.run(connection, "set_noticed", bindings):
        return None
    rows.run(
        connection,
        "insert_notice",
        {
            "id": new.id,
            "application_id": new.application_id,
            "webhook_id": new.webhook_id,
            "kind": new.kind,
            "body": new.body,
            "created_at": new.created_at,
            "next_attempt_at": new.created_at if new.has_url else None,
            "finished_at": None if new.has_url else new.created_at,
            "outcome": None if new.has_url else NoticeOutcome.NO_URL,
        },
    )
    return rows.run(connection, "trim_notices", {"application_id": new.application_id, "most": NOTICES_MAX})


def take(connection: Connection, now_ms: int, until_ms: int, limit: int, per_application: int) -> list[Outgoing]:
    """See `Store.take_notices`."""
    taken: list[int] = []
    by_application: dict[int, int] = {}
    due: list[tuple[int, int]] = rows.many(connection, "find_due_notices", tuple, (now_ms, DUE_LOOK_MAX))
    for ident, application_id in due:
        count = by_application.get(application_id, 0)
        if count < per_application and len(taken) < limit:
            by_application[application_id] = count + 1
            taken.append(ident)
    if not taken:
        return []
    bindings = {"ids": taken, "now": now_ms, "until": until_ms}
    got = rows.many(connection, "take_notices", lambda row: Outgoing(notice=notice(row), url=row[11]), bindings)
    by_id = {one.notice.id: one for one in got}
    return [by_id[ident] for ident in taken if ident in by_id]


def end_attempt(
    connection: Connection, one: Notice, outcome: NoticeOutcome | None, problem: str | None, at_ms: int
) -> None:
    """See `Store.end_notice_attempt`."""
    bindings = {"id": one.id, "attempts": one.attempts, "outcome": outcome, "problem": problem, "at": at_ms}
    rows.run(connection, "end_notice_attempt", bindings)


def read(connection: Connection, application_id: int, limit: int) -> list[Notice]:
    """See `Store.notices`."""
    return rows.many(connection, "list_notices", notice, (application_id, limit))


def drop(connection: Connection, below: int, limit: int) -> int:
    """See `Store.drop_notices`."""
    return rows.run(connection, "delete_notices", (below, limit))


def notice(row: rows.Values) -> Notice:
    return Notice(
        id=row[0],
        application_id=row[1],
        webhook_id=row[2],
        kind=NoticeKind(row[3]),
        body=row[4],
        created_at=row[5],
        attempts=row[6],
        next_attempt_at=row[7],
        finished_at=row[8],
        outcome=None if row[9] is None else NoticeOutcome(row[9]),
        problem=row[10],
    )
