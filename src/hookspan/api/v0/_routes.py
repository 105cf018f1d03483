"""/v0: the eight calls of Bridge's Webhooks API. Each is the same call of management as under /v1."""

import base64
from typing import Any, cast

import msgspec
from litestar import Controller, Response, delete, get, post, put

from hookspan.api._asgi import Scope
from hookspan.api._parameters import Desk, WebhookId
from hookspan.api.v0._key import APPLICATION
from hookspan.api.v0._reading import Asked, read_change, read_create, read_send, read_window
from hookspan.api.v0._refusals import wrong
from hookspan.api.v0._shapes import BridgeLog, BridgeLogList, BridgeSent, BridgeWebhook, BridgeWebhookList
from hookspan.errors import NotFound, StateForbidden, WebhookLimit
from hookspan.manage import views
from hookspan.manage.inputs import LIMIT_MAX, Paging, UpcomingQuery

LOGS_MAX = 100
_CATEGORY = "category:"

Answer = Response[bytes]


class BridgeRoutes(Controller):
    """Webhooks of one application, which its key names."""

    tags = ("Bridge's Webhooks API",)

    @get("/webhooks")
    async def bridge_list_webhooks(self, desk: Desk, request: Asked) -> Answer:
        """List the webhooks of the key's application, active and disabled ones."""
        found: list[BridgeWebhook] = []
        cursor: str | None = None
        while True:
            page = await desk.webhooks.page(_application(request), Paging(limit=LIMIT_MAX, cursor=cursor))
            found += [_webhook(one) for one in page.data]
            cursor = page.next
            if cursor is None:
                return _json(BridgeWebhookList(found))

    @post("/webhooks")
    async def bridge_create_webhook(self, desk: Desk, request: Asked) -> Answer:
        """Create a webhook, disabled. Look at its upcoming events, send one, read the logs; then set it active."""
        given = await read_create(request)
        try:
            made = await desk.webhooks.create(_application(request), given)
        except WebhookLimit as error:
            raise wrong({"url": error.detail}) from None
        return _json(_webhook(made), status=201)

    @put("/webhooks/{webhook:str}")
    async def bridge_change_webhook(self, desk: Desk, webhook: WebhookId, request: Asked) -> Answer:
        """Change a webhook's URL (while it is disabled), status or categories."""
        given = await read_change(request)
        try:
            return _json(_webhook(await desk.webhooks.change(_application(request), webhook, given)))
        except StateForbidden as error:  # of all that can be asked for here, only the URL depends on the state
            raise wrong({"url": error.detail}) from None

    @delete("/webhooks/{webhook:str}", status_code=200)
    async def bridge_delete_webhook(self, desk: Desk, webhook: WebhookId, request: Asked) -> Answer:
        """Delete a webhook: it is shown this once more, with the status `deleted`."""
        return _json(_webhook(await desk.webhooks.delete(_application(request), webhook)))

    @get("/webhooks/{webhook:str}/events")
    async def bridge_list_upcoming(self, desk: Desk, webhook: WebhookId, request: Asked) -> Answer:
        """List the next 10 events that will be delivered to a webhook; of a disabled one, once it is active."""
        query = UpcomingQuery(category=request.query_params.get("category"))
        bodies = await desk.upcoming.bodies(_application(request), webhook, query)
        return _json({"data": [msgspec.Raw(one) for one in bodies]})

    @post("/webhooks/{webhook:str}/send", status_code=200)
    async def bridge_send_event(self, desk: Desk, webhook: WebhookId, request: Asked) -> Answer:
        """Send one event to a webhook, active or disabled. What else waits for it is not touched."""
        given = await read_send(request)
        try:
            await desk.by_hand.send(_application(request), webhook, given)
        except NotFound as error:
            if error.what == "event":
                raise wrong({"event_id": "is not the id of an event"}) from None
            raise
        return _json(BridgeSent())

    @get("/webhooks/{webhook:str}/logs")
    async def bridge_list_logs(self, desk: Desk, webhook: WebhookId, request: Asked) -> Answer:
        """List the newest attempts of deliveries to a webhook, 100 at most."""
        page = await desk.deliveries.logs(_application(request), webhook, Paging(limit=LOGS_MAX))
        found = [_log(one, one.event_id) for one in page.data if one.event_id is not None]
        return _json(BridgeLogList(len(found), found))

    @get("/webhook_events")
    async def bridge_list_events(self, desk: Desk, request: Asked) -> Answer:
        """List the application's events, newest first.

        `starting_after` goes on with older ones, `ending_before` with newer ones. A page may be shorter than `limit`
        where events are large: there is no more in a direction when `data` is empty.
        """
        bodies = await desk.events.bodies(_application(request), read_window(request))
        return _json({"data": [msgspec.Raw(one) for one in bodies], "count": len(bodies)})


def _application(request: Asked) -> str:
    return cast("str", cast("Scope", request.scope)[APPLICATION])


def _json(shape: Any, status: int = 200) -> Answer:
    return Response(msgspec.json.encode(shape), status_code=status, media_type="application/json")


def _webhook(shown: views.Webhook) -> BridgeWebhook:
    """What /v1 asked for in other words than categories is shown as it was given there."""
    events = shown.events
    return BridgeWebhook(
        id=shown.id,
        url=shown.url,
        status=shown.status,
        public_key=shown.public_key,
        event_categories=None if events is None else [one.removeprefix(_CATEGORY) for one in events],
        created_at=shown.created_at,
        updated_at=shown.updated_at,
    )


def _log(attempt: views.Attempt, event_id: str) -> BridgeLog:
    response = attempt.response
    if response is None:
        error = attempt.error
        text = "" if error is None else f"{error.code}: {error.message}"
    elif response.body_base64 is not None:
        text = base64.b64decode(response.body_base64).decode(errors="replace")
    else:
        text = response.body or ""
    return BridgeLog(
        status=0 if response is None else response.status,
        event_id=event_id,
        response_body=text,
        created_at=attempt.started_at,
    )
