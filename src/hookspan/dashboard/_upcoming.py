"""What will be sent to a webhook next, with a button that sends one of them now."""

from typing import Any, Final

from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.dashboard._form import convert
from hookspan.dashboard._render import Pages
from hookspan.dashboard._visit import Entered, Part
from hookspan.manage import views
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
        fates = {one.id: waiting_of(one, webhook.id) for one in events}
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


def waiting_of(event: views.Event, webhook_id: str) -> views.EventWebhook | None:
    """What waits of an event for a webhook: of several deliveries (a replay makes one more) the one that is not sent
    yet; None where all that is known of it is over, as of an event that waits and was sent by hand meanwhile.
    """
    own = (one for one in event.webhooks if one.webhook_id == webhook_id)
    return next((one for one in own if one.delivery_id is None or one.state == "pending"), None)
