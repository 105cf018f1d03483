"""From the inbox into intake: what a platform has published in SQL becomes events, in order for each application.

A turn looks whose events wait, holds some of these applications, and gives what waits for each to intake as one batch,
which takes the rows out in the transaction that keeps the events. Nodes that look at the same moment hold different
applications. What is refused for good is put aside with the reason, by what was in force after the call; what can't be
taken in just now stays, and its application is left alone for a while, by this node.
"""

import asyncio
import itertools
import operator
from collections import OrderedDict
from collections.abc import Callable, Container, Sequence

import msgspec
import structlog

from hookspan.clock import Clock
from hookspan.engine.duty import Duty
from hookspan.engine.index import Entry, Index
from hookspan.engine.intake import Intake
from hookspan.engine.options import EngineOptions
from hookspan.engine.request import Published
from hookspan.errors import HookspanError, NotFound, UnknownProfile
from hookspan.store.contract import ApplicationFrozen, DataRefused, Store
from hookspan.store.inbox import InboxRefusal, InboxRow
from hookspan.telemetry import Counters

REST_S = 1.0  # where an application's events could not be taken in; doubled each time where that is its own trouble
REST_S_MAX = 10.0
TEXT_CHARACTERS_MAX = 2_000  # of a refusal's sentence, and of its pointer
_TELL_INTERVAL_S = 60.0  # between two lines about refusals of one code for one application
_OFF_S = 60.0  # between turns where there is no inbox

log = structlog.get_logger()


class _Rest(msgspec.Struct):
    """An application that is left alone until `until_s`."""

    tries: int
    until_s: float


class _Batch(msgspec.Struct):
    """What was drawn for one application, and what has become of it."""

    application: str
    rows: Sequence[InboxRow]
    refusals: list[InboxRefusal]
    trouble: HookspanError | None = None  # why the rest of it stays


