"""Deliveries: the list with its filters, and one with its attempts on a time line."""

import shlex
from collections.abc import Iterable
from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from msgspec import UNSET

from hookspan.dashboard._advice import advice_on
from hookspan.dashboard._form import NO_ERRORS, FieldErrors, convert
from hookspan.dashboard._moments import WINDOW_FIELDS, WITHIN, window_in
from hookspan.dashboard._render import Pages, go
from hookspan.dashboard._visit import Entered, Part, Visit
from hookspan.errors import InvalidRequest, NotFound
from hookspan.manage import views
from hookspan.manage.inputs import LIMIT_MAX, DeliveryQuery, Paging

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]
PAGE_LENGTH: Final = 50
STATES: Final = ("pending", "succeeded", "failed", "cancelled")
_FILTER_FIELDS: Final = {"/from": "from", "/to": "to", "/publisher_id": "publisher_id"}
_LOCAL: Final = "http://127.0.0.1:3000"
_OWN_HEADERS: Final = frozenset({"host", "content-length", "connection", "accept-encoding"})


class DeliveryPages(Controller):
    """…/deliveries"""

    path = "/deliveries"

    @get("/")
    async def show_all(self, visit: Entered, request: Asked, pages: ThePages) -> Response[str]:
        """Newest first; every filter is in the address."""
        room = await visit.room()
        asked = asked_in(request, ("state", "type", "webhook", *WINDOW_FIELDS))
        query = convert({name: asked[name] for name in ("state", "type") if asked[name]}, DeliveryQuery)
        found: views.DeliveryList | None = None
        try:
            paging = paging_of(visit, request, within=True)
            asked["since"] = paging.since or ""  # the next page begins where this one does
            found = await visit.desk.deliveries.page(room.id, query, paging, asked["webhook"] or None)
            errors = NO_ERRORS
        except InvalidRequest as error:
            errors = filter_errors(error)
        webhooks = (await visit.desk.webhooks.page(room.id, Paging(limit=LIMIT_MAX))).data
        return pages.page(
            "deliveries.html",
            request,
            status=200 if found is not None else InvalidRequest.status,
            found=found,
            errors=errors,
            asked=asked,
            webhooks=webhooks,
            names={one.id: one.name or one.url for one in webhooks},
            states=STATES,
            within=WITHIN,
            types=[one.type for one in visit.desk.profiles.events(room.profile.name).data],
        )

    @get("/{delivery_id:str}")
    async def show(self, visit: Entered, request: Asked, pages: ThePages, delivery_id: Part) -> Response[str]:
        """What happened, and what now."""
        room = await visit.room()
        delivery = await visit.desk.deliveries.get(room.id, delivery_id)
        attempts = [] if delivery.attempts is UNSET else delivery.attempts
        wanted = request.query_params.get("attempt", "")
        chosen = next((one for one in attempts if one.id == wanted), attempts[-1] if attempts else None)
        return pages.page(
            "delivery.html",
            request,
            delivery=delivery,
            attempts=attempts,
            chosen=chosen,
            advice=None if chosen is None else advice_on(chosen, room),
            curl=None if chosen is None else curl_of(chosen),
            webhook=await _webhook(visit, delivery.webhook_id),
        )

    @post("/{delivery_id:str}/retry")
    async def retry(self, visit: Entered, delivery_id: Part) -> Response[bytes]:
        """Now."""
        room = await visit.room()
        retried = await visit.desk.deliveries.retry(room.id, delivery_id)
        return go(room.to("deliveries", delivery_id, done="waits" if retried.reason == "paused" else "retried"))

    @post("/{delivery_id:str}/cancel")
    async def cancel(self, visit: Entered, delivery_id: Part) -> Response[bytes]:
        """Never."""
        room = await visit.room()
        await visit.desk.deliveries.cancel(room.id, delivery_id)
        return go(room.to("deliveries", delivery_id, done="cancelled"))


def asked_in(request: Asked, names: Iterable[str]) -> dict[str, str]:
    """The filters that an address has."""
    return {name: request.query_params.get(name, "").strip() for name in names}


def paging_of(visit: Visit, request: Asked, *, within: bool = False) -> Paging:
    """The part of a list that an address asks for; `within` a time, where the list can be asked for one. Raises
    InvalidRequest.
    """
    members: dict[str, Any] = {"limit": PAGE_LENGTH}
    if within:
        window = window_in(request.query_params, visit.now_ms)
        members |= {"since": window.since, "until": window.until}
    if request.query_params.get("cursor"):
        members["cursor"] = request.query_params["cursor"]
    return convert(members, Paging)


def filter_errors(error: InvalidRequest) -> FieldErrors:
    """What is wrong with a list's filters, beside their fields. Raises `error` where it is of something else."""
    errors = FieldErrors(error, _FILTER_FIELDS)
    if not any(errors.of(name) for name in _FILTER_FIELDS.values()):
        raise error
    return errors


async def _webhook(visit: Visit, webhook_id: str) -> views.Webhook | None:
    try:
        return await visit.desk.webhooks.get((await visit.room()).id, webhook_id)
    except NotFound:
        return None  # deleted; its deliveries stay


def curl_of(attempt: views.Attempt) -> str:
    """A command that sends the same to a receiver on one's own machine. Masked values stay masked."""
    url = attempt.request.url or ""
    path = url.partition("://")[2].partition("/")[2]
    lines = [f"curl -i {shlex.quote(f'{_LOCAL}/{path}')}"]
    for name, value in attempt.request.headers:
        if name.lower() not in _OWN_HEADERS:
            lines.append(f"  -H {shlex.quote(f'{name}: {value}')}")
    if attempt.request.body is not None:
        lines.append(f"  --data-binary {shlex.quote(attempt.request.body)}")
    return " \\\n".join(lines)
