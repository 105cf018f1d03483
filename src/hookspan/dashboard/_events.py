"""Events: the list, and one with a sentence for each webhook."""

from typing import Any, Final

import msgspec
from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.dashboard._deliveries import asked_in, filter_errors, paging_of
from hookspan.dashboard._form import NO_ERRORS, convert
from hookspan.dashboard._moments import WINDOW_FIELDS, WITHIN
from hookspan.dashboard._render import Pages
from hookspan.dashboard._visit import Entered, Part
from hookspan.errors import Fault, InvalidRequest
from hookspan.manage import views
from hookspan.manage.inputs import LIMIT_MAX, EventQuery, Paging

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]
ORIGINS: Final = {"replay": "replay", "send": "by hand"}  # how a sending once more is called
_ONE_EVENT: Final = "That is one event: leave it empty, or untick “not delivered everywhere”."


class Arrivals(msgspec.Struct, frozen=True):
    """To how many of the webhooks that an event was sent to it has come; `kind` is the badge's."""

    sent: int
    arrived: int
    kind: str


class EventPages(Controller):
    """…/events"""

    path = "/events"

    @get("/")
    async def show_all(self, visit: Entered, request: Asked, pages: ThePages) -> Response[str]:
        """Newest first."""
        room = await visit.room()
        asked = asked_in(request, ("type", "publisher_id", "undelivered", *WINDOW_FIELDS))
        members: dict[str, Any] = {name: asked[name] for name in ("type", "publisher_id") if asked[name]}
        members["undelivered"] = bool(asked["undelivered"])
        found: views.EventList | None = None
        try:
            if asked["undelivered"] and asked["publisher_id"]:
                raise InvalidRequest(_ONE_EVENT, errors=(Fault("/publisher_id", "invalid_request", _ONE_EVENT),))
            paging = paging_of(visit, request, within=True)
            asked["since"] = paging.since or ""  # the next page begins where this one does
            found = await visit.desk.events.page(room.id, convert(members, EventQuery), paging)
            errors = NO_ERRORS
        except InvalidRequest as error:
            errors = filter_errors(error)
        return pages.page(
            "events.html",
            request,
            status=200 if found is not None else InvalidRequest.status,
            found=found,
            arrivals={} if found is None else {one.id: arrivals_of(one) for one in found.data},
            errors=errors,
            asked=asked,
            within=WITHIN,
            types=[one.type for one in visit.desk.profiles.events(room.profile.name).data],
        )

    @get("/{event_id:str}")
    async def show(self, visit: Entered, request: Asked, pages: ThePages, event_id: Part) -> Response[str]:
        """What became of it, webhook by webhook, and exactly what is sent."""
        room = await visit.room()
        event = await visit.desk.events.get(room.id, event_id)
        webhooks = (await visit.desk.webhooks.page(room.id, Paging(limit=LIMIT_MAX))).data
        origins = await visit.desk.events.origins(room.id, event_id)
        return pages.page(
            "event.html",
            request,
            event=event,
            origins={delivery: ORIGINS[origin] for delivery, origin in origins.items()},
            content=bytes(event.content).decode(),
            context=None if event.context is None else bytes(event.context).decode(),
            names={one.id: one.name or one.url for one in webhooks},
        )


def arrivals_of(event: views.Event) -> Arrivals:
    """Each webhook counts once, however often the event was sent to it: it has arrived if any delivery has, else what
    became of the newest one counts.
    """
    states: dict[str, str | None] = {}
    for one in event.webhooks:  # of one webhook the newest comes last
        if one.delivery_id is not None and states.get(one.webhook_id) != "succeeded":
            states[one.webhook_id] = one.state
    arrived = sum(state == "succeeded" for state in states.values())
    kind = "good" if arrived == len(states) else "bad" if "failed" in states.values() else "waiting"
    return Arrivals(sent=len(states), arrived=arrived, kind=kind)