class InboxTaker(Duty):
    """Takes in what waits in the inbox."""

    name = "inbox"

    def __init__(
        self,
        store: Store,
        index: Index,
        intake: Intake,
        clock: Clock,
        options: EngineOptions,
        counters: Counters,
        own: Callable[[], int],
        left: Callable[[], Container[str]],
    ) -> None:
        """`own` is this node's number, `left` are the profiles that it leaves to others (see `RollOut`)."""
        super().__init__(clock)
        self._store = store
        self._index = index
        self._intake = intake
        self._options = options
        self._counters = counters
        self._own = own
        self._left = left
        self._after = ""  # the application that the last look ended with, where there were more
        self._is_fruitful = False  # since the looks began anew with the first application, one could be taken in
        self._resting: OrderedDict[str, _Rest] = OrderedDict()
        self._told: OrderedDict[tuple[str, str], float] = OrderedDict()  # when a refusal's line was written

    async def turn(self) -> float:
        if not self._store.has_inbox:
            return _OFF_S
        options = self._options
        began = self._after
        if not began:
            self._is_fruitful = False
        chosen = await self._choose()
        if not chosen:  # where all rest or are others', going round and round would find the same
            return 0 if self._after or (began and self._is_fruitful) else options.inbox_interval_s
        node = self._own()
        rows = await self._store.draw_inbox(
            node,
            chosen,
            each=options.inbox_each_max,
            limit=options.inbox_rows_max,
            bytes_max=options.inbox_bytes_max,
        )
        if rows and rows[-1].application < chosen[-1]:  # no more went into this look: the others come first in the next
            self._after = rows[-1].application
        grouped = itertools.groupby(rows, operator.attrgetter("application"))
        batches = [_Batch(application, list(group), []) for application, group in grouped]
        try:
            await self._take_in(batches)
        finally:
            refusals = [refusal for batch in batches for refusal in batch.refusals]
            await self._store.settle_inbox(node, chosen, refusals, self._clock.now_ms())
            self._count(batches)
        for batch in batches:
            self._rest(batch)
        done = [batch for batch in batches if batch.trouble is None]
        self._is_fruitful |= bool(done)
        is_full = len(rows) >= options.inbox_rows_max or any(
            len(batch.rows) >= options.inbox_each_max for batch in done
        )
        return 0 if self._after or (is_full and done) else options.inbox_interval_min_s

    # --- whose turn it is

    async def _choose(self) -> list[str]:
        """The next applications that nobody is at and that do not rest. Where there are more the next look goes on
        after them.
        """
        options = self._options
        found = await self._store.inbox_applications(self._own(), self._after, options.inbox_walked_max)
        now_s = self._clock.monotonic()
        free = [one.public_id for one in found if not one.is_held and not self._is_resting(one.public_id, now_s)]
        chosen = free[: options.inbox_applications_max]
        if len(free) > len(chosen):
            self._after = chosen[-1]
        elif len(found) >= options.inbox_walked_max:
            self._after = found[-1].public_id
        else:
            self._after = ""
        return chosen

    def _is_resting(self, application: str, now_s: float) -> bool:
        rest = self._resting.get(application)
        return rest is not None and now_s < rest.until_s

    def _rest(self, batch: _Batch) -> None:
        """Leave it alone for a while where it could not be taken in."""
        rest = self._resting.pop(batch.application, None)
        if batch.trouble is None:
            return
        # Deleted on the way, and forgotten by intake: the next look, at once, sees whether it was made anew.
        first = 0 if isinstance(batch.trouble, NotFound) else 1
        tries = first if rest is None else rest.tries + 1
        # It is being moved, or its profile is others'. Anything else is this node's trouble, or the store's.
        is_its_own = isinstance(batch.trouble, ApplicationFrozen | UnknownProfile)
        pause_s = min(REST_S_MAX, REST_S * 2 ** min(tries - 1, 10)) if is_its_own else REST_S * min(tries, 1)
        is_full = len(self._resting) >= self._options.inbox_resting_max
        self._resting[batch.application] = _Rest(tries, self._clock.monotonic() + pause_s)
        if is_full:
            self._resting.popitem(last=False)
        if tries == 1 and not is_full:  # else those that were forgotten would be told of in every round
            error = batch.trouble
            log.warning(
                "published events wait in the inbox",
                application=batch.application,
                code=error.code,
                detail=error.detail,
            )

    # --- taking in

    async def _take_in(self, batches: list[_Batch]) -> None:
        """All of them share commits."""
        await self._follow(batches)
        begun = [(batch, await self._begin(batch)) for batch in batches]
        for batch, answer in begun:
            if answer is not None:
                await self._end(batch, answer)
        for batch in batches:
            if isinstance(batch.trouble, DataRefused):
                await self._one_by_one(batch)

    async def _follow(self, batches: list[_Batch]) -> None:
        """See what another node has changed of these applications: each row was drawn before, so that it is read, and
        perhaps refused for good, by nothing that is older than its call.
        """
        entries = [self._index.known(batch.application) for batch in batches]
        known = {entry.application.id: entry.version for entry in entries if entry is not None}
        versions = await self._store.versions_of(list(known)) if known else {}
        for ident, version in known.items():
            if versions.get(ident) != version:
                await self._index.refresh(ident)

    async def _begin(self, batch: _Batch) -> "asyncio.Future[list[Published | HookspanError]] | None":
        """Give it to intake. None: it stays, or is refused."""
        entry = await self._entry_of(batch)
        if entry is None:
            return None
        try:
            return self._intake.take_in(entry, batch.rows)
        except HookspanError as error:  # no room
            batch.trouble = error
            return None

    async def _entry_of(self, batch: _Batch) -> Entry | None:
        try:
            entry = self._index.known(batch.application) or await self._index.find(batch.application)
        except NotFound:
            batch.refusals += [_unknown(row) for row in batch.rows]
        except HookspanError as error:
            batch.trouble = error
        else:
            name = entry.application.profile
            if name not in self._left():
                return entry
            batch.trouble = UnknownProfile(
                f"Another content of the profile {name!r} is in force: this is left to the nodes that have it."
            )
        return None

    async def _end(self, batch: _Batch, answer: "asyncio.Future[list[Published | HookspanError]]") -> None:
        try:
            outcomes = await answer
        except HookspanError as error:  # also where it was deleted meanwhile: it may have been made anew
            batch.trouble = error
        else:
            refused = zip(batch.rows, outcomes, strict=True)
            batch.refusals += [_refusal(row, one) for row, one in refused if isinstance(one, HookspanError)]

    async def _one_by_one(self, batch: _Batch) -> None:
        """The database refuses something in it: which row it is, is found by trying each, in order."""
        entry = await self._entry_of(batch)
        if entry is None:
            return
        rows, batch.rows = batch.rows, ()
        batch.trouble = None
        for row in rows:
            one = _Batch(batch.application, [row], [])
            try:
                await self._end(one, self._intake.take_in(entry, one.rows))
            except HookspanError as error:  # no room
                one.trouble = error
            if isinstance(one.trouble, DataRefused):
                one.refusals.append(_refusal(row, one.trouble))
            elif one.trouble is not None:
                batch.trouble = one.trouble
                return
            batch.refusals += one.refusals

    # --- telling

    def _count(self, batches: list[_Batch]) -> None:
        """A metric counts each; a line tells the first of an application and code, at most once in a while."""
        counted = self._counters.inbox_refused_by_code
        for batch in batches:
            for refusal in batch.refusals:
                counted[refusal.code] = counted.get(refusal.code, 0) + 1
                if self._is_worth_a_line(batch.application, refusal.code):
                    log.warning(
                        "an event of the inbox was refused; see hookspan db inbox",
                        application=batch.application,
                        row=refusal.row_id,
                        code=refusal.code,
                        detail=refusal.detail,
                    )

    def _is_worth_a_line(self, application: str, code: str) -> bool:
        now_s = self._clock.monotonic()
        told_s = self._told.pop((application, code), None)
        is_new = told_s is None or now_s - told_s >= _TELL_INTERVAL_S
        self._told[application, code] = now_s if told_s is None or is_new else told_s
        if len(self._told) > self._options.inbox_resting_max:
            self._told.popitem(last=False)
        return is_new


def _refusal(row: InboxRow, error: HookspanError) -> InboxRefusal:
    pointer = _kept(error.errors[0].pointer) if error.errors else None
    return InboxRefusal(row.id, error.code, _kept(error.detail), pointer)


def _kept(text: str) -> str:
    """As it can be kept: a refusal may repeat names of the content, which hold whatever JSON can say."""
    return text[:TEXT_CHARACTERS_MAX].replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _unknown(row: InboxRow) -> InboxRefusal:
    return InboxRefusal(row.id, NotFound.code, f"There is no application {row.application!r} here.", None)
