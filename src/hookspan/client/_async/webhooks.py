"""/v1/applications/{app}/webhooks"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import UNSET, UnsetType

from hookspan.client import shapes
from hookspan.client._async.applications import Part
from hookspan.client._async.listing import AsyncListing
from hookspan.client._async.wire import AsyncWire
from hookspan.client._request import change, get, post

Status = Literal["active", "disabled"]
Order = Literal["any", "fifo"]
Resume = Literal["keep", "skip"]
State = Literal["pending", "succeeded", "failed", "cancelled"]
ReplayState = Literal["succeeded", "failed", "cancelled", "missing"]
Epoch = Literal["now", "webhook_creation", "beginning_of_time"]


class AsyncWebhooks:
    """Where an application's events are sent."""

    def __init__(self, wire: AsyncWire) -> None:
        self._wire = wire

    async def create(  # noqa: PLR0913 - the members of a webhook
        self,
        application: str,
        url: str,
        *,
        name: str | UnsetType | None = UNSET,
        events: Sequence[str] | UnsetType | None = UNSET,
        status: Status | UnsetType = UNSET,
        credentials: Mapping[str, str | None] | UnsetType = UNSET,
        order: Order | UnsetType = UNSET,
        rate: float | UnsetType | None = UNSET,
        concurrency: int | UnsetType = UNSET,
        headers: Mapping[str, str] | UnsetType = UNSET,
        also_sign: Mapping[str, Any] | UnsetType | None = UNSET,
        event_epoch: Epoch | Mapping[str, int] | UnsetType = UNSET,
    ) -> shapes.Webhook:
        """A secret that was made is in this answer, this once. Where the answer was lost on the way and the call had to
        be repeated, the server gives it without the secret, which is None then: rotate it.
        """
        body = {
            "url": url,
            "name": name,
            "events": events,
            "status": status,
            "credentials": credentials,
            "order": order,
            "rate": rate,
            "concurrency": concurrency,
            "headers": headers,
            "also_sign": also_sign,
            "event_epoch": event_epoch,
        }
        return await self._wire.run(post(shapes.Webhook, *_under(application), body=body))

    def list(
        self, application: str, *, since: str | None = None, until: str | None = None, page_size: int | None = None
    ) -> AsyncListing[shapes.Webhook]:
        """Newest first."""
        query = {"since": since, "until": until, "limit": page_size}
        return AsyncListing(self._wire, shapes.Webhook, _under(application), query)

    async def get(self, application: str, webhook: str) -> shapes.Webhook:
        return await self._wire.run(get(shapes.Webhook, *_under(application, webhook)))

    async def change(  # noqa: PLR0913 - the members of a webhook
        self,
        application: str,
        webhook: str,
        *,
        if_match: int | None = None,
        url: str | UnsetType = UNSET,
        name: str | UnsetType | None = UNSET,
        events: Sequence[str] | UnsetType | None = UNSET,
        status: Status | UnsetType = UNSET,
        resume: Resume | UnsetType = UNSET,
        credentials: Mapping[str, str | None] | UnsetType = UNSET,
        order: Order | UnsetType = UNSET,
        rate: float | UnsetType | None = UNSET,
        concurrency: int | UnsetType = UNSET,
        headers: Mapping[str, str] | UnsetType = UNSET,
        also_sign: Mapping[str, Any] | UnsetType | None = UNSET,
    ) -> shapes.Webhook:
        """What is given replaces the old. With `if_match`, the `version` that was read, a change that somebody else
        made meanwhile is not overwritten: ChangedMeanwhile. Not repeated where an answer was lost: read it again.
        """
        body = {
            "url": url,
            "name": name,
            "events": events,
            "status": status,
            "resume": resume,
            "credentials": credentials,
            "order": order,
            "rate": rate,
            "concurrency": concurrency,
            "headers": headers,
            "also_sign": also_sign,
        }
        call = change(shapes.Webhook, "PATCH", *_under(application, webhook), body=body, if_match=if_match)
        return await self._wire.run(call)

    async def delete(self, application: str, webhook: str, *, if_match: int | None = None) -> shapes.Webhook:
        """It is shown this once more, with status deleted; what waited for it is cancelled."""
        return await self._wire.run(change(shapes.Webhook, "DELETE", *_under(application, webhook), if_match=if_match))

    async def rotate_secret(
        self,
        application: str,
        webhook: str,
        *,
        secret: str | UnsetType = UNSET,
        credential: str | UnsetType = UNSET,
    ) -> shapes.RotatedSecret:
        """A new secret or key pair, of the one that `credential` names where there are two. The one before signs too
        until `previous_until`.
        """
        path = _under(application, webhook, "secret")
        body = {"secret": secret, "credential": credential}
        return await self._wire.run(post(shapes.RotatedSecret, *path, body=body))

    async def test(self, application: str, webhook: str, *, type: str | UnsetType = UNSET) -> shapes.Attempt:  # noqa: A002
        """Send a test now, also to a disabled webhook, and see what came back."""
        return await self._wire.run(post(shapes.Attempt, *_under(application, webhook, "test"), body={"type": type}))

    async def send(self, application: str, webhook: str, event: str) -> shapes.Delivery:
        """Send one event to a webhook by hand, whether it asked for it or not."""
        return await self._wire.run(
            post(shapes.Delivery, *_under(application, webhook, "send"), body={"event_id": event})
        )

    def upcoming(
        self,
        application: str,
        webhook: str,
        *,
        type: str | None = None,  # noqa: A002 - the parameter's name
        category: str | None = None,
    ) -> AsyncListing[shapes.Event]:
        """The next 10 events that will be delivered to it, in that order."""
        query = {"type": type, "category": category}
        return AsyncListing(self._wire, shapes.Event, _under(application, webhook, "upcoming"), query)

    async def stats(
        self,
        application: str,
        webhook: str,
        *,
        since: str | None = None,
        until: str | None = None,
        by: Part | None = None,
    ) -> shapes.Statistics:
        """What happened to it, hour by hour or day by day; of the last 24 hours unless told."""
        path = _under(application, webhook, "stats")
        return await self._wire.run(get(shapes.Statistics, *path, since=since, until=until, by=by))

    async def replay(
        self,
        application: str,
        webhook: str,
        since: str,
        *,
        until: str | UnsetType = UNSET,
        state: ReplayState | UnsetType = UNSET,
        types: Sequence[str] | UnsetType = UNSET,
        rate: float | UnsetType = UNSET,
    ) -> shapes.Job:
        """Deliver its events accepted from `since` (inclusive) to `until` (exclusive) again, at most `rate` a second,
        as a job: `jobs.get` tells its progress. `state` is that of an event's newest delivery to the webhook.
        """
        body = {"since": since, "until": until, "state": state, "types": types, "rate": rate, "dry_run": False}
        return await self._wire.run(post(shapes.Job, *_under(application, webhook, "replay"), body=body))

    async def preview_replay(
        self,
        application: str,
        webhook: str,
        since: str,
        *,
        until: str | UnsetType = UNSET,
        state: ReplayState | UnsetType = UNSET,
        types: Sequence[str] | UnsetType = UNSET,
    ) -> shapes.ReplayPreview:
        """How many events `replay` would deliver again; nothing is started."""
        body = {"since": since, "until": until, "state": state, "types": types, "dry_run": True}
        return await self._wire.run(post(shapes.ReplayPreview, *_under(application, webhook, "replay"), body=body))

    def logs(
        self,
        application: str,
        webhook: str,
        *,
        since: str | None = None,
        until: str | None = None,
        page_size: int | None = None,
    ) -> AsyncListing[shapes.Attempt]:
        """Its attempts, newest first."""
        query = {"since": since, "until": until, "limit": page_size}
        return AsyncListing(self._wire, shapes.Attempt, _under(application, webhook, "logs"), query)

    def deliveries(
        self,
        application: str,
        webhook: str,
        *,
        state: State | None = None,
        type: str | None = None,  # noqa: A002 - the parameter's name
        since: str | None = None,
        until: str | None = None,
        page_size: int | None = None,
    ) -> AsyncListing[shapes.Delivery]:
        """Its deliveries, newest first."""
        query = {"state": state, "type": type, "since": since, "until": until, "limit": page_size}
        return AsyncListing(self._wire, shapes.Delivery, _under(application, webhook, "deliveries"), query)


def _under(application: str, *further: str) -> tuple[str, ...]:
    return ("applications", application, "webhooks", *further)
