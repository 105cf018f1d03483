"""One application moved from one database to another, while nodes serve both and others of both go on.

At every moment one of them serves it, or none for a short time, never both:

1. All that there is much of is copied while the source serves, in passes, each bringing what has changed since the one
   before. The target does nothing with it: nothing is sent for a webhook that is not there.
2. The source freezes the application (`Store.freeze_application`) and lets what is in flight end.
3. Of one moment of the frozen source all is made equal and compared: large tables by parts, then the small ones and the
   application itself in one transaction of the target. With its commit the target serves.
4. The source takes the application out of reach, as if it were deleted, and retention clears away what it has left.

Each side has a note of the move. A run that was killed before the commit of 3 leaves the application frozen in the
source and unseen in the target: the next run goes on, or undoes it. After that commit the next run does what is left of
4. Where a run fails by itself it lets the source go on.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Literal

import msgspec
import psycopg

from hookspan.clock import SystemClock
from hookspan.domain.audit import AuditEntry
from hookspan.domain.caller import Role
from hookspan.errors import HookspanError, NotFound, StoreUnavailable
from hookspan.ids import IdMaker, own_slot
from hookspan.store.copying import Step
from hookspan.store.moving import BULK, FRAME, Moved, MoveLimits
from hookspan.store.postgres import _audit, _lowest
from hookspan.store.postgres import _rows as rows
from hookspan.store.postgres._applications import freeze_application, take_out
from hookspan.store.postgres._cell import Cell, Owned, Part, Range, differing
from hookspan.store.postgres._move_notes import Notes, check_sides
from hookspan.store.postgres._options import PostgresOptions

_SWEEP_CHUNK = PostgresOptions().sweep_chunk

Told = Callable[[Step], None]
_Brought = tuple[str, Range, int]  # of a table, and how many rows


class Move:
    """A move of the application `public_id` from `source` to `target`, which are open. `opens` tells whether a check
    value was sealed with the encryption key that both sides must have.
    """

    def __init__(
        self,
        source: Cell,
        target: Cell,
        public_id: str,
        opens: Callable[[bytes], bool],
        told: Told,
        limits: MoveLimits | None = None,
    ) -> None:
        self._source = source
        self._target = target
        self._public_id = public_id
        self._told = told
        self._limits = limits or MoveLimits()
        self._total = 0
        self._copied = 0
        self._brought: list[_Brought] = []  # by the last pass
        self._looked: dict[str, int] = {}  # rows of the source by large table, in the last pass
        self._pool: futures.Executor
        check_sides(source, target, opens)
        self._notes = Notes(source, target, public_id)

    # --- what is asked for

    def look(self) -> Moved:
        """What would be moved; nothing is written. Raises as `run` would."""
        application_id = self._find()
        self._notes.check_target(application_id)
        owned = self._owned(application_id)
        return Moved({table: self._source.count(table, owned) for table in (*BULK, *FRAME)})

    def run(self) -> Moved:
        """Move it, or go on with a move that was interrupted. Raises NotFound, StateForbidden, StoreUnavailable; then
        the source serves it as before, unless that can't be reached either: run it again.
        """
        with _in_words(), futures.ThreadPoolExecutor(max_workers=2, thread_name_prefix="move") as self._pool:
            return self._run()

    def _run(self) -> Moved:
        found = rows.first_row(self._source.connection, "find_leaving", (self._public_id,))
        if found is None:
            return self._tidy_up()
        application_id = int(found[0])
        self._notes.lock(application_id)
        self._notes.begin(application_id)
        owned = self._owned(application_id)
        if self._notes.has_arrived(application_id):
            return self._leave(owned, self._counts(owned), 0)
        self._total = sum(self._source.count(table, owned) for table in BULK)
        for _ in range(self._limits.passes_max):
            if self._pass(owned, "copying") <= self._limits.rows_left_max:
                break
        return self._switch(application_id)

    def undo(self) -> None:
        """Give up a move that was interrupted: the source goes on, and the target forgets what it has. Raises
        StateForbidden where it has arrived.
        """
        with _in_words():
            self._undo()

    def _undo(self) -> None:
        application_id = self._find()
        self._notes.lock(application_id)
        self._notes.check_undoable(application_id)
        owned = self._owned(application_id)
        self._thaw(application_id)
        for table in reversed(BULK):
            for day in self._target.days(table):
                self._target.drop(table, owned, Range(day.low, day.high))
        self._notes.forget_arriving(application_id)

    # --- beginning

    def _find(self) -> int:
        found = rows.first_row(self._source.connection, "find_leaving", (self._public_id,))
        if found is None:
            raise self._not_there()
        return int(found[0])

    def _not_there(self) -> NotFound:
        return NotFound(f"There is no application {self._public_id!r} in {self._source.where}.")

    def _owned(self, application_id: int) -> Owned:
        found = rows.many(self._source.connection, "list_all_webhooks_of", lambda row: int(row[0]), (application_id,))
        return Owned(application_id, tuple(found))

    # --- copying

    def _pass(self, owned: Owned, phase: Literal["copying", "comparing"]) -> int:
        """One look through all large tables, bringing what differs; how many rows those parts have. Whole rows are
        hashed while the source serves; then only those that can change, so that the application is soon served again.
        """
        looked = 0
        self._brought = []
        self._looked = dict.fromkeys(BULK, 0)
        for table in BULK:
            for day in self._source.days(table):
                within = Range(day.low, day.high)
                theirs, ours = self._both(table, owned, within, by_ids=phase == "comparing")
                if ours != theirs:
                    self._target.make_day(day.low)
                done = looked
                for found, count in differing(theirs, ours, within, self._limits.chunk_rows):
                    self._target.bring(self._source, table, owned, found)
                    self._brought.append((table, found, count))
                    done += count
                    self._told(Step(phase, table, min(done, self._total), self._total))
                count = sum(part.count for part in theirs.values())
                looked += count
                self._looked[table] += count
                self._told(Step(phase, table, min(looked, self._total), self._total))
        brought = sum(count for _, _, count in self._brought)
        self._copied += brought
        return len(self._brought) if phase == "comparing" else brought

    def _both(
        self, table: str, owned: Owned, within: Range, *, by_ids: bool
    ) -> tuple[dict[int, Part], dict[int, Part]]:
        """The parts of the source and of the target, which look at the same time."""
        looks = [
            self._pool.submit(cell.parts, table, owned, within, by_ids=by_ids) for cell in (self._source, self._target)
        ]
        futures.wait(looks)  # a connection is one look's own until that is over
        return looks[0].result(), looks[1].result()

    def _prove(self, owned: Owned, brought: list[_Brought]) -> None:
        """What was brought is there, by whole rows."""
        for table, within, _ in brought:
            theirs, ours = self._both(table, owned, within, by_ids=False)
            if theirs != ours:
                raise StoreUnavailable(
                    f"The table {table} is not the same on both sides, though it was just copied. Nothing was moved; "
                    "run the same command again."
                )

    # --- from one to the other

    def _switch(self, application_id: int) -> Moved:
        began_s = time.monotonic()
        try:
            self._freeze(application_id)
            owned = self._owned(application_id)
            self._drain(owned)
            counts = self._equal(owned)
        except BaseException:
            self._let_go(application_id)
            raise
        return self._leave(owned, counts, int((time.monotonic() - began_s) * 1000))

    def _freeze(self, application_id: int) -> None:
        """From here on nobody takes in, claims or changes; what has begun before is waited for."""
        self._told(Step("freezing", "application", self._total, self._total))
        connection = self._source.connection
        with connection.transaction():
            if not freeze_application(connection, application_id, _now_ms()):
                raise self._not_there()
        with connection.transaction():
            rows.many(connection, "lock_nodes", tuple)

    def _drain(self, owned: Owned) -> None:
        """What nodes hold comes back or ends."""
        limits = self._limits
        end_s = time.monotonic() + limits.drain_time_max_s
        while held := rows.value(self._source.connection, "count_claimed_of", (list(owned.webhook_ids),)):
            self._told(Step("draining", "delivery", self._total, self._total))
            if time.monotonic() > end_s:
                raise StoreUnavailable(
                    f"{held} deliveries of {self._public_id} are still in flight after {limits.drain_time_max_s:.0f} "
                    "s: nodes of the source stand still, or are of a version before this. Nothing was moved, and the "
                    "source goes on."
                )
            time.sleep(limits.drain_interval_s)

    def _equal(self, owned: Owned) -> dict[str, int]:
        """All of one moment of the source, and with the last commit it is the target that serves."""
        source, target = self._source.connection, self._target.connection
        source.execute("begin isolation level repeatable read read only")
        try:
            unproven = self._brought
            for _ in range(self._limits.final_looks_max):
                if not self._pass(owned, "comparing"):
                    break
                unproven += self._brought
            else:
                raise StoreUnavailable(
                    "The two sides do not become the same: retention may be dropping old events in one of them. "
                    "Nothing was moved; try again later."
                )
            self._prove(owned, unproven)
            self._told(Step("arriving", "application", self._total, self._total))
            with target.transaction():
                counts = {table: self._target.bring_whole(self._source, table, owned) for table in FRAME}
                lowest = rows.value(target, "find_lowest_pending_of", (list(owned.webhook_ids),))
                if lowest is not None:
                    _lowest.lower(target, lowest)
                self._keep_pauses(owned.application_id)
                self._keep(self._target, owned.application_id)
                self._notes.arrive(owned.application_id)
        finally:
            if not source.closed:
                source.execute("rollback")
        return self._looked | counts

    def _leave(self, owned: Owned, counts: dict[str, int], frozen_ms: int) -> Moved:
        """The target serves it: the source forgets it, and both the move."""
        self._told(Step("arrived", "application", self._total, self._total))
        connection = self._source.connection
        with connection.transaction():
            rows.first_row(connection, "lock_application", (owned.application_id,))
            take_out(connection, owned.application_id, _now_ms(), _SWEEP_CHUNK)
            self._keep(self._source, 0)
            self._notes.forget_leaving(owned.application_id)
        self._told(Step("left", "application", self._total, self._total))
        self._notes.forget_arriving(owned.application_id)
        return Moved(counts, self._copied, frozen_ms)

    def _tidy_up(self) -> Moved:
        """The source has no such application: perhaps all but the last note was done."""
        found = rows.first_row(self._target.connection, "find_leaving", (self._public_id,))
        if found is None or not self._notes.has_arrived(int(found[0])):
            raise self._not_there()
        self._notes.forget_arriving(int(found[0]))
        return Moved(self._counts(Owned(int(found[0]), ())))

    def _counts(self, owned: Owned) -> dict[str, int]:
        """Of the target, where it has arrived."""
        ours = rows.many(
            self._target.connection, "list_all_webhooks_of", lambda row: int(row[0]), (owned.application_id,)
        )
        owned = Owned(owned.application_id, tuple(ours))
        return {table: self._target.count(table, owned) for table in (*BULK, *FRAME)}

    def _keep(self, cell: Cell, chain: int) -> None:
        """A line of the audit log: the application's own chain goes on in the target, and only there."""
        number = cell.cell
        assert number is not None, "both sides were checked"
        _audit.keep(cell.connection, self._entry("application.moved", chain), IdMaker(SystemClock(), own_slot(number)))

    def _keep_pauses(self, application_id: int) -> None:
        """What it was under in the source with others (of everything, of its profile) it is under in the target alone:
        nothing is sent that was not to be, and what had waited is not taken to have been tried. Its own came along.
        """
        number = self._target.cell
        assert number is not None, "both sides were checked"
        ids = IdMaker(SystemClock(), own_slot(number))
        bindings = {"application_id": application_id}
        for one in rows.many(self._source.connection, "list_wide_pauses", rows.pause, bindings):
            taken = msgspec.structs.asdict(one) | {"id": ids.make(), "application_id": application_id}
            rows.run(self._target.connection, "insert_moved_pause", taken)

    def _entry(self, action: str, chain: int) -> AuditEntry:
        return AuditEntry(
            at=_now_ms(),
            application_id=chain,
            application=self._public_id,
            actor_kind="system",
            actor_id=None,
            actor_name="hookspan db move-application",
            role=Role.ADMIN,
            action=action,
            object_kind="application",
            object_id=self._public_id,
            address=None,
            request_id=None,
            detail={"cell": {"from": self._source.cell, "to": self._target.cell}},
        )

    # --- giving up

    def _let_go(self, application_id: int) -> None:
        """Something failed: the source goes on, unless the target may have it already."""
        try:
            if not self._notes.has_arrived(application_id):
                connection = self._source.connection
                with connection.transaction():
                    freeze_application(connection, application_id, None)
        except (psycopg.Error, HookspanError):
            return  # in doubt, so it stays frozen: the next run finds out

    def _thaw(self, application_id: int) -> None:
        connection = self._source.connection
        with connection.transaction():
            freeze_application(connection, application_id, None)
            self._notes.forget_leaving(application_id)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        text = " ".join(str(error).split())[:200]
        raise StoreUnavailable(
            f"A database ended the move ({type(error).__name__}: {text}). Run the same command again: it goes on, or "
            "with --undo gives the move up."
        ) from error
