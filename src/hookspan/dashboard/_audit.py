"""The audit log: who did what to which object, from where and when; one line of it in full."""

from typing import Any, Final

import msgspec
from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.dashboard._deliveries import WITHIN, paging_of
from hookspan.dashboard._form import convert
from hookspan.dashboard._place import place_of
from hookspan.dashboard._render import Pages, go
from hookspan.dashboard._visit import Entered, Visit, below
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
        asked = {name: request.query_params.get(name, "").strip() for name in (*FILTERS, "within")}
        given = {name: asked[name] for name in FILTERS if asked[name]}
        if place.application is not None:
            given["application_id"] = place.application
        paging = paging_of(visit, request, asked["within"])
        asked["since"] = paging.since or ""
        found = await visit.desk.audit.page(convert(given, AuditFilter), paging)
        line = request.query_params.get("line", "")
        chosen = next((one for one in found.data if one.id == line), None)
        cursor = request.query_params.get("cursor", "")
        kept = {name: value for name, value in (asked | {"cursor": cursor}).items() if value}
        return pages.page(
            "audit.html",
            request,
            found=found,
            place=place,
            asked=asked,
            within=WITHIN,
            chosen=chosen,
            detail=None if chosen is None else msgspec.json.encode(chosen.detail).decode(),
            address=None if chosen is None else page_of_object(visit, chosen),
            links={one.id: below(place.to("audit"), **kept, line=one.id) + "#line" for one in found.data},
            actions=sorted({one.action for one in found.data}),
        )


def page_of_object(visit: Visit, line: views.AuditLine) -> str | None:
    """Where the object has a page; it may be gone by now."""
    kind, ident = line.object.kind, line.object.id
    if kind == "application":
        return visit.root_of(ident)
    if line.application_id is None or kind not in _PAGES or (kind == "person" and visit.is_portal):
        return None
    return below(visit.root_of(line.application_id), _PAGES[kind], ident)
