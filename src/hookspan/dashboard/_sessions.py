"""Who is signed in: one's own sessions, and an admin those within reach; each can be ended."""

from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.dashboard._deliveries import paging_of
from hookspan.dashboard._render import Pages, go
from hookspan.dashboard._visit import Entered, Part, below

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]


class SessionPages(Controller):
    """/dashboard/sessions"""

    path = "/sessions"

    @get("/")
    async def show_all(self, visit: Entered, request: Asked, pages: ThePages) -> Response[str]:
        """Newest first."""
        found = await visit.desk.sessions.page(paging_of(visit, request))
        return pages.page("sessions.html", request, found=found)

    @post("/{session_id:str}/end")
    async def end(self, visit: Entered, session_id: Part) -> Response[bytes]:
        """From the next request on nobody comes in by it."""
        await visit.desk.sessions.end(session_id)
        return go(below(visit.home, "sessions", done="ended"))
