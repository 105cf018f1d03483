"""Jobs: kept with the events that they have yet to deliver again, turned bit by bit, cancelled, counted.

Every change begins with the lock of the application's row: of two nodes that turn one job at the same moment the second
finds what the first has left. Then come the webhook, events, deliveries in order, and the job's own row last, as where
retention counts in it what it drops. What nodes claim and record meanwhile is met by statements that ask once more for
the state that they go by.

A job's deliveries have ids above its own (`IdMaker.start_after`), so that old partitions need not be looked into.
"""

import struct
from collections.abc import Sequence

import msgspec

from hookspan.domain.jobs import Job, JobState
from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, Order, WebhookStatus
from hookspan.errors import NotFound, StateForbidden
from hookspan.ids import IdMaker
from hookspan.store.jobs import IDS_APART_MS, JobTurn, NewJob
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._connection import Connection
from hookspan.store.postgres._job_looks import read_job
from hookspan.store.postgres._locks import lock_application, lock_application_of_job, lock_webhooks
from hookspan.store.postgres._stalls import hand_on, stalled_heads
from hookspan.store.postgres._webhooks import read_webhook

PART_EVENTS = 500  # in a row of job_part
_ID_BYTES = 8
_BURST_MS = 1_000  # what a rate may make up for after a pause
_ENDED_WITH_WEBHOOK = "The webhook was deleted before the job was done."

# How far below its event's id a delivery's can be: it may have been made by another node.
_IDS_APART = IDS_APART_MS << 21


class _Frame(msgspec.Struct, frozen=True):
    """A row of read_job_frame."""

    application_id: int
    webhook_id: int
    state: int
    event_state: int | None
    is_missing: bool
    rate: float | None
    feeds_at: float
    unfed: int
    webhook_status: int | None
    order: int | None
    is_swept: bool

    @property
    def is_webhook_gone(self) -> bool:
        return self.webhook_status in (None, WebhookStatus.DELETED)

    @property
    def is_webhook_on(self) -> bool:
        return self.webhook_status in (WebhookStatus.ACTIVE, WebhookStatus.CATCHING_UP) and not self.is_swept


# --- starting


def create_job(connection: Connection, new: NewJob, running_max: int, queued_max: int) -> Job:
    """See `Jobs.create_job`."""
    if lock_application(connection, new.application_id) is None:
        raise NotFound("There is no such application.")
    webhook = read_webhook(connection, new.webhook_id)
    if webhook is None:
        raise StateForbidden("The webhook was deleted.", allowed=[])
    if webhook.status is WebhookStatus.DISABLED:
        raise StateForbidden("The webhook is disabled: activate it first.", allowed=["active"])
    is_started = _count(connection, new.application_id, JobState.RUNNING) < running_max
    if not is_started and _count(connection, new.application_id, JobState.QUEUED) >= queued_max:
        raise StateForbidden(
            f"{queued_max} jobs of this application wait already. Wait until some are done, or cancel some.",
            limit=queued_max,
        )
    rows.run(
        connection,
        "insert_job",
        {
            "id": new.id,
            "application_id": new.application_id,
            "webhook_id": new.webhook_id,
            "kind": new.kind,
            "state": JobState.RUNNING if is_started else JobState.QUEUED,
            "input": rows.json_text(new.input),
            "event_state": new.event_state,
            "is_missing": new.is_missing,
            "rate": new.rate,
            "total": len(new.event_ids),
            "created_at": new.created_at,
            "started_at": new.created_at if is_started else None,
        },
    )
    parts = _parts(new.event_ids)
    rows.run(connection, "insert_job_parts", {"job_id": new.id, "numbers": list(range(len(parts))), "parts": parts})
    return _known(connection, new.id)


def _count(connection: Connection, application_id: int, state: JobState) -> int:
    count = rows.value(connection, "count_jobs", (application_id, state))
    assert isinstance(count, int)
    return count


def _known(connection: Connection, job_id: int) -> Job:
    job = read_job(connection, job_id)
    assert job is not None, "it was written in this transaction"
    return job


def _parts(event_ids: Sequence[int]) -> list[bytes]:
    return [_pack(event_ids[start : start + PART_EVENTS]) for start in range(0, len(event_ids), PART_EVENTS)]


def _pack(event_ids: Sequence[int]) -> bytes:
    return struct.pack(f">{len(event_ids)}q", *event_ids)


