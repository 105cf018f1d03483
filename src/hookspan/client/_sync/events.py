# Made from its twin in `_async` by `python -m tests.unit.client.twins`: change it there.
"""/v1/applications/{app}/events, apart from publishing."""

from collections.abc import Callable, Generator

from msgspec import UNSET, UnsetType

from hookspan.client import shapes
from hookspan.client._request import get, post
from hookspan.client._sync.listing import Listing
from hookspan.client._sync.wire import Wire


class Events:
    """What was published, and what became of it."""

    def __init__(self, wire: Wire, sleep: Callable[[float], None]) -> None:
        self._wire = wire
        self._sleep = sleep

    def list(
        self,
        application: str,
        *,
        type: str | None = None,  # noqa: A002 - the parameter's name
        publisher_id: str | None = None,
        undelivered: bool = False,
        since: str | None = None,
        until: str | None = None,
        page_size: int | None = None,
    ) -> Listing[shapes.Event]:
        """Newest first. `undelivered`: only those that have not arrived everywhere."""
        query = {
            "type": type,
            "publisher_id": publisher_id,
            "undelivered": "true" if undelivered else None,
            "since": since,
            "until": until,
            "limit": page_size,
        }
        return Listing(self._wire, shapes.Event, _under(application), query)

    def get(self, application: str, event: str) -> shapes.Event:
        """With what became of it for each webhook."""
        return self._wire.run(get(shapes.Event, *_under(application, event)))

    def sample(self, application: str, *, type: str | UnsetType = UNSET) -> shapes.Accepted:  # noqa: A002
        """Publish the catalog's sample of an event type, the first one's where none is named."""
        return self._wire.run(post(shapes.Accepted, *_under(application, "sample"), body={"type": type}))

    def read_on(
        self,
        application: str,
        *,
        after: int = 0,
        type: str | None = None,  # noqa: A002 - the parameter's name
        page_size: int | None = None,
        wait_s: float | None = 1.0,
    ) -> Generator[shapes.Event, None, None]:
        """Events oldest first, by position, for ever: at the end of what there is it looks again every `wait_s`; with
        None it ends there. To go on another day, keep the `position` of the last one and give it as `after`.
        """
        cursor: str | None = None
        start: int | None = after
        while True:
            page: shapes.Page[shapes.Event] = self._wire.run(
                get(
                    shapes.Page[shapes.Event],
                    *_under(application),
                    sort="oldest",
                    after=start,
                    type=type,
                    limit=page_size,
                    cursor=cursor,
                )
            )
            yield from page.data
            has_moved = page.next != cursor
            cursor, start = page.next, None
            if cursor is None:
                return
            if page.data or (has_moved and type is not None):  # a page of other types only is not the end
                continue
            if wait_s is None:
                return
            self._sleep(wait_s)


def _under(application: str, *further: str) -> tuple[str, ...]:
    return ("applications", application, "events", *further)
