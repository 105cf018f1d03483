"""The live tail: attempts as they happen, of all applications or of one. Without script a page of the newest."""

from typing import Any, Final

from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.types import ASGIApp

from hookspan.dashboard._advice import in_words
from hookspan.dashboard._entry import Door
from hookspan.dashboard._form import convert
from hookspan.dashboard._render import Pages, go
from hookspan.dashboard._stream import TailStream
from hookspan.dashboard._visit import Entered, Visit, below
from hookspan.manage import Manage
from hookspan.manage.inputs import LIMIT_MAX, Paging
from hookspan.manage.tail import TailQuery, TailTurn

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]
TheDoor = SkipValidation[NamedDependency[Door]]
Management = SkipValidation[NamedDependency[Manage]]
_FILTERS: Final = ("webhook", "outcome", "type")
_LAST: Final = "last-event-id"


class AllTailPages(Controller):
    """/dashboard/tail"""

    path = "/tail"

    @get("/")
    async def show(self, visit: Entered, request: Asked, pages: ThePages) -> Response[Any]:
        """Of all applications; who has one only sees it there."""
        if visit.caller.application is not None:
            return go(below(visit.root_of(visit.caller.application), "tail"))
        return await _page(visit, request, pages)

    @get("/stream")
    async def stream(
        self, visit: Entered, request: Asked, pages: ThePages, door: TheDoor, management: Management
    ) -> ASGIApp:
        """What is new, turn by turn."""
        return await _stream(visit, request, pages, door, management)


class TailPages(Controller):
    """…/tail"""

    path = "/tail"

    @get("/")
    async def show(self, visit: Entered, request: Asked, pages: ThePages) -> Response[str]:
        """The newest attempts."""
        await visit.room()
        return await _page(visit, request, pages)

    @get("/stream")
    async def stream(
        self, visit: Entered, request: Asked, pages: ThePages, door: TheDoor, management: Management
    ) -> ASGIApp:
        """What is new, turn by turn."""
        await visit.room()
        return await _stream(visit, request, pages, door, management)


def _asked(request: Asked) -> dict[str, str]:
    return {name: request.query_params.get(name, "").strip() for name in _FILTERS}


def _query(asked: dict[str, str]) -> TailQuery:
    """Raises InvalidRequest."""
    return convert({name: value for name, value in asked.items() if value}, TailQuery)


async def _page(visit: Visit, request: Asked, pages: Pages) -> Response[str]:
    asked = _asked(request)
    room = visit.known_room
    turn = await visit.desk.tail.page(visit.application, _query(asked))
    here = below(visit.home, "tail") if room is None else room.to("tail")
    webhooks = [] if room is None else (await visit.desk.webhooks.page(room.id, Paging(limit=LIMIT_MAX))).data
    types = [] if room is None else [one.type for one in visit.desk.profiles.events(room.profile.name).data]
    return pages.page(
        "tail.html",
        request,
        turn=turn,
        asked=asked,
        here=here,
        stream=below(f"{here}/stream", **asked, after=turn.last or ""),
        webhooks=webhooks,
        types=types,
        in_words=in_words,
    )


async def _stream(visit: Visit, request: Asked, pages: Pages, door: Door, management: Manage) -> ASGIApp:
    after = request.headers.get(_LAST) or request.query_params.get("after")
    watch = await visit.desk.tail.watch(visit.application, _query(_asked(request)), after)
    caller = visit.caller

    def render(turn: TailTurn) -> str:
        return pages.render("tail_rows.html", request, lines=turn.lines, in_words=in_words)

    async def is_in() -> bool:
        """The same person with the same rights."""
        now = await door.caller(request, visit.token, "portal" if visit.is_portal else "person")
        return now is not None and (now.session, now.role, now.application) == (
            caller.session,
            caller.role,
            caller.application,
        )

    stream: Any = TailStream(
        management.tails, (caller.session or caller.name, caller.application), watch, render, is_in
    )
    app: ASGIApp = stream
    return app
