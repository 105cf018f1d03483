"""Lists that come in pages."""

from collections.abc import AsyncGenerator
from typing import Any, Generic, TypeVar

from hookspan.client._async.wire import AsyncWire
from hookspan.client._request import get
from hookspan.client.shapes import Page

T = TypeVar("T")


class AsyncListing(Generic[T]):
    """A list. Going through it asks for one page after the other, as they are needed; each time it begins anew."""

    def __init__(self, wire: AsyncWire, shape: type[T], segments: tuple[str, ...], query: dict[str, Any]) -> None:
        self._wire = wire
        self._shape: Any = Page[shape]  # type: ignore[valid-type] # msgspec reads it at run time
        self._segments = segments
        self._query = query

    def __repr__(self) -> str:
        return f"<list of /v1/{'/'.join(self._segments)}>"

    async def __aiter__(self) -> AsyncGenerator[T, None]:
        async for page in self.pages():
            for one in page.data:
                yield one

    async def pages(self) -> AsyncGenerator[Page[T], None]:
        """Page by page."""
        cursor: str | None = None
        while True:
            page = await self.page(cursor)
            yield page
            if page.next is None or page.next == cursor:
                return
            cursor = page.next

    async def page(self, cursor: str | None = None) -> Page[T]:
        """One page: the first, or the one whose `next` was `cursor`."""
        found: Page[T] = await self._wire.run(get(self._shape, *self._segments, **self._query, cursor=cursor))
        return found
