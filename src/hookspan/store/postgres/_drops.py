"""Retention by partitions: a day's events, deliveries and attempts go as tables, however many they are.

A partition of events goes as a whole when all of it is old and nothing in it is to be seen any more, up to a day after
the first of them: deleting millions of rows one by one would take as long as making them. Few events go by rows as they
grow old, and their partition when it is empty. Deliveries follow when no event of theirs is left, and attempts when no
delivery is that may be theirs.

It is detached concurrently, which holds up nobody who writes: who looked at the parent before is waited for, shortly,
and where that takes too long the next turn goes on. Then it is looked at once more, since nobody can write to it any
more.
What was broken off anywhere is taken up again by the next turn of any node.
"""

import contextlib
from collections.abc import Iterator
from typing import LiteralString

import msgspec
import psycopg
import structlog
from psycopg import errors, sql

from hookspan.ids import EPOCH_MS, first_id_at, made_at_ms
from hookspan.store.jobs import IDS_APART_MS
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._options import PostgresOptions
from hookspan.store.postgres._partitions import (
    PARTITIONS_LOCK,
    Partition,
    make_ahead,
    partition_of,
    partitions,
)
from hookspan.store.postgres._retention import Borders, drop_deliveries

log = structlog.get_logger()

DAY_MS = 86_400_000
# Old partitions that one turn looks at: in the usual case there is one, and a second at midnight.
LOOK_MAX = 8
# Where something in a large partition is still to be seen, its rest waits for it so long after it grew old; then it
# goes by rows after all, for somebody may ask for the same old event again and again.
_WAIT_MS = 2 * DAY_MS
_APART_IDS = first_id_at(EPOCH_MS + IDS_APART_MS)
# Others use it for longer than is waited for, or another node was faster.
_NOT_NOW = (
    errors.LockNotAvailable,
    errors.QueryCanceled,
    errors.UndefinedTable,
    errors.ObjectNotInPrerequisiteState,
    errors.WrongObjectType,
)


class Plan(msgspec.Struct, frozen=True):
    """How old events go: those in `ranges` of ids by rows, and the partition `whole` as one."""

    ranges: list[tuple[int, int]]
    whole: Partition | None


def make_room(connection: Connection, now_ms: int, options: PostgresOptions) -> None:
    """The partitions of the next days, while there is time: a publish that finds none has to make it. Outside of a
    transaction.
    """
    try:
        make_ahead(connection, now_ms, options)
    except _NOT_NOW as error:
        log.info("partitions can't be made now", problem=type(error).__name__)


def plan(connection: Connection, borders: Borders, options: PostgresOptions) -> Plan:
    """By a reader."""
    ranges: list[tuple[int, int]] = []
    for one in partitions(connection, "event")[:LOOK_MAX]:
        if one.low >= borders.drop_below:
            break
        bindings = {"low": one.low, "high": one.high, "most": options.whole_events_min}
        count = rows.value(connection, "count_events_between", bindings)
        is_old = one.high <= _border(borders)
        if is_old and (not count or count >= options.whole_events_min) and not _is_kept(connection, one, borders):
            return Plan(ranges, one)
        if count < options.whole_events_min or one.high <= _earlier(borders.drop_below):
            ranges.append((one.low, min(one.high, borders.drop_below)))
    return Plan(ranges, None)


def _border(borders: Borders) -> int:
    """Partitions above it stay, whatever the border: today's is written to, and others were made ahead."""
    return min(borders.drop_below, first_id_at(borders.now_ms))


def _earlier(ident: int) -> int:
    return first_id_at(made_at_ms(ident) - _WAIT_MS)


def _is_kept(connection: Connection, one: Partition, borders: Borders) -> bool:
    """Whether something hangs on its events, in whatever partition."""
    bindings = {"low": one.low, "high": one.high, "shown_since": borders.shown_since}
    return bool(rows.value(connection, "has_kept_between", bindings))


def drop_stragglers(connection: Connection, one: Partition, limit: int) -> bool:
    """Drop deliveries of its events that are in other partitions. True when more is left."""
    bindings = {"low": one.low, "high": one.high, "limit": limit}
    found: list[tuple[int, int | None]] = rows.many(connection, "find_stragglers", tuple, bindings)
    drop_deliveries(connection, found)
    return len(found) >= limit