def _unpack(packed: bytes) -> list[int]:
    return list(struct.unpack(f">{len(packed) // _ID_BYTES}q", packed))


# --- turning


def advance_job(
    connection: Connection, ids: IdMaker, job_id: int, now_ms: int, chunk: int, untried_max: int
) -> JobTurn:
    """See `Jobs.advance_job`."""
    lock_application_of_job(connection, job_id)
    row = rows.first_row(connection, "read_job_frame", (job_id,))
    frame = None if row is None else _Frame(*row)
    if frame is None or frame.state == JobState.QUEUED:
        return JobTurn()
    if frame.state == JobState.RUNNING:
        if not frame.is_webhook_gone:
            return _run(connection, ids, job_id, frame, now_ms, chunk, untried_max)
        cancelled = _cancel_waiting(connection, job_id, frame.webhook_id, JobState.FAILED, now_ms, chunk)
        _end(connection, job_id, frame.application_id, JobState.FAILED, now_ms, _ENDED_WITH_WEBHOOK)
        return JobTurn(cancelled=cancelled, is_finished=_finish(connection, job_id, JobState.FAILED, now_ms))
    state = JobState(frame.state)
    cancelled = _cancel_waiting(connection, job_id, frame.webhook_id, state, now_ms, chunk)
    return JobTurn(cancelled=cancelled, is_finished=_finish(connection, job_id, state, now_ms))


def _run(
    connection: Connection,
    ids: IdMaker,
    job_id: int,
    frame: _Frame,
    now_ms: int,
    chunk: int,
    untried_max: int,
) -> JobTurn:
    if not frame.unfed:
        if not _finish(connection, job_id, JobState.SUCCEEDED, now_ms):
            return JobTurn()
        _start_next(connection, frame.application_id, now_ms)
        return JobTurn(is_finished=True)
    if not frame.is_webhook_on or frame.feeds_at > now_ms:
        return JobTurn()
    room = untried_max - rows.value(connection, "count_untried", {"id": job_id, "most": untried_max})
    begins_at = max(frame.feeds_at, now_ms - _BURST_MS)
    if frame.rate is not None:
        room = min(room, int((now_ms - begins_at) * frame.rate / 1000) + 1)
    taken = _take(connection, job_id, min(chunk, room)) if room > 0 else []
    if not taken:
        return JobTurn()
    made = _feed(connection, ids, job_id, frame, taken, now_ms)
    pace_ms = 0.0 if frame.rate is None else made * 1000 / frame.rate
    skipped = len(taken) - made
    bindings = {"id": job_id, "taken": len(taken), "skipped": skipped, "feeds_at": begins_at + pace_ms}
    rows.run(connection, "feed_job", bindings)
    return JobTurn(made=made, skipped=skipped)


def _take(connection: Connection, job_id: int, most: int) -> list[int]:
    """The next events off the job's list."""
    number, packed = rows.first_row(connection, "read_job_part", (job_id,))
    event_ids = _unpack(packed)
    if len(event_ids) <= most:
        rows.run(connection, "delete_job_part", (job_id, number))
        return event_ids
    rest = {"job_id": job_id, "number": number, "event_ids": _pack(event_ids[most:])}
    rows.run(connection, "update_job_part", rest)
    return event_ids[:most]


def _feed(connection: Connection, ids: IdMaker, job_id: int, frame: _Frame, event_ids: list[int], now_ms: int) -> int:
    """Deliveries of those events that still fit; how many."""
    bindings = {
        "webhook_id": frame.webhook_id,
        "event_ids": event_ids,
        "first": min(event_ids),
        "last": max(event_ids),
        "made_after": min(event_ids) - _IDS_APART,
    }
    there = set(rows.many(connection, "lock_events_shared", _first, bindings))
    newest: list[tuple[int, int | None, int | None]] = rows.many(connection, "find_newest_states", tuple, bindings)
    fitting = [(event_id, run) for event_id, run, state in newest if event_id in there and _fits(frame, state)]
    if not fitting:
        return 0
    ids.start_after(job_id)  # another node made the job, and its clock may be ahead of this one's
    return rows.run(
        connection,
        "insert_replays",
        {
            "ids": ids.make_many(len(fitting)),
            "event_ids": [event_id for event_id, _ in fitting],
            "runs": [(run or 0) + 1 for _, run in fitting],
            "application_id": frame.application_id,
            "webhook_id": frame.webhook_id,
            "is_fifo": frame.order == Order.FIFO,
            "cause": Cause.REPLAY,
            "now": now_ms,
            "job_id": job_id,
        },
    )


