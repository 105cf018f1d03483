"""The event types of the application's profile, in words, with schema and sample; and a sample published to try it."""

from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from hookspan.dashboard._render import Pages, go
from hookspan.dashboard._visit import Entered, Part, Visit
from hookspan.engine import Intake, Published
from hookspan.errors import HookspanError, NotFound
from hookspan.manage import views

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]
TheIntake = SkipValidation[NamedDependency[Intake]]


class CatalogPages(Controller):
    """…/catalog"""

    path = "/catalog"

    @get("/")
    async def show_all(self, visit: Entered, request: Asked, pages: ThePages) -> Response[str]:
        """Types under their headings."""
        entries = await _entries(visit)
        titles = {one.name: one.title for one in (await visit.room()).dialect.groups}
        groups: dict[str, list[views.CatalogEntry]] = {}
        for one in entries:
            groups.setdefault(titles.get(one.category or "", one.category or ""), []).append(one)
        return pages.page("catalog.html", request, groups=groups)

    @get("/{event_type:str}")
    async def show(self, visit: Entered, request: Asked, pages: ThePages, event_type: Part) -> Response[str]:
        """One type: what it means, what its content may be, how it looks."""
        entry = next((one for one in await _entries(visit) if one.type == event_type), None)
        if entry is None:
            raise NotFound(f"The catalog has no event type {event_type[:80]!r}.")
        return pages.page(
            "event_type.html",
            request,
            entry=entry,
            texts={
                name: bytes(raw).decode() for name in ("schema", "sample", "context") if (raw := getattr(entry, name))
            },
        )

    @post("/{event_type:str}/publish")
    async def publish(self, visit: Entered, intake: TheIntake, event_type: Part) -> Response[bytes]:
        """The sample as an event like any other."""
        room = await visit.room()
        sample = await visit.desk.events.sample(room.id, event_type)
        receipt = await intake.publish(room.id, sample)
        if not isinstance(receipt, Published):
            raise HookspanError
        await visit.desk.events.sample_published(room.id, sample, receipt.id)
        return go(room.to("events", receipt.id, done="published"))


async def _entries(visit: Visit) -> list[views.CatalogEntry]:
    return visit.desk.profiles.events((await visit.room()).profile.name).data
