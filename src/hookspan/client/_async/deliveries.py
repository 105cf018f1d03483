"""/v1/applications/{app}/deliveries"""

from hookspan.client import shapes
from hookspan.client._async.listing import AsyncListing
from hookspan.client._async.webhooks import State
from hookspan.client._async.wire import AsyncWire
from hookspan.client._request import get, post


class AsyncDeliveries:
    """Events on their way to webhooks."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire

    def list(
        self,
        application: str,
        *,
        state: State | None = None,
        type: str | None = None,  # noqa: A002 - the parameter's name
        since: str | None = None,
        until: str | None = None,
        page_size: int | None = None,
    ) -> AsyncListing[shapes.Delivery]:
        """An application's, newest first."""
        query = {"state": state, "type": type, "since": since, "until": until, "limit": page_size}
        return AsyncListing(self._wire, shapes.Delivery, _under(application), query)

    async def get(self, application: str, delivery: str) -> shapes.Delivery:
        """With its attempts."""
        return await self._wire.run(get(shapes.Delivery, *_under(application, delivery)))

    async def retry(self, application: str, delivery: str) -> shapes.Delivery:
        """Try it now: one that has ended again from the start, a waiting one out of turn."""
        return await self._wire.run(post(shapes.Delivery, *_under(application, delivery, "retry")))

    async def cancel(self, application: str, delivery: str) -> shapes.Delivery:
        """Cancel one that waits."""
        return await self._wire.run(post(shapes.Delivery, *_under(application, delivery, "cancel")))


def _under(application: str, *further: str) -> tuple[str, ...]:
    return ("applications", application, "deliveries", *further)
