"""The newest attempts, of all applications or of one, as they happen.

The store is asked again and again, so that attempts of other nodes of one database are seen too. An attempt is kept
somewhat after its id was made (its batch waits for a commit), and nodes' clocks differ: every turn reads the last
OVERLAP_MS anew and leaves out what it has told already.
"""

from typing import Final, Literal

import msgspec

from hookspan.domain.states import VerdictKind
from hookspan.domain.times import to_text as time_text
from hookspan.ids import ATTEMPT_PREFIX, DELIVERY_PREFIX, first_id_at, from_text, made_at_ms, to_text
from hookspan.manage._ground import Ground
from hookspan.manage._rights import Right
from hookspan.manage.watching import LOOK_MAX, Place
from hookspan.store.contract import AttemptLine

LINES_MAX: Final = 100  # that one turn tells; of more the newest
PAGE_LENGTH: Final = 50
OVERLAP_MS: Final = 15_000
BACK_MS: Final = 600_000  # how far a viewer that was away may go back
NAME_CHARS_MAX: Final = 200  # of names, which stand on every line and may be long; a URL has an end by itself


class TailQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which attempts."""

    webhook: str | None = None
    outcome: Literal["failed"] | None = None
    type: str | None = None


class TailLine(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt; ids are texts and sort as the attempts do. Names are cut at NAME_CHARS_MAX. `type` and `delivery_id`
    are None for a test.
    """

    id: str
    application_id: str
    application_name: str
    webhook_id: str
    webhook_name: str | None
    webhook_url: str
    delivery_id: str | None
    type: str | None
    number: int
    started_at: str
    duration_ms: float
    verdict: str
    error: str | None
    error_message: str | None
    response_status: int | None


class TailTurn(msgspec.Struct, frozen=True, kw_only=True):
    """What is new, newest first. `left_out` were new too, and `is_cut`: there were more than can be looked at. `last`
    is the newest that was looked at, whether it passed the filters or not.
    """

    lines: list[TailLine]
    left_out: int
    is_cut: bool
    last: str | None


class Watch:
    """One viewer's place in what happens. `Tail.watch` makes it."""

    def __init__(self, ground: Ground, place: Place, query: TailQuery, after: str | None) -> None:
        self._ground = ground
        self._place = place
        self._query = query
        now_ms = ground.clock.now_ms()
        self._after_id = (from_text(ATTEMPT_PREFIX, after) if after else None) or first_id_at(now_ms)
        self._read_ms = min(max(made_at_ms(self._after_id), now_ms - BACK_MS), now_ms)
        self._told: set[int] = set()
        self._is_first = True

    async def turn(self) -> TailTurn:
        """What has come since the last one; at first also what a page may have, for the end of it may have come late.
        Raises StoreUnavailable, Overloaded.
        """
        ground = self._ground
        now_ms = ground.clock.now_ms()
        low = first_id_at(min(self._read_ms, now_ms) - OVERLAP_MS)
        found = await ground.tails.lines(ground.store, self._place, low)
        new = [one for one in found if one.id not in self._told]
        # Full, and nothing at its end that was told before: what lies between was not looked at.
        is_cut = len(found) >= LOOK_MAX and (
            found[-1].id > self._after_id if self._is_first else found[-1].id not in self._told
        )
        passing = [one for one in new if _passes(one, self._query)]
        left_out = [one for one in passing[LINES_MAX:] if not self._is_first or one.id > self._after_id]
        self._told = {one.id for one in found}  # what was below them is not among the newest any more
        self._read_ms, self._is_first = now_ms, False
        return TailTurn(
            lines=[_shown(ground, one) for one in passing[:LINES_MAX]],
            left_out=len(left_out),
            is_cut=is_cut,
            last=to_text(ATTEMPT_PREFIX, found[0].id) if found else None,
        )


class Tail:
    """See the module."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def page(self, application_id: str | None, query: TailQuery) -> TailTurn:
        """The newest PAGE_LENGTH that pass, of the newest LOOK_MAX (`is_cut` where there are more)."""
        ground = self._ground
        place = await self._place(application_id, query)
        found = await ground.store.attempt_lines(0, LOOK_MAX, application_id=place[0], webhook_id=place[1])
        passing = [one for one in found if _passes(one, query)]
        return TailTurn(
            lines=[_shown(ground, one) for one in passing[:PAGE_LENGTH]],
            left_out=max(0, len(passing) - PAGE_LENGTH),
            is_cut=len(found) >= LOOK_MAX,
            last=to_text(ATTEMPT_PREFIX, found[0].id) if found else None,
        )

    async def watch(self, application_id: str | None, query: TailQuery, after: str | None) -> Watch:
        """From `after` on, an attempt's id; what is none means from now on. Raises NotFound, NotAllowed."""
        return Watch(self._ground, await self._place(application_id, query), query, after)

    async def _place(self, application_id: str | None, query: TailQuery) -> Place:
        ground = self._ground
        application_id = application_id or ground.caller.application
        if application_id is None:
            ground.require(Right.LOOK)
            return None, None
        application = await ground.application(application_id, Right.LOOK)
        if query.webhook is None:
            return application.id, None
        return application.id, (await ground.webhook(application, query.webhook)).id


def _passes(line: AttemptLine, query: TailQuery) -> bool:
    if query.outcome == "failed" and line.verdict is VerdictKind.SUCCEEDED:
        return False
    return query.type is None or query.type == line.type


def _shown(ground: Ground, line: AttemptLine) -> TailLine:
    return TailLine(
        id=to_text(ATTEMPT_PREFIX, line.id),
        application_id=line.application,
        application_name=_cut(line.application_name),
        webhook_id=to_text(ground.profiles.get(line.profile).webhook_prefix, line.webhook_id),
        webhook_name=None if line.webhook_name is None else _cut(line.webhook_name),
        webhook_url=line.webhook_url,
        delivery_id=None if line.delivery_id is None else to_text(DELIVERY_PREFIX, line.delivery_id),
        type=line.type,
        number=line.number,
        started_at=time_text(line.started_at),
        duration_ms=line.duration_us / 1000,
        verdict=line.verdict.word,
        error=line.error,
        error_message=line.error_message,
        response_status=line.response_status,
    )


def _cut(name: str) -> str:
    return name if len(name) <= NAME_CHARS_MAX else name[: NAME_CHARS_MAX - 1] + "\N{HORIZONTAL ELLIPSIS}"
