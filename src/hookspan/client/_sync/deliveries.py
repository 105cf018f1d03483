# Made from its twin in `_async` by `python -m tests.unit.client.twins`: change it there.
"""/v1/applications/{app}/deliveries"""

from hookspan.client import shapes
from hookspan.client._request import get, post
from hookspan.client._sync.listing import Listing
from hookspan.client._sync.webhooks import State
from hookspan.client._sync.wire import Wire


class Deliveries:
    """Events on their way to webhooks."""

    def __init__(self, wire: Wire) -> None:
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
    ) -> Listing[shapes.Delivery]:
        """An application's, newest first."""
        query = {"state": state, "type": type, "since": since, "until": until, "limit": page_size}
        return Listing(self._wire, shapes.Delivery, _under(application), query)

    def get(self, application: str, delivery: str) -> shapes.Delivery:
        """With its attempts."""
        return self._wire.run(get(shapes.Delivery, *_under(application, delivery)))

    def retry(self, application: str, delivery: str) -> shapes.Delivery:
        """Try it now: one that has ended again from the start, a waiting one out of turn."""
        return self._wire.run(post(shapes.Delivery, *_under(application, delivery, "retry")))

    def cancel(self, application: str, delivery: str) -> shapes.Delivery:
        """Cancel one that waits."""
        return self._wire.run(post(shapes.Delivery, *_under(application, delivery, "cancel")))


def _under(application: str, *further: str) -> tuple[str, ...]:
    return ("applications", application, "deliveries", *further)
