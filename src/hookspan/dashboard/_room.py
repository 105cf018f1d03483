"""One application: its first page, and the search within it."""

from functools import partial
from typing import Any

import msgspec
from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.dashboard._applications import QUERY_CHARS_MAX, has_page, page_of
from hookspan.dashboard._render import Pages, go
from hookspan.dashboard._statistics import SPAN, numbers_and_charts
from hookspan.dashboard._visit import Entered
from hookspan.manage import views
from hookspan.manage.inputs import LIMIT_MAX, Paging

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]
_BAD = {"failing": 0, "stalled": 0, "open": 0, "catching_up": 2, "healthy": 3}


class RoomPages(Controller):
    """The application's own path."""

    path = "/"

    @get("/")
    async def webhooks(self, visit: Entered, request: Asked, pages: ThePages) -> Response[str]:
        """Its webhooks, those in trouble first, and four numbers."""
        room = await visit.room()
        found = await visit.desk.webhooks.page(room.id, Paging(limit=LIMIT_MAX))
        numbers, charts = await numbers_and_charts(
            partial(visit.desk.statistics.of_application, room.id), request.query_params.get(SPAN, ""), visit.now_ms
        )
        webhooks = sorted(found.data, key=_order)
        return pages.page(
            "webhooks.html",
            request,
            webhooks=webhooks,
            is_cut=found.next is not None,
            numbers=numbers,
            charts=charts,
        )

    @get("/search")
    async def search(self, visit: Entered, request: Asked, pages: ThePages) -> Response[Any]:
        """Any id of this application's leads to its page, the publisher's own of an event too; other words to what has
        them in its name.
        """
        room = await visit.room()
        text = request.query_params.get("q", "").strip()[:QUERY_CHARS_MAX]
        found = await visit.desk.finding.find(text, room.id) if text else None
        if found is not None and has_page(visit, found):
            return go(page_of(visit, found))
        finds = await visit.desk.searching.all(text, room.id) if text else None
        if finds is not None and visit.is_portal:
            finds = msgspec.structs.replace(finds, people=[])
        if finds is not None and finds.count == 1 and finds.webhooks:
            return go(room.to("webhooks", finds.webhooks[0].id))
        return pages.page("room_search.html", request, text=text, finds=finds)


def _order(webhook: views.Webhook) -> int:
    """Trouble first; a webhook that a failure has switched off is trouble too."""
    if webhook.status == "disabled":
        return 1 if webhook.status_reason in {"gone", "failing"} else 4
    return _BAD[webhook.health.state]
