# Made from its twin in `_async` by `python -m tests.unit.client.twins`: change it there.
"""Lists that come in pages."""

from collections.abc import Generator
from typing import Any, Generic, TypeVar

from hookspan.client._request import get
from hookspan.client._sync.wire import Wire
from hookspan.client.shapes import Page

T = TypeVar("T")


class Listing(Generic[T]):
    """A list. Going through it asks for one page after the other, as they are needed; each time it begins anew."""

    def __init__(self, wire: Wire, shape: type[T], segments: tuple[str, ...], query: dict[str, Any]) -> None:
        self._wire = wire
        self._shape: Any = Page[shape]  # type: ignore[valid-type] # msgspec reads it at run time
        self._segments = segments
        self._query = query

    def __repr__(self) -> str:
        return f"<list of /v1/{'/'.join(self._segments)}>"

    def __iter__(self) -> Generator[T, None, None]:
        for page in self.pages():
            yield from page.data

    def pages(self) -> Generator[Page[T], None, None]:
        """Page by page."""
        cursor: str | None = None
        while True:
            page = self.page(cursor)
            yield page
            if page.next is None or page.next == cursor:
                return
            cursor = page.next

    def page(self, cursor: str | None = None) -> Page[T]:
        """One page: the first, or the one whose `next` was `cursor`."""
        found: Page[T] = self._wire.run(get(self._shape, *self._segments, **self._query, cursor=cursor))
        return found