def drop_whole(connection: Connection, one: Partition | None, borders: Borders, options: PostgresOptions) -> int | None:
    """Drop a partition of events, else one of deliveries or attempts that nobody needs any more. Outside of a
    transaction. How many events went; None when there is nothing to be done, or not now.
    """
    try:
        with _short_wait(connection, options):
            dropped = _finish(connection, borders)
            if dropped is not None:
                return dropped
            one = one or _needless(connection, borders)
            if one is None:
                return None
            connection.execute(_about(one, "alter table {parent} detach partition {name} concurrently"))
            return _finish(connection, borders)
    except _NOT_NOW as error:
        log.info("a partition can't be dropped now", problem=type(error).__name__)
        return None


def _needless(connection: Connection, borders: Borders) -> Partition | None:
    """Deliveries whose events have all gone; attempts whose deliveries have all gone."""
    events = partitions(connection, "event")
    border = _border(borders)
    lowest = min(events[0].low, border) if events else border
    deliveries = partitions(connection, "delivery")
    for one in deliveries[:LOOK_MAX]:
        if one.high > lowest:
            break
        query = "select not exists (select 1 from {name} where event_id >= {ident})"
        row = connection.execute(_about(one, query, lowest)).fetchone()
        if row is not None and row[0]:
            return one
    # An attempt is younger than its delivery, as far as the clocks of two nodes agree.
    lowest = min(deliveries[0].low, border) if deliveries else border
    attempts = partitions(connection, "attempt")
    return attempts[0] if attempts and attempts[0].high + _APART_IDS <= lowest else None


def _finish(connection: Connection, borders: Borders) -> int | None:
    """What was detached, now or before, is dropped. How many events went; None when there was nothing."""
    done = None
    for parent in ("event", "delivery", "attempt"):
        for name in rows.many(connection, "list_detaching", _text, {"parent": parent}):
            connection.execute(_about(_named(parent, name), "alter table {parent} detach partition {name} finalize"))
        for name in rows.many(connection, "list_leftovers", _text, {"parent": parent}):
            done = (done or 0) + _drop_detached(connection, _named(parent, name), borders)
    return done


def _drop_detached(connection: Connection, one: Partition, borders: Borders) -> int:
    """In one transaction. Where something was asked for again at the last moment its events are brought back."""
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", (PARTITIONS_LOCK,))
        if _named_leftovers(connection, one) is False:
            return 0  # another node was faster
        if one.parent == "event" and _is_kept(connection, one, borders):
            connection.execute(
                _about(one, "alter table {parent} attach partition {name} for values from ({low}) to ({high})")
            )
            return 0
        if one.parent == "delivery":
            connection.execute(_about(one, _COUNT_OF_JOBS))
        row = connection.execute(_about(one, "select max(id), count(*) from {name}")).fetchone()
        highest, count = row or (None, 0)
        connection.execute(_about(one, "drop table {name}"))
        if highest is not None:
            rows.run(connection, "raise_highest_dropped", (highest,))
    log.info("a partition was dropped", name=one.name, rows=count)
    return int(count) if one.parent == "event" else 0


def _named_leftovers(connection: Connection, one: Partition) -> bool:
    return one.name in rows.many(connection, "list_leftovers", _text, {"parent": one.parent})


def _named(parent: str, name: str) -> Partition:
    return partition_of(parent, first_id_at(int(name.removeprefix(f"{parent}_")) * DAY_MS))


def _text(row: rows.Values) -> str:
    return str(row[0])


def _about(one: Partition, text: LiteralString, ident: int = 0) -> sql.Composed:
    return sql.SQL(text).format(
        name=sql.Identifier(one.name),
        parent=sql.Identifier(one.parent),
        low=sql.Literal(one.low),
        high=sql.Literal(one.high),
        ident=sql.Literal(ident),
    )


@contextlib.contextmanager
def _short_wait(connection: Connection, options: PostgresOptions) -> Iterator[None]:
    """Waits for locks end soon. Through a pooler nothing is set for a session, and its own limit holds."""
    if options.is_pooled:
        yield
        return
    wait_ms = int(options.partition_lock_time_max_s * 1000)
    connection.execute(sql.SQL("set lock_timeout = {}").format(sql.Literal(wait_ms)))
    try:
        yield
    finally:
        if not connection.closed:
            with contextlib.suppress(psycopg.Error):
                connection.execute("reset lock_timeout")


_COUNT_OF_JOBS: LiteralString = """
update job
set
  succeeded = job.succeeded + given.succeeded,
  failed = job.failed + given.failed,
  skipped = job.skipped + given.cancelled
from (
  select
    job_id,
    count(*) filter (where state = 2) as succeeded,
    count(*) filter (where state = 3) as failed,
    count(*) filter (where state = 4) as cancelled
  from {name}
  where job_id is not null
  group by job_id
) given
where job.id = given.job_id and job.finished_at is null
"""
