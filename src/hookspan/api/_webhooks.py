"""/v1/applications/{app}/webhooks"""

from typing import Any, cast

from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody

from hookspan.api._asking import while_asked
from hookspan.api._body import JsonBody, read_optional
from hookspan.api._parameters import App, Category, Desk, IfMatch, InState, Page, Type, WebhookId, version_of
from hookspan.manage import views
from hookspan.manage.inputs import (
    ChangeWebhook,
    CreateWebhook,
    DeliveryQuery,
    RotateSecret,
    SendEvent,
    SendTest,
    StartReplay,
    UpcomingQuery,
)


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

    @post("/{webhook:str}/secret", status_code=201)
    async def rotate_secret(
        self, desk: Desk, app: App, webhook: WebhookId, request: Request[Any, Any, Any]
    ) -> views.RotatedSecret:
        """Rotate a webhook's secret or key pair.

        The new one is in this answer, this once, and signs first; the one before signs too until `previous_until`, so
        that a receiver may change over at any moment between. Only so many are valid at a time, two in the profiles
        that are shipped: a second rotation before `previous_until` ends the oldest at once, and a receiver that still
        has that one verifies nothing any more. `secret` brings one of your own, where the profile allows that. 409
        `not_rotatable` where the profile does not rotate.
        """
        return await desk.secrets.rotate(app, webhook, await read_optional(request, RotateSecret))

    @post("/{webhook:str}/test", status_code=200, tags=["Deliveries"])
    async def test_webhook(
        self, desk: Desk, app: App, webhook: WebhookId, request: Request[Any, Any, Any]
    ) -> views.Attempt:
        """Send a test, now, and show what came back.

        One attempt, also to a disabled webhook, with the profile's test event, or with the sample of the `type` that is
        named. Nothing follows from it. 409 `no_test_event` where the profile has none.
        """
        given = await read_optional(request, SendTest)
        return await while_asked(request, desk.by_hand.test(app, webhook, given))

    @post("/{webhook:str}/send", dto=JsonBody, return_dto=None, status_code=202, tags=["Deliveries"])
    async def send_event(self, desk: Desk, app: App, webhook: WebhookId, data: JSONBody[SendEvent]) -> views.Delivery:
        """Send one event to a webhook by hand.

        A delivery of its own, at once, whether the webhook is active or disabled, has asked for the event or has got it
        already. Where a webhook is stalled, its success lets everything that waits go on.
        """
        return await desk.by_hand.send(app, webhook, data)

    @get("/{webhook:str}/upcoming", tags=["Deliveries"])
    async def list_upcoming(
        self,
        desk: Desk,
        app: App,
        webhook: WebhookId,
        type: Type = None,  # noqa: A002 - the parameter's name
        category: Category = None,
    ) -> views.EventList:
        """List the next 10 events that will be delivered to a webhook, in that order; `next` is always null.

        What is on its way comes first, in flight included: it is not delivered yet. Of a webhook that delivers in order
        that is the oldest event, else what is due first. Then, where the webhook is disabled or catching up, the events
        that have come meanwhile and that it asks for. `type` and `category` are looked for among the next 2,000.
        """
        return await desk.upcoming.events(app, webhook, UpcomingQuery(type=type, category=category))

    @post(
        "/{webhook:str}/replay",
        dto=JsonBody,
        return_dto=None,
        status_code=202,
        tags=["Jobs"],
        responses={200: ResponseSpec(views.ReplayPreview, generate_examples=False)},
    )
    async def start_replay(
        self, desk: Desk, app: App, webhook: WebhookId, data: JSONBody[StartReplay], request: Request[Any, Any, Any]
    ) -> Response[views.Job]:
        """Deliver past events to a webhook again, as a job.

        Those accepted from `since` to `until` that the webhook asks for, oldest first, each as a new delivery in the
        webhook's order, rate and retries; one that is still on its way is skipped. `types` and `state` (of the newest
        delivery to this webhook) narrow them, `rate` is deliveries a second. With `"dry_run": true` the answer is 200
        with their count, and nothing is started. 409 `state_forbidden` for a disabled webhook, or when too many jobs of
        the application wait.
        """
        if data.dry_run:
            counted = await while_asked(request, desk.replays.preview(app, webhook, data))
            return cast("Response[views.Job]", Response(counted, status_code=200))
        return Response(await desk.replays.start(app, webhook, data), status_code=202)

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
