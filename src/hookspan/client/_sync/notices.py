# Made from its twin in `_async` by `python -m tests.unit.client.twins`: change it there.
"""/v1/applications/{app}/notify"""

from hookspan.client import shapes
from hookspan.client._request import get, post
from hookspan.client._sync.wire import Wire


class Notices:
    """How an application's people are told that a webhook fails, was disabled, has recovered."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def get(self, application: str) -> shapes.Notify:
        """Where they go, the secret that they are signed with, and the newest with what became of them."""
        return self._wire.run(get(shapes.Notify, "applications", application, "notify"))

    def test(self, application: str) -> shapes.NotifyTest:
        """Send a test notice now, and see what came back."""
        return self._wire.run(post(shapes.NotifyTest, "applications", application, "notify", "test"))
