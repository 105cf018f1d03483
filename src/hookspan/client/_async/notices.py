"""/v1/applications/{app}/notify"""

from hookspan.client import shapes
from hookspan.client._async.wire import AsyncWire
from hookspan.client._request import get, post


class AsyncNotices:
    """How an application's people are told that a webhook fails, was disabled, has recovered."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire

    async def get(self, application: str) -> shapes.Notify:
        """Where they go, the secret that they are signed with, and the newest with what became of them."""
        return await self._wire.run(get(shapes.Notify, "applications", application, "notify"))

    async def test(self, application: str) -> shapes.NotifyTest:
        """Send a test notice now, and see what came back."""
        return await self._wire.run(post(shapes.NotifyTest, "applications", application, "notify", "test"))
