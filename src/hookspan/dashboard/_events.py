"""Events: the list, and one with a sentence for each webhook."""

from typing import Any

from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.dashboard._deliveries import paging_of
from hookspan.dashboard._form import convert
from hookspan.dashboard._render import Pages
from hookspan.dashboard._visit import Entered, Part
from hookspan.manage.inputs import LIMIT_MAX, EventQuery, Paging

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]


class EventPages(Controller):
    """…/events"""

    path = "/events"

    @get("/")
    async def show_all(self, visit: Entered, request: Asked, pages: ThePages) -> Response[str]:
        """Newest first."""
        room = await visit.room()
        asked = {name: request.query_params.get(name, "").strip() for name in ("type", "publisher_id", "undelivered")}
        members: dict[str, Any] = {name: asked[name] for name in ("type", "publisher_id") if asked[name]}
        members["undelivered"] = bool(asked["undelivered"])
        found = await visit.desk.events.page(room.id, convert(members, EventQuery), paging_of(visit, request))
        return pages.page(
            "events.html",
            request,
            found=found,
            asked=asked,
            types=[one.type for one in visit.desk.profiles.events(room.profile.name).data],
        )

    @get("/{event_id:str}")
    async def show(self, visit: Entered, request: Asked, pages: ThePages, event_id: Part) -> Response[str]:
        """What became of it, webhook by webhook, and exactly what is sent."""
        room = await visit.room()
        event = await visit.desk.events.get(room.id, event_id)
        webhooks = (await visit.desk.webhooks.page(room.id, Paging(limit=LIMIT_MAX))).data
        return pages.page(
            "event.html",
            request,
            event=event,
            content=bytes(event.content).decode(),
            context=None if event.context is None else bytes(event.context).decode(),
            names={one.id: one.name or one.url for one in webhooks},
        )
