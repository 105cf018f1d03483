"""Beyond one application: the overview, the list of applications, the one search field."""

from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.dashboard._form import NO_ERRORS, FieldErrors, Form, convert
from hookspan.dashboard._render import Pages, go
from hookspan.dashboard._statistics import SPAN, numbers_and_charts
from hookspan.dashboard._visit import Entered, Filled, Visit, below
from hookspan.errors import HookspanError, NotAllowed
from hookspan.manage.finding import Found
from hookspan.manage.inputs import CreateApplication, Paging

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]
QUERY_CHARS_MAX = 300
PAGE_LENGTH = 50
NEWEST: Final = 5  # applications on the overview
NAMED_MAX: Final = 100  # of the newest the names are known there; others are told by their id
# Kinds of things that were found → the list that their pages are below.
_PAGES: Final = {
    "webhook": "webhooks",
    "event": "events",
    "delivery": "deliveries",
    "job": "jobs",
    "person": "members",
}
_FIELDS = {"/name": "name", "/id": "id", "/profile": "profile", "/uuid": "uuid"}


class OverviewPages(Controller):
    """/dashboard"""

    path = "/"

    @get("/")
    async def overview(self, visit: Entered, request: Asked, pages: ThePages) -> Response[Any]:
        """Is it healthy? Who has one application only starts there."""
        if visit.caller.application is not None:
            return go(visit.root_of(visit.caller.application))
        span = request.query_params.get(SPAN, "")
        numbers, charts = await numbers_and_charts(visit.desk.statistics.of_all, span, visit.now_ms)
        troubled = await visit.desk.finding.troubled()
        applications = (await visit.desk.applications.page(Paging(limit=NAMED_MAX))).data
        return pages.page(
            "overview.html",
            request,
            numbers=numbers,
            charts=charts,
            troubled=troubled,
            applications=applications[:NEWEST],
            names={one.id: one.name for one in applications},
            titles=_titles(visit),
        )

    @get("/search")
    async def search(self, visit: Entered, request: Asked, pages: ThePages) -> Response[Any]:
        """Any id leads to its page; other words to what has them in its name."""
        text = request.query_params.get("q", "").strip()[:QUERY_CHARS_MAX]
        found = await visit.desk.finding.find(text) if text else None
        if found is not None:
            return go(page_of(visit, found))
        finds = await visit.desk.searching.all(text) if text else None
        return pages.page("search.html", request, text=text, finds=finds)


class ApplicationPages(Controller):
    """/dashboard/applications"""

    path = "/applications"

    @get("/")
    async def show(self, visit: Entered, request: Asked, pages: ThePages) -> Response[Any]:
        """The platform's customers, newest first; with `q` those that have it in their name or id."""
        if visit.caller.application is not None:
            return go(visit.root_of(visit.caller.application))
        text = request.query_params.get("q", "").strip()[:QUERY_CHARS_MAX]
        paging = Paging(limit=PAGE_LENGTH, cursor=request.query_params.get("cursor") or None)
        if text:
            found = await visit.desk.searching.applications(text, paging)
        else:
            found = await visit.desk.applications.page(paging)
        return pages.page("applications.html", request, found=found, titles=_titles(visit), text=text)

    @get("/new")
    async def new(self, visit: Entered, request: Asked, pages: ThePages) -> Response[str]:
        """A new one's form."""
        return _form_page(visit, request, pages, Form(), None)

    @post("/")
    async def create(self, visit: Entered, request: Asked, pages: ThePages, form: Filled) -> Response[Any]:
        """Create it, and go there."""
        members: dict[str, Any] = {"name": form.text("name"), "profile": form.text("profile")}
        if form.text("id").strip():
            members["id"] = form.text("id").strip()
        try:
            made = await visit.desk.applications.create(convert(members, CreateApplication))
        except NotAllowed:
            raise
        except HookspanError as error:
            return _form_page(visit, request, pages, form, error)
        return go(below(visit.root_of(made.id), done="created"))


def _form_page(visit: Visit, request: Asked, pages: Pages, form: Form, error: HookspanError | None) -> Response[str]:
    if not visit.at_large.operates:
        raise NotAllowed("Only the operator's admins create applications.")
    return pages.page(
        "application_new.html",
        request,
        status=200 if error is None else error.status,
        form=form,
        errors=NO_ERRORS if error is None else FieldErrors(error, _FIELDS),
        profiles=visit.desk.profiles.loaded().data,
    )


def _titles(visit: Visit) -> dict[str, str]:
    return {one.name: one.title for one in visit.desk.profiles.loaded().data}


def page_of(visit: Visit, found: Found) -> str:
    """The page of a thing that was found; of a key the list that it is in."""
    root = visit.root_of(found.application_id) if found.application_id else visit.home
    if found.kind == "application":
        return root
    return below(root, "keys") if found.kind == "key" else below(root, _PAGES[found.kind], found.id)


def has_page(visit: Visit, found: Found) -> bool:
    """A portal shows no people."""
    return not (visit.is_portal and found.kind == "person")
