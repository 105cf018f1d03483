"""/v1/applications/{app}/deliveries"""

from typing import Any

from litestar import Controller, Request, get, post

from hookspan.api._body import read_nothing
from hookspan.api._parameters import App, DeliveryId, Desk, InState, Page, Type
from hookspan.manage import views
from hookspan.manage.inputs import DeliveryQuery


class DeliveryRoutes(Controller):
    """Events on their way to webhooks."""

    path = "/applications/{app:str}/deliveries"
    tags = ("Deliveries",)

    @get()
    async def list_deliveries(
        self,
        desk: Desk,
        app: App,
        page: Page,
        in_state: InState = None,
        type: Type = None,  # noqa: A002 - the parameter's name
    ) -> views.DeliveryList:
        """List an application's deliveries, newest first."""
        return await desk.deliveries.page(app, DeliveryQuery(state=in_state, type=type), page)

    @get("/{delivery:str}")
    async def get_delivery(self, desk: Desk, app: App, delivery: DeliveryId) -> views.Delivery:
        """Get one delivery with its attempts."""
        return await desk.deliveries.get(app, delivery)

    @post("/{delivery:str}/retry", status_code=200)
    async def retry_delivery(
        self, desk: Desk, app: App, delivery: DeliveryId, request: Request[Any, Any, Any]
    ) -> views.Delivery:
        """Try a delivery now: a final one again from the start, a waiting one out of turn."""
        await read_nothing(request)
        return await desk.deliveries.retry(app, delivery)

    @post("/{delivery:str}/cancel", status_code=200)
    async def cancel_delivery(
        self, desk: Desk, app: App, delivery: DeliveryId, request: Request[Any, Any, Any]
    ) -> views.Delivery:
        """Cancel a waiting delivery."""
        await read_nothing(request)
        return await desk.deliveries.cancel(app, delivery)
