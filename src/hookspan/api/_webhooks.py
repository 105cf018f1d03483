"""/v1/applications/{app}/webhooks"""

from litestar import Controller, Response, delete, get, patch, post
from litestar.params import JSONBody

from hookspan.api._body import JsonBody
from hookspan.api._parameters import App, Desk, IfMatch, InState, Page, Type, WebhookId, version_of
from hookspan.manage import views
from hookspan.manage.inputs import ChangeWebhook, CreateWebhook, DeliveryQuery


class WebhookRoutes(Controller):
    """Where an application's events are sent."""

    path = "/applications/{app:str}/webhooks"
    tags = ("Webhooks",)

    @post(dto=JsonBody, return_dto=None)
    async def create_webhook(self, desk: Desk, app: App, data: JSONBody[CreateWebhook]) -> Response[views.Webhook]:
        """Create a webhook.

        A secret that was made is in this answer, this once.
        """
        return _tagged(await desk.webhooks.create(app, data), status=201)

    @get()
    async def list_webhooks(self, desk: Desk, app: App, page: Page) -> views.WebhookList:
        """List an application's webhooks, newest first."""
        return await desk.webhooks.page(app, page)

    @get("/{webhook:str}")
    async def get_webhook(self, desk: Desk, app: App, webhook: WebhookId) -> Response[views.Webhook]:
        """Get one webhook. The header ETag is its version."""
        return _tagged(await desk.webhooks.get(app, webhook))

    @patch("/{webhook:str}", dto=JsonBody, return_dto=None)
    async def change_webhook(
        self, desk: Desk, app: App, webhook: WebhookId, data: JSONBody[ChangeWebhook], if_match: IfMatch = None
    ) -> Response[views.Webhook]:
        """Change a webhook, switch it off or on.

        With `"status": "active"`, `resume` says whether the events that came in the meantime are delivered (`keep`, the
        default) or left out (`skip`).
        """
        return _tagged(await desk.webhooks.change(app, webhook, data, version_of(if_match)))

    @delete("/{webhook:str}", status_code=200)
    async def delete_webhook(self, desk: Desk, app: App, webhook: WebhookId, if_match: IfMatch = None) -> views.Webhook:
        """Delete a webhook. It is shown this once more, with status deleted; what waited for it is cancelled."""
        return await desk.webhooks.delete(app, webhook, version_of(if_match))

    @get("/{webhook:str}/logs", tags=["Deliveries"])
    async def list_attempts(self, desk: Desk, app: App, webhook: WebhookId, page: Page) -> views.AttemptList:
        """List a webhook's attempts, newest first. A page may end early when its bodies are large."""
        return await desk.deliveries.logs(app, webhook, page)

    @get("/{webhook:str}/deliveries", tags=["Deliveries"])
    async def list_webhook_deliveries(
        self,
        desk: Desk,
        app: App,
        webhook: WebhookId,
        page: Page,
        in_state: InState = None,
        type: Type = None,  # noqa: A002 - the parameter's name
    ) -> views.DeliveryList:
        """List a webhook's deliveries, newest first."""
        return await desk.deliveries.page(app, DeliveryQuery(state=in_state, type=type), page, webhook)


def _tagged(webhook: views.Webhook, status: int = 200) -> Response[views.Webhook]:
    return Response(webhook, status_code=status, headers={"etag": f'"{webhook.version}"'})