def _fits(frame: _Frame, state: int | None) -> bool:
    """Whether an event whose newest delivery is in `state` is delivered again: none that is still on its way, and none
    that is not any more what was asked for.
    """
    if frame.is_missing:
        return state is None
    if frame.event_state is not None:
        return state == frame.event_state
    return state != DeliveryState.PENDING


# --- ending


def cancel_job(connection: Connection, job_id: int, now_ms: int, chunk: int) -> Job | None:
    """See `Jobs.cancel_job`."""
    lock_application_of_job(connection, job_id)
    job = read_job(connection, job_id)
    if job is None or job.state is JobState.CANCELLED:
        return job
    if job.state not in (JobState.QUEUED, JobState.RUNNING):
        raise StateForbidden(f"The job has {job.state.word} already.", allowed=[])
    rows.run(connection, "mark_job_cancelled", {"id": job_id})
    _cancel_waiting(connection, job_id, job.webhook_id, JobState.CANCELLED, now_ms, chunk)
    _end(connection, job_id, job.application_id, JobState.CANCELLED, now_ms, was_running=job.state is JobState.RUNNING)
    _finish(connection, job_id, JobState.CANCELLED, now_ms)
    return _known(connection, job_id)


def _end(
    connection: Connection,
    job_id: int,
    application_id: int,
    state: JobState,
    now_ms: int,
    problem: str | None = None,
    *,
    was_running: bool = True,
) -> None:
    """Nothing more is made of it."""
    rows.run(connection, "delete_job_parts", (job_id,))
    rows.run(connection, "end_job", {"id": job_id, "state": state, "problem": problem})
    if was_running:
        _start_next(connection, application_id, now_ms)


def _start_next(connection: Connection, application_id: int, now_ms: int) -> None:
    rows.run(connection, "start_next_job", {"application_id": application_id, "now": now_ms})


def _cancel_waiting(
    connection: Connection, job_id: int, webhook_id: int, state: JobState, now_ms: int, chunk: int
) -> int:
    """Cancel some of what waits of a job that is ended; how many."""
    reason = DeliveryReason.JOB_CANCELLED if state is JobState.CANCELLED else DeliveryReason.WEBHOOK_DELETED
    lock_webhooks(connection, [webhook_id])  # as whoever takes a stalled head away
    heads = stalled_heads(connection, [webhook_id])
    bindings = {"job_id": job_id, "reason": reason, "now": now_ms, "limit": chunk}
    cancelled = rows.run(connection, "cancel_deliveries_of_job", bindings)
    hand_on(connection, heads)
    return cancelled


def _finish(connection: Connection, job_id: int, state: JobState, now_ms: int) -> bool:
    """Count for good what became of a job's deliveries, if they have all ended; whether they have."""
    if rows.value(connection, "has_pending_of_job", {"id": job_id}):
        return False
    rows.value(connection, "lock_job", (job_id,))  # then what retention drops is counted before, or after
    rows.run(connection, "finish_job", {"id": job_id, "state": state, "now": now_ms})
    return True


# --- retention


def drop_old_jobs(connection: Connection, finished_before: int, limit: int) -> int:
    """Drop jobs that were finished before then; how many."""
    return _drop(connection, _ids(connection, "find_old_jobs", (finished_before, limit)))


def drop_jobs_of(connection: Connection, application_id: int, limit: int) -> int:
    """Drop jobs of an application that is being erased; how many."""
    return _drop(connection, _ids(connection, "find_jobs_of", (application_id, limit)))


def _first(row: rows.Values) -> int:
    return int(row[0])


def _ids(connection: Connection, name: str, bindings: tuple[int, int]) -> list[int]:
    return rows.many(connection, name, _first, bindings)


def _drop(connection: Connection, job_ids: list[int]) -> int:
    if not job_ids:
        return 0
    rows.run(connection, "delete_parts_of_jobs", (job_ids,))
    dropped = rows.run(connection, "delete_jobs", (job_ids,))
    rows.run(connection, "raise_highest_dropped", (max(job_ids),))
    return dropped
