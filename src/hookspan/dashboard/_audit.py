"""The audit log: who did what to which object, from where and when; one line of it in full."""

from typing import Any, Final

import msgspec
from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.dashboard._deliveries import asked_in, filter_errors, paging_of
from hookspan.dashboard._form import NO_ERRORS, convert
from hookspan.dashboard._moments import WINDOW_FIELDS, WITHIN
from hookspan.dashboard._place import place_of
from hookspan.dashboard._render import Pages, go
from hookspan.dashboard._visit import Entered, Visit, below
from hookspan.errors import InvalidRequest
from hookspan.manage import views
from hookspan.manage.inputs import AuditFilter

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]
FILTERS: Final = ("action", "actor", "object", "application_id")
# Kinds of objects that have a page in their application → where it is.
_PAGES: Final = {"webhook": "webhooks", "event": "events", "delivery": "deliveries", "job": "jobs", "person": "members"}


class AuditPages(Controller):
    """/dashboard/audit and …/audit"""

    path = "/audit"

    @get("/")
    async def show(self, visit: Entered, request: Asked, pages: ThePages) -> Response[Any]:
        """Newest first; every filter, and the line that is opened, is in the address."""
        place = await place_of(visit)
        if place.stray is not None:
            return go(f"{place.stray}/audit")
        asked = asked_in(request, (*FILTERS, *WINDOW_FIELDS))
        given = {name: asked[name] for name in FILTERS if asked[name]}
        if place.application is not None:
            given["application_id"] = place.application
        found: views.AuditList | None = None
        try:
            paging = paging_of(visit, request, within=True)
            asked["since"] = paging.since or ""
            found = await visit.desk.audit.page(convert(given, AuditFilter), paging)
            errors = NO_ERRORS
        except InvalidRequest as error:
            errors = filter_errors(error)
        lines = [] if found is None else found.data
        line = request.query_params.get("line", "")
        chosen = next((one for one in lines if one.id == line), None)
        cursor = request.query_params.get("cursor", "")
        kept = {name: value for name, value in (asked | {"cursor": cursor}).items() if value}
        return pages.page(
            "audit.html",
            request,
            status=200 if found is not None else InvalidRequest.status,
            found=found,
            errors=errors,
            place=place,
            asked=asked,
            within=WITHIN,
            chosen=chosen,
            detail=None if chosen is None else msgspec.json.encode(chosen.detail).decode(),
            address=None if chosen is None else page_of_object(visit, chosen),
            links={one.id: below(place.to("audit"), **kept, line=one.id) + "#line" for one in lines},
            actions=sorted({one.action for one in lines}),
        )


def page_of_object(visit: Visit, line: views.AuditLine) -> str | None:
    """Where the object has a page; it may be gone by now."""
    kind, ident = line.object.kind, line.object.id
    if kind == "application":
        return visit.root_of(ident)
    if line.application_id is None or kind not in _PAGES or (kind == "person" and visit.is_portal):
        return None
    return below(visit.root_of(line.application_id), _PAGES[kind], ident)
