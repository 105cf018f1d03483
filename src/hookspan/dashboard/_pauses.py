"""Pauses: what the operator has stopped sending of, a form to begin one, a button to let it go on."""

from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.dashboard._deliveries import paging_of
from hookspan.dashboard._form import NO_ERRORS, FieldErrors, Form, convert
from hookspan.dashboard._render import Pages, go
from hookspan.dashboard._visit import Entered, Filled, Part, Visit, below
from hookspan.domain.pause import REASON_CHARS_MAX
from hookspan.errors import HookspanError, NotAllowed, NotFound
from hookspan.manage.inputs import CreatePause
from hookspan.manage.views import PauseList

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]
_MEMBERS: Final = {"profile": "profile", "application": "application_id"}  # what goes with a scope
_FIELDS: Final = {f"/{name}": name for name in ("scope", "profile", "application_id", "reason")}


class PausePages(Controller):
    """/dashboard/pauses"""

    path = "/pauses"

    @get("/")
    async def show_all(self, visit: Entered, request: Asked, pages: ThePages) -> Response[Any]:
        """Those in force; who has one application only is told of them on every page of it."""
        if visit.caller.application is not None:
            return go(visit.root_of(visit.caller.application))
        found = await visit.desk.pauses.page(paging_of(visit, request))
        return pages.page("pauses.html", request, found=found, names=await _names(visit, found))

    @get("/new")
    async def new(self, visit: Entered, request: Asked, pages: ThePages) -> Response[str]:
        """A new one's form; of the application that the address names."""
        application = request.query_params.get("application", "")
        fields = [("scope", "application"), ("application_id", application)] if application else []
        return _form_page(visit, request, pages, Form(fields), None)

    @post("/")
    async def create(self, visit: Entered, request: Asked, pages: ThePages, form: Filled) -> Response[Any]:
        """Nothing of it is sent from now on. Fields of another scope than the chosen one count for nothing."""
        scope = form.text("scope")
        members: dict[str, Any] = {"scope": scope, "reason": form.text("reason").strip()}
        if scope in _MEMBERS:
            members[_MEMBERS[scope]] = form.text(_MEMBERS[scope]).strip() or None
        try:
            _, is_new = await visit.desk.pauses.create(convert(members, CreatePause))
        except NotAllowed:
            raise
        except HookspanError as error:
            return _form_page(visit, request, pages, form, error)
        return go(below(visit.home, "pauses", done="paused" if is_new else "paused-already"))

    @post("/{pause_id:str}/resume")
    async def resume(self, visit: Entered, pause_id: Part) -> Response[bytes]:
        """What has waited leaves."""
        await visit.desk.pauses.end(pause_id)
        return go(below(visit.home, "pauses", done="resumed"))


async def _names(visit: Visit, found: PauseList) -> dict[str, str]:
    """Of the applications of a page, by id."""
    names: dict[str, str] = {}
    for one in found.data:
        if one.application_id is not None:
            try:
                names[one.application_id] = (await visit.desk.applications.get(one.application_id)).name
            except NotFound:
                continue  # deleted meanwhile
    return names


def _form_page(visit: Visit, request: Asked, pages: Pages, form: Form, error: HookspanError | None) -> Response[str]:
    if not visit.at_large.operates:
        raise NotAllowed("Only the operator's admins pause and resume sending.")
    return pages.page(
        "pause_new.html",
        request,
        status=200 if error is None else error.status,
        form=form,
        errors=NO_ERRORS if error is None else FieldErrors(error, _FIELDS),
        profiles=visit.desk.profiles.loaded().data,
        reason_chars_max=REASON_CHARS_MAX,
    )
