"""Jobs: kept with the events that they have yet to deliver again, turned bit by bit, cancelled, counted."""

import struct
from collections.abc import Sequence
from typing import Any

import apsw
import msgspec

from hookspan.domain.jobs import Job, JobKind, JobState
from hookspan.domain.states import Cause, DeliveryReason, DeliveryState, Order, WebhookStatus
from hookspan.errors import NotFound, StateForbidden
from hookspan.ids import IdMaker
from hookspan.store.jobs import JobLook, JobTurn, NewJob
from hookspan.store.messages import Page
from hookspan.store.sqlite import _rows as rows
from hookspan.store.sqlite._frozen import changeable
from hookspan.store.sqlite._stalls import hand_on, stalled_heads
from hookspan.store.sqlite._statements import Many
from hookspan.store.sqlite._webhooks import read_webhook

PART_EVENTS = 500  # in a row of job_part
_ID_BYTES = 8
_BURST_MS = 1_000  # what a rate may make up for after a pause
_ENDED_WITH_WEBHOOK = "The webhook was deleted before the job was done."

_INSERT_PARTS = Many("insert_job_parts")
_INSERT_REPLAYS = Many("insert_replays")
_newest_decoder = msgspec.json.Decoder(list[tuple[int, int, int | None, int | None]])


class _Frame(msgspec.Struct, frozen=True):
    """A row of read_job_frame."""

    application_id: int
    webhook_id: int
    state: int
    event_state: int | None
    is_missing: int
    rate: float | None
    feeds_at: float
    unfed: int
    webhook_status: int | None
    order: int | None
    is_swept: int

    @property
    def is_webhook_gone(self) -> bool:
        return self.webhook_status in (None, WebhookStatus.DELETED)

    @property
    def is_webhook_on(self) -> bool:
        return self.webhook_status in (WebhookStatus.ACTIVE, WebhookStatus.CATCHING_UP) and not self.is_swept


# --- looking


def read_job(connection: apsw.Connection, job_id: int) -> Job | None:
    return rows.one(connection, "read_job", _job, (job_id,))


def list_jobs(
    connection: apsw.Connection,
    page: Page,
    application_id: int | None,
    webhook_id: int | None,
    state: JobState | None,
) -> list[Job]:
    """Newest first."""
    low, high = rows.id_range(page)
    bindings: dict[str, int | None] = {
        "low": low,
        "high": high if page.before is None else min(high, page.before),
        "state": state,
        "limit": page.limit,
    }
    if webhook_id is not None:
        bindings |= {"webhook_id": webhook_id, "application_id": application_id}
        return rows.many(connection, "list_jobs_of_webhook", _job, bindings)
    if application_id is not None:
        bindings["application_id"] = application_id
        return rows.many(connection, "list_jobs_of_application", _job, bindings)
    return rows.many(connection, "list_jobs", _job, bindings)


def look_at_jobs(connection: apsw.Connection, after: int, limit: int, untried_max: int) -> list[JobLook]:
    """See `Jobs.look_at_jobs`."""
    bindings = {"after": after, "limit": limit, "untried_max": untried_max}
    return rows.many(connection, "look_at_jobs", _look, bindings)


def _look(row: rows.Values) -> JobLook:
    ident, webhook_id, state, has_unfed, feeds_at, status, is_swept, untried, has_waiting, has_pending = row
    return JobLook(
        id=ident,
        webhook_id=webhook_id,
        state=JobState(state),
        has_unfed=bool(has_unfed),
        untried=untried,
        has_waiting=bool(has_waiting),
        has_pending=bool(has_pending),
        feeds_at=int(feeds_at),
        is_webhook_gone=status in (None, WebhookStatus.DELETED),
        is_webhook_on=status in (WebhookStatus.ACTIVE, WebhookStatus.CATCHING_UP) and not is_swept,
    )


def _job(row: rows.Values) -> Job:
    return Job(
        id=row[0],
        application_id=row[1],
        application=row[2],
        profile=row[3],
        webhook_id=row[4],
        kind=JobKind(row[5]),
        state=JobState(row[6]),
        input=msgspec.json.decode(row[7]),
        rate=row[8],
        total=row[9],
        unfed=row[10],
        succeeded=row[11],
        failed=row[12],
        skipped=row[13],
        problem=row[14],
        created_at=row[15],
        started_at=row[16],
        finished_at=row[17],
    )


# --- starting


def create_job(connection: apsw.Connection, new: NewJob, running_max: int, queued_max: int) -> Job:
    """See `Jobs.create_job`."""
    if changeable(connection, new.application_id) is None:
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
    _INSERT_PARTS.run(connection, _parts(new.id, new.event_ids))
    return _known(connection, new.id)


def _count(connection: apsw.Connection, application_id: int, state: JobState) -> int:
    count = rows.value(connection, "count_jobs", (application_id, state))
    assert isinstance(count, int)
    return count


def _known(connection: apsw.Connection, job_id: int) -> Job:
    job = read_job(connection, job_id)
    assert job is not None, "it was written in this transaction"
    return job


def _parts(job_id: int, event_ids: Sequence[int]) -> list[Any]:
    values: list[Any] = []
    for number, start in enumerate(range(0, len(event_ids), PART_EVENTS)):
        values += (job_id, number, _pack(event_ids[start : start + PART_EVENTS]))
    return values


def _pack(event_ids: Sequence[int]) -> bytes:
    return struct.pack(f">{len(event_ids)}q", *event_ids)


def _unpack(packed: bytes) -> list[int]:
    return list(struct.unpack(f">{len(packed) // _ID_BYTES}q", packed))


# --- turning


