"""/v1/applications/{app}/events, apart from publishing, which `_publish` does beside the framework."""

from typing import Annotated, Any, Literal

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter, SkipValidation

from hookspan.api._body import read_optional
from hookspan.api._parameters import App, Desk, EventId, Page, Type
from hookspan.engine import Intake, Published
from hookspan.errors import HookspanError
from hookspan.manage import views
from hookspan.manage.inputs import POSITION_MAX, EventQuery, PublishSample


class EventRoutes(Controller):
    """What was published, and what became of it."""

    path = "/applications/{app:str}/events"
    tags = ("Events",)

    @get()
    async def list_events(
        self,
        desk: Desk,
        app: App,
        page: Page,
        type: Type = None,  # noqa: A002 - the parameter's name
        publisher_id: Annotated[str | None, QueryParameter(description="Only this one.", max_length=256)] = None,
        sort: Annotated[Literal["newest", "oldest"], QueryParameter(description="Where to begin.")] = "newest",
        after: Annotated[
            int | None,
            QueryParameter(ge=0, le=POSITION_MAX, description="With sort=oldest: start after this position."),
        ] = None,
        *,
        undelivered: Annotated[
            bool, QueryParameter(description="Only events that have not arrived everywhere; with sort=newest.")
        ] = False,
    ) -> views.EventList:
        """List an application's events, newest first.

        With `sort=oldest` they are read by position, for ever: `next` is never null, and asking with it again gives
        what has come since. Without a filter, no data means that there is no more now. With one, a request looks at
        about 2,000 events, and no data means nothing: it is the end once `next` is the cursor that was sent.
        `undelivered=true` leaves events of which some delivery is pending or failed, or none has
        succeeded; it looks at 2,000 events at a time, so a page may be short, or empty, while `next` leads on.
        """
        query = EventQuery(type=type, publisher_id=publisher_id, sort=sort, after=after, undelivered=undelivered)
        return await desk.events.page(app, query, page)

    @get("/{event:str}")
    async def get_event(self, desk: Desk, app: App, event: EventId) -> views.Event:
        """Get one event, with what became of it for each webhook."""
        return await desk.events.get(app, event)

    @post("/sample", status_code=202)
    async def publish_sample(
        self,
        desk: Desk,
        intake: SkipValidation[NamedDependency[Intake]],
        app: App,
        request: Request[Any, Any, Any],
    ) -> views.Accepted:
        """Publish the catalog's sample of an event type, the first one's where none is named.

        It is an event like any other. Where a profile has no test event, publish a sample and send it to a webhook by
        hand.
        """
        given = await read_optional(request, PublishSample)
        sample = await desk.events.sample(app, given.type or None)
        receipt = await intake.publish(app, sample)
        if not isinstance(receipt, Published):
            raise HookspanError
        await desk.events.sample_published(app, sample, receipt.id)
        return views.Accepted(id=receipt.id, publisher_id=receipt.publisher_id)
