"""Notices of an application: where they go, whether they arrive, and the newest with what came of them."""

from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.dashboard._form import NO_ERRORS, FieldErrors, Form, convert
from hookspan.dashboard._render import Pages, go
from hookspan.dashboard._visit import Entered, Filled, Visit
from hookspan.errors import HookspanError, NotAllowed
from hookspan.manage import views
from hookspan.manage.inputs import ChangeApplication

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]


class NoticePages(Controller):
    """…/notices"""

    path = "/notices"

    @get("/")
    async def show(self, visit: Entered, request: Asked, pages: ThePages) -> Response[str]:
        """The newest 20."""
        return await _page(visit, request, pages, None, None, None)

    @post("/")
    async def save(self, visit: Entered, request: Asked, pages: ThePages, form: Filled) -> Response[Any]:
        """Somewhere else, or nowhere."""
        room = await visit.room()
        given = {"notify": form.text("notify").strip() or None}
        try:
            await visit.desk.applications.change(room.id, convert(given, ChangeApplication))
        except NotAllowed:
            raise
        except HookspanError as error:
            return await _page(visit, request, pages, form, error, None)
        return go(room.to("notices", done="saved"))

    @post("/test")
    async def test(self, visit: Entered, request: Asked, pages: ThePages) -> Response[str]:
        """One notice now; what came back is on this page, and nothing follows from it."""
        room = await visit.room()
        try:
            outcome = await visit.desk.notices.test(room.id)
        except NotAllowed:
            raise
        except HookspanError as error:
            return await _page(visit, request, pages, None, error, None)
        return await _page(visit, request, pages, None, None, outcome)

    @get("/test")
    async def test_again(self, visit: Entered) -> Response[bytes]:
        """A reload of the answer leads back."""
        return go((await visit.room()).to("notices"))


async def _page(
    visit: Visit,
    request: Asked,
    pages: Pages,
    form: Form | None,
    error: HookspanError | None,
    outcome: views.NotifyTest | None,
) -> Response[str]:
    room = await visit.room()
    notify = await visit.desk.notices.get(room.id)
    return pages.page(
        "notices.html",
        request,
        status=200 if error is None else error.status,
        notify=notify,
        form=form or Form([("notify", notify.url or "")]),
        errors=NO_ERRORS if error is None else FieldErrors(error, {"/notify": "notify"}),
        outcome=outcome,
    )
