"""Events: what was published, and what became of it for each webhook."""

from typing import Any, Literal

import msgspec

from hookspan.domain.records import Application, Event
from hookspan.errors import DiskFull, Overloaded, StoreUnavailable, UnknownEventType
from hookspan.ids import DELIVERY_PREFIX, from_text, to_text
from hookspan.manage import views
from hookspan.manage._ground import Ground, invalid
from hookspan.manage._rights import Right
from hookspan.manage._show import show_event
from hookspan.manage._subscription import check_category
from hookspan.manage._why import Why
from hookspan.manage.inputs import EventQuery, EventWindow, Paging
from hookspan.store.contract import Page

# A page is read in parts, and ends early rather than hold too many bodies in memory; its cursor goes on from there.
PART_EVENTS = 50
PAGE_BYTES_MAX = 4 * 1024 * 1024
# How many events one request reads by position when a filter lets few of them through.
SCANNED_EVENTS_MAX = 2_000


class Events:
    """Read an application's events."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def get(self, application_id: str, event_id: str) -> views.Event:
        application = await self._ground.application(application_id, Right.LOOK)
        event = await self._ground.event(application, event_id)
        return (await self._shown(application, [event]))[0]

    async def origins(self, application_id: str, event_id: str) -> dict[str, Literal["replay", "send"]]:
        """By what those deliveries of an event came about that are not its original ones: a replay, or a person who
        sent it once more. By the ids of the deliveries.
        """
        application = await self._ground.application(application_id, Right.LOOK)
        event = await self._ground.event(application, event_id)
        deliveries = await self._ground.store.deliveries_of_event(application.id, event.id)
        return {
            to_text(DELIVERY_PREFIX, one.id): "send" if one.job_id is None else "replay"
            for one in deliveries
            if one.run > 0
        }

    async def page(self, application_id: str, query: EventQuery, paging: Paging) -> views.EventList:
        """Newest first; or oldest first by position, where `next` always tells where to read on, and is the same again
        at the end.
        """
        application = await self._ground.application(application_id, Right.LOOK)
        if query.sort == "oldest":
            if query.undelivered:
                raise invalid("/undelivered", "undelivered goes with sort=newest.")
            return await self._oldest(application, query, paging)
        if query.after is not None:
            raise invalid("/after", "after goes with sort=oldest.")
        if query.undelivered:
            return await self._undelivered(application, query, paging)
        return await self._newest(application, query, paging)

    async def sample(self, application_id: str, event_type: str | None) -> bytes:
        """The catalog's sample of a type as a body that can be published, with its context where the profile's body
        asks for one; of the first type when none is named.
        """
        application = await self._ground.application(application_id, Right.CONFIGURE)
        profile = self._ground.profile(application)
        if event_type is None:
            catalog = profile.catalog()
            if not catalog:
                raise UnknownEventType(f"Profile {profile.name} lists no event types: name the type of the sample.")
            event_type = catalog[0].type
        sample = profile.sample(event_type)
        event: dict[str, Any] = {"type": event_type, "content": msgspec.Raw(sample.content)}
        if sample.context is not None:
            event["context"] = msgspec.Raw(sample.context)
        return msgspec.json.encode(event)

    async def sample_published(self, application_id: str, body: bytes, event_id: str) -> None:
        """Note in the audit log that `body`, made by `sample`, was published as `event_id`. Afterwards, and in a
        transaction of its own: events share commits with those of others, and are their own record.
        """
        ground = self._ground
        application = await ground.application(application_id, Right.CONFIGURE)
        event_type = msgspec.json.decode(body, type=dict[str, Any])["type"]
        try:
            await ground.store.keep_audit(
                ground.entry("sample.published", "event", event_id, application, type=event_type)
            )
        except (DiskFull, Overloaded) as error:  # they would say that nothing was done
            raise StoreUnavailable(f"The sample was published as {event_id}, but not noted.") from error

    async def bodies(self, application_id: str, window: EventWindow) -> list[bytes]:
        """Events as nothing but what is sent, newest first: the newest, those next older than `older_than`, or those
        next newer than `newer_than`. Ends early rather than hold more than PAGE_BYTES_MAX.

        An event that is not kept any more leaves nothing older than itself behind, so everything is newer.
        """
        application = await self._ground.application(application_id, Right.LOOK)
        profile = self._ground.profile(application)
        types = None if window.category is None else check_category(profile, window.category)
        older_than = await self._position(application, "older_than", window.older_than)
        newer_than = await self._position(application, "newer_than", window.newer_than)
        if older_than is not None and newer_than is not None:
            raise invalid("/newer_than", "Say older than which event, or newer than which, not both.")
        taken: list[Event] = []
        is_more = True
        while is_more and len(taken) < window.limit and _size(taken) < PAGE_BYTES_MAX:
            wanted = min(PART_EVENTS, window.limit - len(taken))
            if newer_than is not None:
                after = taken[-1].position if taken else newer_than
                found = await self._ground.store.events_after(application.id, after, wanted, event_types=types)
            else:
                page = Page(limit=wanted, before=taken[-1].position if taken else older_than)
                found = await self._ground.store.list_events(application.id, page, event_types=types, publisher_id=None)
            taken += found
            is_more = len(found) == wanted
        return [one.body for one in (reversed(taken) if newer_than is not None else taken)]

    async def _position(self, application: Application, name: str, text: str | None) -> int | None:
        if text is None:
            return None
        ident = from_text(self._ground.profile(application).event_prefix, text)
        if ident is None:
            raise invalid(f"/{name}", "That is no id of an event.")
        event = await self._ground.store.get_event(application.id, ident)
        return 0 if event is None else event.position

    async def _newest(self, application: Application, query: EventQuery, paging: Paging) -> views.EventList:
        ground = self._ground
        of = f"events/{application.id}?type={query.type!r}&publisher_id={query.publisher_id!r}"
        page = ground.page(of, paging)
        types = None if query.type is None else (query.type,)
        taken: list[Event] = []
        part, is_more = page, True
        while is_more and len(taken) < page.limit and _size(taken) < PAGE_BYTES_MAX:
            wanted = min(PART_EVENTS, page.limit - len(taken))
            part = msgspec.structs.replace(part, limit=wanted, before=taken[-1].position if taken else page.before)
            found = await ground.store.list_events(
                application.id, part, event_types=types, publisher_id=query.publisher_id
            )
            taken += found
            is_more = len(found) == wanted
        return views.EventList(
            data=await self._shown(application, taken),
            next=ground.next_of(of, page, taken[-1].position) if is_more else None,
        )

    async def _undelivered(self, application: Application, query: EventQuery, paging: Paging) -> views.EventList:
        """A part of the search for events that have not arrived everywhere: it may be short before the end."""
        if query.publisher_id is not None:
            raise invalid("/undelivered", "undelivered does not go with publisher_id: that is one event.")
        ground = self._ground
        of = f"undelivered-events/{application.id}?type={query.type!r}"
        page = ground.page(of, paging)
        types = None if query.type is None else (query.type,)
        taken: list[Event] = []
        before = page.before
        while len(taken) < page.limit and _size(taken) < PAGE_BYTES_MAX:
            wanted = min(PART_EVENTS, page.limit - len(taken))
            part = msgspec.structs.replace(page, limit=wanted, before=before)
            found = await ground.store.undelivered(application.id, part, event_types=types)
            taken += found.events
            before = found.next_before
            if len(found.events) < wanted:
                break  # that was the end, or as far as one request may look
        return views.EventList(
            data=await self._shown(application, taken),
            next=ground.next_of(of, page, before) if before is not None else None,
        )

    async def _oldest(self, application: Application, query: EventQuery, paging: Paging) -> views.EventList:
        if paging.since is not None or paging.until is not None:
            raise invalid("/since", "sort=oldest reads by position: start with after, not with since or until.")
        ground = self._ground
        of = f"events-by-position/{application.id}?type={query.type!r}&publisher_id={query.publisher_id!r}"
        if paging.cursor is not None and query.after is not None:
            raise invalid("/after", "The cursor says where to read on: give after only for the first page.")
        position = query.after or 0
        if paging.cursor is not None:
            [position] = ground.cursors.read(of, paging.cursor)
        taken: list[Event] = []
        scanned = 0
        while len(taken) < paging.limit and scanned < SCANNED_EVENTS_MAX and _size(taken) < PAGE_BYTES_MAX:
            found = await ground.store.events_after(
                application.id, position, min(PART_EVENTS, paging.limit - len(taken))
            )
            if not found:
                break
            position, scanned = found[-1].position, scanned + len(found)
            taken += [one for one in found if _passes(one, query)]
        return views.EventList(data=await self._shown(application, taken), next=ground.cursors.write(of, position))

    async def _shown(self, application: Application, events: list[Event]) -> list[views.Event]:
        profile = self._ground.profile(application)
        why = Why(self._ground, application, profile)
        return [show_event(one, application, profile, await why.of_event(one)) for one in events]


def _passes(event: Event, query: EventQuery) -> bool:
    return (query.type is None or event.type == query.type) and (
        query.publisher_id is None or event.publisher_id == query.publisher_id
    )


def _size(events: list[Event]) -> int:
    return sum(len(one.body) + len(one.content) for one in events)
