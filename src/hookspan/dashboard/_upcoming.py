"""What will be sent to a webhook next, with a button that sends one of them now."""

from typing import Any, Final

from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.dashboard._form import convert
from hookspan.dashboard._render import Pages
from hookspan.dashboard._visit import Entered, Part
from hookspan.manage.inputs import UpcomingQuery
from hookspan.manage.upcoming import UPCOMING_MAX

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]
_FILTERS: Final = ("type", "category")


class UpcomingPages(Controller):
    """…/webhooks/{webhook}/upcoming"""

    path = "/webhooks/{webhook_id:str}/upcoming"

    @get("/")
    async def show(self, visit: Entered, request: Asked, pages: ThePages, webhook_id: Part) -> Response[str]:
        """In the order in which they will be sent, each with the body as it will be."""
        room = await visit.room()
        asked = {name: request.query_params.get(name, "").strip() for name in _FILTERS}
        query = convert({name: value for name, value in asked.items() if value}, UpcomingQuery)
        webhook = await visit.desk.webhooks.get(room.id, webhook_id)
        events = (await visit.desk.upcoming.events(room.id, webhook_id, query)).data
        fates = {one.id: next((it for it in one.webhooks if it.webhook_id == webhook.id), None) for one in events}
        return pages.page(
            "upcoming.html",
            request,
            webhook=webhook,
            asked=asked,
            events=events,
            fates=fates,
            most=UPCOMING_MAX,
            types=[one.type for one in visit.desk.profiles.events(room.profile.name).data],
        )
