"""Deliveries: the list with its filters, and one with its attempts on a time line."""

import shlex
from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from msgspec import UNSET

from hookspan.dashboard._advice import advice_on
from hookspan.dashboard._form import convert
from hookspan.dashboard._render import Pages, go
from hookspan.dashboard._visit import Entered, Part, Visit
from hookspan.domain.times import to_text
from hookspan.errors import NotFound
from hookspan.manage import views
from hookspan.manage.inputs import LIMIT_MAX, DeliveryQuery, Paging

Asked = Request[Any, Any, Any]
ThePages = SkipValidation[NamedDependency[Pages]]
PAGE_LENGTH: Final = 50
STATES: Final = ("pending", "succeeded", "failed", "cancelled")
# Name in the address → words and how long in ms.
WITHIN: Final = {"1h": ("Last hour", 3_600_000), "24h": ("24 hours", 86_400_000), "7d": ("7 days", 604_800_000)}
_LOCAL: Final = "http://127.0.0.1:3000"
_OWN_HEADERS: Final = frozenset({"host", "content-length", "connection", "accept-encoding"})


class DeliveryPages(Controller):
    """…/deliveries"""

    path = "/deliveries"

    @get("/")
    async def show_all(self, visit: Entered, request: Asked, pages: ThePages) -> Response[str]:
        """Newest first; every filter is in the address."""
        room = await visit.room()
        asked = {name: request.query_params.get(name, "").strip() for name in ("state", "type", "webhook", "within")}
        query = convert(
            {name: asked[name] for name in ("state", "type") if asked[name]},
            DeliveryQuery,
        )
        paging = paging_of(visit, request, asked["within"])
        asked["since"] = paging.since or ""  # the next page begins where this one does
        found = await visit.desk.deliveries.page(room.id, query, paging, asked["webhook"] or None)
        webhooks = (await visit.desk.webhooks.page(room.id, Paging(limit=LIMIT_MAX))).data
        return pages.page(
            "deliveries.html",
            request,
            found=found,
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
        await visit.desk.deliveries.retry(room.id, delivery_id)
        return go(room.to("deliveries", delivery_id, done="retried"))

    @post("/{delivery_id:str}/cancel")
    async def cancel(self, visit: Entered, delivery_id: Part) -> Response[bytes]:
        """Never."""
        room = await visit.room()
        await visit.desk.deliveries.cancel(room.id, delivery_id)
        return go(room.to("deliveries", delivery_id, done="cancelled"))


def paging_of(visit: Visit, request: Asked, within: str = "") -> Paging:
    """The part of a list that an address asks for. Raises InvalidRequest."""
    members: dict[str, Any] = {"limit": PAGE_LENGTH}
    if within in WITHIN:
        # By the whole minute, so that the cursor of the first page fits the next ones.
        members["since"] = request.query_params.get("since") or to_text(
            (visit.now_ms - WITHIN[within][1]) // 60_000 * 60_000
        )
    if request.query_params.get("cursor"):
        members["cursor"] = request.query_params["cursor"]
    return convert(members, Paging)


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