def advance_job(
    connection: apsw.Connection, ids: IdMaker, job_id: int, now_ms: int, chunk: int, untried_max: int
) -> JobTurn:
    """See `Jobs.advance_job`."""
    row = rows.first_row(connection, "read_job_frame", (job_id,))
    frame = None if row is None else _Frame(*row)
    if frame is None or frame.state == JobState.QUEUED:
        return JobTurn()
    if frame.state == JobState.RUNNING:
        if not frame.is_webhook_gone:
            return _run(connection, ids, job_id, frame, now_ms, chunk, untried_max)
        _end(connection, job_id, frame.application_id, JobState.FAILED, now_ms, _ENDED_WITH_WEBHOOK)
        return _close(connection, job_id, frame.webhook_id, JobState.FAILED, now_ms, chunk)
    return _close(connection, job_id, frame.webhook_id, JobState(frame.state), now_ms, chunk)


def _run(
    connection: apsw.Connection,
    ids: IdMaker,
    job_id: int,
    frame: _Frame,
    now_ms: int,
    chunk: int,
    untried_max: int,
) -> JobTurn:
    if not frame.unfed:
        if rows.value(connection, "has_pending_of_job", (job_id,)):
            return JobTurn()
        rows.run(connection, "finish_job", {"id": job_id, "state": JobState.SUCCEEDED, "now": now_ms})
        _start_next(connection, frame.application_id, now_ms)
        return JobTurn(is_finished=True)
    if not frame.is_webhook_on or frame.feeds_at > now_ms:
        return JobTurn()
    room = untried_max - rows.value(connection, "count_untried", (job_id, untried_max))
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


def _take(connection: apsw.Connection, job_id: int, most: int) -> list[int]:
    """The next events off the job's list."""
    number, packed = rows.first_row(connection, "read_job_part", (job_id,))
    event_ids = _unpack(packed)
    if len(event_ids) <= most:
        rows.run(connection, "delete_job_part", (job_id, number))
        return event_ids
    rows.run(connection, "update_job_part", (job_id, number, _pack(event_ids[most:])))
    return event_ids[:most]


def _feed(
    connection: apsw.Connection, ids: IdMaker, job_id: int, frame: _Frame, event_ids: list[int], now_ms: int
) -> int:
    """Deliveries of those events that still fit; how many."""
    bindings = {"webhook_id": frame.webhook_id, "event_ids": rows.id_list(event_ids)}
    newest = _newest_decoder.decode(rows.value(connection, "find_newest_states", bindings))
    fitting = [(event_id, run) for event_id, is_there, run, state in newest if is_there and _fits(frame, state)]
    is_fifo = frame.order == Order.FIFO
    values: list[Any] = []
    for ident, (event_id, run) in zip(ids.make_many(len(fitting)), fitting, strict=True):
        values += (
            ident,
            frame.application_id,
            frame.webhook_id,
            event_id,
            (run or 0) + 1,
            is_fifo,
            Cause.REPLAY,
            now_ms,
            job_id,
        )
    _INSERT_REPLAYS.run(connection, values)
    return len(fitting)


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


def cancel_job(connection: apsw.Connection, job_id: int, now_ms: int, chunk: int) -> Job | None:
    """See `Jobs.cancel_job`."""
    job = read_job(connection, job_id)
    if job is None or job.state is JobState.CANCELLED:
        return job
    changeable(connection, job.application_id)
    if job.state not in (JobState.QUEUED, JobState.RUNNING):
        raise StateForbidden(f"The job has {job.state.word} already.", allowed=[])
    _end(connection, job_id, job.application_id, JobState.CANCELLED, now_ms, was_running=job.state is JobState.RUNNING)
    rows.run(connection, "mark_job_cancelled", (job_id,))
    _close(connection, job_id, job.webhook_id, JobState.CANCELLED, now_ms, chunk)
    return _known(connection, job_id)


def _end(
    connection: apsw.Connection,
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


def _start_next(connection: apsw.Connection, application_id: int, now_ms: int) -> None:
    rows.run(connection, "start_next_job", {"application_id": application_id, "now": now_ms})


def _close(
    connection: apsw.Connection, job_id: int, webhook_id: int, state: JobState, now_ms: int, chunk: int
) -> JobTurn:
    """Cancel what waits of a job that was ended; finish it when nothing is in flight any more."""
    reason = DeliveryReason.JOB_CANCELLED if state is JobState.CANCELLED else DeliveryReason.WEBHOOK_DELETED
    bindings = {"job_id": job_id, "reason": reason, "now": now_ms, "limit": chunk}
    heads = stalled_heads(connection, [webhook_id])
    cancelled = rows.run(connection, "cancel_deliveries_of_job", bindings)
    hand_on(connection, heads)
    is_finished = not rows.value(connection, "has_pending_of_job", (job_id,))
    if is_finished:
        rows.run(connection, "finish_job", {"id": job_id, "state": state, "now": now_ms})
    return JobTurn(cancelled=cancelled, is_finished=is_finished)


# --- retention


def drop_old_jobs(connection: apsw.Connection, finished_before: int, limit: int) -> int:
    """Drop jobs that were finished before then; how many."""
    return _drop(connection, rows.decode_ids(rows.value(connection, "find_old_jobs", (finished_before, limit))))


def drop_jobs_of(connection: apsw.Connection, application_id: int, limit: int) -> int:
    """Drop jobs of an application that is being erased; how many."""
    return _drop(connection, rows.decode_ids(rows.value(connection, "find_jobs_of", (application_id, limit))))


def _drop(connection: apsw.Connection, job_ids: list[int]) -> int:
    if not job_ids:
        return 0
    idents = rows.id_list(job_ids)
    rows.run(connection, "raise_highest_dropped", (max(job_ids),))
    rows.run(connection, "delete_parts_of_jobs", (idents,))
    return rows.run(connection, "delete_jobs", (idents,))
